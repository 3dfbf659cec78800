"""The story that the demo plays: a weak first version, doubt, people's answers, a better version, less doubt."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.markup import escape

from custom_labels.core.keys import DETECTIONS, INBOX
from include.demo.call_count import CallCount
from include.demo.checks import (
    Check,
    check_costs,
    check_decision,
    check_detection,
    check_improvement,
    check_predict_api,
    check_reviews,
    check_swap,
    check_version,
)
from include.demo.costs import Usage
from include.demo.evidence import Batch, look_at
from include.demo.local_cloud import LocalCloud, ModelVersion
from include.demo.material import Material, Said
from include.demo.people import WORKERS, People, answer_by_hand
from include.demo.predict_caller import PredictCaller
from include.demo.report import Act
from include.demo.runs import Run, Runs
from include.demo.view import View
from include.local_aws.process import Control

SETTLE_SECONDS = 31.0
"""Sampling leaves detections of the last 30 seconds to its next run, since their log may still be written."""
RING_AGAIN_SECONDS = 330.0
"""While the same messages go on waiting, the queue's trigger fires every 300 seconds only."""


@dataclass
class Part:
    """What is known of one version's part in the story, as it goes on."""

    run: Run
    version: ModelVersion
    known: int
    shown: int
    truth: Mapping[str, Said] = field(default_factory=dict)
    batch: Batch = field(default_factory=lambda: Batch({}))
    detection: CallCount = field(default_factory=lambda: CallCount({}))
    harvest: CallCount = field(default_factory=lambda: CallCount({}))
    stopped_at: float | None = None

    def act(self, version: ModelVersion, accuracy: Mapping[str, Any]) -> Act:
        """Sum it up.

        :param version: as AWS describes it at the end.
        :param accuracy: its live accuracy as the audit found it.
        """
        served = (self.stopped_at or time.time()) - self.run.times["version_is_running"]
        usage = Usage(version.training_seconds, served, len(self.batch.reviews))
        return Act(version, self.batch, accuracy, self.known, self.shown, usage, self.detection, self.harvest)


