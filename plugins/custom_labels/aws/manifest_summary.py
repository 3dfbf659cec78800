"""The manifest summary that Custom Labels writes when it has validated a training's manifests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def manifest_error_codes(summary: Mapping[str, Any]) -> list[str]:
    """List the error codes of a manifest summary, each once, the file-wide ones first.

    :param summary: the JSON of the file that ``ManifestSummary`` of a version names.
    """
    statistics = summary.get("statistics", {})
    parts = [summary, statistics.get("training", {}), statistics.get("testing", {})]
    codes = [error["code"] for part in parts for error in part.get("errors", []) if "code" in error]
    return list(dict.fromkeys(codes))
