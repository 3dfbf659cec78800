"""The story of label assist: few labelled images, a large set without labels, and people who mostly have to confirm."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from rich.markup import escape

from custom_labels.core.keys import LABEL_ASSIST, UNLABELED
from custom_labels.core.outcome import Outcome
from include.demo.checks import Check, check_version
from include.demo.errors import DemoError
from include.demo.local_cloud import LocalCloud, ModelVersion
from include.demo.material import Examined, Material, Said
from include.demo.people import WORKERS, People
from include.demo.runs import Run, Runs
from include.demo.view import View

IMAGES_A_ROUND, ROUNDS = 20, 2
ASKED_SECONDS = 600.0
LOOK_SECONDS = 1.0
DAGS = ("train", "harvest_reviews", "label_assist")
"""What is switched on, by the kinds of a project's DAGs."""
ENDS = (Outcome.ASSIST_GOES_ON, Outcome.ASSIST_ENDED)


@dataclass(frozen=True)
class Learned:
    """One version, and what people made of what it proposed.

    :param examined: what it makes of images that no training ever sees.
    :param round: of the label assist, as the record has it, in which it proposed; empty for the last version.
    """

    version: ModelVersion
    examined: Examined
    round: dict[str, Any]

    @property
    def progress(self) -> dict[str, Any]:
        """What people answered."""
        return dict(self.round.get("progress") or {})