class Story:
    """Plays the parts one after the other.

    :param caller: a program that asks the predict API, beside all that the DAGs do.
    :param by_hand: whether the person at the terminal answers the first batch's reviews.
    """

    def __init__(
        self,
        runs: Runs,
        cloud: LocalCloud,
        control: Control,
        people: People,
        material: Material,
        view: View,
        caller: PredictCaller,
        *,
        by_hand: bool,
    ) -> None:
        self.runs = runs
        self.cloud = cloud
        self.control = control
        self.people = people
        self.material = material
        self.view = view
        self.caller = caller
        self.by_hand = by_hand
        self.checks: list[Check] = []
        self.number = 0

    def play(self) -> tuple[Act, Act]:
        """Play all of it.

        :raises DemoError: a run fails or does not come.
        """
        first = self.train_first()
        self.drop_images(first, 1)
        self.ask_people(first, by_hand=self.by_hand)
        second = self.train_again(first)
        self.drop_images(second, 2)
        self.ask_people(second, by_hand=False)
        accuracies = self.measure()
        self.count_costs()
        versions = self.cloud.versions()
        acts = tuple(
            part.act(versions[part.version.name], accuracies.get(part.version.name, {})) for part in (first, second)
        )
        self.tell(
            check_improvement(
                [act.batch.doubtful / act.batch.size for act in acts], [act.live_accuracy for act in acts]
            )
        )
        return acts[0], acts[1]

    def train_first(self) -> Part:
        """Put the few labelled images there are, and train on them."""
        self._begin(self.material.words.first)
        added = self.material.put_first(self.cloud)
        self.view.line(self.material.words.labelled.format(added))
        conf = {"minimum_untrained_images": self.material.first_minimum}
        run = self.runs.trigger("train", "first_training", f"The demo's first training: {added} images", conf)
        versions = self.cloud.versions()
        self.tell(check_version(1, run, versions, self._serving()))
        self.caller.start()
        return self._part(run, versions)

    def train_again(self, before: Part) -> Part:
        """See the answers trigger the training, and its version replace the one before."""
        self._begin("The answers trigger the training")
        self.view.line("Enough images were filed: the harvest triggers the train DAG; no user does.")
        image = next(iter(self.material.batch(1)[0].values()))
        predicted = self.caller.post(image)
        run = self.runs.await_next("train")
        versions = self.cloud.versions()
        self.tell([*check_version(2, run, versions, self._serving()), *check_swap(run, versions, before.version)])
        self._decision(next(iter(versions)))
        self.view.line("A program asks the predict API, which has run on since the first version served.")
        self.tell(check_predict_api(predicted, self.caller.call(image), before.version.name, self._serving()))
        before.stopped_at = run.times.get("stop_replaced")
        return self._part(run, versions)

    def _decision(self, version_name: str) -> None:
        """Show by what the new version was judged."""
        decision = self.cloud.read(f"registry/decisions/{version_name}.json")
        same = decision.get("same_images") or {}
        changes = Counter(flip["change"] for flip in same.get("flips", ()))
        self.view.line(
            f"The one that served was asked about its test images, too: {decision.get('headline', 'no decision')}; "
            f"{changes['improvement']} went from wrong to right, {changes['regression']} from right to wrong."
        )
        page = f"{self.runs.api.base_url}/custom-labels/{self.runs.project}/decisions/{version_name}"
        self.view.line(f"[dim]The decision, with pictures: {page}[/dim]")
        self.tell(check_decision(decision))

    def _part(self, run: Run, versions: Mapping[str, ModelVersion]) -> Part:
        """Show the version that a run made the images that no training ever sees, and see the detect DAG react."""
        version = next(iter(versions.values()))
        examined = self.material.examine(self.cloud, version)
        words = self.material.words.examined
        self.view.line(f"Shown images that are kept from every training: {examined.known} of {examined.shown} {words}.")
        self.view.line("A version that goes into service also triggers the detect DAG: images may have waited for one.")
        self.runs.await_next("detect")
        return Part(run, version, examined.known, examined.shown)

    def drop_images(self, part: Part, number: int) -> None:
        """Put images without labels into the inbox, and see each of them get its result.

        :param number: of the batch, from 1.
        """
        images, part.truth = self.material.batch(number)
        self._begin(f"{len(images)} {'more ' if number > 1 else ''}images arrive, and nobody says what they show")
        self.runs.drain("detect")  # while a run is long its trigger fires again for the same messages
        dropped = time.time()
        self.cloud.put_inbox(images)
        before = CallCount.now(self.control)
        self.view.line(f"They were put below {INBOX}. S3 announces them to a queue, which triggers the detect DAG.")
        run = self.runs.await_next("detect")
        part.detection = CallCount.now(self.control).since(before)
        while self._detected(part.truth) < len(images):
            # That run was triggered once more for earlier images, or came before the last of these.
            run = self.runs.await_next("detect", RING_AGAIN_SECONDS)
            part.detection = CallCount.now(self.control).since(before)
        batch = look_at(self.cloud, self.people, part.truth, self.material.reading)
        self.view.line(
            f"It began {run.began - dropped:.0f} s after the first image came. {part.version.name} is in doubt about "
            f"{batch.doubtful} of {batch.size} images ({batch.doubtful / batch.size:.0%}), which go to people."
        )
        self.view.line(calls_each(part.detection, batch.size, "image"))
        self.tell(check_detection(run, batch, part.version.name))
        self._sample(run)

    def _detected(self, truth: Mapping[str, Said]) -> int:
        """Count the images of a batch that have a result."""
        return len({key.split("/")[1] for key in self.cloud.objects(DETECTIONS)} & truth.keys())

    def _sample(self, detected: Run) -> None:
        """Let people see every n-th detection as well, however sure the model is of it."""
        self.view.line("A model may be sure and wrong: a sample of all detections goes to people too, doubtful or not.")
        ready = detected.times.get("detect_batch", time.time()) + SETTLE_SECONDS
        with self.view.waiting("Detections are sampled once they are half a minute old"):
            time.sleep(max(0.0, ready - time.time()))
        self.runs.trigger("sample_for_audit", f"sample_{len(self.runs.seen)}", "The demo samples the detections")

    def ask_people(self, part: Part, *, by_hand: bool) -> None:
        """Let people answer, and see their answers filed."""
        self.runs.drain("harvest_reviews")  # one that came late, for messages that the run before it had taken
        waiting = self.people.waiting()
        self._begin(f"{'You' if by_hand else 'People'} answer {waiting} reviews at {self.people.place}")
        before = CallCount.now(self.control)
        wrong = None
        if by_hand:
            answer_by_hand(self.people, self.view, waiting, self.material.words.keys[self.people.backend])
        else:
            with self.view.waiting(f"{WORKERS} simulated people answer"):
                wrong = self.people.answer(self._known_to_workforce(part.truth), self.material.workforce, waiting)
            self.view.line(
                f"{WORKERS} simulated people have answered, {wrong} of {waiting} times wrongly: people err, and so do "
                f"they ({next(iter(self.material.workforce.values())):.0%})."
            )
        self.view.line(self.people.announced)
        run = self._follow_until_empty("harvest_reviews", "reviews", self.runs.await_next("harvest_reviews"))
        part.harvest = CallCount.now(self.control).since(before)
        # Images that a sweep found before S3's message about them was there are done, and their messages are not yet.
        self._follow_until_empty("detect", "detections", run)
        part.batch = look_at(self.cloud, self.people, part.truth, self.material.reading)
        filed = part.batch.filed().total()
        self.view.line(f"{filed} images are filed {self.material.reading.filed}; samples only measure.")
        if not by_hand:  # then the demo's own looks at who has answered are among them
            self.view.line(calls_each(part.harvest, waiting, "review", self.people.calls))
        self.tell(check_reviews(run, part.batch, self.cloud.queued(), wrong, self.people.place))

    def _follow_until_empty(self, kind: str, queue: str, run: Run) -> Run:
        """Follow the runs that a queue triggers until none of its messages is left, or no run comes for them.

        While people take longer than a run, a run begins before the last of them has answered: several are there
        then, of which the last may have emptied the queue already.

        :param run: the last one so far: messages may come after a run has looked, and then trigger another.
        :return: the last one.
        """
        while True:
            seconds = RING_AGAIN_SECONDS if self.cloud.queued().get(queue) else 0
            found = self.runs.follow_next(kind, seconds)
            if found is None:
                return run
            run = found

    def measure(self) -> dict[str, Any]:
        """Let the audit say how often each version was right, by version."""
        self._begin("How often were they right? The samples tell")
        self.runs.trigger("sample_for_audit", "measure", "The demo measures live accuracy")
        measured = self.cloud.read("audit/accuracy.json").get("versions", {})
        return {name: entry["overall"] or {} for name, entry in measured.items()}

    def count_costs(self) -> None:
        """Let the cost guard look at what runs, and count."""
        self._begin("What runs, and what was spent? The cost guard looks")
        self.runs.trigger("cost_guard", "inspect", "The demo asks for the costs")
        months = self.cloud.read_all(sorted(self.cloud.objects("registry/costs/")))
        self.tell(check_costs(months, self.cloud.versions()))

    def tell(self, checks: Iterable[Check]) -> None:
        """Say what was asked, and whether it is so."""
        for check in checks:
            self.checks.append(check)
            mark = "[green]✓[/green]" if check.holds else "[red]✗[/red]"
            self.view.line(f"{mark} {escape(check.claim)}")

    def _begin(self, text: str) -> None:
        self.number += 1
        self.view.heading(f"{self.number}. {text}")

    def _serving(self) -> str:
        return str(self.cloud.live().get("version_name", ""))

    def _known_to_workforce(self, truth: Mapping[str, Said]) -> dict[str, Any]:
        inbox = f"s3://{self.cloud.project.bucket}/{self.cloud.project.prefix}{INBOX}"
        return {f"{inbox}{name}": shows for name, shows in self.material.truth_for_workforce(truth).items()}


def calls_each(count: CallCount, number: int, what: str, calls: str = "AWS calls") -> str:
    """Word how many AWS calls a part of the loop took."""
    each = f"{count.total / number:.1f} each" if number else "none"
    return f"[dim]{count.total} {calls} for {number} {what}s, {each}: {count.most()}.[/dim]"
