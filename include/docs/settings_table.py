"""What an operator may set: the settings by what they are for, and the fields of a project file."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from custom_labels.core.review_setup import BACKENDS, ReviewSetup, load_definition
from custom_labels.core.settings import Project, Queues
from custom_labels.core.settings_fields import JSON_EXAMPLES, Settings
from include.docs.tables import allowed, explained, table, written

GROUPS: Mapping[str, tuple[str, ...]] = {
    "When it trains, and on what": (
        "enable_automatic_training",
        "automatic_training_poll_frequency",
        "minimum_untrained_images",
        "test_share",
        "inspect_images",
        "status_poll_seconds",
        "training_timeout_hours",
        "lock_lease_minutes",
    ),
    "Which version may serve": (
        "minimum_f1_score",
        "gates",
        "headline_metric",
        "compare_with_champion",
        "maximum_comparison_images",
        "require_approval",
        "approval_timeout_hours",
    ),
    "How it is put into service": (
        "minimum_inference_units",
        "maximum_inference_units",
        "smoke_test_images",
        "smoke_test_share",
        "drain_seconds",
        "keep_replaced_hours",
        "when_quota_is_full",
    ),
    "Detection, and what is doubtful": (
        "detection_poll_frequency",
        "detections_per_unit_second",
        "detection_batch_images",
        "minimum_label_detection_confidence",
        "label_detection_confidence",
        "uncertainty",
        "noise_confidence",
        "minimum_label_margin",
        "fewest_boxes",
        "most_boxes",
        "expected_labels",
    ),
    "Reviews by people": (
        "enable_a2i_workflow",
        "daily_review_budget",
        "review_waiting_days",
        "maximum_waiting_reviews",
        "reviewers_per_image",
        "review_quorum",
        "minimum_box_overlap",
        "maximum_review_rounds",
        "none_of_the_above_label",
        "harvest_poll_frequency",
    ),
    "How often the live version is right": (
        "enable_automatic_human_sampling",
        "automatic_human_sampling_frequency",
        "human_sampling_interval",
        "train_on_audit_samples",
        "minimum_live_accuracy",
        "minimum_audit_answers",
    ),
    "Costs, and what is kept": (
        "cost_guard_poll_frequency",
        "idle_stop_hours",
        "idle_alert_hours",
        "start_when_images_wait",
        "service_window",
        "monthly_budget_usd",
        "keep_versions",
    ),
    "Messages": ("notify_outcomes",),
}
"""The settings in the order in which a person meets them."""
ONE_OF = {"notify_outcomes": "outcomes, with commas between them"}
"""Where naming all that is allowed would hide the rest."""
OF_THE_FILE = "name"
"""What is no field: a project is named as its file is."""


def settings() -> str:
    """Give a table of settings for each group.

    :raises LookupError: a setting is in no group, or in two.
    """
    named = [name for names in GROUPS.values() for name in names]
    if sorted(named) != sorted(Settings.model_fields):
        difference = set(named) ^ set(Settings.model_fields) or {name for name in named if named.count(name) > 1}
        raise LookupError(f"GROUPS and Settings differ in {', '.join(sorted(difference))}: put each into one group.")
    return "\n\n".join(f"### {title}\n\n{_rows(names)}" for title, names in GROUPS.items())


def _rows(names: tuple[str, ...]) -> str:
    fields = Settings.model_fields
    return table(
        ("setting", "default", "allowed", "meaning"),
        (
            (
                f"`{name}`",
                written(fields[name].default),
                ONE_OF.get(name) or allowed(fields[name], JSON_EXAMPLES, name),
                str(fields[name].description),
            )
            for name in names
        ),
    )


def project_file() -> str:
    """Give the fields of a project file, and of each part of it."""
    parts: list[tuple[str, type[BaseModel]]] = [("", Project), ("queues.", Queues), ("review.", ReviewSetup)]
    parts += [(f"review.{name}.", load_definition(name).part) for name in sorted(BACKENDS)]
    rows = [
        (f"`{prefix}{name}`", "required" if field.is_required() else _default(field.default), _sentence(texts[name]))
        for prefix, model in parts
        for texts in [explained(model)]
        for name, field in model.model_fields.items()
        if f"{prefix}{name}" != OF_THE_FILE
    ]
    return table(("field", "default", "meaning"), rows)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _default(value: object) -> str:
    return "-" if isinstance(value, BaseModel) else written(value)
