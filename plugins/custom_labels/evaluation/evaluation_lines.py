"""What the lines of an evaluation snapshot have in common, whatever kind of model was evaluated.

The format is that of the developer guide's "Interpreting the evaluation manifest snapshot".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_labels.core.keys import has_control_character
from custom_labels.datasets.annotations.annotation import shown
from custom_labels.datasets.annotations.json_lines import is_share, parse_object

TRAINING = "rekognition-custom-labels-training-"
EVALUATION = "rekognition-custom-labels-evaluation-"
"""What the names of metadata begin with: of the labels that people gave, and of those that the version gave."""
METADATA = "-metadata"
_DETAILS = "rekognition-custom-labels-evaluation-details"


def read_entry(line: bytes) -> tuple[str, dict[str, Any]]:
    """Read a line, and give the image's ``s3://`` URI with it.

    :raises ValueError: it is no JSON object, or names no image.
    """
    entry = parse_object(line.decode())
    image = entry.get("source-ref")
    if not isinstance(image, str) or not image.startswith("s3://") or has_control_character(image):
        raise ValueError(f"it has no 'source-ref' with an image's s3:// URI, but {shown(image)}")
    return image, entry


def unexpected(what: str, name: str, value: object, expected: str) -> ValueError:
    """Word what is wrong with a value in a line.

    :param what: the value's name, and ``name`` that of the attribute that it is in.
    """
    return ValueError(f"{what} in {shown(name)} is {shown(value)}: expected {expected}")


def read_details(name: str, holder: Mapping[str, Any]) -> Mapping[str, bool]:
    """Read what became of one prediction: true or false by name. There is nothing where none was made.

    :param name: of the attribute, for errors.
    :param holder: the metadata, or the entry of an object in them.
    """
    details = holder.get(_DETAILS, {})
    if not isinstance(details, dict):
        raise unexpected(repr(_DETAILS), name, details, "an object")
    flags = {key: value for key, value in details.items() if key.startswith("is-")}
    for key, value in flags.items():
        if not isinstance(value, bool):
            raise unexpected(shown(key), name, value, "true or false")
    return flags


def is_predicted(details: Mapping[str, bool]) -> bool:
    """Say whether a prediction reached its label's assumed threshold; negative ones did not."""
    return details.get("is-true-positive", False) or details.get("is-false-positive", False)


def read_confidence(name: str, holder: Mapping[str, Any]) -> float:
    """Read how sure the version is, from 0 to 1."""
    confidence = holder.get("confidence")
    if not is_share(confidence):
        raise unexpected("'confidence'", name, confidence, "a number from 0 to 1")
    return confidence


def read_text(name: str, key: str, value: object) -> str:
    """Read the name of a label."""
    if not isinstance(value, str) or not value:
        raise unexpected(shown(key), name, value, "the name of a label")
    return value
