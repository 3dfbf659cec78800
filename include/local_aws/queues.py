"""moto's SQS queues, made safe for the many threads and long polls of one server, and quick with many messages.

moto's server does not claim to be safe for threads, and its queues are not: two threads that delete at the same time
bring back what one of them deleted, for good, and a message that is sent while another is deleted is lost; two that
receive at the same time get the same message. A client sees a queue that never empties, or an event that never came.
And each message that is sent or received has all others counted three times, at the price of a clock for each of them.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.sqs.models import Message, Queue, SQSBackend

LONGEST_WAIT_SECONDS = 1.0
"""After so long a long poll looks again: a message may become visible without anybody sending one."""


@functools.cache
def improve_queues() -> None:
    """Replace what moto's queues do wrong or slowly; has no effect a second time in the same process."""
    _make_changes_atomic()
    _count_quickly()


def _make_changes_atomic() -> None:
    """Take a queue's own lock, which moto takes for sending only, wherever the queue changes.

    A long poll does not hold it while it waits.
    """
    from moto.sqs.models import Queue, SQSBackend

    delete, receive, change = Queue.delete_message, SQSBackend.receive_message, SQSBackend.change_message_visibility

    def delete_message(self: Queue, receipt_handle: str) -> None:
        with self._messages_lock:
            delete(self, receipt_handle)

    def change_message_visibility(self: SQSBackend, queue_name: str, *args: Any, **kwargs: Any) -> None:
        with self.get_queue(queue_name)._messages_lock:  # noqa: SLF001 - moto has no other name for it
            change(self, queue_name, *args, **kwargs)

    def receive_message(
        self: SQSBackend, queue_name: str, count: int, wait_seconds_timeout: int, *args: Any, **kwargs: Any
    ) -> list[Message]:
        queue = self.get_queue(queue_name)
        deadline = time.monotonic() + wait_seconds_timeout
        while True:
            with queue._messages_lock:  # noqa: SLF001
                found: list[Message] = receive(self, queue_name, count, 0, *args, **kwargs)
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            queue.wait_for_messages(min(left, LONGEST_WAIT_SECONDS))  # type: ignore[arg-type]

    Queue.delete_message = delete_message  # type: ignore[method-assign]
    SQSBackend.change_message_visibility = change_message_visibility  # type: ignore[method-assign]
    SQSBackend.receive_message = receive_message  # type: ignore[method-assign]


def _count_quickly() -> None:
    """Read the clock once for all messages of a queue instead of once or twice for each."""
    from moto.core.utils import unix_time_millis
    from moto.sqs.models import Queue

    def messages(self: Queue) -> list[Message]:
        now = unix_time_millis()
        return [each for each in self._messages if each.visible_at < now and each.delayed_until <= now]

    def count_in_flight(self: Queue) -> int:
        now = unix_time_millis()
        return sum(each.visible_at >= now for each in self._messages)

    def count_delayed(self: Queue) -> int:
        now = unix_time_millis()
        return sum(each.delayed_until > now for each in self._messages)

    for name, getter in (
        ("messages", messages),
        ("approximate_number_of_messages_not_visible", count_in_flight),
        ("approximate_number_of_messages_delayed", count_delayed),
    ):
        setattr(Queue, name, property(getter))
