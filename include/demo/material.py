"""What the demo of a project plays with: its images, what they show, and how answers about them are read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from include.demo.local_cloud import LocalCloud, ModelVersion

Said = Hashable
"""What an image shows, or what a version or a person says that it shows: a label, or objects with their boxes."""


@dataclass(frozen=True)
class Examined:
    """What a version made of images that no training ever sees.

    :param known: of ``shown`` things how many it found, and ``said`` how many it said there are.
    """

    known: int
    shown: int
    said: int

    @property
    def f1(self) -> float:
        """F1 over all of them together, from 0 to 1."""
        return 2 * self.known / (self.shown + self.said) if self.shown + self.said else 0.0


class Reading(Protocol):
    """How what is said of an image is read at AWS, and held against what it shows."""

    filed: str
    """Where answers of people are filed, in words."""

    def result(self, record: Mapping[str, Any]) -> Said:
        """Read what a version said, in the record of a detection."""

    def answer(self, content: Mapping[str, Any]) -> Said:
        """Read what a person said, in the content of an answer."""

    def is_right(self, truth: Said, said: Said) -> bool:
        """Whether a version said what the image shows."""

    def is_true(self, truth: Said, answer: Said) -> bool:
        """Whether a person said what the image shows, to the pixel."""

    def is_filed(self, answer: Said) -> bool:
        """Whether an answer is something to learn from, and not that there is nothing."""

    def copies(self, cloud: LocalCloud) -> dict[str, tuple[Said, ...]]:
        """Read what labelled images are filed as, by their ETags."""


@dataclass(frozen=True)
class Words:
    """The words in which the story and its report speak of a project's images.

    :param first: heading of the first training.
    :param labelled: what was labelled for it, with the number of images as ``{}``.
    :param examined: what the examination counts.
    :param keys: how a person answers, by the review backend.
    :param compared: what the F1 scores may be compared with, if anything.
    """

    first: str
    labelled: str
    examined: str
    keys: Mapping[str, str]
    compared: str = ""


class Material(Protocol):
    """The images of a project, and what they show."""

    project: str
    """Name of the project."""
    project_files: str
    """The folder of its file, below the root; no other project is in it."""
    first_minimum: int
    """Untrained images that the first training asks for."""
    words: Words
    reading: Reading
    workforce: Mapping[str, float]
    """How often simulated people err, as the embedded AWS takes it."""

    def write(self, folder: Path) -> str:
        """Write the images as files below a folder; say in a line what they are."""

    def put_first(self, cloud: LocalCloud) -> int:
        """Put the few labelled images that the first version learns from; give their number."""

    def put_few(self, cloud: LocalCloud) -> int:
        """Put fewer labelled images, as label assist begins with; give their number."""

    def batch(self, number: int) -> tuple[dict[str, Path], dict[str, Said]]:
        """Give a batch of images under names that tell nothing of them, and what each shows.

        :param number: from 1; 9 is a small batch that comes late.
        """

    def examine(self, cloud: LocalCloud, version: ModelVersion) -> Examined:
        """Show a running version what no training ever sees."""

    def truth_for_workforce(self, truth: Mapping[str, Said]) -> dict[str, Any]:
        """Give what images show as the simulated workforce takes it, as JSON types."""