class AssistStory:
    """Plays a first training, and rounds of label assist after it."""

    def __init__(self, runs: Runs, cloud: LocalCloud, people: People, material: Material, view: View) -> None:
        self.runs = runs
        self.cloud = cloud
        self.people = people
        self.material = material
        self.view = view
        self.checks: list[Check] = []
        self.truth: dict[str, Said] = {}
        self.number = 0

    def play(self) -> tuple[Learned, ...]:
        """Play all of it.

        :raises DemoError: a run fails or does not come.
        """
        learned = [self.train_first()]
        self.put_images()
        self.runs.api.trigger(
            f"{self.runs.project}_label_assist",
            "demo_label_assist",
            "The demo lets people label what the model is least sure of",
            {"images_a_round": IMAGES_A_ROUND, "rounds": ROUNDS, "minimum_gain": -1},
        )
        for number in range(1, ROUNDS + 1):
            done, version = self.play_round(number)
            learned[-1] = replace(learned[-1], round=done)
            learned.append(version)
        self.tell(self._whole(learned))
        return tuple(learned)

    def train_first(self) -> Learned:
        """Put the few labelled images there are, and train on them."""
        few = self.material.put_few(self.cloud)
        self._begin(f"A first version, trained on {few} images")
        conf = {"minimum_untrained_images": few, "minimum_f1_score": 0}
        run = self.runs.trigger("train", "first_training", f"The demo's first training: {few} images", conf)
        versions = self.cloud.versions()
        self.tell(check_version(1, run, versions, str(self.cloud.live().get("version_name", ""))))
        return self._learned()

    def put_images(self) -> None:
        """Put the images that nobody has labelled."""
        folder = f"s3://{self.cloud.project.bucket}/{self.cloud.project.prefix}{UNLABELED}"
        for number in (1, 2):
            images, truth = self.material.batch(number)
            self.cloud.put_files({f"{UNLABELED}{name}": path for name, path in images.items()})
            self.truth |= {f"{folder}{name}": shows for name, shows in truth.items()}
        self._begin(f"{len(self.truth)} images without labels are put below {UNLABELED}")
        self.view.line(
            f"{self.runs.project}_label_assist is triggered: {ROUNDS} rounds of {IMAGES_A_ROUND} images, those of "
            "which the model is least sure."
        )

    def play_round(self, number: int) -> tuple[dict[str, Any], Learned]:
        """Let people answer what a round asks, and see the version that is trained on it.

        :return: the round as the record has it, and the new version.
        """
        asked = self._await_asked(number)
        self._begin(f"Round {number}: people see what the model proposes on {asked} images, and confirm or correct it")
        with self.view.waiting(f"{WORKERS} simulated people answer"):
            wrong = self.people.answer(
                self.material.truth_for_workforce(self.truth), self.material.workforce, self.people.waiting()
            )
        rate = next(iter(self.material.workforce.values()))
        self.view.line(f"{WORKERS} simulated people have answered, {wrong} of {asked} times wrongly ({rate:.0%}).")
        self.view.line("Their answers are harvested, and the round trains on all of them together.")
        run = self.runs.await_next("label_assist")
        done = self._record()["rounds"][number - 1]
        learned = self._learned()
        self.tell(self._round(run, done, learned))
        return done, learned

    def _await_asked(self, number: int) -> int:
        """Wait until a round asks people; give about how many images."""
        deadline = time.monotonic() + ASKED_SECONDS * self.runs.patience
        with self.view.waiting(f"Round {number} begins: the model looks at the images"):
            while time.monotonic() < deadline:
                rounds = self._record().get("rounds", [])
                if len(rounds) >= number and (asked := rounds[number - 1]["asked"]) and self.people.waiting() >= asked:
                    return int(asked)
                time.sleep(LOOK_SECONDS)
        raise DemoError(
            f"Round {number} of {self.runs.project}_label_assist asked nobody within {ASKED_SECONDS:.0f} seconds. Look "
            f"at its run in {self.runs.api.base_url}."
        )

    def _record(self) -> dict[str, Any]:
        """Read the record of the label assist; empty before there is one."""
        names = [key for key in self.cloud.objects(LABEL_ASSIST) if key.endswith("/assist.json")]
        return self.cloud.read(names[0]) if names else {}

    def _learned(self) -> Learned:
        """Show the newest version what no training ever sees."""
        version = next(iter(self.cloud.versions().values()))
        found = self.material.examine(self.cloud, version)
        self.view.line(
            f"Shown images that are kept from every training: {found.known} of {found.shown} "
            f"{self.material.words.examined}, F1 {found.f1:.3f}."
        )
        return Learned(version, found, {})

    def _round(self, run: Run, done: dict[str, Any], learned: Learned) -> list[Check]:
        """Check a round against what AWS, S3 and Airflow say."""
        progress, words = done["progress"], tuple(end.words.capitalize() for end in ENDS)
        trained = self.runs.api.runs(f"{self.runs.project}_train")
        return [
            Check(f"Airflow: the run says '{run.note.partition(':')[0]}'", run.note.startswith(words)),
            Check(
                f"S3: {progress['ended']} of {done['asked']} images are answered", progress["ended"] == done["asked"]
            ),
            Check(
                f"S3: people kept {progress['kept']} proposals as they were and corrected {progress['corrected']}",
                progress["kept"] + progress["corrected"] + progress["unproposed"] == progress["ended"],
            ),
            Check(
                f"AWS: {learned.version.name}, which the round trained, is RUNNING",
                (learned.version.name, learned.version.status) == (done["trained"], "RUNNING"),
            ),
            Check(
                "Airflow: one training a round, triggered by it",
                sum(each["run_type"] == "operator_triggered" for each in trained) == done["number"],
            ),
        ]

    def _whole(self, learned: list[Learned]) -> list[Check]:
        """Check what came of all rounds."""
        first, last = learned[0], learned[-1]
        asked = Counter(each.key for each in self.people.reviews())
        total = sum(each.round.get("asked", 0) for each in learned)
        proposals, confirmed = proposed(learned)
        return [
            Check(
                f"{self.people.place}: {asked.total()} reviews of {len(asked)} images, each asked about once",
                asked.total() == len(asked) == total,
            ),
            Check(
                f"AWS: on the same {last.examined.shown} unseen things F1 rose from {first.examined.f1:.3f} to "
                f"{last.examined.f1:.3f}",
                last.examined.f1 > first.examined.f1,
            ),
            Check(f"S3: people only had to confirm {confirmed} of {proposals} proposals", confirmed > 0),
        ]

    def tell(self, checks: Iterable[Check]) -> None:
        """Say what was asked, and whether it is so."""
        for check in checks:
            self.checks.append(check)
            mark = "[green]✓[/green]" if check.holds else "[red]✗[/red]"
            self.view.line(f"{mark} {escape(check.claim)}")

    def _begin(self, text: str) -> None:
        self.number += 1
        self.view.heading(f"{self.number}. {text}")


def proposed(learned: Iterable[Learned]) -> tuple[int, int]:
    """Count the labels, or boxes, that the versions proposed, and those that people only had to confirm."""
    progress = [each.progress for each in learned]
    return (
        sum(each.get("proposals", 0) for each in progress),
        sum(each.get("confirmed", 0) for each in progress),
    )
