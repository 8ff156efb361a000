"""A logo is never kept as it was sent: it is decoded within limits and drawn anew, so that nothing but its picture
stays (no metadata, no second file, no bomb)."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from daysheet.kit.errors import Refusal

from .models import MOST_LOGO_BYTES

#: Of the file that is sent, and of the picture in it: read from its header before a pixel is decoded.
MOST_UPLOAD_BYTES = 2_000_000
MOST_PIXELS = 16_000_000
#: As drawn: 1.2 in high at 250 dots an inch is more than any letterhead shows.
_BOX = (900, 300)
_FORMATS = ("PNG", "JPEG")


class LogoRefused(Refusal):
    """The file is no logo that can be printed."""

    code = "logo_refused"


@dataclass(frozen=True, slots=True)
class DrawnLogo:
    """A logo as it is kept."""

    png: bytes
    width: int
    height: int


def draw_logo(content: bytes) -> DrawnLogo:
    """The picture of a PNG or JPEG file, at most as large as a letterhead needs. Raises LogoRefused."""
    if len(content) > MOST_UPLOAD_BYTES:
        raise LogoRefused(f"The file is larger than {MOST_UPLOAD_BYTES // 1_000_000} MB. Send a smaller picture.")
    try:
        picture = _decoded(content)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError):
        raise LogoRefused("This is no PNG or JPEG picture that can be read. Save it again in one of the two.") from None
    drawn = _encoded(picture)
    if len(drawn) > MOST_LOGO_BYTES:
        drawn = _encoded(picture.convert("RGB").quantize(128))
    if len(drawn) > MOST_LOGO_BYTES:
        raise LogoRefused("The picture is too detailed for a letterhead. Send a simpler or smaller one.")
    return DrawnLogo(drawn, *picture.size)


def _decoded(content: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise LogoRefused(f"The picture has more than {MOST_PIXELS // 1_000_000} million dots.")
                picture.load()
                upright = ImageOps.exif_transpose(picture)
                shown = upright.convert("RGBA" if "transparency" in upright.info or "A" in upright.mode else "RGB")
        except Image.DecompressionBombWarning as warning:
            raise LogoRefused(f"The picture has more than {MOST_PIXELS // 1_000_000} million dots.") from warning
    shown.thumbnail(_BOX)
    # A new picture of the same dots: what the file said beside them is left behind.
    clean = Image.new(shown.mode, shown.size)
    clean.paste(shown)
    return clean


def _encoded(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
