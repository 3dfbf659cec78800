"""Open reviews and harvest them at each backend, beside a plain loop over the service's own API.

Ours is what the tasks of the DAGs do: requests wait, the budget opens them; the harvest lists what has ended, reads the
answers, decides, copies the images, writes the ledger, counts the reviews and records the run. People answer between,
which is not measured, and neither is the set-up. Calls are those of AWS, and of Label Studio's REST API.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from custom_labels.review.review import ReviewRequest
    from include.local_aws.process import LocalAws
    from tests.benchmarks.review_services import Service
    from tests.kit.faulty_proxy import FaultyProxy

ROOT = Path(__file__).resolve().parents[2]
REVIEWS = 1_000
SECONDS_A_CALL = 0.02
"""What each call of AWS takes beside the embedded AWS's own work, as over a network."""
BACKENDS = ("a2i", "ground_truth", "label_studio", "airflow")
SIDES = {"plain": "plain loop", "ours": "this project"}
SETTINGS = {"daily_review_budget": "1000000", "enable_automatic_training": "false"}


@dataclass
class Cost:
    """What something took: the calls of AWS and of Label Studio, and the seconds."""

    calls: int = 0
    seconds: float = 0.0


def run(reviews: int = REVIEWS, backends: Sequence[str] = BACKENDS) -> list[dict[str, Any]]:
    """Measure each backend in a process of its own, both sides in the same one; each begins with an empty AWS."""
    with tempfile.TemporaryDirectory() as folder:
        return [_measure(backend, reviews, folder) for backend in backends]


def _measure(backend: str, reviews: int, folder: str) -> dict[str, Any]:
    from include.label_studio.server import installed

    if backend == "label_studio" and (why := installed()):
        return {"backend": backend, "reviews": reviews, "missing": why}
    command = [sys.executable, "-m", "tests.benchmarks.reviews", backend, str(reviews), folder]
    with (Path(folder) / f"{backend}.log").open("w+") as log:
        done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=log, text=True)
        if done.returncode:
            log.seek(0)
            raise RuntimeError(f"The benchmark of reviews at '{backend}' fails:\n{log.read()[-4_000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(results: list[dict[str, Any]]) -> Table:
    """Lay out the results."""
    number = results[0]["reviews"]
    title = f"{number:,} reviews opened and harvested at each backend, {SECONDS_A_CALL * 1000:g} ms a call of AWS"
    made = Table(title=title, title_justify="left")
    made.add_column("")
    for heading in ("calls to open", "s", "calls to harvest", "s", "calls a review", "peak MiB"):
        made.add_column(heading, justify="right")
    for result in results:
        if "missing" in result:
            made.add_row(f"{result['backend']}: not measured. {result['missing']}", end_section=True)
            continue
        for side, words in SIDES.items():
            row = result["sides"][side]
            made.add_row(
                f"{result['backend']}: {words}",
                f"{row['open']['calls']:,}",
                f"{row['open']['seconds']:.1f}",
                f"{row['harvest']['calls']:,}",
                f"{row['harvest']['seconds']:.1f}",
                f"{row['calls_a_review']:.2f}",
                f"{row['peak_mib']:.0f}",
            )
        made.add_row("  ratio", *(f"{value:.1f} x" for value in result["ratios"]), "", style="bold", end_section=True)
    return made


def _ratios(sides: dict[str, Any]) -> list[float]:
    """Divide what the plain loop took by what ours took, in the order of the table's columns."""
    plain, ours = sides["plain"], sides["ours"]
    found = [plain[step][what] / ours[step][what] for step in ("open", "harvest") for what in ("calls", "seconds")]
    return [*found, plain["calls_a_review"] / ours["calls_a_review"]]


# -- in the child ----------------------------------------------------------------------------------


def main(backend: str, reviews: int, folder: str) -> None:
    """Measure both sides of a backend, and print what they took."""
    from tests.conftest import HOME
    from tests.kit.database import provide_database

    os.environ.update({f"AIRFLOW_VAR_DIGITS__{name.upper()}": value for name, value in SETTINGS.items()})
    provide_database(Path(folder), HOME)
    with ExitStack() as stack:
        proxy = stack.enter_context(label_studio()) if backend == "label_studio" else None
        # The plain loop first: the peak of what comes after it is ours if it is higher.
        sides = {side: measure_side(side, backend, reviews, proxy) for side in SIDES}
    result = {"backend": backend, "reviews": reviews, "sides": sides, "ratios": _ratios(sides)}
    sys.stdout.write("\n" + json.dumps(result) + "\n")


@contextmanager
def label_studio() -> Iterator[FaultyProxy]:
    """Run a Label Studio behind a proxy without faults, which counts the calls."""
    from include.label_studio.server import LabelStudio
    from tests.kit.faulty_proxy import FaultyProxy
    from tests.kit.label_studio import connections

    with LabelStudio() as server, FaultyProxy(server.url, lambda _method, _path: None) as proxy:
        os.environ.update(connections(server, proxy.url))
        yield proxy


def measure_side(side: str, backend: str, reviews: int, proxy: FaultyProxy | None) -> dict[str, Any]:
    """Open, let people answer, harvest, and see that each image is in the folder of its label."""
    from include.local_aws.process import LocalAws
    from tests.benchmarks.review_services import SERVICES
    from tests.conftest import FAST, HOME, connection

    opening, harvesting = Cost(), Cost()
    with LocalAws(FAST, log=Path(HOME) / f"{side}.log") as aws:
        os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = connection(aws.endpoint_url)
        service = SERVICES[backend](aws)
        requests = fill(aws, service, reviews)
        way = Ours(service) if side == "ours" else Plain(service)
        opened = 0
        # A backend that takes only so many at a time opens the rest when people have answered.
        while opened < reviews:
            with metered(aws, proxy, opening):
                more = way.open(requests)
            assert more, f"{opened} reviews of {reviews} were opened, and no more"
            opened += more
            service.answer(opened)
        with metered(aws, proxy, harvesting):
            way.harvest()
        check(aws, service, requests)
    return {
        "open": asdict(opening),
        "harvest": asdict(harvesting),
        "calls_a_review": (opening.calls + harvesting.calls) / reviews,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


@contextmanager
def metered(aws: LocalAws, proxy: FaultyProxy | None, cost: Cost) -> Iterator[None]:
    """Add what is done inside to a cost."""
    aws.control.faults({"operation": "*", "kind": "slow", "seconds": SECONDS_A_CALL})
    aws.control.clear_calls()
    before, began = len(proxy.calls) if proxy else 0, time.perf_counter()
    yield
    cost.seconds += time.perf_counter() - began
    cost.calls += sum(int(each["calls"]) for each in aws.control.calls().values())
    cost.calls += len(proxy.calls) - before if proxy else 0
    aws.control.faults()


def fill(aws: LocalAws, service: Service, reviews: int) -> list[ReviewRequest]:
    """Put images of two labels into the inbox, and give what is to be asked about them."""
    from tests.kit.review_requests import request_for
    from tests.kit.support import BUCKET, LABELS, picture, s3

    storage, bodies = s3(aws), {label: picture(label, 1) for label in LABELS}

    def put(number: int) -> ReviewRequest:
        label = LABELS[number % len(LABELS)]
        key = f"images_for_detection/{label}/{number:06}.png"
        put = storage.put_object(Bucket=BUCKET, Key=service.store.key(key), Body=bodies[label])
        return request_for(key, etag=put["ETag"].strip('"'), image=service.store.uri(key))

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(put, range(reviews)))


def check(aws: LocalAws, service: Service, requests: list[ReviewRequest]) -> None:
    """Each image has become a labelled one, of the label that it shows."""
    from collections import Counter

    from tests.benchmarks.review_services import label_of
    from tests.kit.support import BUCKET, s3

    folder = service.store.key("images_labeled_by_folder/")
    pages = s3(aws).get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=folder)
    found = Counter(label_of(entry["Key"]) for page in pages for entry in page.get("Contents", []))
    assert found == Counter(label_of(request.key) for request in requests), found


