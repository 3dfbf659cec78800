"""Every status that AWS's enums name, and one that they do not, at every operator, sensor, trigger and waiter.

What is done, waited for or given up must be what the status tables say, in a worker and deferred alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowSensorTimeout, TaskDeferred
from botocore.exceptions import WaiterError

from custom_labels.aws.hooks.rekognition import RekognitionHook
from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.aws.operators.base import WaitingOperator
from custom_labels.aws.sensors.rekognition import StatusSensor
from custom_labels.aws.statuses import (
    CUT_SHORT,
    DATASET_TABLES,
    PROJECT_TABLES,
    TABLES,
    VERSION_TABLES,
    StatusTable,
    Verdict,
)
from custom_labels.aws.triggers.rekognition import StatusTrigger
from custom_labels.review.backends.a2i.setup import FLOW_ACTIVE
from tests.contract.test_waiters import statuses
from tests.kit.classes import OPERATORS, SENSORS, TRIGGERS
from tests.kit.review_project import set_up_review
from tests.kit.support import BUCKET, manifests, rekognition
from tests.kit.task_contexts import context, first_event

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("every status")]

UNKNOWN = "SOMETHING_NEW"
"""It stands for what AWS adds tomorrow."""
WORDS = "AWS's own words."
LOOKS = 3
ENUMS = {
    "project": ("rekognition", "ProjectStatus"),
    "dataset": ("rekognition", "DatasetStatus"),
    "version": ("rekognition", "ProjectVersionStatus"),
    "flow": ("sagemaker", "FlowDefinitionStatus"),
}
ARNS = {
    "project": "*:project/*birds/*",
    "dataset": "*/dataset/train/*",
    "version": "*/version/v1/*",
    "flow": "*:flow-definition/*",
}
KINDS = {
    "CustomLabelsCreateProjectOperator": "project",
    "CustomLabelsDeleteProjectOperator": "project",
    "ProjectStatusTrigger": "project",
    "CustomLabelsCreateDatasetOperator": "dataset",
    "CustomLabelsReplaceDatasetOperator": "dataset",
    "CustomLabelsDeleteDatasetOperator": "dataset",
    "CustomLabelsDatasetSensor": "dataset",
    "DatasetStatusTrigger": "dataset",
    "CustomLabelsTrainVersionOperator": "version",
    "CustomLabelsCopyVersionOperator": "version",
    "CustomLabelsStartVersionOperator": "version",
    "CustomLabelsStopVersionOperator": "version",
    "CustomLabelsDeleteVersionOperator": "version",
    "CustomLabelsVersionSensor": "version",
    "ProjectVersionStatusTrigger": "version",
    "TrainingTrigger": "version",
    "CustomLabelsSetupReviewOperator": "flow",
    "ReviewFlowTrigger": "flow",
}
"""What each class that waits for a status looks at."""
NO_STATUS = {
    "AnnouncementTrigger",
    "AnswersTrigger",
    "CustomLabelsDetectOperator",
    "ProjectLockTrigger",
    "QueueTrigger",
    "WaitUntilOperator",
}
"""Classes that wait for no status of AWS: for a person, a moment, an object, a message, or not at all."""
WAITING = [each for each in OPERATORS if issubclass(each, WaitingOperator)]
TABLES_OF = {
    "project": PROJECT_TABLES,
    "dataset": DATASET_TABLES,
    "version": VERSION_TABLES,
    "flow": (FLOW_ACTIVE,),
}


def test_every_class_is_tried_with_every_status_or_waits_for_none() -> None:
    tried = {each.__name__ for each in (*WAITING, *SENSORS, *TRIGGERS) if each.__name__ in KINDS}
    every = {each.__name__ for each in (*OPERATORS, *SENSORS, *TRIGGERS)}

    assert tried == set(KINDS)
    assert every == tried | NO_STATUS
    assert {each.__name__ for each in TRIGGERS if issubclass(each, StatusTrigger)} <= tried
    assert {each.__name__ for each in SENSORS if issubclass(each, StatusSensor)} <= tried


@dataclass(frozen=True)
class Resources:
    """Resources in the embedded AWS, one of each kind, and the power to make them tell any status.

    :param to_delete: a project with a dataset that is deleted, for hours; ``empty`` is one without anything.
    """

    aws: LocalAws
    project: str
    to_delete: str
    empty: str
    flow_name: str

    @property
    def dataset(self) -> str:
        """The TRAIN dataset, which is another one after it was replaced."""
        return str(RekognitionHook().find_dataset(self.project, "TRAIN"))

    def tell(self, kind: str, status: str, *, first: str = "", times: int = 1) -> None:
        """Tell a status, and before it as many times another one."""
        arn = ARNS[kind]
        before = [{"resource": arn, "status": first, "times": times}] if first and times else []
        self.aws.control.statuses(*before, {"resource": arn, "status": status, "message": WORDS})

    def arguments(self, name: str) -> dict[str, Any]:
        project = {"project_arn": self.project}
        version = {**project, "version_name": "v1"}
        dataset = {**project, "dataset_type": "TRAIN", "manifest_uri": f"s3://{BUCKET}/train.manifest"}
        source = {"source_project_arn": self.project, "source_version_arn": f"{self.project}/version/v0/1"}
        found: dict[str, dict[str, Any]] = {
            "CustomLabelsCreateProjectOperator": {"project_name": "birds"},
            "ProjectStatusTrigger": {"project_name": "birds"},
            "CustomLabelsCreateDatasetOperator": dataset,
            "CustomLabelsReplaceDatasetOperator": dataset,
            "CustomLabelsDeleteDatasetOperator": {"project_arn": self.to_delete, "dataset_type": "TRAIN"},
            "CustomLabelsDeleteProjectOperator": {"project_arn": self.empty},
            "CustomLabelsCopyVersionOperator": {**version, **source, "output_uri": f"s3://{BUCKET}/evaluation"},
            "CustomLabelsDatasetSensor": {"dataset_arn": self.dataset},
            "DatasetStatusTrigger": {"dataset_arn": self.dataset},
            "CustomLabelsTrainVersionOperator": {**version, "output_uri": f"s3://{BUCKET}/evaluation"},
            "CustomLabelsSetupReviewOperator": {"project": "digits", "reviewers": 1},
            "ReviewFlowTrigger": {"flow_name": self.flow_name},
            "TrainingTrigger": {**version, "owner": "a run", "bucket": BUCKET, "prefix": ""},
        }
        return found.get(name, version)


@pytest.fixture(scope="module")
def resources(aws_process: LocalAws, airflow_db: None) -> Iterator[Resources]:
    """Made once for the module: no test changes the state of a resource for others, whatever status they are told."""
    aws = aws_process
    aws.control.reset()
    aws.control.durations(version_delete=3600, project_delete=3600)
    review = set_up_review(aws, (1,))
    flow = review.backend.record.flow_for(1)
    assert flow is not None
    uris = manifests(aws, 2)
    client = rekognition(aws)
    project = client.create_project(ProjectName="birds")["ProjectArn"]
    for kind, uri in uris.items():
        source = {"project_arn": project, "dataset_type": kind, "manifest_uri": uri}
        CLASSES["CustomLabelsReplaceDatasetOperator"](task_id="a_task", **source, waiter_delay=0).execute(context())
    to_delete = client.create_project(ProjectName="other-birds")["ProjectArn"]
    source = {"project_arn": to_delete, "dataset_type": "TRAIN", "manifest_uri": uris["TRAIN"]}
    CLASSES["CustomLabelsCreateDatasetOperator"](task_id="a_task", **source, waiter_delay=0).execute(context())
    empty = client.create_project(ProjectName="no-birds")["ProjectArn"]
    aws.control.outcomes({"operation": "training", "version": "*", "status": "TRAINING_FAILED"})
    client.create_project_version(
        ProjectArn=project, VersionName="v1", OutputConfig={"S3Bucket": BUCKET, "S3KeyPrefix": "evaluation"}
    )
    # Datasets are replaced in no time, and the one that is to be deleted is in that status for hours.
    aws.control.durations(dataset_delete=3600)
    dataset = RekognitionHook().find_dataset(to_delete, "TRAIN")
    client.delete_dataset(DatasetArn=str(dataset))
    aws.control.durations(dataset_delete=0)
    yield Resources(aws, project, to_delete, empty, flow.name)
    aws.control.reset()


CLASSES: dict[str, Any] = {each.__name__: each for each in (*OPERATORS, *SENSORS, *TRIGGERS)}


def every(kind: str) -> list[str]:
    return [*statuses(*ENUMS[kind]), UNKNOWN]


def verdict_of(act: Callable[[], Any], table: StatusTable, status: str) -> Verdict | str:
    """Say what became of it; a failure that does not name status, goal and AWS's words is given as it is."""
    try:
        act()
    except (TaskDeferred, AirflowSensorTimeout):
        return Verdict.WAIT
    except AirflowException as error:
        said = str(error)
        if f"is not {table.goal} after" in said or "Max attempts exceeded" in said:
            return Verdict.WAIT
        words = "AWS gave no status message" if table in PROJECT_TABLES else WORDS
        endings = [f"instead of {table.goal}: {words}", f"and cannot be {table.goal}; AWS says: '{words}'"]
        endings.append(endings[1].replace(table.goal, "started"))
        return Verdict.FAILED if any(f"is {status} {ending}" in said for ending in endings) else said
    return Verdict.DONE


