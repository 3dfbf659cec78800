"""Values in the attributes of crowd elements, which AWS's own pages write as JavaScript does: ['Cat', 'Dog'].

`static/parts.js` reads them by the same rules. Source: the SageMaker guide's pages on crowd-image-classifier, which
asks for JSON and has single quotes in its example, on crowd-bounding-box and on crowd-image-classifier-multi-select,
whose examples leave keys without quotes and put a comma behind the last member.
"""

from __future__ import annotations

import json
import re
from typing import Any

from include.local_aws.strict_json import read_json

_STRING = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_QUOTED = re.compile(_STRING, re.DOTALL)
_LOOSE = re.compile(rf"({_STRING})|([A-Za-z_$][\w$]*)(?=\s*:)|,(?=\s*[\]}}])", re.DOTALL | re.ASCII)
_SPECIAL = re.compile(r'\\.|"', re.DOTALL)


def read_list(text: str) -> list[str]:
    """Return a list of texts from an attribute: JSON, or the same with single quotes; raises ValueError."""
    found = read_json(_QUOTED.sub(lambda hit: _in_double_quotes(hit[0]), text))
    if not isinstance(found, list):
        raise ValueError(f"{text!r} is not a list")  # noqa: TRY004 - what a template says is data
    return [item if isinstance(item, str) else json.dumps(item) for item in found]


def read_value(text: str) -> Any:
    """Return what an attribute says: JSON, or the same as JavaScript may write it; raises ValueError."""
    return read_json(_LOOSE.sub(_strict, text))


def _strict(hit: re.Match[str]) -> str:
    string, key = hit.groups()
    if string:
        return _in_double_quotes(string)
    return f'"{key}"' if key else ""


def _in_double_quotes(quoted: str) -> str:
    if quoted.startswith('"'):
        return quoted
    return f'"{_SPECIAL.sub(lambda hit: _json_escape(hit[0]), quoted[1:-1])}"'


def _json_escape(special: str) -> str:
    return {"\\'": "'", '"': '\\"'}.get(special, special)