class Plain:
    """The plain loop."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.opened = 0

    def open(self, requests: list[ReviewRequest]) -> int:
        """Ask about what was not asked."""
        more = self.service.open_plainly(requests[self.opened :])
        self.opened += more
        return more

    def harvest(self) -> None:
        """Read what was answered."""
        self.service.harvest_plainly()


class Ours:
    """The tasks of the DAGs, without an Airflow around them."""

    def __init__(self, service: Service) -> None:
        from custom_labels.core.registry import Registry
        from tests.kit.task_contexts import project_context

        self.ctx = project_context("digits_harvest_reviews")
        self.ctx.project, self.ctx.store = service.project, service.store
        self.ctx.registry = Registry(service.store)
        self.waits = False

    def open(self, requests: list[ReviewRequest]) -> int:
        """Let all of them wait, as the batches of a detection do, and open what there is room for."""
        from custom_labels.detection.work import CHUNK_IMAGES
        from custom_labels.review.review_tasks import open_reviews
        from custom_labels.review.settings import HarvestSettings
        from custom_labels.review.waiting_records import WaitingReviews

        if not self.waits:
            for start in range(0, len(requests), CHUNK_IMAGES):
                WaitingReviews(self.ctx.store).add(f"benchmark-{start:06}", requests[start : start + CHUNK_IMAGES])
            self.waits = True
        return open_reviews.function(self.ctx, self.ctx.read_settings(HarvestSettings)).opened

    def harvest(self) -> None:
        """Harvest as the DAG does."""
        from custom_labels.review import harvest_tasks

        found = harvest_tasks.collect.function(self.ctx)
        results = [harvest_tasks.harvest_batch.function(self.ctx, each, found.settings) for each in found.batches]
        ended = harvest_tasks.finish.function(self.ctx, found, results)
        assert str(ended.outcome) == "harvested", ended


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
