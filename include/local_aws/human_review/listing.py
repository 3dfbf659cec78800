"""Lists as SageMaker and A2I page them: by creation time, with an optional time window."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from include.local_aws.human_review.state import Resource
from include.local_aws.rekognition.paging import read_token, write_token
from include.local_aws.wire.parse import Params

Item = TypeVar("Item", bound=Resource)
_DEFAULT_PAGE = 100


def page(items: Iterable[Item], kind: str, params: Params) -> tuple[list[Item], str | None]:
    """Return one page of `items` and the next page's token.

    Parameters: `kind` keeps the tokens of different lists apart; `params` may hold CreationTimeAfter,
    CreationTimeBefore (both inclusive), SortOrder (Descending by default), MaxResults and NextToken.
    A token is a place in the order of creation, so what is made or deleted between two pages does not
    disturb it. Raises AwsError ValidationException for a token of another list.
    """
    after, before = params.get("CreationTimeAfter"), params.get("CreationTimeBefore")
    last = read_token(kind, params.get("NextToken"), code="ValidationException")
    ascending = params.get("SortOrder") == "Ascending"
    found = [
        item
        for item in items
        if (after is None or item.created >= after.timestamp())
        and (before is None or item.created <= before.timestamp())
        and (last is None or (item.serial > last if ascending else item.serial < last))
    ]
    found.sort(key=lambda item: item.serial, reverse=not ascending)
    limit = params.get("MaxResults", _DEFAULT_PAGE)
    token = write_token(kind, found[limit - 1].serial) if len(found) > limit else None
    return found[:limit], token
