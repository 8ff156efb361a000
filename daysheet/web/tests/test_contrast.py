"""Both themes keep WCAG AA: 4.5 for text, 3 for the edges of controls and the focus ring."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[1] / "assets" / "app.css").read_text(encoding="utf-8")
PAPERS = ("base-100", "base-200", "base-300", "field")
TEXT = [
    *[(ink, paper) for ink in ("base-content", "secondary", "muted") for paper in PAPERS],
    *[("error", paper) for paper in ("base-100", "base-200", "field")],
    *[
        (f"{name}-content", name)
        for name in ("primary", "secondary", "accent", "neutral", "info", "success", "warning", "error", "alarm")
    ],
]
EDGES = [
    *[("edge", paper) for paper in ("base-100", "base-200", "field")],
    *[("focus", paper) for paper in PAPERS],
    *[(ink, paper) for ink in ("accent", "primary") for paper in ("base-100", "base-200", "field")],
]


def theme_colours(name: str) -> dict[str, str]:
    blocks = re.findall(r'@plugin "daisyui/theme" \{(.*?)\n\}', CSS, re.S)
    block = next(text for text in blocks if f'name: "{name}";' in text)
    return dict(re.findall(r"--color-([a-z0-9-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_ratio_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.01)


@pytest.mark.parametrize("theme", ["ledger", "ledger-dark"])
@pytest.mark.parametrize(("ink", "paper"), TEXT)
def test_text_can_be_read(theme: str, ink: str, paper: str) -> None:
    colours = theme_colours(theme)
    assert contrast(colours[ink], colours[paper]) >= 4.5


@pytest.mark.parametrize("theme", ["ledger", "ledger-dark"])
@pytest.mark.parametrize(("ink", "paper"), EDGES)
def test_controls_and_focus_can_be_seen(theme: str, ink: str, paper: str) -> None:
    colours = theme_colours(theme)
    assert contrast(colours[ink], colours[paper]) >= 3


def test_both_themes_name_the_same_colours() -> None:
    assert theme_colours("ledger").keys() == theme_colours("ledger-dark").keys()
