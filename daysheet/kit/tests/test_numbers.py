"""Numbers out of addresses: what is none is None, and nothing raises."""

from __future__ import annotations

import pytest

from daysheet.kit.numbers import page_from, whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("200", 200)])
def test_a_number(text: str, number: int) -> None:
    assert whole_number(text, most=200) == number


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "x",
        "²",
        "½",
        "١٢٣",
        "1_000",
        "201",
        "1" * 19,
        "1" * 5000,
        "\x00",
        "\ud800",
    ],
)
def test_no_number(text: str | None) -> None:
    assert whole_number(text, most=200) is None


@pytest.mark.parametrize(
    ("text", "page"), [("3", 3), ("100000", 100_000), ("0", 1), ("100001", 1), ("²", 1), (None, 1)]
)
def test_a_page(text: str | None, page: int) -> None:
    assert page_from(text) == page
