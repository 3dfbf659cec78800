"""One training from its manifests to its model and its files in S3; runs in a thread, without the lock."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from include.local_aws.objects import ObjectDenied, ObjectMissing, Objects
from include.local_aws.rekognition import box_evaluation, evaluation
from include.local_aws.rekognition.evaluation_files import Evaluation
from include.local_aws.rekognition.findings import manifest_finding
from include.local_aws.rekognition.manifest_lines import ManifestLine
from include.local_aws.rekognition.manifests import split_lines
from include.local_aws.rekognition.splits import split_entries
from include.local_aws.rekognition.validation import (
    CheckedLine,
    Validation,
    check_lines,
    shared_images,
    validate,
)
from include.local_aws.settings import Settings
from include.local_aws.training.orders import Example, Order
from include.local_aws.training.pool import TrainerDied, TrainerPool
from include.local_aws.training.results import (
    ImageLevelResult,
    LocalizationResult,
    TrainedModel,
    TrainingResult,
)
from include.local_aws.wire.parse import Params

AUTO_TEST_SHARE = 0.2


@dataclass(frozen=True)
class Manifest:
    """A training or testing manifest: lines of a dataset, or an object in S3 as (bucket, key, version)."""

    lines: tuple[str, ...] = ()
    place: tuple[str, str, str | None] | None = None


@dataclass(frozen=True)
class TrainingPlan:
    """What a training needs to know; `testing` None splits the training manifest."""

    version_arn: str
    project_name: str
    version_name: str
    bucket: str
    prefix: str
    training: Manifest
    testing: Manifest | None


@dataclass
class TrainingOutcome:
    """How a training ended; `details` go into DescribeProjectVersions."""

    status: str
    message: str
    details: Params = field(default_factory=dict)
    model: TrainedModel | None = None


class _Failure(Exception):
    """Ends a training with a message for StatusMessage."""


class TrainingJob:
    """Carries out one plan."""

    def __init__(self, plan: TrainingPlan, settings: Settings, objects: Objects, trainers: TrainerPool) -> None:
        self._plan = plan
        self._settings = settings
        self._objects = objects
        self._trainers = trainers
        self._details: Params = {}

    def run(self) -> TrainingOutcome:
        """Validate, train, judge and write the files; the outcome tells what failed, if anything."""
        started = time.monotonic()
        try:
            model = self._train()
        except (_Failure, TrainerDied) as failure:
            return TrainingOutcome("TRAINING_FAILED", str(failure), self._details)
        except (ObjectMissing, ObjectDenied) as failure:
            return TrainingOutcome("TRAINING_FAILED", f"Unable to access S3: {failure}.", self._details)
        self._details["BillableTrainingTimeInSeconds"] = math.ceil(time.monotonic() - started)
        return TrainingOutcome("TRAINING_COMPLETED", "The model is ready to run.", self._details, model)

    def _train(self) -> TrainedModel:
        self._check_output()
        training, testing = self._manifests()
        validation = validate(training, testing, self._settings)
        self._write_validation(validation)
        _raise_on_errors(validation)
        _raise_on_many_tests(validation, self._settings.quota("test_images_per_label"))
        result = self._fit(validation)
        return self._evaluate(validation, result)

    def _check_output(self) -> None:
        try:
            self._objects.check_writable(self._plan.bucket)
        except (ObjectMissing, ObjectDenied) as failure:
            raise _Failure(f"Unable to write to output S3 bucket. {self._plan.bucket}: {failure}.") from None

    def _manifests(self) -> tuple[list[CheckedLine], list[CheckedLine]]:
        training = check_lines(self._lines("training", self._plan.training), self._settings, self._objects)
        if self._plan.testing is None:
            return self._split(training)
        return training, check_lines(self._lines("testing", self._plan.testing), self._settings, self._objects)

    def _lines(self, side: str, manifest: Manifest) -> Sequence[str]:
        if manifest.place is None:
            place = self._write(f"datasets/{side}.manifest", "\n".join([*manifest.lines, ""]))
            self._details[_result_name(side)] = {"Input": _assets(place)}
            return manifest.lines
        bucket, key, version = manifest.place
        place = {"Bucket": bucket, "Name": key, "Version": version}
        self._details[_result_name(side)] = {"Input": _assets(place)}
        return self._read(bucket, key, version)

    def _read(self, bucket: str, key: str, version: str | None) -> list[str]:
        try:
            content = self._objects.read(bucket, key, version)
            lines = split_lines(content)
        except ObjectDenied:
            raise _Failure(f"The S3 bucket permissions are incorrect. Bucket: {bucket}.") from None
        except (ObjectMissing, UnicodeDecodeError) as failure:
            raise _Failure(f"The manifest file extension or contents are invalid. {failure}.") from None
        if len(content) > self._settings.quota("manifest_bytes"):
            raise _Failure(f"The manifest file size exceeds the maximum supported size. s3://{bucket}/{key}")
        if not lines:
            raise _Failure(f"The manifest file is empty. s3://{bucket}/{key}")
        return lines

    def _split(self, checked: list[CheckedLine]) -> tuple[list[CheckedLine], list[CheckedLine]]:
        lines = [item.line for item in checked if item.line and item.is_valid]
        split = split_entries(lines, AUTO_TEST_SHARE, self._settings.seed)
        if split is None:
            finding = manifest_finding("ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_AUTOSPLIT")
            raise _Failure(f"{finding.code}: {finding.message}")
        testing = {line.source_ref for line in split[1]}
        is_test = [item.line is not None and item.is_valid and item.line.source_ref in testing for item in checked]
        return (
            [item for item, test in zip(checked, is_test, strict=True) if not test],
            [item for item, test in zip(checked, is_test, strict=True) if test],
        )

    def _fit(self, validation: Validation) -> TrainingResult:
        use_case = validation.training.use_case
        training, testing = validation.training.usable, validation.testing.usable
        labels = tuple(sorted(validation.training.usable_labels))
        order = Order(use_case, labels, self._settings.seed, len(training), len(testing))
        return self._trainers.train(order, self._examples([*training, *testing]))

    def _examples(self, lines: list[ManifestLine]) -> Iterator[Example]:
        for line in lines:
            yield Example(self._objects.read(*line.location), line.image_labels, line.boxes)

    def _evaluate(self, validation: Validation, result: TrainingResult) -> TrainedModel:
        found = _evaluated(self._plan.version_arn, result, validation.training.usable, validation.testing.usable)
        name = f"EvaluationResultSummary-{self._plan.project_name}-{self._plan.version_name}.json"
        place = self._write_at(join_key(self._plan.prefix, name), json.dumps(found.summary))
        self._details["EvaluationResult"] = {"F1Score": found.judgement.f1, "Summary": {"S3Object": place}}
        trained = self._write("evaluation/training.manifest", found.training)
        tested = self._write("evaluation/testing.manifest", found.testing)
        self._details["TrainingDataResult"]["Output"] = _assets(trained)
        self._details.setdefault("TestingDataResult", {})["Output"] = _assets(tested)
        thresholds = {metrics.label: metrics.threshold for metrics in found.judgement.labels}
        return TrainedModel(result.predictor, thresholds)

    def _write_validation(self, validation: Validation) -> None:
        place = self._write("validation/manifest_summary.json", json.dumps(validation.to_json()))
        self._details["ManifestSummary"] = {"S3Object": place}
        for side, manifest in (("training", validation.training), ("testing", validation.testing)):
            text = "\n".join([*(item.text for item in manifest.lines), ""])
            place = self._write(f"validation/{side}_manifest_with_validation.json", text)
            self._details.setdefault(_result_name(side), {})["Validation"] = _assets(place)

    def _write(self, name: str, text: str) -> Params:
        plan = self._plan
        return self._write_at(join_key(plan.prefix, f"{plan.project_name}/{plan.version_name}/{name}"), text)

    def _write_at(self, key: str, text: str) -> Params:
        self._objects.write(self._plan.bucket, key, text.encode())
        return {"Bucket": self._plan.bucket, "Name": key}


def _evaluated(
    version_arn: str, result: TrainingResult, training: list[ManifestLine], testing: list[ManifestLine]
) -> Evaluation:
    match result:
        case LocalizationResult():
            return box_evaluation.evaluate(version_arn, result, training, testing)
        case ImageLevelResult():
            return evaluation.evaluate(version_arn, result, training, testing)
    raise TypeError(f"A training gave {type(result).__name__}")


def _raise_on_errors(validation: Validation) -> None:
    errors = validation.all_errors
    if errors:
        told = " ".join(dict.fromkeys(f"{error.code}: {error.message}" for error in errors))
        raise _Failure(f"The manifests have terminal errors. {told}")
    shared = shared_images(validation)
    if shared:
        raise _Failure(
            f"The training and testing manifests share {len(shared)} images, such as {shared[0]}; they must not."
        )


def _raise_on_many_tests(validation: Validation, most: int) -> None:
    testing = validation.testing
    counts = Counter(label for line in testing.usable for label in testing.labels_of(line))
    for label, count in counts.most_common(1):
        if count > most:
            raise _Failure(f"The label '{label}' has {count} test images; {most} are allowed.")


def _assets(place: Params) -> Params:
    return {"Assets": [{"GroundTruthManifest": {"S3Object": place}}]}


def _result_name(side: str) -> str:
    return "TrainingDataResult" if side == "training" else "TestingDataResult"


def join_key(prefix: str, name: str) -> str:
    """Return the key of a file below a prefix that may be empty or end in a slash."""
    return f"{prefix.rstrip('/')}/{name}" if prefix else name
