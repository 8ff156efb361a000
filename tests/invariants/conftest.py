"""Races and histories are lived through with real commits."""

from __future__ import annotations

import pytest

from tests.billing import Clinic


@pytest.fixture
def clinic(live_clinic: Clinic) -> Clinic:
    return live_clinic
