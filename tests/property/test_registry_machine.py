"""Runs that interleave at every call of S3, are killed, hang and lose answers: one training, one pointer, one lock."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from custom_labels.core.codec import from_json
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.lock import ProjectLock, may_take
from custom_labels.core.lock_records import DEPLOYMENT_LOCK, LOCK
from custom_labels.core.registry import LIVE, Registry
from custom_labels.deployment.live_records import move_live
from custom_labels.errors import CustomLabelsError, LiveVersionChanged
from custom_labels.s3.store import S3Store
from custom_labels.training.retraining import AttemptState, TrainingAttempt
from custom_labels.training.training_records import TRAININGS
from custom_labels.training.trainings import Trainings
from tests.kit.support import BUCKET, s3
from tests.property.registry_runs import LEASE, TRAINING, Models, Run, candidate, version_arn
from tests.property.stepping import Killed, Stepped, SteppedStore

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

ACQUIRES = {"acquire_lock", "acquire_deployment_lock"}
LATE_TASKS = [
    *("claim_training", "start_training", "evaluate", "acquire_deployment_lock", "swap_live"),
    *("finish", "release_locks"),
]
ENDING = {"training_is_done", "finish"}
"""The tasks that put on record how a training ended."""
SLOTS = 3
CALL, POLL = 4.0, 30.0
"""Seconds that each call takes, and between two polls at a lock that others hold."""
_prefixes = itertools.count()
slots = st.integers(0, SLOTS - 1)


def is_rolled_back(before: Any, after: Any) -> bool:
    """Tell whether the pointer goes back to the version that a person took out of service."""
    return bool(before and before["is_rollback"] and after["version_name"] == before["previous_version_name"])


class RegistryMachine(RuleBasedStateMachine):
    """Three places for runs of one project, an AWS that trains, a person who puts versions back, and a clock."""

    def __init__(self, aws: LocalAws, client: Any) -> None:
        super().__init__()
        self.aws, self.client = aws, client
        aws.control.faults()
        self.prefix = f"machine-{next(_prefixes)}"
        self.plain = self.store(S3Store(BUCKET, self.prefix))
        self.clock = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.asleep_until = [self.clock] * SLOTS
        self.models = Models(lambda: self.clock)
        self.images = ("images 1", self.clock)
        self.runs: list[Run | None] = [None] * SLOTS
        self.tasks: list[Stepped | None] = [None] * SLOTS
        self.numbers = itertools.count(1)
        self.forced: set[str] = set()
        self.may_force = False
        self.seen: dict[str, Any] = {}
        self.looked: LiveVersion | None = None
        self.expected: str | None = None

    def store(self, store: S3Store) -> Any:
        store.client = self.client
        return store

    # -- what happens ----------------------------------------------------------------------------------

    @initialize(may_force=st.booleans())
    def starts(self, may_force: bool) -> None:
        self.may_force = may_force

    def begin(self, slot: int, *, force: bool, backfill: bool) -> Run:
        owner = f"run{next(self.numbers)}"
        if force:
            self.forced.add(owner)
        store = self.store(
            SteppedStore(BUCKET, self.prefix, lambda: self.pause(slot), lambda key: self.wrote(key, run))
        )
        run = Run(owner, force, backfill, store, self.models, lambda: self.images, lambda: self.pause(slot))
        self.runs[slot], self.tasks[slot], self.asleep_until[slot] = run, None, self.clock
        return run

    def pause(self, slot: int) -> None:
        task = self.tasks[slot]
        assert task is not None
        task.pause()

    @rule(slot=slots, calls=st.integers(1, 20), force=st.booleans(), backfill=st.booleans())
    def a_run_goes_on(self, slot: int, calls: int, force: bool, backfill: bool) -> None:
        """As many calls of S3, and those of another run when this one ends or was not there."""
        for _ in range(calls):
            self.go_on(slot, force, backfill)

    @rule(turns=st.lists(slots, min_size=10, max_size=30))
    def runs_take_turns(self, turns: list[int]) -> None:
        for slot in turns:
            self.go_on(slot)

    @rule(slot=slots, force=st.booleans())
    def a_run_goes_on_to_its_end(self, slot: int, force: bool) -> None:
        """Or to the lock that keeps it out; a training that it waits for ends well."""
        self.go_on(slot, force)
        run = self.runs[slot]
        while run and not run.is_over and self.clock >= self.asleep_until[slot]:
            self.train_well(run)
            self.go_on(slot)

    @rule(
        slot=slots, task=st.sampled_from(LATE_TASKS), calls=st.integers(0, 5), force=st.booleans(), more=st.booleans()
    )
    def a_run_hangs_and_is_overtaken(self, slot: int, task: str, calls: int, force: bool, more: bool) -> None:
        """Others see the project to its end meanwhile, twice; then it goes on as if nothing had been."""
        self.go_on(slot)
        run, other = self.runs[slot], (slot + 1) % SLOTS
        while run and not run.is_over and run.task != task and self.clock >= self.asleep_until[slot]:
            self.train_well(run)
            self.go_on(slot)
        for _ in range(calls):
            self.go_on(slot)
        self.asleep_until[slot] = self.clock + timedelta(days=1)
        self.clock += timedelta(seconds=TRAINING + LEASE)
        self.a_run_goes_on_to_its_end(other, force)
        if more:
            self.images_arrive()
        self.a_run_goes_on_to_its_end(other, force)
        self.asleep_until[slot] = self.clock
        self.a_run_goes_on_to_its_end(slot, force=False)

    def train_well(self, run: Run) -> None:
        if run.task == "training_is_done" and run.version in self.training():
            self.models.end_training(run.version, "TRAINING_COMPLETED", good=True)

    def go_on(self, slot: int, force: bool = False, backfill: bool = False) -> None:
        """Let a run, or the next one in its place, do a call; where a lock keeps it out, let another one."""
        self.clock += timedelta(seconds=CALL)
        slot = next((n % SLOTS for n in range(slot, slot + SLOTS) if self.asleep_until[n % SLOTS] <= self.clock), slot)
        run = self.runs[slot]
        if run is None or run.is_over:
            run = self.begin(slot, force=force and self.may_force, backfill=backfill)
        begun, task = run.task, self.tasks[slot] or Stepped(run.do)
        self.tasks[slot] = task
        task.step()
        if not task.is_over:
            return
        self.tasks[slot] = None
        if task.error is not None and not isinstance(task.error, CustomLabelsError):
            raise task.error
        if run.task in ACQUIRES and run.task == begun:
            self.asleep_until[slot] = self.clock + timedelta(seconds=POLL)

    @rule(slot=slots, for_good=st.integers(0, 3).map(lambda dice: dice == 0))
    def a_worker_is_killed(self, slot: int, for_good: bool) -> None:
        """Before its next call; its task is tried again, unless the whole Airflow is gone for good."""
        task = self.tasks[slot]
        if task is not None:
            task.kill()
            assert isinstance(task.error, Killed)
        self.tasks[slot] = None
        if for_good:
            self.runs[slot] = None

    @rule(slot=slots)
    def a_worker_hangs(self, slot: int) -> None:
        """Longer than its lease, between two calls, and then goes on as if nothing had been."""
        self.asleep_until[slot] = self.clock + timedelta(seconds=3 * LEASE)

    @rule()
    def the_next_answer_of_a_write_is_lost(self) -> None:
        self.aws.control.faults({"operation": "s3.PutObject", "kind": "lost_response", "share": 1, "times": 1})

    @rule(seconds=st.sampled_from([LEASE / 4, LEASE / 2, LEASE + 1, 1.5 * LEASE + 1]))
    def time_passes(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)

    @rule()
    def images_arrive(self) -> None:
        self.images = (f"images {next(self.numbers)}", self.clock)

    @precondition(lambda self: self.training())
    @rule(status=st.sampled_from(["TRAINING_COMPLETED", "TRAINING_COMPLETED", "TRAINING_FAILED"]), good=st.booleans())
    def a_training_ends(self, status: str, good: bool) -> None:
        self.models.end_training(self.training()[0], status, good=good)

    def training(self) -> list[str]:
        return [name for name, each in self.models.described.items() if each.status == "TRAINING_IN_PROGRESS"]

    @rule(stale=st.booleans())
    def a_person_puts_the_version_before_back(self, stale: bool) -> None:
        """By what serves, or served when this person looked last."""
        now = Registry(self.plain).live()
        looked, self.looked = (self.looked if stale else now), now
        if looked is None or not looked.previous_version_name:
            return
        name = looked.previous_version_name
        try:
            self.expected = looked.version_arn
            put_back = candidate(name, self.models.digests[name], self.expected, is_rollback=True)
            move_live(Registry(self.plain), put_back, self.clock.isoformat())
        except LiveVersionChanged:
            assert now is None or now.version_arn != looked.version_arn
        self.wrote(LIVE, None)

    # -- what every write must keep to -----------------------------------------------------------------

    def wrote(self, relative: str, run: Run | None) -> None:
        """Look at what was written, in the moment in which it was."""
        before = self.seen.get(relative)
        after, _ = self.plain.read_json(relative)
        if after == before:
            return
        self.seen[relative] = after
        if relative == LIVE:
            self.pointer_moved(before, after)
            served = before and before["version_name"]
            expected = run.champion_arn if run else self.expected
            assert (served and version_arn(served)) == expected
            assert run is None or not is_rolled_back(before, after)
        elif run is None:
            return
        elif relative in {LOCK, DEPLOYMENT_LOCK}:
            self.lock_changed(before, after, run)
        elif relative == TRAININGS.key:
            self.trainings_changed(before, after, run)

    def pointer_moved(self, before: Any, after: Any) -> None:
        assert after["version_name"] in self.models.ran
        if before is None or before["version_name"] != after["version_name"]:
            assert after["previous_version_name"] == (before["version_name"] if before else None)
        else:
            raise AssertionError("a retry changed what it had written")

    def lock_changed(self, before: Any, after: Any, run: Run) -> None:
        """Nobody but its holder touches a lock whose lease is valid, not even to give it back."""
        holder = from_json(ProjectLock, before) if before and before["owner"] else None
        assert after["owner"] in {run.owner, None}
        assert may_take(holder, owner=run.owner, now=self.clock)
        if after["owner"] is None:
            assert holder is not None
            assert holder.owner == run.owner
        elif holder is not None and holder.owner != run.owner:
            assert run.task in ACQUIRES

    def trainings_changed(self, before: Any, after: Any, run: Run) -> None:
        old, new = from_json(Trainings, before or {}), from_json(Trainings, after)
        self.nothing_is_forgotten(old, new, run)
        for attempt in new.attempts:
            if attempt != old.attempt(attempt.digest):
                self.attempt_changed(old.attempt(attempt.digest), attempt, run)
        self.trained_changed(old, new)

    def nothing_is_forgotten(self, old: Trainings, new: Trainings, run: Run) -> None:
        """No run ends a training that another one claimed."""
        assert {each.digest for each in old.attempts} <= {each.digest for each in new.attempts}
        ended = {each.digest for each in old.open} - {each.digest for each in new.open}
        assert ended <= ({run.given.digest} if run.task in ENDING else set())

    def attempt_changed(self, old: TrainingAttempt | None, new: TrainingAttempt, run: Run) -> None:
        if run.task in ENDING:
            assert new.version_name == run.version  # no run ends the attempt of another version
        if old is None:
            assert new.state is AttemptState.STARTED
        elif not old.state.is_finished:
            assert new.version_name == old.version_name
        elif old.state is AttemptState.TRAINED and run.resumed and run.task == "claim_training":
            assert (new.version_name, new.state, new.deploys) == (old.version_name, AttemptState.STARTED, True)
        else:
            assert run.owner in self.forced  # nothing else begins anew what has ended
            assert new.state is AttemptState.STARTED
            assert new.version_name != old.version_name

    def trained_changed(self, old: Trainings, new: Trainings) -> None:
        """The images that count as trained are never taken for earlier ones again."""
        if old.trained:
            assert new.trained
            assert new[old.trained].as_of <= new[new.trained].as_of

    @invariant()
    def images_are_paid_for_once_unless_forced(self) -> None:
        paid = Counter(self.models.digests.values())
        assert all(number <= 1 + len(self.forced) for number in paid.values())

    @invariant()
    def the_attempt_that_counts_is_of_a_version_that_was_paid_for_these_images(self) -> None:
        for attempt in from_json(Trainings, self.seen.get(TRAININGS.key) or {}).attempts:
            if attempt.state.is_finished:
                assert self.models.digests[attempt.version_name] == attempt.digest

    # -- the end ---------------------------------------------------------------------------------------

    @rule()
    def all_die_and_a_run_that_comes_later_sees_everything_to_its_end(self) -> None:
        for slot in range(SLOTS):
            self.a_worker_is_killed(slot, for_good=True)
        self.clock += timedelta(seconds=2 * TRAINING)
        self.a_run_goes_on_to_its_end(0, force=False)
        for name in self.training():
            self.models.end_training(name, "TRAINING_COMPLETED", good=True)
        self.a_run_goes_on_to_its_end(0, force=False)
        run = self.runs[0]
        assert run is not None
        assert run.is_over
        assert not self.seen[LOCK]["owner"]
        assert not self.seen.get(DEPLOYMENT_LOCK, {}).get("owner")

    def teardown(self) -> None:
        for task in filter(None, self.tasks):
            task.kill()


@pytest.fixture
def client(aws: LocalAws) -> Any:
    """A client that repeats a write at once whose answer was lost, and a bucket."""
    from botocore.exceptions import ConnectionClosedError

    def at_once(caught_exception: Any = None, attempts: int = 1, **_: Any) -> int | None:
        return 0 if isinstance(caught_exception, ConnectionClosedError) and attempts < 3 else None

    s3(aws).create_bucket(Bucket=BUCKET)
    made = S3Store(BUCKET).client
    made.meta.events.register_first("needs-retry.s3", at_once)  # type: ignore[arg-type]
    return made


@pytest.mark.slow
@pytest.mark.parametrize("task", ["claim_training", "start_training", "evaluate", "swap_live", "finish"])
def test_a_run_that_hangs_and_is_overtaken_does_no_harm_whatever_call_it_hangs_before(
    aws: LocalAws, client: Any, task: str
) -> None:
    for calls in range(5):
        machine = RegistryMachine(aws, client)
        machine.a_run_hangs_and_is_overtaken(0, task, calls, force=False, more=calls % 2 == 0)
        machine.images_are_paid_for_once_unless_forced()
        machine.the_attempt_that_counts_is_of_a_version_that_was_paid_for_these_images()
        machine.teardown()


@pytest.mark.slow
@pytest.mark.timeout(600)  # where it fails, the shortest way there takes minutes to find
def test_runs_that_interleave_at_any_call_keep_to_one_training_and_one_pointer(aws: LocalAws, client: Any) -> None:
    run_state_machine_as_test(
        lambda: RegistryMachine(aws, client),  # type: ignore[arg-type]
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
