"""Ids are UUIDv7, made by the application before the write, so that a retry carries the same id."""

from __future__ import annotations

import secrets
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A fresh UUIDv7: ordered by time, so that indexes grow at one end."""
    return UUID(int=uuid_utils.uuid7().int)


def new_token() -> str:
    """A secret for a link (invitation, feed): 256 bits, safe in an address."""
    return secrets.token_urlsafe(32)
