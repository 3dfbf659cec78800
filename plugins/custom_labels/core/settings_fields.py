"""What an operator may change while a project runs: every setting, its default and what is allowed."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from custom_labels.core.gate import Gate, Metric
from custom_labels.core.outcome import Outcome
from custom_labels.core.service_window import ServiceWindow
from custom_labels.core.uncertainty import Uncertainty

Percent = Annotated[float, Field(ge=0, le=100)]
LabelName = Annotated[str, Field(min_length=1, max_length=256)]

JSON_EXAMPLES = {
    "label_detection_confidence": '{"7": 85}',
    "expected_labels": '["logo", "barcode"]',
    "gates": '[{"metric": "f1", "label": "*", "at_least": -0.05, "relative_to_champion": true}]',
    "service_window": '{"opens": "0 8 * * mon-fri", "closes": "0 18 * * mon-fri", "time_zone": "Europe/Berlin"}',
}
NAMES_EXAMPLES = {"notify_outcomes": "deployed, failed", "uncertainty": "least_confident, margin"}


class Settings(BaseModel):
    """What an operator may change while the project runs; each is an Airflow Variable ``<project>__<setting>``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enable_automatic_training: bool = Field(True, description="Train when a scheduled check finds enough images.")
    automatic_training_poll_frequency: int = Field(
        720,
        ge=1,
        le=525_600,
        description="Minutes between two checks for untrained images; a change takes effect within a minute.",
    )
    minimum_untrained_images: int = Field(10, ge=1, le=250_000, description="Untrained images a training needs.")
    minimum_f1_score: float = Field(0.8, ge=0, le=1, description="F1 that a version must reach to serve.")
    minimum_inference_units: int = Field(
        1, ge=1, le=1000, description="Inference units a version starts with; AWS's own quota is 5."
    )
    maximum_inference_units: int | None = Field(
        None, ge=1, le=1000, description="Units up to which the service may scale; empty means no scaling."
    )
    minimum_label_detection_confidence: float = Field(
        70.0, ge=0, le=100, description="Confidence in percent below which a detection goes to people."
    )
    enable_a2i_workflow: bool = Field(
        True, description="Send doubtful detections to people, whichever review backend asks them."
    )
    enable_automatic_human_sampling: bool = Field(True, description="Show people a sample of all detections.")
    automatic_human_sampling_frequency: int = Field(
        720, ge=1, le=525_600, description="Minutes between two checks for detections to sample."
    )
    human_sampling_interval: int = Field(1000, ge=1, description="One of so many detections is sampled.")
    label_detection_confidence: dict[str, Percent] = Field(
        {},
        description=(
            "Minimum confidence in percent of single labels; the plan and each detection run name "
            "labels that do not exist."
        ),
    )
    uncertainty: tuple[Uncertainty, ...] = Field(
        (Uncertainty.LEAST_CONFIDENT,),
        description=(
            "Rules by which a detection goes to people: a label or box below its minimum "
            "(least_confident), two labels that exclude each other and are about as sure "
            "(margin), an unusual number of boxes (box_count). Nothing at all always does."
        ),
    )
    noise_confidence: float = Field(
        30,
        ge=0,
        le=100,
        description=(
            "Confidence in percent below which a box, or one of several labels, is noise: in the "
            "result, and neither doubted nor shown to people."
        ),
    )
    minimum_label_margin: float = Field(
        10,
        ge=0,
        le=100,
        description="For margin: percent between the two surest labels, or between two labels of boxes at one place.",
    )
    fewest_boxes: int = Field(
        1,
        ge=0,
        le=1000,
        description=(
            "For box_count: boxes, or labels, that are usual at least; with 0 an image with "
            "nothing on it is believed, by any rule."
        ),
    )
    most_boxes: int = Field(50, ge=0, le=1000, description="For box_count: boxes, or labels, that are usual at most.")
    expected_labels: tuple[LabelName, ...] = Field(
        (),
        description=(
            "Labels that are on every image with several labels or boxes; where one is missing people are asked."
        ),
    )
    detection_poll_frequency: int = Field(
        60, ge=1, le=525_600, description="Minutes between two sweeps for images that no event announced."
    )
    detections_per_unit_second: float = Field(
        5,
        gt=0,
        le=1000,
        description="Detections a second that one inference unit is asked for; AWS publishes no number.",
    )
    detection_batch_images: int = Field(200, ge=1, le=10_000, description="Images that one detection task takes.")
    daily_review_budget: int = Field(
        500, ge=0, le=1_000_000, description="Reviews opened in a day (UTC) at most; the rest waits."
    )
    review_waiting_days: float = Field(
        30, gt=0, le=365, description="Days that a review waits for the budget; older ones are dropped and counted."
    )
    maximum_waiting_reviews: int = Field(
        10_000,
        ge=1,
        le=100_000,
        description="Reviews that may wait; the least doubtful ones beyond it are dropped and counted.",
    )
    reviewers_per_image: int = Field(1, ge=1, le=3, description="People who are asked about an image at first.")
    review_quorum: int | None = Field(
        None, ge=1, le=9, description="Equal answers that decide; empty means more than half of those asked at first."
    )
    minimum_box_overlap: float = Field(
        0.5, gt=0, le=1, description="Intersection over union from which boxes of two people are the same one."
    )
    maximum_review_rounds: int = Field(
        3, ge=1, le=9, description="How often an image is shown to one more person before it stays undecided."
    )
    none_of_the_above_label: str | None = Field(
        None, max_length=255, description="Label for images that show none of the labels; empty keeps them out."
    )
    harvest_poll_frequency: int = Field(
        60, ge=1, le=525_600, description="Minutes between two polls for finished reviews that no event announced."
    )
    train_on_audit_samples: bool = Field(False, description="Let images that were only sampled enter training.")
    minimum_live_accuracy: float = Field(
        0.8, ge=0, le=1, description="Accuracy on audited detections below which an alert is sent."
    )
    minimum_audit_answers: int = Field(
        20, ge=1, le=100_000, description="Answered samples of a version that an alert needs."
    )
    headline_metric: Metric = Field(
        Metric.F1, description="Metric by which versions are compared in messages, curves and gates that name none."
    )
    gates: tuple[Gate, ...] = Field(
        (),
        description=(
            "Further conditions: metric (f1, precision, recall), label (one, or * for each), "
            "at_least or at_most, relative_to_champion. One on a label without images stops the "
            "run before the training."
        ),
    )
    compare_with_champion: bool = Field(
        True, description="Ask the live version about the test images of the new one, before the two are compared."
    )
    maximum_comparison_images: int = Field(
        500,
        ge=1,
        le=250_000,
        description=(
            "Test images that the live version is asked about for that, at most; a sample of all labels is taken."
        ),
    )
    require_approval: bool = Field(False, description="Let a person approve a version before it serves.")
    approval_timeout_hours: float = Field(
        24, gt=0, le=720, description="Hours without an answer after which a version counts as rejected."
    )
    smoke_test_share: float = Field(
        0.8, gt=0, le=1, description="Share of the known images that a version must answer as it did when evaluated."
    )
    drain_seconds: int = Field(
        60, ge=0, le=3600, description="Seconds that a replaced version goes on running, for calls that are under way."
    )
    keep_replaced_hours: float = Field(
        0,
        ge=0,
        le=720,
        description=(
            "Hours that a replaced version is kept running, so that a rollback takes seconds; "
            "both are billed meanwhile."
        ),
    )
    when_quota_is_full: Literal["fail", "stop_then_start"] = Field(
        "fail",
        description=(
            "Where no further model may run: fail and change nothing, or stop the live version "
            "before the new one starts; nothing serves for the minutes between."
        ),
    )
    cost_guard_poll_frequency: int = Field(
        15, ge=1, le=525_600, description="Minutes between two checks of what runs and costs."
    )
    idle_stop_hours: float | None = Field(
        None,
        gt=0,
        le=8760,
        description=(
            "Hours without a detection by `<project>_detect` after which the live version is "
            "stopped; empty: never. Calls to the predict API do not count."
        ),
    )
    idle_alert_hours: float = Field(
        24,
        ge=0,
        le=8760,
        description=(
            "Hours without a detection by `<project>_detect` until an alert says what the live "
            "version costs, and again when it is twice as long; 0: never."
        ),
    )
    start_when_images_wait: bool = Field(
        False, description="Let `<project>_detect` start a live version that is stopped when images wait for it."
    )
    service_window: ServiceWindow | None = Field(
        None,
        description=(
            "When the live version runs, by cron expressions; either side may be a list of them. Empty: always."
        ),
    )
    monthly_budget_usd: float | None = Field(
        None,
        gt=0,
        description=(
            "US dollars a month (UTC) above which an alert is sent, and at each further quarter of it; empty: no alert."
        ),
    )
    keep_versions: int | None = Field(
        None,
        ge=2,
        le=10_000,
        description="Trained versions that are kept at AWS; the live one and its predecessor always are. Empty: all.",
    )
    test_share: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="Share of the images kept for judging, never trained on; may be raised, is never lowered.",
    )
    inspect_images: bool = Field(
        True,
        description=(
            "Look for near duplicates, which stay on one side of the split, and for doubtful "
            "labels, before a training is paid."
        ),
    )
    smoke_test_images: int = Field(5, ge=1, le=50, description="Known images put to a version before it serves.")
    status_poll_seconds: int = Field(60, ge=1, le=3600, description="Seconds between two polls of a training's status.")
    training_timeout_hours: float = Field(
        26, gt=0, le=96, description="Hours after which the wait for a training is given up."
    )
    lock_lease_minutes: float = Field(
        60,
        gt=0,
        le=1440,
        description=(
            "Minutes that a run which holds the project may be silent; another takes over at most "
            "one and a half times as long after its last sign of life."
        ),
    )
    notify_outcomes: tuple[Outcome, ...] = Field(
        (
            Outcome.TRAINING_IS_OFF,
            Outcome.NOTHING_TO_DO,
            Outcome.GATE_FAILED,
            Outcome.APPROVAL_WANTED,
            Outcome.REJECTED,
            Outcome.TRAINING_FAILED,
            Outcome.FAILED,
            Outcome.DEPLOYED,
            Outcome.ROLLED_BACK,
            Outcome.SCALED,
            Outcome.GUARDED,
            Outcome.BUDGET_EXCEEDED,
            Outcome.LIVE_VERSION_IDLE,
            Outcome.DETECTION_TROUBLE,
            Outcome.NOTHING_SERVES,
            Outcome.HARVESTED,
            Outcome.REVIEW_TROUBLE,
            Outcome.REVIEWER_FAR_OFF,
            Outcome.LIVE_ACCURACY_LOW,
            Outcome.IMPORTED,
            Outcome.IMPORT_TROUBLE,
            Outcome.ASSIST_ENDED,
            Outcome.TORN_DOWN,
        ),
        description="Outcomes that send an SNS message: one a run, never one an image.",
    )

    @field_validator("notify_outcomes", "uncertainty", mode="before")
    @classmethod
    def _split_names(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        if not value.lstrip().startswith(("[", "{", '"')):
            return tuple(value.replace(",", " ").split())
        try:
            names = json.loads(value)
        except ValueError:
            names = None
        if not isinstance(names, list):
            # pydantic words a ValueError, and lets a TypeError through.
            example = NAMES_EXAMPLES[str(info.field_name)]
            raise ValueError(  # noqa: TRY004
                f"expected names with commas between them, such as '{example}', or a JSON list of names"
            )
        return tuple(names)

    @field_validator("label_detection_confidence", "expected_labels", "gates", "service_window", mode="before")
    @classmethod
    def _read_json(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        example = JSON_EXAMPLES[str(info.field_name)]
        try:
            found = json.loads(value)
        except ValueError as error:
            raise ValueError(f"expected JSON such as {example}, which this is not: {error}") from error
        kind, named = (dict, "an object") if example.startswith("{") else (list, "a list")
        if not isinstance(found, kind):
            raise ValueError(f"expected JSON such as {example}, which is {named}")  # noqa: TRY004
        return found

    @field_validator("none_of_the_above_label")
    @classmethod
    def _a_folder(cls, value: str | None) -> str | None:
        if value and ("/" in value or value in {".", ".."}):
            raise ValueError("expected a label, which is a folder's name and has no slash")
        return value or None

    @model_validator(mode="after")
    def _boxes_in_order(self) -> Settings:
        if self.most_boxes < self.fewest_boxes:
            raise ValueError(f"most_boxes is {self.most_boxes}, less than fewest_boxes, which is {self.fewest_boxes}")
        return self

    @model_validator(mode="after")
    def _units_in_order(self) -> Settings:
        if self.maximum_inference_units is not None and self.maximum_inference_units < self.minimum_inference_units:
            raise ValueError(
                f"maximum_inference_units is {self.maximum_inference_units}, less than minimum_inference_units, "
                f"which is {self.minimum_inference_units}"
            )
        return self
