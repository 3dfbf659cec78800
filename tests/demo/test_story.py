"""What the demo puts into the inbox, what it counts, and what it says that things cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_labels.core.settings import load_project, read_settings
from custom_labels.training.prices import prices_path
from include.demo.call_count import CallCount
from include.demo.costs import Prices, Usage, load_prices
from include.demo.digits import BATCH, FIRST, FIRST_MINIMUM, UNSEEN, mixed
from include.demo.story import Story

ROOT = Path(__file__).resolve().parents[2]
IMAGES = {"3": [Path("3/0001.png"), Path("3/0002.png")], "8": [Path("8/0003.png"), Path("8/0004.png")]}
PRICES = Prices(1.0, 4.0, 0.08, ("review",), 1, 24)


def test_images_are_mixed_under_names_that_tell_nothing() -> None:
    images, truth = mixed(IMAGES, 1)
    assert sorted(images) == [f"scan-1-000{number}.png" for number in range(1, 5)]
    assert {name: path.parent.name for name, path in images.items()} == truth
    assert sorted(map(str, images.values())) == sorted(str(path) for paths in IMAGES.values() for path in paths)


def test_images_are_mixed_alike_at_every_start_and_batches_apart() -> None:
    assert mixed(IMAGES, 1) == mixed(IMAGES, 1)
    assert not mixed(IMAGES, 1)[0].keys() & mixed(IMAGES, 2)[0].keys()


def test_images_of_the_story_are_there() -> None:
    assert FIRST + 2 * BATCH + UNSEEN <= 174, "the rarest digit has no more"


def test_settings_of_the_demo_are_valid_and_let_the_first_training_begin() -> None:
    variables = {
        each["variable_name"]: each["variable_value"]
        for each in yaml.safe_load((ROOT / "airflow_settings.yaml").read_text())["airflow"]["variables"]
    }
    settings = read_settings(load_project("digits"), variables.get)
    assert FIRST_MINIMUM == 10 * FIRST < settings.minimum_untrained_images < 10 * BATCH


def test_calls_are_counted_since_a_moment_and_without_watching() -> None:
    before, after = CallCount({"s3.PutObject": 3, "s3.GetObject": 1}), CallCount({"s3.PutObject": 5, "s3.GetObject": 1})
    assert after.since(before) == CallCount({"s3.PutObject": 2})
    assert (after.total, after.most(1)) == (6, "PutObject 5")


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        pytest.param(Usage(3600, 0, 0), 1.0, id="an hour of training"),
        pytest.param(Usage(0, 1800, 0), 2.0, id="half an hour of serving"),
        pytest.param(Usage(0, 0, 100), 8.0, id="a hundred reviews"),
    ],
)
def test_cost_is_what_was_used_times_its_price(usage: Usage, cost: float) -> None:
    assert PRICES.of(usage) == pytest.approx(cost)


def test_reviews_that_aws_does_not_bill_cost_nothing_and_their_notes_say_so() -> None:
    prices = load_prices(prices_path(), "label_studio")
    assert prices.of(Usage(0, 0, 100)) == 0
    notes = " ".join(prices.notes())
    assert "reviews cost nothing at AWS" in notes
    assert "review at" not in notes


def test_assumed_cost_takes_the_assumed_hours_and_the_real_reviews() -> None:
    assert PRICES.assumed(Usage(2, 60, 10)) == pytest.approx(1 + 24 * 4 + 0.8)


def test_prices_say_where_they_come_from_and_which_are_not_verified() -> None:
    path = prices_path()
    prices = yaml.safe_load(path.read_text())["prices"]
    for price in (*prices.pop("reviews").values(), *prices.values()):
        assert price["source"]
    notes = " ".join(load_prices(path, "a2i").notes())
    assert "Not verified on AWS's own pages: training hour, inference unit hour, review at a2i." in notes
    assert "which is an assumption" in notes


@dataclass
class Queue:
    """Runs of a DAG that are there, one after another, and what the queue holds when it is asked."""

    coming: list[str]
    numbers: list[int]
    asked: list[float] = field(default_factory=list)

    def queued(self) -> dict[str, int]:
        return {"reviews": self.numbers.pop(0) if self.numbers else 0}

    def follow_next(self, kind: str, seconds: float) -> Any:
        self.asked.append(seconds)
        return self.coming.pop(0) if self.coming else None


@pytest.mark.parametrize(
    ("coming", "numbers", "waits"),
    [
        pytest.param([], [0], [False], id="one run took all"),
        pytest.param(["second"], [3, 0], [True, False], id="messages came behind the run"),
        pytest.param(["second", "third"], [0, 0, 0], [False, False, False], id="other runs have emptied the queue"),
    ],
)
def test_runs_are_followed_until_none_is_left_and_the_queue_is_empty(
    coming: list[str], numbers: list[int], waits: list[bool]
) -> None:
    queue: Any = Queue([*coming], numbers)
    story = Story(queue, queue, queue, queue, queue, queue, queue, by_hand=False)
    last: Any = story._follow_until_empty("harvest_reviews", "reviews", "first")  # type: ignore[arg-type]
    assert last == ["first", *coming][-1]
    assert [seconds > 0 for seconds in queue.asked] == waits
