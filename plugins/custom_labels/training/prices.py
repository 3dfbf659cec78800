"""The file of prices, the one place where an amount of money is written down."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from custom_labels.core.settings import projects_dir
from custom_labels.core.yaml_files import read_yaml_mapping
from custom_labels.errors import SettingError

PRICES_VARIABLE = "CUSTOM_LABELS_PRICES"
"""Environment variable that names the file of prices where it is not next to the folder of project files."""


PACKAGED = Path(__file__).with_suffix(".yaml")
"""The prices as they come with the package, which is all that is deployed of it on Amazon MWAA."""


class Price(BaseModel):
    """One price.

    :param amount: in US dollars.
    :param date: when it was read at its source.
    :param source: where it was read, and what it is for.
    :param verified: whether it was read on AWS's own page.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: float = Field(ge=0)
    date: date
    source: str = Field(min_length=1)
    verified: bool = False


class PriceTable(BaseModel):
    """All that AWS bills of a project by use, beside S3 and SQS, which cost little.

    :param training_hour: an hour of training, as ``BillableTrainingTimeInSeconds`` counts it.
    :param inference_unit_hour: an hour of one inference unit while its version is RUNNING.
    :param reviews: one image shown to people, by the review backend; one that is not named costs nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    training_hour: Price
    inference_unit_hour: Price
    reviews: dict[str, Price]

    @property
    def unverified(self) -> tuple[str, ...]:
        """Names of the prices that were not read on AWS's own pages."""
        named = {"training hour": self.training_hour, "inference unit hour": self.inference_unit_hour}
        named |= {f"review at {backend}": price for backend, price in self.reviews.items()}
        return tuple(name for name, price in named.items() if not price.verified)

    def unit_prices(self, review_backend: str | None) -> UnitPrices:
        """Give the amounts alone, with the date of the oldest.

        :param review_backend: the project's, ``None`` where it has none.
        """
        review = self.reviews.get(review_backend) if review_backend else None
        every = [self.training_hour, self.inference_unit_hour, *([review] if review else [])]
        return UnitPrices(
            training_hour=self.training_hour.amount,
            inference_unit_hour=self.inference_unit_hour.amount,
            review=review.amount if review else 0.0,
            as_of=min(price.date for price in every).isoformat(),
        )


class Assumptions(BaseModel):
    """What the demo takes a loop at AWS to last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    training_hours: float = Field(gt=0)
    serving_hours: float = Field(gt=0)


class PriceFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Literal["USD"]
    prices: PriceTable
    assumptions: Assumptions | None = None


def prices_path() -> Path:
    """Find the file of prices: where the environment says, next to the folder of project files, or in this package."""
    if given := os.environ.get(PRICES_VARIABLE):
        return Path(given)
    own = projects_dir().parent / PACKAGED.name
    return own if own.exists() else PACKAGED


def load_prices(path: Path | None = None) -> PriceFile:
    """Read the file of prices.

    :param path: another file than :func:`prices_path` finds.
    :raises SettingError: it is missing, cannot be read as :func:`read_yaml_mapping` demands, or holds a value that is
        not allowed.
    """
    path = path or prices_path()
    try:
        return PriceFile.model_validate(read_yaml_mapping(path))
    except FileNotFoundError:
        raise SettingError(
            f"There is no file of prices: {path} is missing. Put a copy of {PACKAGED} there, or correct the "
            f"environment variable {PRICES_VARIABLE}."
        ) from None
    except ValidationError as error:
        wrong = "; ".join(f"'{'.'.join(map(str, e['loc']))}' is {e.get('input')!r}: {e['msg']}" for e in error.errors())
        raise SettingError(f"In the prices of {path} {wrong}. Correct the file.") from error


@dataclass(frozen=True)
class UnitPrices:
    """Prices in US dollars.

    :param training_hour: an hour of training.
    :param inference_unit_hour: an hour of one inference unit; billed by the minute.
    :param review: one image shown to people.
    :param as_of: date of the oldest of them, ISO 8601.
    """

    training_hour: float
    inference_unit_hour: float
    review: float
    as_of: str
