"""How many batches a mapped task may have."""

from __future__ import annotations

MOST_BATCHES = 960
"""Airflow maps a task over 1,024 values at most (``[core] max_map_length``); there is room to fill up to 64 workers."""
