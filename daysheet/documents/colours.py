"""Whether text in a colour can be read on white paper (WCAG 2.2)."""

from __future__ import annotations

#: AA for text of every size.
LEAST_CONTRAST = 4.5


def is_readable(colour: str) -> bool:
    """Whether `#rrggbb` has enough contrast for text on white."""
    return contrast_on_white(colour) >= LEAST_CONTRAST


def contrast_on_white(colour: str) -> float:
    """The contrast ratio of `#rrggbb` against white, by relative luminance."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


def contrast_words(colour: str) -> str:
    """`2.1 to 1, and 4.5 is needed`."""
    return f"{contrast_on_white(colour):.1f} to 1, and {LEAST_CONTRAST} is needed"
