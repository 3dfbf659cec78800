"""A message of an SQS queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """A message that was received and is invisible to others for a while.

    :param receive_count: how often it was received, this time included, about.
    """

    id: str
    body: str
    receipt_handle: str
    receive_count: int
