"""A logo is drawn anew within limits: nothing of the file that was sent stays but its picture."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from daysheet.documents.colours import contrast_on_white, is_readable
from daysheet.documents.logos import MOST_UPLOAD_BYTES, LogoRefused, draw_logo

from .pictures import picture


@pytest.mark.parametrize(("form", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("JPEG", "RGB"), ("PNG", "L")])
def test_a_picture_is_drawn_anew(form: str, mode: str) -> None:
    drawn = draw_logo(picture((2400, 600), form, mode))
    image = Image.open(io.BytesIO(drawn.png))
    assert (image.format, image.size) == ("PNG", (drawn.width, drawn.height)) == ("PNG", (900, 225))


def test_what_the_file_says_beside_its_picture_is_left_behind() -> None:
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", "<script>alert(1)</script>")
    sent = picture(pnginfo=said) + b"PK\x03\x04 another file behind it"
    drawn = draw_logo(sent)
    assert b"script" in sent and b"script" not in drawn.png and b"PK" not in drawn.png
    exif = Image.Exif()
    exif[0x010E] = "Where the owner lives"
    photo = picture(form="JPEG", exif=exif)
    assert b"Where the owner lives" in photo and b"Where the owner lives" not in draw_logo(photo).png


def _bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge, of few bytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [
        b"", b"not a picture", b"GIF89a" + b"\0" * 50, b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        picture()[:60], _bomb(5000, 5000), _bomb(60000, 60000), picture(form="BMP"), picture(form="TIFF"),
        b"\x89PNG" + b"x" * (MOST_UPLOAD_BYTES + 1),
    ],
)  # fmt: skip
def test_what_is_no_logo_is_refused_with_words(content: bytes) -> None:
    with pytest.raises(LogoRefused) as refusal:
        draw_logo(content)
    assert refusal.value.message.endswith((".", "two."))


@pytest.mark.parametrize(
    ("colour", "ratio"), [("#000000", 21.0), ("#ffffff", 1.0), ("#767676", 4.54), ("#777777", 4.48), ("#1f4d3a", 9.63)]
)
def test_contrast_is_that_of_wcag(colour: str, ratio: float) -> None:
    assert contrast_on_white(colour) == pytest.approx(ratio, abs=0.05)
    assert is_readable(colour) == (ratio >= 4.5)
