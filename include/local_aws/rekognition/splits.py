"""Split lines into a training and a test part, so that both have every label."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from include.local_aws.rekognition.manifest_lines import ManifestLine


def split_entries(
    lines: Sequence[ManifestLine], test_share: float, seed: int
) -> tuple[list[ManifestLine], list[ManifestLine]] | None:
    """Return (training, test) lines, or None if some label has too few images for both.

    Of all lines together, `test_share` go to the test part, more only where every label needs one there. An image
    with several labels is dealt with its rarest one.
    """
    groups = _by_rarest_label(lines)
    if any(len(group) == 1 for label, group in groups.items() if label):
        return None
    counts = _test_counts({label: len(group) for label, group in groups.items()}, test_share)
    chosen: set[str] = set()
    for label, group in groups.items():
        # Not for secrets: the same dataset and seed must always split alike.
        shuffled = random.Random(f"{seed}/{label}").sample(group, len(group))  # noqa: S311
        chosen.update(line.source_ref for line in shuffled[: counts[label]])
    training = [line for line in lines if line.source_ref not in chosen]
    return training, [line for line in lines if line.source_ref in chosen]


def _test_counts(sizes: Mapping[str, int], share: float) -> dict[str, int]:
    """Return how many lines of each label are for the test; what rounding down leaves goes where it took most."""
    counts = {label: max(1 if label else 0, math.floor(size * share)) for label, size in sizes.items()}
    left = round(sum(sizes.values()) * share) - sum(counts.values())
    by_loss = sorted(sizes, key=lambda label: (counts[label] - sizes[label] * share, label))
    for label in by_loss[: max(0, left)]:
        counts[label] += 1
    return counts


def _by_rarest_label(lines: Sequence[ManifestLine]) -> dict[str, list[ManifestLine]]:
    counts: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        for label in line.labels:
            counts[label] += 1
    groups: defaultdict[str, list[ManifestLine]] = defaultdict(list)
    for line in lines:
        # Images without a label form a group of their own under the empty name.
        groups[min(line.labels, key=lambda label: (counts[label], label), default="")].append(line)
    return groups
