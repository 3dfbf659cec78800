"""The operator that starts a version to serve, with the project's own way out where no further model may run."""

from __future__ import annotations

from typing import ClassVar

from custom_labels.aws.operators.versions import CustomLabelsStartVersionOperator


class StartVersionOperator(CustomLabelsStartVersionOperator):
    """Start a version that is to replace the live one, and name the setting that lets the live one make room."""

    how_to_make_room: ClassVar[str] = (
        "stop a model that is not needed, let the live version make room (set 'when_quota_is_full' to "
        "'stop_then_start' and trigger the DAG again)"
    )
