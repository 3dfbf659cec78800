"""What an import has to do and has done, as its tasks hand it on, and how it ended in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from custom_labels.core.outcome import Outcome
from custom_labels.core.run_settings import TriggerSettings
from custom_labels.datasets.annotations.annotation import Annotation
from custom_labels.datasets.imports.source import ImportCode, SourceKind, Unusable

EXAMPLES = 20
"""Examples of each code in the report; the file of what was skipped has all."""


@dataclass(frozen=True, kw_only=True)
class ImportSettings(TriggerSettings):
    """An import needs no settings of its own; what it is asked comes with the run."""


class OnConflict(StrEnum):
    """What is done where the project has an image with another label or other boxes."""

    KEEP = "keep"
    """Keep what the project has, and skip the image."""
    REPLACE = "replace"
    """Take what the source says; an image in another label's folder is moved aside."""
    FAIL = "fail"
    """Take nothing at all."""


class Fate(StrEnum):
    """What becomes of an image of a source."""

    TAKEN = "taken"
    THERE = "there"
    """The project has it, with the same labels."""
    REPLACED = "replaced"
    """Taken in place of what the project had."""
    SKIPPED = "skipped"


@dataclass(frozen=True)
class ImportItem:
    """An image of a source that the project can learn from.

    :param where: in the source, for people.
    :param annotation: with mapped labels.
    :param etag: of the image, without quotes, and ``size`` in bytes, where the listing of the source has them.
    """

    where: str
    annotation: Annotation
    etag: str = ""
    size: int = 0


@dataclass(frozen=True)
class InspectedItem:
    """An image that is to be taken.

    :param etag: of the image, without quotes: another one is not taken.
    :param target: key of its copy, relative to the project's prefix; ``None`` for one that stays where it is.
    :param older: keys of the images that are moved aside for it.
    :param is_replacing: whether the project has something else about it.
    """

    where: str
    annotation: Annotation
    etag: str
    target: str | None
    older: tuple[str, ...] = ()
    is_replacing: bool = False


@dataclass(frozen=True)
class ImportBatch:
    """Images that one task deals with; a file of the name lists them."""

    name: str


@dataclass(frozen=True)
class ImportCounts:
    """What became of the images of a source, as far as it is known.

    :param fates: images by what becomes of them.
    :param codes: what was skipped, by code; one image may have several boxes that are.
    :param examples: of each code, such as ``instances.json annotation 7: ...``.
    :param labels: what is taken, by label: images, or boxes where the project learns these.
    """

    fates: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def total(cls, several: Iterable[ImportCounts]) -> ImportCounts:
        """Add up."""
        tally = ImportTally()
        for each in several:
            tally.fates.update(each.fates)
            tally.codes.update(each.codes)
            tally.labels.update(each.labels)
            for code, examples in each.examples.items():
                tally.add_examples(code, examples)
        return tally.counts

    def number(self, fate: Fate) -> int:
        """Give the number of images with a fate."""
        return self.fates.get(fate, 0)


@dataclass
class ImportTally:
    """Counts while they grow; memory does not grow with them."""

    fates: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    labels: Counter[str] = field(default_factory=Counter)

    def skip(self, each: Unusable) -> None:
        """Count something that cannot be used, and keep it as an example if there are few."""
        self.codes[each.code] += 1
        self.add_examples(each.code, [f"{each.where}: {each.detail}" if each.where else each.detail])

    def take(self, fate: Fate, annotation: Annotation) -> None:
        """Count an image that is taken, and its labels."""
        self.fates[fate] += 1
        self.labels.update([each.label for each in annotation.boxes or annotation.image_labels])

    def add_examples(self, code: str, examples: Sequence[str]) -> None:
        """Keep examples of a code, as long as there are few."""
        kept = self.examples.setdefault(code, [])
        kept += examples[: EXAMPLES - len(kept)]

    @property
    def counts(self) -> ImportCounts:
        """What was counted, with codes and labels in order."""
        examples = {code: tuple(self.examples[code]) for code in sorted(self.examples)}
        return ImportCounts(
            dict(self.fates), dict(sorted(self.codes.items())), examples, dict(sorted(self.labels.items()))
        )


@dataclass(frozen=True)
class ImportPlan:
    """What an import found in its source.

    :param name: of the import, which its files are below.
    :param at: the moment of the import.
    :param batches: one a mapped task.
    :param counts: what was skipped before anything of an image was looked at.
    """

    settings: ImportSettings
    name: str
    at: datetime
    source: str
    kind: SourceKind
    on_conflict: OnConflict
    batches: tuple[ImportBatch, ...]
    counts: ImportCounts


class Way(StrEnum):
    """How an import goes on after it has looked."""

    TAKE = "something to take"
    END = "nothing to take"


@dataclass(frozen=True)
class ImportDecision:
    """What is taken.

    :param counts: of all that was looked at.
    """

    choice: Way
    batches: tuple[ImportBatch, ...]
    counts: ImportCounts


@dataclass(frozen=True)
class ImportReport:
    """What an import did: ``imports/<name>/report.json``.

    :param is_dry_run: whether nothing was taken, and the counts are of what would be.
    :param mapping: the label mapping that was applied.
    """

    name: str
    at: datetime
    source: str
    kind: SourceKind
    on_conflict: OnConflict
    run: str
    is_dry_run: bool
    mapping: Mapping[str, str | None]
    counts: ImportCounts

    @property
    def outcome(self) -> Outcome:
        """Which of the ends it is."""
        if self.counts.number(Fate.TAKEN) + self.counts.number(Fate.REPLACED):
            return Outcome.IMPORTED
        # Images that are there already, or in conflict with what is there and kept, are no trouble.
        known = self.counts.number(Fate.THERE) + self.counts.codes.get(ImportCode.CONFLICT, 0)
        return Outcome.IMPORT_TROUBLE if self.counts.codes and not known else Outcome.NOTHING_TO_IMPORT

    @property
    def detail(self) -> str:
        """What became of the source, in a sentence."""
        taken, there = self.counts.number(Fate.TAKEN), self.counts.number(Fate.THERE)
        replaced, skipped = self.counts.number(Fate.REPLACED), self.counts.number(Fate.SKIPPED)
        would = "would be " if self.is_dry_run else ""
        parts = [f"{_images(taken)} {would}taken of {self.source}"]
        parts += [f"{replaced} {would}replaced"] if replaced else []
        parts += [f"{there} there already"] if there else []
        parts += [f"{skipped} skipped"] if skipped else []
        return ", ".join(parts)

    def facts(self, skipped_uri: str) -> dict[str, Any]:
        """Name what a person wants to know; what did not occur is left out."""
        codes = {f"Skipped, {code}": self.counts.codes[code] for code in self.counts.codes}
        facts: dict[str, Any] = {"Import": self.name, "Read as": self.kind.value, **codes}
        if self.counts.labels:
            facts["By label"] = ", ".join(f"{label} {count}" for label, count in self.counts.labels.items())
        return {**facts, "All that was skipped": skipped_uri} if codes else facts


def _images(number: int) -> str:
    return "1 image" if number == 1 else f"{number} images"
