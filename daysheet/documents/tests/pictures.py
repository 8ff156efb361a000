"""Small pictures made on the spot."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def picture(size: tuple[int, int] = (120, 40), form: str = "PNG", mode: str = "RGB", **saved: Any) -> bytes:
    """A picture of two colours."""
    image = Image.new(mode, size, (31, 77, 58, 255)[: len(mode)])
    image.paste((200, 180, 60, 255)[: len(mode)], (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    image.save(out, form, **saved)
    return out.getvalue()
