"""What tests/plugin.py promises."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("a group of its own")
def test_the_tests_of_a_group_stay_on_one_worker(request: pytest.FixtureRequest) -> None:
    """The scheduler goes by the end of the name, where it is asked to."""
    is_asked = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@a group of its own") == is_asked
