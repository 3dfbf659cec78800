"""The training process: warm, one order at a time, and never alive without its parent."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing.connection import Connection

from include.local_aws.children import begin_as_child
from include.local_aws.training.orders import Example, Order, find_trainer
from include.local_aws.training.results import TrainingResult


def run(connection: Connection) -> None:
    """Serve orders from `connection` until the parent closes it or dies.

    For each order its examples follow one by one; the answer is a TrainingResult.
    """
    begin_as_child()
    import include.local_aws.training.classification  # noqa: F401 - a warm worker starts training at once

    while True:
        try:
            order: Order = connection.recv()
        except EOFError:
            return
        connection.send(_train(order, connection))


def _train(order: Order, connection: Connection) -> TrainingResult:
    examples = _examples(order, connection)
    try:
        return find_trainer(order.use_case)(order, examples)
    finally:
        # Whatever the trainer did not take must not be read as the next order.
        for _ in examples:
            pass


def _examples(order: Order, connection: Connection) -> Iterator[Example]:
    for _ in range(order.training_count + order.testing_count):
        yield connection.recv()
