"""The same examples at every run, and no deadline for one of them, which a busy machine would miss."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("the same everywhere", derandomize=True, deadline=None)
settings.load_profile("the same everywhere")
