"""The trainers of one server: a few worker processes, started early, replaced when they die."""

from __future__ import annotations

import logging
import multiprocessing
import queue
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from include.local_aws.training.orders import Example, Order
from include.local_aws.training.results import TrainingResult
from include.local_aws.training.worker import run

log = logging.getLogger("local_aws")


class TrainerDied(RuntimeError):
    """The worker process ended in the middle of a training."""


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection


class TrainerPool:
    """Trains `size` orders at once; more wait for their turn.

    `memory` is a folder where fitted models are kept, empty for none.
    """

    def __init__(self, size: int = 2, memory: str = "") -> None:
        self._memory = memory
        self._context = multiprocessing.get_context("spawn")
        self._idle: queue.Queue[_Worker] = queue.Queue()
        self._workers: list[_Worker] = []
        self._lock = threading.Lock()
        self._stopped = False
        for _ in range(size):
            self._start_worker()

    def train(self, order: Order, examples: Iterable[Example]) -> TrainingResult:
        """Train in a worker; blocks until it is done.

        Raises TrainerDied if its worker ended.
        """
        worker = self._order(replace(order, memory=self._memory))
        finished = False
        try:
            answer = self._ask(worker, examples)
            finished = True
        except (EOFError, ConnectionError):
            raise TrainerDied("The training process ended unexpectedly; see the log of local AWS.") from None
        finally:
            # A worker whose order was broken off still waits for its examples: it is of no more use.
            if finished:
                self._idle.put(worker)
            else:
                self._replace(worker)
        if not isinstance(answer, TrainingResult):
            raise TypeError(f"A trainer answered with {type(answer).__name__}")
        return answer

    def stop(self) -> None:
        """End all workers at once, whatever they do."""
        with self._lock:
            self._stopped = True
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join(timeout=2)

    @property
    def process_ids(self) -> list[int]:
        """The process ids of the workers."""
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    def _order(self, order: Order) -> _Worker:
        """Give an order to an idle worker; one that died while it was idle is replaced, no training fails for it."""
        while True:
            worker = self._idle.get()
            try:
                # Not is_alive(): for a moment it takes a process for alive that another thread is just collecting.
                worker.connection.send(order)
            except OSError:
                self._replace(worker)
            else:
                return worker

    @staticmethod
    def _ask(worker: _Worker, examples: Iterable[Example]) -> object:
        for example in examples:
            worker.connection.send(example)
        return worker.connection.recv()

    def _start_worker(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=run, args=(theirs,), name="local-aws-trainer", daemon=True)
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        self._idle.put(worker)

    def _replace(self, worker: _Worker) -> None:
        with self._lock:
            if self._stopped:
                return
            log.error("training process %s ended with code %s", worker.process.pid, worker.process.exitcode)
            worker.process.kill()
            self._workers.remove(worker)
            self._start_worker()