@pytest.mark.matrix
@pytest.mark.parametrize("cls", WAITING, ids=lambda cls: cls.__name__)
def test_an_operator_in_a_worker_judges_as_its_table(cls: Any, resources: Resources) -> None:
    kind, table = KINDS[cls.__name__], cls.table
    task = cls(
        task_id="a_task",
        deferrable=False,
        waiter_delay=0,
        waiter_max_attempts=LOOKS,
        **resources.arguments(cls.__name__),
    )
    found = {}
    for status in every(kind):
        for looks, when in ((0, "from the beginning"), (1, "after it asked AWS"), (3, "while it waits")):
            resources.tell(kind, status, first=min(table.wait), times=looks)
            found[status, when] = verdict_of(lambda: task.execute(context()), table, status)

    expected = {(status, when): table.judge(status) for status, when in found}
    if (
        cls.__name__ == "CustomLabelsReplaceDatasetOperator"
    ):  # one that is being deleted is not to be replaced but to be waited for
        expected["DELETE_IN_PROGRESS", "from the beginning"] = Verdict.WAIT
    assert found == expected


@pytest.mark.parametrize("cls", WAITING, ids=lambda cls: cls.__name__)
def test_an_operator_that_defers_judges_as_its_table(cls: Any, resources: Resources) -> None:
    kind, table = KINDS[cls.__name__], cls.table
    task = cls(
        task_id="a_task",
        deferrable=True,
        waiter_delay=7,
        waiter_max_attempts=LOOKS,
        **resources.arguments(cls.__name__),
    )
    found = {}
    for status in every(kind):
        # The status is asked for once before it is judged, but not of a dataset that is adopted as it is.
        times = 0 if cls.__name__ == "CustomLabelsCreateDatasetOperator" else 1
        resources.tell(kind, status, first=min(table.wait), times=times)
        found[status, "at once"] = verdict_of(lambda: task.execute(context()), table, status)
        for event in ({"status": "success"}, {"status": "error", "message": "The waiter ended."}):
            resources.tell(kind, min(table.wait))
            with pytest.raises(TaskDeferred) as deferred:
                task.execute(context())
            assert_bounded(deferred.value, table)
            resources.tell(kind, status)
            resume = getattr(task, deferred.value.method_name)
            found[status, event["status"]] = verdict_of(partial(resume, context(), event=event), table, status)

    assert found == {(status, when): table.judge(status) for status, when in found}
    with pytest.raises(AirflowException, match=f"not {table.goal} after {7 * LOOKS} s"):
        task.execute_complete(context(), event={"status": "error", "message": CUT_SHORT})


