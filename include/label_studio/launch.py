"""Runs Label Studio until it ends or its starter does; executed by the Python of its own virtual environment."""

from __future__ import annotations

import importlib
import os
import threading


def end_with_starter() -> None:
    """End at once when standard input ends, which it does when the starter ends, however that happens."""
    # Not sys.stdin, whose lock a thread must not hold when Python ends.
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_starter, daemon=True).start()
    importlib.import_module("label_studio.server").main()
