"""What was wrong with the annotations of a project, line by line: none of it stops the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from custom_labels.datasets.annotations.annotation import Code

EXAMPLES = 20
"""Examples kept of each kind of trouble."""


@dataclass
class AnnotationReport:
    """Counts of what was read and what was wrong, with a few examples; memory does not grow with the counts.

    :param lines: of ``files``, without the blank ones.
    :param faults: how often, by Custom Labels' code; a line may have several.
    :param examples: by code, where it was and what, such as ``annotations/a.manifest line 7: ...``.
    :param disagreements: images with other labels in another file than in the line that counts.
    :param turned: images that their Exif data turn, so that it is not sure where their boxes are.
    """

    files: int = 0
    lines: int = 0
    faults: Counter[Code] = field(default_factory=Counter)
    examples: dict[Code, list[str]] = field(default_factory=dict)
    disagreements: int = 0
    disagreeing: list[str] = field(default_factory=list)
    turned: int = 0
    turned_images: list[str] = field(default_factory=list)

    def add(self, code: Code, where: str, detail: str) -> None:
        """Count a fault, and keep it as an example if there are few.

        :param where: file and line.
        """
        self.faults[code] += 1
        kept = self.examples.setdefault(code, [])
        if len(kept) < EXAMPLES:
            kept.append(f"{where}: {detail}")

    def merge(self, other: AnnotationReport) -> None:
        """Take over what was found in another file."""
        self.files += other.files
        self.lines += other.lines
        self.faults.update(other.faults)
        for code, details in other.examples.items():
            kept = self.examples.setdefault(code, [])
            kept.extend(details[: EXAMPLES - len(kept)])

    def in_words(self) -> list[str]:
        """Word it for people, one line a kind of trouble."""
        words = [f"{self.lines} lines read of {self.files} files of annotations."]
        for code, count in sorted(self.faults.items()):
            words.append(f"{count} times {code}: {_some(self.examples[code], count)}")
        if self.disagreements:
            words.append(
                f"{self.disagreements} images have other labels in another file, and the line that is newest counts: "
                f"{_some(self.disagreeing, self.disagreements)}"
            )
        if self.turned:
            words.append(
                f"{self.turned} images are turned by their Exif data. Boxes are taken to be of the upright picture, "
                "which Custom Labels' guide does not say. Store them upright to be sure: "
                f"{_some(self.turned_images, self.turned)}"
            )
        return words


def _some(examples: list[str], count: int) -> str:
    return "; ".join(examples[:3]) + ("; ..." if count > 3 else "")
