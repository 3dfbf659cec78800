"""Errors that name what went wrong, the value, where it is set and the way out."""

from __future__ import annotations


class CustomLabelsError(Exception):
    """The base of every error that this package raises on purpose."""


class SettingError(CustomLabelsError):
    """A setting holds a value that is not allowed; nothing was called and nothing was paid."""


class BelongsToAnother(SettingError):
    """The project's place in S3 is another project's; nothing of it was touched."""


class NotTrainable(CustomLabelsError):
    """The labelled images cannot make a dataset that Custom Labels would accept."""


class ModelError(CustomLabelsError):
    """A model version, dataset or project is in a state from which the wanted one cannot be reached."""


class LiveVersionChanged(CustomLabelsError):
    """Another run moved the serving pointer meanwhile; ours was not written."""


class NotDecided(CustomLabelsError):
    """A task before this one left no decision or no result: it was marked by hand, skipped, or never ran."""


class NotPermitted(CustomLabelsError):
    """What is on record about a version does not allow what was about to be done with it."""


class ImportRefused(CustomLabelsError):
    """An import found what it was told to fail for; nothing was taken."""


class NothingToDo(CustomLabelsError):
    """A step has nothing to do; its task is skipped."""
