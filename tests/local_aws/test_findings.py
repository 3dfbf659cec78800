"""What is found wrong is said in the words of the Custom Labels guide."""

from __future__ import annotations

import pytest

from custom_labels.core.codec import to_json
from include.local_aws.rekognition.findings import line_finding, manifest_finding


@pytest.mark.parametrize(
    ("code", "values", "text"),
    [
        ("ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT", ["boxes"], "The format of the label attribute boxes is invalid."),
        (
            "ERROR_UNSUPPORTED_USE_CASE_TYPE",
            ["BB"],
            "The use case type of the BB-metadata label attribute metadata is unsupported. Check the type field.",
        ),
        (
            "ERROR_INVALID_LABEL_NAME_LENGTH",
            [],
            "The length of a label name is too long. The maximum length is 256 characters.",
        ),
        ("ERROR_MISSING_CLASS_MAP_ID", [], "One of more class ids is missing from the class map."),
        ("WARNING_NO_ANNOTATIONS", [], "No annotations provided."),
        ("WARNING_NO_ATTRIBUTE_ANNOTATIONS", [], "No attribute annotations provided."),
    ],
)
def test_line_finding_is_in_the_guides_words(code: str, values: list[str], text: str) -> None:
    assert to_json(line_finding(code, *values)) == {"code": code, "message": text}


@pytest.mark.parametrize(
    ("code", "values", "text"),
    [
        (
            "ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_DISTRIBUTE",
            [],
            "The manifest file doesn't have enough labeled images to distribute the dataset.",
        ),
        (
            "ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_AUTOSPLIT",
            [],
            "The manifest file contains insufficient labeled images per label to perform auto-split.",
        ),
        ("ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST", [], "The manifest file contains too many invalid rows."),
        ("ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS", [], "The manifest file contains images from multiple S3 buckets."),
        ("ERROR_INVALID_PERMISSIONS_IMAGES_S3_BUCKET", [], "The permissions for the images S3 bucket are invalid."),
        ("ERROR_TOO_MANY_RECORDS_IN_ERROR", [], "The manifest file has too many terminal errors."),
        (
            "ERROR_INSUFFICIENT_LABEL_OVERLAP",
            [50],
            "Less than 50% label overlap between the training and testing manifest files.",
        ),
    ],
)
def test_manifest_finding_is_in_the_guides_words(code: str, values: list[int], text: str) -> None:
    assert to_json(manifest_finding(code, *values)) == {"code": code, "message": text}