def assert_bounded(deferred: TaskDeferred, table: StatusTable) -> None:
    _, arguments = deferred.trigger.serialize()
    assert arguments["waiter_name"] == table.waiter
    assert (arguments["waiter_delay"], arguments["waiter_max_attempts"]) == (7, LOOKS)
    assert deferred.timeout is not None
    assert timedelta(seconds=7 * LOOKS) < deferred.timeout < timedelta(hours=1)


def goals() -> Iterator[Any]:
    for cls in SENSORS:
        for goal, table in cls.tables.items():  # type: ignore[attr-defined]
            yield pytest.param(cls, table, id=f"{cls.__name__}-{goal}")


@pytest.mark.parametrize(("cls", "table"), goals())
def test_a_sensor_judges_as_its_table(cls: Any, table: StatusTable, resources: Resources) -> None:
    kind = KINDS[cls.__name__]
    terms = {"until": table.goal, "poke_interval": 0.01, "timeout": 0.02, **resources.arguments(cls.__name__)}
    in_worker = cls(task_id="a_task", deferrable=False, **terms)
    deferring = cls(task_id="a_task", deferrable=True, **terms)
    found = {}
    for status in every(kind):
        resources.tell(kind, status)
        found[status, "in a worker"] = verdict_of(lambda: in_worker.execute(context()), table, status)
        found[status, "at once"] = verdict_of(lambda: deferring.execute(context()), table, status)
        found[status, "deferred"] = verdict_of(
            lambda: deferring.execute_complete(context(), event={"status": "error"}), table, status
        )

    assert found == {(status, when): table.judge(status) for status, when in found}


