"""A project's place in the embedded AWS, and many threads that want the same at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import pytest

from custom_labels.s3.store import S3Store
from tests.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

Result = TypeVar("Result")

THREADS = 8


@pytest.fixture
def store(aws: LocalAws) -> S3Store:
    """A project's place in an empty bucket."""
    s3(aws).create_bucket(Bucket=BUCKET)
    return S3Store(BUCKET, "a/project")


def at_once(action: Callable[[int], Result]) -> list[Result]:
    """Do something in eight threads that begin together; give what each came to, in the order of their numbers."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> Result:
        barrier.wait(10)
        return action(number)

    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return list(pool.map(run, range(THREADS)))
