"""National Provider Identifiers."""

from __future__ import annotations

import pytest

from daysheet.kit.npi import is_npi


def test_ten_digits_with_their_check_digit() -> None:
    assert is_npi("1245319599") and is_npi("1234567893")


@pytest.mark.parametrize("text", ["", "1245319598", "3245319599", "12453195990", "124531959x", "1245319599\n"])
def test_anything_else(text: str) -> None:
    assert not is_npi(text)


def test_digits_of_other_scripts_are_none() -> None:
    """They count up to a right check digit, and no column takes them."""
    assert not is_npi("1٢٤٥٣١٩٥٩٩") and not is_npi("1２４５３１９５９９")
