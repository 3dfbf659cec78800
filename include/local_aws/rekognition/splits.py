"""Split lines into a training and a test part, so that both have every label."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence

from include.local_aws.rekognition.manifest_lines import ManifestLine


def split_entries(
    lines: Sequence[ManifestLine], test_share: float, seed: int
) -> tuple[list[ManifestLine], list[ManifestLine]] | None:
    """Return (training, test) lines, or None if some label has too few images for both.

    An image with several labels is dealt with its rarest one.
    """
    groups = _by_rarest_label(lines)
    chosen: set[str] = set()
    for label in sorted(groups):
        group = groups[label]
        if len(group) == 1 and label:
            return None
        # Not for secrets: the same dataset and seed must always split alike.
        shuffled = random.Random(f"{seed}/{label}").sample(group, len(group))  # noqa: S311
        count = max(1, math.floor(len(group) * test_share)) if label else round(len(group) * test_share)
        chosen.update(line.source_ref for line in shuffled[:count])
    training = [line for line in lines if line.source_ref not in chosen]
    return training, [line for line in lines if line.source_ref in chosen]


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