def waits() -> Iterator[Any]:
    for cls in TRIGGERS:
        for table in TABLES_OF[KINDS[cls.__name__]] if cls.__name__ in KINDS else ():
            yield pytest.param(cls, table, id=f"{cls.__name__}-{table.waiter}")


@pytest.mark.parametrize(("cls", "table"), waits())
def test_a_trigger_judges_as_its_table(cls: Any, table: StatusTable, resources: Resources) -> None:
    kind = KINDS[cls.__name__]
    terms = {
        "waiter_name": table.waiter,
        "waiter_delay": 0,
        "waiter_max_attempts": 2,
        **resources.arguments(cls.__name__),
    }
    found = {}
    for status in every(kind):
        resources.tell(kind, status)
        found[status] = judged(asyncio.run(first_event(cls(**terms))))

    assert found == {status: table.judge(status) for status in found}


def judged(event: dict[str, Any]) -> Verdict:
    if event["status"] == "success":
        return Verdict.DONE
    return Verdict.WAIT if CUT_SHORT in event["message"] else Verdict.FAILED


@pytest.mark.parametrize("waiter", [*TABLES, FLOW_ACTIVE.waiter])
def test_a_waiter_judges_as_its_table(waiter: str, resources: Resources) -> None:
    kind = next(kind for kind, tables in TABLES_OF.items() if waiter in {table.waiter for table in tables})
    table = {**TABLES, FLOW_ACTIVE.waiter: FLOW_ACTIVE}[waiter]
    hook = ReviewSetupHook() if kind == "flow" else RekognitionHook()
    arguments: dict[str, dict[str, Any]] = {
        "project": {"ProjectNames": ["birds"]},
        "dataset": {"DatasetArn": resources.dataset},
        "version": {"ProjectArn": resources.project, "VersionNames": ["v1"]},
        "flow": {"FlowDefinitionName": resources.flow_name},
    }
    found = {}
    for status in every(kind):
        resources.tell(kind, status)
        try:
            hook.get_waiter(waiter).wait(**arguments[kind], WaiterConfig={"Delay": 0, "MaxAttempts": 2})
            found[status] = Verdict.DONE
        except WaiterError as error:
            found[status] = Verdict.WAIT if "Max attempts" in str(error) else Verdict.FAILED

    assert found == {status: table.judge(status) for status in found}
