"""States of the embedded AWS that many tests begin at: made once a process, and brought back for each further test."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, cast

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

P = ParamSpec("P")

SURROUNDINGS = {"sns.CreateTopic", "sqs.CreateQueue"}
"""The calls that may come before: the project's topic and queues, which have the same names in every test."""

_results: dict[tuple[str, str], str] = {}


def made_once(make: Callable[P, str]) -> Callable[P, str]:
    """Let a function that prepares an account do that once a process, and bring back what it made after that.

    It works as ever where the account is not empty but for the project's topic and queues. Quotas and durations stay
    as a test has set them before.

    :param make: takes the embedded AWS, then what else it needs to know; gives the project's ARN.
    """

    @functools.wraps(make)
    def bring_about(*args: P.args, **kwargs: P.kwargs) -> str:
        aws = cast("LocalAws", args[0])
        calls = {name: int(counts["calls"]) for name, counts in aws.control.calls().items()}
        if not calls.keys() <= SURROUNDINGS:
            return make(*args, **kwargs)
        name = f"{make.__module__}.{make.__name__} {args[1:]} {kwargs} after {sorted(calls.items())}"
        key = (aws.endpoint_url, name)
        if key in _results:
            durations, quotas = aws.control.durations(), aws.control.quotas()
            aws.control.restore(name)
            aws.control.durations(**durations)
            aws.control.quotas(**quotas)
        else:
            _results[key] = make(*args, **kwargs)
            aws.control.save(name)
        return _results[key]

    return bring_about
