"""A harvest that is killed right before and right after each of its calls to Label Studio, and runs again."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE, load_project
from custom_labels.review.backends.label_studio.task_content import name_of
from custom_labels.review.review import ReviewRequest
from custom_labels.review.waiting_records import WaitingReviews
from tests.conftest import ROOT
from tests.faults.killed import LOOK_SECONDS, Airflow
from tests.kit.dag_runs import Variables
from tests.kit.faulty_proxy import FaultyProxy
from tests.kit.harvests import ask, keys, lines
from tests.kit.label_studio import STORAGE_CONN_ID, Asked, choice, connections, put_image, set_up_asking
from tests.kit.review_project import set_up_surroundings
from tests.kit.review_requests import request_for

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.xdist_group("label_studio"), pytest.mark.timeout(600)]

ANSWERED, WAITING = 2, 2
"""Reviews that people have answered, and requests that the harvest opens after it."""


class HoldingProxy(FaultyProxy):
    """Holds one call, before Label Studio hears of it or before the answer to it comes.

    :param nth: which call, from 1.
    :param side: ``before`` or ``after``.
    """

    def __init__(self, url: str, nth: int, side: str) -> None:
        super().__init__(url, lambda _method, _path: None)
        self.nth = nth
        self.side = side
        self.forwarded = 0
        self.lock = threading.Lock()
        self.held, self.let_go = threading.Event(), threading.Event()

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        with self.lock:
            self.forwarded += 1
            is_held = self.forwarded == self.nth
        if is_held and self.side == "before":
            self._hold()
            return 503, {}, b""
        answer = super()._forward(handler, body)
        if is_held:
            self._hold()
        return answer

    def _hold(self) -> None:
        self.held.set()
        self.let_go.wait(60)


def begin(aws: LocalAws, folder: Path, monkeypatch: pytest.MonkeyPatch, prefix: str) -> tuple[Asked, set[str]]:
    """Let people answer reviews of a project of its own at Label Studio, others wait to be opened; name them all."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "include" / "projects" / "digits.yaml").read_text())
    content["prefix"] = prefix
    content["review"]["backend"] = "label_studio"
    content["review"]["label_studio"] = {"storage_conn_id": STORAGE_CONN_ID, "s3_endpoint": aws.endpoint_url}
    (folder / "digits.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(folder))
    asked = set_up_asking(aws, load_project("digits"), 1, labels=("columns", "rows"), with_storages=False)
    requests = [request(asked, number) for number in range(ANSWERED + WAITING)]
    ask(cast("Any", asked), *requests[:ANSWERED])
    for each in requests[:ANSWERED]:
        asked.annotate(each.name, choice("rows"))
    WaitingReviews(asked.store).add("asked-by-a-test", requests[ANSWERED:])
    return asked, {each.name for each in requests}


def request(asked: Asked, number: int) -> ReviewRequest:
    key = f"images_for_detection/{number}.png"
    return request_for(key, etag=put_image(asked, key), image=asked.store.uri(key))


def check(aws: LocalAws, asked: Asked, names: set[str]) -> None:
    """Each review is one task, each answer counts once, and no request waits."""
    since = datetime.now(UTC) - timedelta(hours=1)
    tasks = [
        name_of(task) for each in asked.backend.asking.values() for task in asked.backend._tasks(each, since=since)
    ]
    answered = [line["review"] for line in lines(aws, asked.store.key("reviews/harvested/"))]

    assert len(tasks) == len(names)
    assert set(tasks) == names
    assert len(answered) == len(set(answered)) == ANSWERED
    assert len(keys(aws, asked.store.key("images_labeled_by_folder/rows/"))) == ANSWERED
    assert keys(aws, asked.store.key("reviews/waiting/")) == []


@pytest.mark.parametrize("side", ["before", "after"])
def test_the_next_harvest_brings_it_to_its_end_when_it_is_killed_at_any_call(
    aws: LocalAws,
    label_studio: LabelStudio,
    airflow_db: None,
    variables: Variables,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    side: str,
) -> None:
    variables.set(enable_automatic_training="false")
    set_up_surroundings(aws)
    nth, was_killed = 0, True
    while was_killed:
        nth += 1
        asked, names = begin(aws, tmp_path, monkeypatch, f"killed/{side}/{nth}")
        with HoldingProxy(label_studio.url, nth, side) as proxy, pytest.MonkeyPatch.context() as patch:
            for name, value in connections(label_studio, proxy.url).items():
                patch.setenv(name, value)
            with Airflow(tmp_path / f"{nth}", aws.endpoint_url, "harvest_reviews") as airflow:
                while airflow.is_running and not proxy.held.is_set():
                    time.sleep(LOOK_SECONDS)
                was_killed = proxy.held.is_set()
                if was_killed:
                    airflow.kill()
                    proxy.let_go.set()
                else:
                    assert airflow.finish().state == "success"
        if was_killed:
            with Airflow(tmp_path / f"{nth} again", aws.endpoint_url, "harvest_reviews") as airflow:
                run = airflow.finish()
            assert run.state == "success", run
        check(aws, asked, names)

    posted = [call for call in proxy.calls if call.startswith("POST")]
    assert len(posted) == 1, "all that waits is opened by one call"
    assert nth == len(proxy.calls) + 1
