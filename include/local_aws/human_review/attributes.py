"""Values in the attributes of crowd elements, which AWS's own pages write as JavaScript does: ['Cat', 'Dog'].

`static/crowd.js` reads them by the same rule. Source: the SageMaker guide's page on crowd-image-classifier, which asks
for JSON and has single quotes in its example.
"""

from __future__ import annotations

import json
import re

from include.local_aws.strict_json import read_json

_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_SPECIAL = re.compile(r'\\.|"', re.DOTALL)


def read_list(text: str) -> list[str]:
    """Return a list of texts from an attribute: JSON, or the same with single quotes; raises ValueError."""
    found = read_json(_QUOTED.sub(lambda hit: _in_double_quotes(hit[0]), text))
    if not isinstance(found, list):
        raise ValueError(f"{text!r} is not a list")  # noqa: TRY004 - what a template says is data
    return [item if isinstance(item, str) else json.dumps(item) for item in found]


def _in_double_quotes(quoted: str) -> str:
    if quoted.startswith('"'):
        return quoted
    return f'"{_SPECIAL.sub(lambda hit: _json_escape(hit[0]), quoted[1:-1])}"'


def _json_escape(special: str) -> str:
    return {"\\'": "'", '"': '\\"'}.get(special, special)
