"""The champion on the challenger's test images, and the judgement on both: real models, without a DAG around them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.codec import to_json
from custom_labels.core.gate import Gate, Metric, Scores
from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.core.registry import Registry
from custom_labels.deployment.live_records import move_live
from custom_labels.evaluation.comparison_tasks import compare_with_champion
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.evaluation import Evaluation, parse_summary
from custom_labels.evaluation.judge_tasks import judge_version
from custom_labels.evaluation.judgement import AfterEvaluation, EvaluatedVersion, Judgement
from custom_labels.evaluation.settings import JudgeSettings
from custom_labels.evaluation.verdicts import VerdictChange
from tests.kit.detect_runs import wait_for_status
from tests.kit.snapshots import manifests_of, write_snapshot
from tests.kit.support import (
    BUCKET,
    LABELS,
    effects,
    manifest_line,
    meanwhile,
    picture,
    put_images,
    rekognition,
    s3,
    wait_until,
)
from tests.kit.task_contexts import project_context
from tests.kit.version_records import put_on_record

if TYPE_CHECKING:
    from mypy_boto3_rekognition.type_defs import AssetTypeDef, TestingDataTypeDef, TrainingDataTypeDef

    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.xdist_group("comparing")

IMAGES = 12
OUTPUT = {"S3Bucket": BUCKET, "S3KeyPrefix": "evaluation"}
DETECT = "rekognition.DetectCustomLabels"
REGRESSION = "regression"


def asset(key: str) -> AssetTypeDef:
    """Give a manifest as a training takes it."""
    return {"GroundTruthManifest": {"S3Object": {"Bucket": BUCKET, "Name": key}}}


SETTINGS = JudgeSettings(
    notify_outcomes=(),
    minimum_f1_score=0.0,
    gates=(Gate(Metric.F1, at_least=0.0, relative_to_champion=True),),
    headline_metric=Metric.F1,
    compare_with_champion=True,
    maximum_comparison_images=500,
    minimum_inference_units=1,
    detections_per_unit_second=1000.0,
    require_approval=False,
    approval_timeout_hours=24.0,
)


@dataclass(frozen=True)
class Compared:
    """What the comparison returns, and what it kept."""

    champion: LiveVersion | None
    champion_scores: Scores | None
    kept: dict[str, Any]

    @property
    def same_images(self) -> Any:
        """Both versions' scores on the same images, ``None`` where there are none."""
        return self.kept["same_images"]

    @property
    def why_not(self) -> str:
        """Why there are none."""
        return str(self.kept["why_not"])


class Contest:
    """A champion that serves and a challenger, both trained, with the same frozen test images.

    The challenger learned from images of which many lie below the wrong label.
    """

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        put_images(aws, IMAGES)
        self.ctx = project_context()
        self.store = self.ctx.store
        self.snapshot, _ = write_snapshot(self.store, as_of=datetime.now(UTC), trained=None, test_share=0.5)
        pair = manifests_of(self.store, self.snapshot)
        self.project = rekognition(aws).create_project(ProjectName="digits")["ProjectArn"]
        self.train("champion", pair.train.key, pair.test.key)
        self.train("challenger", self.lies(), pair.test.key)

    def begin(self) -> None:
        """Undo what a test before did, and let the champion serve."""
        self.aws.control.faults()
        put_images(self.aws, IMAGES)
        for folder in ("registry/decisions/", "registry/live.json"):
            for entry in s3(self.aws).list_objects_v2(Bucket=BUCKET, Prefix=folder).get("Contents", []):
                s3(self.aws).delete_object(Bucket=BUCKET, Key=entry["Key"])
        put_on_record(self.store, "champion", evaluation=self.evaluation("champion"))
        if self.describe("champion")["Status"] != "RUNNING":
            rekognition(self.aws).start_project_version(ProjectVersionArn=self.arn("champion"), MinInferenceUnits=1)
            wait_for_status(self.aws, self.project, "champion", "RUNNING")
        self.serve("champion")
        self.aws.control.clear_calls()

    def lies(self) -> str:
        """Put images of which every second one lies below the other label's folder; give their manifest's key."""
        lines = []
        for label, other in (LABELS, LABELS[::-1]):
            for number in range(12):
                key = f"lies/{label}/{number}.png"
                body = picture(other if number % 2 else label, 500 + number)
                s3(self.aws).put_object(Bucket=BUCKET, Key=key, Body=body)
                lines.append(manifest_line(key))
        s3(self.aws).put_object(Bucket=BUCKET, Key="lies.manifest", Body="\n".join(lines).encode())
        return "lies.manifest"

    def train(self, name: str, train: str, test: str) -> None:
        training: TrainingDataTypeDef = {"Assets": [asset(train)]}
        testing: TestingDataTypeDef = {"Assets": [asset(test)]}
        rekognition(self.aws).create_project_version(
            ProjectArn=self.project,
            VersionName=name,
            OutputConfig=OUTPUT,  # type: ignore[arg-type]
            TrainingData=training,
            TestingData=testing,
        )
        wait_for_status(self.aws, self.project, name, "TRAINING_COMPLETED")

    def serve(self, name: str) -> None:
        candidate = Candidate(self.project, name, self.arn(name), "0" * 64, 1.0, LABELS, champion_arn=None)
        move_live(Registry(self.store), candidate, "2026-11-21T12:00:00+00:00")

    def describe(self, name: str) -> Any:
        return self.ctx.rekognition.describe_version(self.project, name).raw

    def arn(self, name: str) -> str:
        return str(self.describe(name)["ProjectVersionArn"])

    def evaluation(self, name: str) -> Evaluation:
        ctx = self.describe(name)["EvaluationResult"]["Summary"]["S3Object"]
        return parse_summary(json.loads(s3(self.aws).get_object(Bucket=BUCKET, Key=ctx["Name"])["Body"].read()))

    def compare(self, **settings: Any) -> Compared:
        """Compare as the task 'evaluate' does, and give what that returns with what it kept."""
        used = replace(SETTINGS, **settings)
        digest = self.snapshot.digest
        champion = Registry(self.store).live()
        kept = Decisions(self.store, "challenger")
        if champion is not None and champion.version_name == "challenger":
            return Compared(None, None, to_json(kept.comparison()))
        scores = compare_with_champion(self.ctx, used, champion, self.describe("challenger"), "challenger", digest)
        return Compared(champion, scores, to_json(kept.comparison()))

    def judge(self, compared: Compared, **settings: Any) -> Judgement:
        """Judge as the task does."""
        evaluated = EvaluatedVersion(
            AfterEvaluation.JUDGE,
            self.project,
            "challenger",
            self.arn("challenger"),
            self.snapshot.digest,
            self.evaluation("challenger"),
            compared.champion,
            compared.champion_scores,
        )
        return judge_version.function(self.ctx, replace(SETTINGS, **settings), evaluated)

    def test_images(self) -> list[str]:
        lines = s3(self.aws).get_object(Bucket=BUCKET, Key=f"manifests/{self.snapshot.digest}/test.manifest")["Body"]
        return [json.loads(line)["source-ref"].split("/", 3)[3] for line in lines.read().splitlines()]


