"""When the live version is meant to run: cron expressions that open and close it, in one time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

import pendulum
from croniter import croniter
from pydantic import AfterValidator, BeforeValidator, Field

_LONGEST_FOLD = timedelta(hours=3)
"""More than any time zone sets its clocks back."""


def _cron(text: str) -> str:
    try:
        # What never comes round, such as 30 February, is refused here as well.
        croniter(text, datetime.now(UTC)).get_prev(datetime)
    except ValueError as error:
        raise ValueError(
            f"'{text}' is no cron expression ({error}); expected minute, hour, day of the month, month and day of the "
            "week, such as '0 8 * * mon-fri'"
        ) from error
    return text


def _time_zone(name: str) -> str:
    try:
        pendulum.timezone(name)
    except (ValueError, OSError) as error:
        raise ValueError(f"'{name}' is no time zone that this machine knows, such as Europe/Berlin") from error
    return name


CronExpressions = Annotated[
    tuple[Annotated[str, AfterValidator(_cron)], ...],
    Field(min_length=1),
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
]


@dataclass(frozen=True)
class ServiceWindow:
    """Hours of service, each from an opening to the next closing.

    :param opens: cron expressions, ``closes`` likewise; where both come at once it is open.
    :param time_zone: the time zone in which they are meant.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    opens: CronExpressions
    closes: CronExpressions
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"

    def __str__(self) -> str:
        return f"opens {', '.join(self.opens)}; closes {', '.join(self.closes)}; {self.time_zone}"

    def is_open(self, moment: datetime) -> bool:
        """Say whether a moment, with a time zone, is within the hours; the closing itself is not."""
        opened, closed = (max(self._last(each, moment) for each in side) for side in (self.opens, self.closes))
        return opened >= closed

    def _last(self, expression: str, moment: datetime) -> datetime:
        """Find when an expression came round last.

        It is looked for on the clock on the wall, as Airflow does for its schedules: a time that the clock repeats
        comes round once, and one that it skips comes behind the gap.
        """
        zone = pendulum.timezone(self.time_zone)
        wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        times: Iterator[datetime] = croniter(expression, wall + _LONGEST_FOLD).all_prev(datetime)
        return next(found for time in times if (found := time.replace(tzinfo=zone).astimezone(UTC)) <= moment)
