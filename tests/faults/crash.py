"""Runs a scenario: undisturbed, to name its calls, or in trouble - killed at a call, throttled - and run again."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.invariants import LOCKS, LONG_AGO, all_objects
from tests.faults.killed import Airflow
from tests.faults.points import Call, name_calls
from tests.faults.scenarios import COMMON, SCENARIOS
from tests.kit.dag_runs import Run, Variables
from tests.kit.scenes import digits_of
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

AWS_WORDS = (
    *("Throttling", "SlowDown", "Rate exceeded", "InternalServerError", "InternalError", "InternalFailure"),
    "ProvisionedThroughputExceeded",  # what DetectCustomLabels says where other operations say Throttling
    "Service Unavailable",  # all that S3 says to a HEAD, whose answer has no body
)
PATIENCE = 140


class Crash:
    """Runs scenarios in one embedded AWS.

    :param homes: a folder for their homes.
    :param variables: Airflow Variables of this process.
    """

    def __init__(self, aws: LocalAws, homes: Path, variables: Variables) -> None:
        self.aws = aws
        self.homes = homes
        self.variables = variables
        self.runs = 0

    def record(self, name: str) -> tuple[list[Call], list[str]]:
        """Run a scenario undisturbed; name the calls that change something, and every operation that it uses."""
        before = self._begin(name)
        self.aws.control.clear_changes()
        former = self.aws.control.calls()
        assert self._run(SCENARIOS[name].kind, **SCENARIOS[name].params).state == "success"
        calls, counts = name_calls(self.aws.control.changes()), self.aws.control.calls()
        SCENARIOS[name].check(self.aws, before)
        return calls, [each for each in counts if counts[each]["calls"] > former.get(each, {}).get("calls", 0)]

    def kill(self, name: str, side: str, call: Call) -> None:
        """Kill a scenario's run before or after a call, run it again, and check that all is as it must be."""
        scenario = SCENARIOS[name]
        moment = datetime.now(UTC).isoformat() if scenario.is_cleared else None
        before = self._begin(name)
        self.aws.control.faults(call.fault(side))
        with self._airflow(scenario.kind, moment=moment, **scenario.params, **scenario.conf) as airflow:
            airflow.kill_when(lambda: bool(self.aws.control.held()), seconds=PATIENCE)
        self.aws.control.faults()
        time.sleep(scenario.pause)
        let_leases_run_out(self.aws)

        run = self._run(scenario.kind, moment=moment, **scenario.params)

        assert run.state == "success", run
        scenario.check(self.aws, before)

    def trouble(self, name: str, **fault: object) -> None:
        """Let a fault befall a scenario's run; if it fails for that, run again without; check what came of it.

        :param fault: a rule of the embedded AWS.
        """
        scenario = SCENARIOS[name]
        before = self._begin(name)
        self.aws.control.faults(fault)
        run = self._run(scenario.kind, short_retries=True, **scenario.params)
        self.aws.control.faults()
        if run.state != "success":
            assert any(word in str(run.note) for word in AWS_WORDS), run.note
            let_leases_run_out(self.aws)
            run = self._run(scenario.kind, **scenario.params)

        assert run.state == "success", run
        scenario.check(self.aws, before)

    def _begin(self, name: str) -> dict[str, str]:
        """Bring a scenario's beginning about; give the bucket's objects."""
        scenario = SCENARIOS[name]
        self.variables.set(**COMMON, **scenario.settings)
        digits_of(scenario.task, self.homes, self.variables.monkeypatch, scenario.backend)
        if name in self.aws.control.saved():
            self.aws.control.restore(name)
        else:
            scenario.prepare(self.aws, self._run)
            if scenario.is_kept:
                self.aws.control.save(name)
        return all_objects(self.aws)

    def _run(self, kind: str, **how: Any) -> Run:
        with self._airflow(kind, **how) as airflow:
            return airflow.finish(seconds=PATIENCE)

    def _airflow(self, kind: str, **how: Any) -> Airflow:
        self.runs += 1
        return Airflow(self.homes / f"{self.runs}", self.aws.endpoint_url, kind, **how)


def let_leases_run_out(aws: LocalAws) -> None:
    """Turn the clocks of the locks back instead of waiting: their holder is dead, and nobody renews them."""
    store = s3(aws)
    for key in LOCKS & all_objects(aws).keys():
        lock = json.loads(store.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        if lock["owner"] is not None:
            body = json.dumps({**lock, "expires_at": LONG_AGO})
            store.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