@pytest.fixture(scope="module")
def trained(aws_process: LocalAws) -> Iterator[Contest]:
    aws_process.control.reset()
    yield Contest(aws_process)
    aws_process.control.reset()


@pytest.fixture
def contest(trained: Contest) -> Contest:
    trained.begin()
    return trained


def counts(flips: Iterable[dict[str, Any]]) -> int:
    return sum(flip["change"] == VerdictChange.REGRESSION for flip in flips)


def test_both_are_scored_on_the_same_images_as_custom_labels_scores_them(contest: Contest) -> None:
    same = contest.compare().same_images

    images = len(contest.test_images())
    assert (same["images"], same["test_images"], same["left_out"]) == (images, images, {})
    for name in ("champion", "challenger"):
        measured = to_json(contest.evaluation(name).scores)
        assert same[name]["overall"] == pytest.approx(measured["overall"]), name
        assert same[name]["labels"] == {label: pytest.approx(one) for label, one in measured["labels"].items()}
    assert counts(same["flips"]) > 0
    assert same["flips"][0]["change"] == VerdictChange.REGRESSION


def test_a_relative_gate_refuses_what_is_worse_on_the_same_images(contest: Contest) -> None:
    judged = contest.judge(contest.compare())

    record = Decisions(contest.store, "challenger").record() or {}
    gate = record["gates"][1]
    assert not judged.passed
    assert judged.candidate.champion_arn == contest.arn("champion")
    assert gate["basis"] == "the same test images for both versions"
    assert gate["value"] == record["same_images"]["challenger"]["overall"]["f1"] < gate["champion"]
    assert "both on the same" in judged.headline
    assert contest.store.read_json("registry/versions/challenger.json")[0]["gate"]["decision"].endswith(
        "decisions/challenger.json"
    )
    assert b"regression" in (Decisions(contest.store, "challenger").page() or b"")


def test_a_task_that_runs_again_gives_the_same_record_and_asks_nothing_again(contest: Contest) -> None:
    contest.judge(contest.compare())
    first = Decisions(contest.store, "challenger").record()
    asked = effects(contest.aws, "DetectCustomLabels")
    time.sleep(1.1)  # the record tells seconds

    contest.judge(contest.compare())

    assert Decisions(contest.store, "challenger").record() == first
    assert effects(contest.aws, "DetectCustomLabels") == asked


