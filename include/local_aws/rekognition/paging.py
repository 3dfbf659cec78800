"""Opaque, checked pagination tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import TypeVar

from include.local_aws.strict_json import read_json
from include.local_aws.wire.errors import AwsError

WRONG_TOKEN = "InvalidPaginationTokenException"  # noqa: S105 - an error code
Item = TypeVar("Item")


def by_serial(
    items: Iterable[tuple[int, Item]], kind: str, token: str | None, limit: int
) -> tuple[list[Item], str | None]:
    """Return one page of `(serial, item)` pairs, newest first, and the next page's token.

    What is created between two pages is newer than the token and does not disturb it.
    Raises AwsError InvalidPaginationTokenException for a token of another list.
    """
    before = read_token(kind, token)
    newest_first = sorted(items, key=lambda pair: -pair[0])
    rest = [pair for pair in newest_first if before is None or pair[0] < before]
    page = rest[:limit]
    following = write_token(kind, page[-1][0]) if len(rest) > limit else None
    return [item for _, item in page], following


def by_position(
    items: Sequence[Item], kind: str, token: str | None, limit: int, code: str = WRONG_TOKEN
) -> tuple[list[Item], str | None]:
    """Return one page of a list that keeps its order, and the next page's token; raises AwsError `code`."""
    start = read_token(kind, token, code) or 0
    end = start + limit
    return list(items[start:end]), write_token(kind, end) if end < len(items) else None


def write_token(kind: str, position: int) -> str:
    """Make a token for a position in the list `kind`."""
    return base64.urlsafe_b64encode(json.dumps([kind, position]).encode()).decode()


def read_token(kind: str, token: str | None, code: str = WRONG_TOKEN) -> int | None:
    """Return the position that a token stands for, None without one; the guide's programs send an empty one for none.

    Raises AwsError `code` for a token that was not made for the list `kind`.
    """
    if not token:
        return None
    try:
        given = read_json(base64.urlsafe_b64decode(token))
    except ValueError:
        given = None
    match given:
        case [found, int(position)] if found == kind and position >= 0:
            return position
    raise AwsError(code, "The request has an invalid pagination token.")
