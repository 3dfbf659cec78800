"""Pages with boxes and with several labels for the tests of human review, and pictures to draw on."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.local_aws.review_support import Reviews
from tests.local_aws.support import BUCKET, png

SIZE = (400, 300)
KEY = "inbox/scene.png"
URI = f"s3://{BUCKET}/{KEY}"
LABELS = ["kestrel", "quartz"]
BOX = {"label": "kestrel", "left": 40, "top": 60, "width": 80, "height": 50}
OTHER = {"label": "quartz", "left": 200, "top": 150, "width": 100, "height": 90}
BOXES = """
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-bounding-box name="shown" src="{{ task.input.taskObject | grant_read_access }}"
    header="{{ task.input.question }}" labels="{{ task.input.labels | to_json | escape }}"
    {% if task.input.initialValue %}initial-value="{{ task.input.initialValue | to_json | escape }}"{% endif %}>
    <full-instructions header="How">Tight boxes.</full-instructions>
    <short-instructions>Draw.</short-instructions>
  </crowd-bounding-box>
</crowd-form>
"""
SEVERAL = """
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-image-classifier-multi-select name="shown" src="{{ task.input.taskObject | grant_read_access }}"
    categories="{{ task.input.labels | to_json | escape }}" header="Which?"
    exclusion-category="{ text: 'None of these' }">
    <full-instructions header="How">Look closely.</full-instructions>
    <short-instructions>All that fit.</short-instructions>
  </crowd-image-classifier-multi-select>
</crowd-form>
"""


def content(**more: Any) -> dict[str, Any]:
    """Return a loop's input over the picture."""
    return {"taskObject": URI, "labels": LABELS, "question": "Where?", **more}


def put_picture(reviews: Reviews, size: tuple[int, int] = SIZE) -> None:
    """Put the picture: grey noise with two plain rectangles where BOX and OTHER are."""
    pixels = np.random.default_rng(1).integers(90, 130, (SIZE[1], SIZE[0], 3))
    for box, colour in ((BOX, (240, 120, 30)), (OTHER, (110, 50, 150))):
        left, top = int(str(box["left"])), int(str(box["top"]))
        pixels[top : top + int(str(box["height"])), left : left + int(str(box["width"]))] = colour
    reviews.aws.put(KEY, png(pixels, size))