def test_a_task_that_was_killed_asks_only_what_it_has_not_asked(
    contest: Contest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_labels.evaluation.comparison_tasks.BATCH", 3)
    first = contest.compare().same_images
    asked = effects(contest.aws, "DetectCustomLabels")
    s3(contest.aws).delete_object(Bucket=BUCKET, Key="registry/decisions/challenger/champion/00001.jsonl")

    again = contest.compare().same_images

    assert again == first
    assert effects(contest.aws, "DetectCustomLabels") == asked + 3


def test_a_sample_is_asked_about_where_the_images_are_too_many(contest: Contest) -> None:
    same = contest.compare(maximum_comparison_images=4).same_images

    assert (same["images"], same["test_images"]) == (4, len(contest.test_images()))
    assert effects(contest.aws, "DetectCustomLabels") == 4
    assert {cell["actual"] for cell in same["champion_confusion"]} == set(LABELS)


def test_images_that_are_gone_or_replaced_count_for_neither(contest: Contest) -> None:
    gone, replaced, *others = contest.test_images()
    s3(contest.aws).delete_object(Bucket=BUCKET, Key=gone)
    s3(contest.aws).put_object(Bucket=BUCKET, Key=replaced, Body=picture("rows", 999))

    same = contest.compare().same_images

    assert same["images"] == len(others)
    assert same["left_out"] == {"deleted, replaced or denied since the training": 2}
    assert sum(cell["count"] for cell in same["champion_confusion"]) >= len(others)


def test_throttling_is_waited_out(contest: Contest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_labels.aws.inference.FIRST_PAUSE", 0.02)
    contest.aws.control.faults({"operation": DETECT, "kind": "throttle", "share": 0.5})

    assert contest.compare().same_images["images"] == len(contest.test_images())


def test_own_evaluations_count_where_the_champion_is_stopped(contest: Contest) -> None:
    rekognition(contest.aws).stop_project_version(ProjectVersionArn=contest.arn("champion"))
    wait_for_status(contest.aws, contest.project, "champion", "STOPPED")

    compared = contest.compare()
    judged = contest.judge(compared)

    assert compared.same_images is None
    assert compared.why_not == "the champion champion is STOPPED"
    gate = (Decisions(contest.store, "challenger").record() or {})["gates"][1]
    assert gate["basis"] == "each version's own evaluation, on different test images"
    assert gate["champion"] == contest.evaluation("champion").f1
    assert "each on its own test images" in judged.headline


def test_own_evaluations_count_where_the_champion_stops_in_the_middle(contest: Contest) -> None:
    contest.aws.control.faults({"operation": DETECT, "kind": "slow", "seconds": 0.2})

    def stop() -> None:
        wait_until(lambda: effects(contest.aws, "DetectCustomLabels") >= 3)
        rekognition(contest.aws).stop_project_version(ProjectVersionArn=contest.arn("champion"))

    with meanwhile(stop):
        compared = contest.compare(detections_per_unit_second=15.0)

    assert compared.same_images is None
    assert "champion does not answer; AWS says:" in compared.why_not
    assert "ResourceNotReady" in compared.why_not


def test_nothing_is_asked_where_the_comparison_is_off(contest: Contest) -> None:
    compared = contest.compare(compare_with_champion=False)

    assert compared.why_not == "Variable 'digits__compare_with_champion' or the project file says so"
    assert compared.kept["own"]["images"] == len(contest.test_images())
    assert effects(contest.aws, "DetectCustomLabels") == 0


def test_a_lost_evaluation_of_the_champion_refuses_relative_gates(contest: Contest) -> None:
    contest.store.write_json("registry/versions/champion.json", {})

    judged = contest.judge(contest.compare(compare_with_champion=False))

    assert not judged.passed
    assert "it is not known how good the champion is" in judged.reason


def test_a_version_that_serves_already_keeps_its_decision(contest: Contest) -> None:
    before = contest.judge(contest.compare(), gates=())
    kept = Decisions(contest.store, "challenger").comparison()
    s3(contest.aws).delete_object(Bucket=BUCKET, Key="registry/live.json")
    contest.serve("challenger")

    after = contest.judge(contest.compare())

    assert (before.passed, after.passed) == (True, True)
    assert after.headline == before.headline
    assert after.candidate.champion_arn == contest.arn("champion"), (
        "what a user answered about this decision still counts"
    )
    assert Decisions(contest.store, "challenger").comparison() == kept


def test_own_evaluations_count_where_the_answers_to_single_images_are_lost(contest: Contest) -> None:
    ctx = contest.describe("challenger")["TestingDataResult"]["Output"]["Assets"][0]["GroundTruthManifest"]
    key = ctx["S3Object"]["Name"]
    body = s3(contest.aws).get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3(contest.aws).delete_object(Bucket=BUCKET, Key=key)

    compared = contest.compare()
    judged = contest.judge(compared)

    s3(contest.aws).put_object(Bucket=BUCKET, Key=key, Body=body)
    assert f"s3://{BUCKET}/{key}, its evaluation snapshot, is not there" in compared.why_not
    assert "each on its own test images" in judged.headline
    assert b"different test images" in (Decisions(contest.store, "challenger").page() or b"")
