"""The name under which a part of Airflow works; on one machine all would have the machine's."""

from __future__ import annotations

import os
import socket

MEMBER = "AIRFLOW_MEMBER"


def member_name() -> str:
    """Give the name of the part of Airflow that this process belongs to; Airflow calls it for the host's name."""
    return os.environ.get(MEMBER) or socket.gethostname()
