"""What higher slices send, and how their attachments are made. They register in their AppConfig.ready(); mail knows
nothing of what it carries.

A subject belongs to the kind of message and is the same for everybody: no caller can put a client's name or anything of
health into it (D3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from daysheet.kit.errors import Refusal
from daysheet.practices.actor import Actor


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message. `name` is stored, `label` is for the Delivery Log, `subject` is what the receiver's list of
    messages shows to whoever looks over a shoulder. `secret` makes what takes the place of HIDDEN in the body when the
    message of a run is sent, or raises a Refusal: it is stored nowhere and shown to nobody else."""

    name: str
    label: str
    subject: str
    secret: Callable[[Actor, UUID], str] | None = None


#: What stands for a secret in a stored body.
HIDDEN = "••••••••"


#: What Organization → Settings sends to the person who asks whether e-mail works.
TEST = Kind("test", "Test message", "Test message from Daysheet")

#: Makes the bytes of attachments, in the order of their arguments, for as many at once as it is given; a Refusal in a
#: place says why that one cannot be made. It reads as the job's actor, inside the practice's transaction.
Renderer = Callable[[Actor, Sequence[Mapping[str, Any]]], Sequence[bytes | Refusal]]

_kinds: dict[str, Kind] = {}
_renderers: dict[str, Renderer] = {}


def register_kind(kind: Kind) -> None:
    """Make a kind of message known."""
    _kinds[kind.name] = kind


def register_renderer(name: str, renderer: Renderer) -> None:
    """Make `renderer` the function for attachments of this name."""
    _renderers[name] = renderer


def kind_named(name: str) -> Kind:
    """The registered kind. KeyError where no slice registered one."""
    return _kinds[name]


def has_secret(name: str) -> bool:
    """Whether messages of this kind hold one."""
    kind = _kinds.get(name)
    return kind is not None and kind.secret is not None


def secret_of(actor: Actor, name: str, run_id: UUID) -> str:
    """What takes the place of HIDDEN in a message of this kind, which has a secret, and run. Raises a Refusal."""
    secret = _kinds[name].secret
    assert secret is not None
    return secret(actor, run_id)


def label_of(name: str) -> str:
    """The words for a kind; an old one that the code no longer has reads as it was stored."""
    return _kinds[name].label if name in _kinds else name.replace("_", " ")


def kind_choices() -> list[tuple[str, str]]:
    """Every kind with its words, by words."""
    return sorted(((kind.name, kind.label) for kind in _kinds.values()), key=lambda pair: pair[1])


def renderer_named(name: str) -> Renderer:
    """The registered renderer. KeyError where no slice registered one."""
    return _renderers[name]
