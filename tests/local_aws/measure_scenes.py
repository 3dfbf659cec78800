"""Measure models on composed scenes: ``python -m tests.local_aws.measure_scenes --images 8 30 60 --seeds 1 2``.

F1 at an overlap of one half, by Custom Labels' arithmetic but on 100 other scenes of which a tenth show nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

# As the server sets it: two trainings share two cores. Must precede numpy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from include.demo.scenes import LABELS, Scene, scenes
from include.local_aws.boxes import Box
from include.local_aws.pictures import open_picture
from include.local_aws.training.box_metrics import judge_boxes
from include.local_aws.training.object_detection import train
from include.local_aws.training.orders import Example, Order
from include.local_aws.training.results import Predictor, Tested

TEST_SEED = 999


def example(scene: Scene) -> Example:
    """Return a scene as a training gets it."""
    boxes = tuple(Box(placed.label, placed.left, placed.top, placed.width, placed.height) for placed in scene.placed)
    return Example(scene.jpeg(), (), boxes)


def detect_all(model: Predictor, tests: list[Example]) -> tuple[list[Tested], float, float]:
    """Return what a model finds, and the mean time of a detection on the clock and of the processor."""
    found = []
    began, cpu = time.perf_counter(), time.process_time()
    for one in tests:
        with open_picture(one.content) as image:
            found.append(Tested(image.size, tuple(model.find(image))))
    each = 1000 / len(tests)
    return found, (time.perf_counter() - began) * each, (time.process_time() - cpu) * each


def measure(images: int, seed: int, tests: list[Example]) -> str:
    """Train on so many scenes with something on them, and return a line of the table."""
    training = [example(scene) for scene in scenes(2 * images + 10, seed) if scene.placed][:images]
    labels = tuple(sorted({box.label for one in training for box in one.boxes}))
    order = Order("OBJECT_LOCALIZATION", labels, 0, len(training), 0)
    began, cpu = time.perf_counter(), time.process_time()
    model = train(order, iter(training)).predictor
    trained, trained_cpu = time.perf_counter() - began, time.process_time() - cpu
    found, milliseconds, cpu_milliseconds = detect_all(model, tests)
    judged = judge_boxes(LABELS, found, [one.boxes for one in tests])
    return (
        f"{images:6} {seed:4}  F1 {judged.f1:.3f}  precision {judged.precision:.3f}  recall {judged.recall:.3f}  "
        f"AP {judged.average_precision:.3f}  training {trained:5.1f} s ({trained_cpu:.1f} s CPU)  "
        f"detection {milliseconds:.0f} ms ({cpu_milliseconds:.0f} ms CPU)"
    )


def main() -> None:
    """Print a line for each number of images and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[8, 30, 60])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--tests", type=int, default=100)
    given = parser.parse_args()
    tests = [example(scene) for scene in scenes(given.tests, TEST_SEED)]
    for images in given.images:
        for seed in given.seeds:
            sys.stdout.write(measure(images, seed, tests) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
