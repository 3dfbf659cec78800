"""The function's log: a JSON object a line, which CloudWatch Logs Insights takes apart by itself; never an image."""

from __future__ import annotations

import json
import sys


def log(level: str, event: str, **fields: object) -> None:
    """Write a line.

    :param level: ``info``, ``warning`` or ``error``.
    :param event: what happened, a word that can be searched for.
    """
    known = {name: value for name, value in fields.items() if value not in (None, "")}
    # One write, so that lines of several threads do not mix.
    sys.stdout.write(json.dumps({"level": level, "event": event, **known}, default=str) + "\n")
    sys.stdout.flush()
