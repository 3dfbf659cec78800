"""Lineage on a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from custom_labels.datasets.annotations.annotation import Annotation
from custom_labels.datasets.snapshot_contents import SnapshotImage
from custom_labels.operations.lineage import (
    ImageLineage,
    Statement,
    VersionImage,
    VersionLineage,
    VersionUse,
)
from custom_labels.review.harvest import HarvestedReview
from include.lineage.files import in_words

MOST_SHOWN = 200
"""Images of a version that are printed; the files have all."""
_NONE_FITS = "none of the above"


def text(value: str) -> str:
    """Give a text that a terminal shows as it is: neither markup of ours nor signs that move its cursor."""
    return escape("".join(each if each.isprintable() else ascii(each)[1:-1] for each in value))


def print_image(console: Console, lineage: ImageLineage) -> None:
    """Print what is known of an image."""
    _line(console, f"[bold]{text(lineage.uri)}[/bold]")
    here = lineage.present
    _line(console, f"  now: {f'ETag {here.etag}, last modified {here.last_modified}' if here else 'not in the bucket'}")
    _line(console, f"  where it comes from: {text(lineage.origin.sentence)}")
    if lineage.unusable:
        _line(console, f"  left out of snapshots: {text(lineage.unusable)}")
    for each in lineage.related:
        _line(console, f"  {each.relation}: {text(each.key)} {text(', '.join(each.etags))}")
    _line(console, f"\n[bold]Versions[/bold] ({lineage.inspected} of {lineage.on_record} looked at)")
    for use in lineage.versions:
        _print_use(console, use)
    if not lineage.versions:
        _line(console, "  none had it, and none said anything of it")
    _line(console, "\n[bold]Reviews[/bold]")
    for review in lineage.reviews:
        _print_review(console, review)
    if not lineage.reviews:
        _line(console, "  none")
    _print_troubles(console, lineage.troubles)


def _print_use(console: Console, use: VersionUse) -> None:
    _line(console, f"  [bold]{text(use.version.name)}[/bold] {text(use.version.gate)}")
    for image in use.images:
        _line(console, f"    {text(_how_used(image))}: {text(image.key)}")
    for each in use.statements:
        _line(console, f"    {text(_said(each))}")


def _how_used(image: SnapshotImage) -> str:
    how = "trained on it" if image.subset == "train" else "judged on it" if image.is_used else "a test image too many"
    return f"{how} as {', '.join(image.labels) or 'nothing'}{_annotated(image.annotation)}"


def _annotated(annotation: Annotation | None) -> str:
    if annotation is None:
        return ""
    job = f" by {annotation.provenance.job}" if annotation.provenance.job else ""
    boxes = f", {len(annotation.boxes)} boxes" if annotation.boxes else ""
    return f" (annotated {annotation.provenance.created}{job}{boxes})"


def _said(statement: Statement) -> str:
    verdict = {None: "", True: ", rightly", False: ", wrongly"}[statement.right]
    when = f" {statement.at}" if statement.at else ""
    detail = f" ({statement.detail})" if statement.detail else ""
    return f"{statement.occasion}{when}: {in_words(statement.seen)}{verdict}{detail}"


def _print_review(console: Console, review: HarvestedReview) -> None:
    _line(console, f"  [bold]{text(review.review)}[/bold] {review.review_outcome}: {text(review.reason)}")
    request = review.request
    asked = f", about what {request.version_name} said of {request.key}" if request else ""
    _line(console, f"    asked {text(review.asked_at + asked)}; harvested {text(review.harvested_at)}")
    votes = ", ".join(f"{label if label is not None else _NONE_FITS}: {number}" for label, number in review.votes)
    if votes:
        _line(console, f"    votes: {text(votes)}")
    for answer in review.answers:
        _line(console, f"    answered by {text(answer.reviewer)} at {text(answer.submitted_at)}")
    for refused in review.refused:
        _line(console, f"    an answer of {text(refused.reviewer)} cannot be counted: {text(refused.why)}")
    if review.target:
        _line(console, f"    copied to {text(review.target)}")


def print_version(console: Console, lineage: VersionLineage, images: Iterable[VersionImage]) -> None:
    """Print a version and the first of its images."""
    _line(console, f"[bold]{text(lineage.version.name)}[/bold]")
    for name, value in lineage.version.facts:
        _line(console, f"  {name}: {text(value)}")
    if counts := lineage.counts:
        _line(
            console,
            f"  images: {counts['all']:,}, {counts['train']:,} to train on, {counts['test']:,} to judge by: "
            f"{counts['right']:,} rightly, {counts['wrong']:,} wrongly",
        )
    table = Table("image", "side", "labels", "the version said", "", box=None, pad_edge=False)
    more = False
    for number, each in enumerate(images):
        if more := number == MOST_SHOWN:
            break
        table.add_row(*map(text, _row(each)))
    console.print(table)
    if more:
        _line(console, f"and more than these {MOST_SHOWN}: --csv FILE or --json has all of them.")
    _print_troubles(console, lineage.troubles)


def _row(each: VersionImage) -> tuple[str, ...]:
    said = "" if each.seen is None else in_words(each.seen)
    verdict = {None: "", True: "right", False: "wrong"}[each.right]
    return each.image.key, each.image.subset, ", ".join(each.image.labels), said, verdict


def _print_troubles(console: Console, troubles: Iterable[str]) -> None:
    for each in troubles:
        _line(console, f"\n[yellow]Not complete:[/yellow] {text(each)}")


def _line(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True)
