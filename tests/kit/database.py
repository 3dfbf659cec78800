"""Airflow's metadata database: made once a session of the tests, copied for each process that needs one."""

from __future__ import annotations

import fcntl
import sqlite3
from contextlib import closing
from pathlib import Path


def copy_database(source: Path, target: Path) -> None:
    """Copy an Airflow database, whoever else has it open; that takes a hundredth of the time to make one."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def provide_database(folder: Path, home: Path) -> None:
    """Give this process's Airflow an empty database, made by whichever of the session's processes comes first.

    :param folder: the same for all of them.
    :param home: this process's AIRFLOW_HOME.
    """
    own, shared = home / "airflow.db", folder / "empty_airflow.db"
    with (folder / "empty_airflow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shared.exists():
            copy_database(shared, own)
        else:
            from airflow.utils import db

            db.initdb()
            copy_database(own, shared)
