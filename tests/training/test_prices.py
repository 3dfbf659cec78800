"""The file of prices: where it is looked for, what it must hold, and who reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_labels.errors import SettingError
from custom_labels.training.prices import PACKAGED, load_prices, prices_path
from include.demo.costs import load_prices as load_demo_prices

TEXT = PACKAGED.read_text(encoding="utf-8")


def test_every_price_has_a_source_and_a_date() -> None:
    prices = load_prices().prices

    for price in (prices.training_hour, prices.inference_unit_hour, *prices.reviews.values()):
        assert price.source
        assert price.date.year >= 2026
    assert prices.unit_prices(None).as_of == "2026-09-10"


def test_prices_of_ones_own_beside_the_project_files_beat_those_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "projects").mkdir()
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path / "projects"))
    assert prices_path() == PACKAGED, "on Amazon MWAA nothing but DAGs and plugins is deployed"

    own = tmp_path / "prices.yaml"
    own.write_text(TEXT.replace("amount: 4.00", "amount: 3.00"), encoding="utf-8")

    assert load_prices().prices.inference_unit_hour.amount == 3


def test_the_demo_multiplies_the_same_prices() -> None:
    ours, demo = load_prices().prices.unit_prices("a2i"), load_demo_prices(prices_path(), "a2i")

    assert (demo.training_hour, demo.inference_unit_hour, demo.review) == (
        ours.training_hour,
        ours.inference_unit_hour,
        ours.review,
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is missing. Put a copy of"),
        ("prices: [", "is no YAML"),
        (TEXT.replace("amount: 4.00", "amount: -4"), r"'prices.inference_unit_hour.amount' is -4"),
        (TEXT.replace("date: 2026-09-10", "date: last week"), r"'prices.training_hour.date' is 'last week'"),
        (TEXT.replace("  reviews:", "  previews:"), r"'prices.reviews'"),
        (TEXT.replace("currency: USD", "currency: EUR"), "'currency' is 'EUR'"),
        ("", "is empty"),
    ],
    ids=["missing", "no YAML", "negative", "no date", "unknown name", "currency", "empty"],
)
def test_a_bad_file_is_refused(
    content: str | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "our-prices.yaml"
    monkeypatch.setenv("CUSTOM_LABELS_PRICES", str(path))
    if content is not None:
        path.write_text(content, encoding="utf-8")

    with pytest.raises(SettingError, match=r"our-prices\.yaml") as refused:
        load_prices()

    assert words in str(refused.value)
