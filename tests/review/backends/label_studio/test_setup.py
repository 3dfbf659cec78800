"""Setting up Label Studio: made once, adopted, and named where somebody changed it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.review.backends.base import ReviewBackendError, ReviewBackendNotReady
from custom_labels.review.backends.label_studio.backend import LabelStudioBackend
from custom_labels.review.backends.label_studio.storages import Storages
from custom_labels.review.backends.label_studio.teardown import tear_down
from custom_labels.s3.store import S3Store
from tests.kit.faulty_proxy import FaultyProxy
from tests.kit.label_studio import Asked, choice, connections, make_project, set_up_asking
from tests.kit.review_project import since_long
from tests.kit.review_requests import request_for

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("label_studio")]

_numbers = itertools.count(1)
Ask = Callable[..., Asked]


@pytest.fixture
def ask(aws: LocalAws, label_studio: LabelStudio) -> Ask:
    """Makes a project of its own at Label Studio."""
    prefix = f"setup/{next(_numbers)}"

    def make(*reviewers: int, task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION, **part: Any) -> Asked:
        return set_up_asking(aws, make_project(aws, prefix, task, **part), *reviewers)

    return make


def test_what_is_there_is_adopted_with_labels_that_are_new(ask: Ask) -> None:
    first = ask(3)
    second = set_up_asking(first.aws, first.project, 3, labels=("c", "b"))

    assert {n: each.id for n, each in first.backend.asking.items()} == {
        n: each.id for n, each in second.backend.asking.items()
    }
    assert sorted(second.backend.asking) == [1, 3]
    assert second.backend.asking[3].labels == ("a", "b", "c")
    assert first.client.get(f"/api/projects/{second.backend.asking[3].id}/")["maximum_annotations"] == 3


def test_images_are_linked_for_a_while_and_nothing_is_synchronized(ask: Ask) -> None:
    asked = ask()
    project = asked.backend.asking[1].id
    (images,) = asked.client.get("/api/storages/s3", {"project": project})
    (answers,) = asked.client.get("/api/storages/export/s3", {"project": project})

    assert (images["presign"], images["presign_ttl"], images["last_sync"]) == (True, 60, None)
    assert answers["prefix"] == f"{asked.project.prefix}reviews/label_studio"
    assert "test" not in {images.get("aws_access_key_id"), images.get("aws_secret_access_key")}


def test_a_project_that_somebody_changed_is_an_error_that_says_what_differs(ask: Ask) -> None:
    asked = ask()
    asking = asked.backend.asking[1]
    changed = asking.xml.replace('value="a"', 'value="cat"')
    asked.client.patch(f"/api/projects/{asking.id}/", {"label_config": changed, "maximum_annotations": 5})
    other = LabelStudioBackend(asked.project, asked.store)

    (trouble,) = other.open([request_for(labels=("a", "b"))]).troubles
    assert isinstance(trouble, ReviewBackendNotReady)
    assert "maximum_annotations is 5 instead of 1" in str(trouble)
    assert "it has <Choice hotkey='1' value='cat'>, which is not ours" in str(trouble)
    with pytest.raises(ReviewBackendNotReady, match="changed by hand"):
        ask()
    asked.client.patch(f"/api/projects/{asking.id}/", {"label_config": f"\n {asking.xml} \n", "maximum_annotations": 1})
    assert ask().backend.asking[1].id == asking.id


def test_a_project_whose_mark_somebody_took_is_not_made_twice(ask: Ask) -> None:
    asked = ask()
    asking = asked.backend.asking[1]
    body = asked.client.get(f"/api/projects/{asking.id}/")["description"]
    asked.client.patch(f"/api/projects/{asking.id}/", {"description": "mine"})

    with pytest.raises(ReviewBackendNotReady, match="without the mark"):
        ask()
    asked.client.patch(f"/api/projects/{asking.id}/", {"description": body})


@pytest.mark.parametrize("task", list(ProjectTask))
def test_a_project_without_labels_yet_gets_them_from_its_first_review(
    aws: LocalAws, label_studio: LabelStudio, task: ProjectTask
) -> None:
    made = set_up_asking(aws, make_project(aws, f"bare/{next(_numbers)}", task), labels=(), with_storages=False)

    assert made.backend.open([request_for(labels=("x", "y"), task=task)]).new
    assert made.backend.asking[1].labels == ("x", "y")


def test_a_bucket_that_label_studio_does_not_reach_is_named_with_the_way_out(ask: Ask) -> None:
    with pytest.raises(ReviewBackendNotReady, match=r"does not reach s3://custom-labels-digits .*storage_conn_id"):
        ask(s3_endpoint="http://127.0.0.1:9")


def test_a_set_up_whose_answer_was_lost_makes_nothing_twice(
    aws: LocalAws, label_studio: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {"/api/projects/": 1, "/api/storages/s3": 1, "/api/storages/export/s3": 1}

    def fault(method: str, path: str) -> str | None:
        if method == "POST" and lost.get(path):
            lost[path] -= 1
            return "lost"
        return None

    project = make_project(aws, f"lost/{next(_numbers)}")
    with FaultyProxy(label_studio.url, fault) as proxy:
        for name, value in connections(label_studio, url=proxy.url).items():
            monkeypatch.setenv(name, value)
        for _ in range(3):
            with pytest.raises((ReviewBackendNotReady, ReviewBackendError), match="fails"):
                set_up_asking(aws, project)
        asked = set_up_asking(aws, project)
        projects = [each for page in asked.client.pages("/api/projects/") for each in page]
        mine = [each for each in projects if asked.backend.projects.root in (each["description"] or "")]

        assert len(mine) == 1
        assert len(asked.client.get("/api/storages/s3", {"project": mine[0]["id"]})) == 1
        assert len(asked.client.get("/api/storages/export/s3", {"project": mine[0]["id"]})) == 1


def test_an_import_whose_answer_was_lost_adds_no_task_twice(
    ask: Ask, label_studio: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask()
    faults: list[Any] = ["lost", (500, {})]
    with FaultyProxy(
        label_studio.url, lambda _, path: faults.pop(0) if path.endswith("/import") and faults else None
    ) as proxy:
        for name, value in connections(label_studio, url=proxy.url).items():
            monkeypatch.setenv(name, value)
        backend = LabelStudioBackend(asked.project, asked.store)
        first = backend.open([request_for(labels=("a", "b"))])
        second = backend.open([request_for("images_for_detection/b.png", labels=("a", "b"))])

        states = [state for page in backend.states(since_long()) for state in page]

    assert (len(first.new), first.troubles) == (1, ())
    assert (len(second.new), second.troubles) == (1, ())
    assert len(states) == 2


def test_tear_down_stops_reviews_takes_the_storages_away_and_leaves_answers(ask: Ask) -> None:
    asked = ask()
    one, two = request_for(labels=("a", "b")), request_for("images_for_detection/b.png", labels=("a", "b"))
    asked.backend.open([one, two])
    asked.annotate(one.name, choice("a"))
    store = S3Store(asked.store.bucket, asked.store.prefix)
    project = asked.backend.asking[1].id

    would = list(tear_down(asked.project, store, dry_run=True))
    assert not Storages(asked.project, store, asked.client).missing(project)
    did = list(tear_down(asked.project, store, dry_run=False))
    assert (
        would
        == did
        == [
            "1 open reviews at Label Studio are stopped",
            f"the storages of project {project} of Label Studio are removed",
        ]
    )
    assert Storages(asked.project, store, asked.client).missing(project) == ["images", "answers"]
    assert len(asked.answered(one.name).answers) == 1
    assert list(tear_down(asked.project, store, dry_run=False)) == []
