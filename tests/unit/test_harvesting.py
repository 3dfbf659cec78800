"""Harvesting at a real A2I of the embedded AWS, without an Airflow around it: what becomes of images and answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.domain.harvest import HarvestRules
from custom_labels.domain.review import Purpose, ReviewRequest
from custom_labels.operators.harvest_look import HarvestLook
from custom_labels.operators.harvesting import Harvester
from custom_labels.operators.queues import project_queue
from custom_labels.operators.review_opening import ReviewOpener
from custom_labels.storage import harvest
from custom_labels.storage.harvest_work import FoundReviews, write_batches
from tests.harvest_support import (
    LABELLED,
    NONE_FITS,
    answer,
    answer_all,
    ask,
    ask_and_answer,
    copies,
    copy_under_condition,
    fates,
    keys,
    ledger,
    messages,
    waiting,
)
from tests.review_support import ReviewPlace, loops, make_request, set_up_review, wait_until, wait_until_ended
from tests.support import BUCKET, LABELS, client, picture, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

RULES = HarvestRules("digits", "", quorum=1, maximum_rounds=3)


@pytest.fixture
def place(aws: LocalAws) -> ReviewPlace:
    return set_up_review(aws)


class Harvest:
    """Runs that follow each other, as the DAG's tasks do."""

    def __init__(self, place: ReviewPlace, **rules: Any) -> None:
        self.place = place
        self.rules = replace(RULES, **rules)
        self.runs = 0

    def run(self, *, rung: bool = False) -> Counter[str]:
        """Look, harvest, move the watermark, open further rounds."""
        store, backend, now = self.place.store, self.place.backend, datetime.now(UTC)
        queue = project_queue(self.place.project, "reviews")
        assert queue is not None
        self.runs += 1
        harvester = Harvester(store, backend, self.rules, queue.delete)
        with FoundReviews() as found:
            unfinished = harvest.unfinished_chunks(store)
            look = HarvestLook(store, backend, found, harvest.read_watermark(store) or harvest.EPOCH)
            look.learn(unfinished, now)
            look.at_queue(queue)
            if not rung:
                look.at_all(now)
            batches = write_batches(store, f"{now:%Y-%m-%d}-{self.runs:06d}", found, 60)
        counts: Counter[str] = Counter()
        for chunk in unfinished:
            counts += harvester.finish(chunk)
        for batch in batches:
            counts += harvester.harvest(batch, now)
        if moment := look.facts(complete=True)["watermark"]:
            harvest.move_watermark(store, datetime.fromisoformat(moment))
        ReviewOpener(store, backend, f"run {self.runs}", budget=1000).run()
        return counts


@pytest.mark.parametrize(
    ("votes", "fate", "folders"),
    [
        (["columns", "rows", "rows"], "copied", ["rows"]),
        (["rows", "rows", None], "copied", ["rows"]),
        ([None, "rows", None], "copied", []),
        (["columns", "rows", None], "asked_again", []),
    ],
    ids=["two to one", "one cannot tell", "none fits", "all differ"],
)
def test_what_three_people_say_together(
    aws: LocalAws, place: ReviewPlace, votes: list[str | None], fate: str, folders: list[str]
) -> None:
    ask_and_answer(aws, place, make_request(aws, reviewers=3), votes)

    Harvest(place, quorum=2).run()

    assert fates(aws) == [fate]
    assert copies(aws) == folders


def test_an_image_stays_undecided_when_the_rounds_are_used_up(aws: LocalAws, place: ReviewPlace) -> None:
    request = make_request(aws, reviewers=2)
    ask_and_answer(aws, place, request, ["rows", "columns"])
    runs = Harvest(place, quorum=2, maximum_rounds=2)
    runs.run()
    answer_all(aws, place, request.name.replace("-r1", "-r2"), [None], first=2)

    runs.run()

    assert fates(aws) == ["asked_again", "undecided"]
    assert waiting(aws) == []
    assert len(loops(place)) == 2


def test_a_person_who_is_asked_again_has_one_vote(aws: LocalAws, place: ReviewPlace) -> None:
    request = make_request(aws, reviewers=2)
    ask_and_answer(aws, place, request, ["rows", "columns"])
    runs = Harvest(place, quorum=2)
    runs.run()
    answer_all(aws, place, request.name.replace("-r1", "-r2"), ["rows"], first=1)

    runs.run()

    assert fates(aws) == ["asked_again", "asked_again"]
    assert ledger(aws)[1]["votes"] == [["columns", 1], ["rows", 1]]


def test_all_rounds_of_an_image_give_one_copy(aws: LocalAws, place: ReviewPlace) -> None:
    request = make_request(aws, reviewers=3)
    ask_and_answer(aws, place, request, ["rows", "columns", None])
    runs = Harvest(place, quorum=2)
    for round_ in (2, 3):
        runs.run()
        answer_all(aws, place, request.name.replace("-r1", f"-r{round_}"), ["rows"], first=round_ + 1)

    runs.run()

    assert fates(aws) == ["asked_again", "asked_again", "copied"]
    assert keys(aws, LABELLED) == [f"{LABELLED}rows/{request.name.removesuffix('-r1')}.png"]
    assert len(ledger(aws)[2]["answers"]) == 5


@pytest.mark.parametrize(
    ("label", "folder"), [(None, NONE_FITS), ("no digit", f"{LABELLED}no digit/")], ids=["kept out", "a label"]
)
def test_an_image_that_shows_none_of_the_labels(
    aws: LocalAws, place: ReviewPlace, label: str | None, folder: str
) -> None:
    request = make_request(aws)
    ask_and_answer(aws, place, request, [None])

    Harvest(place, none_label=label).run()

    subject = request.name.removesuffix("-r1")
    assert [key for key in keys(aws, "") if subject in key.rpartition("/")[2]] == [f"{folder}{subject}.png"]
    assert ledger(aws)[0]["agreement"] == "none_fits"


@pytest.mark.parametrize(("is_asked_for", "fate", "folders"), [(False, "recorded", []), (True, "copied", ["rows"])])
def test_an_audit_enters_training_only_when_it_is_asked_for(
    aws: LocalAws, place: ReviewPlace, is_asked_for: bool, fate: str, folders: list[str]
) -> None:
    ask_and_answer(aws, place, make_request(aws, purpose=Purpose.AUDIT), ["rows"])

    Harvest(place, train_on_audits=is_asked_for).run()

    assert fates(aws) == [fate]
    assert copies(aws) == folders
    assert ledger(aws)[0]["label"] == "rows"


@pytest.mark.parametrize("change", ["replaced", "gone"])
def test_an_image_that_is_not_the_one_that_people_saw_is_not_copied(
    aws: LocalAws, place: ReviewPlace, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    copy_under_condition(aws, monkeypatch)
    place = replace(place, store=type(place.store)(BUCKET))
    request = make_request(aws)
    ask_and_answer(aws, place, request, ["rows"])
    if change == "gone":
        s3(aws).delete_object(Bucket=BUCKET, Key=request.key)
    else:
        s3(aws).put_object(Bucket=BUCKET, Key=request.key, Body=picture("columns", 7))

    Harvest(place).run()

    assert fates(aws) == [change]
    assert copies(aws) == []
    assert f"the image was {'deleted' if change == 'gone' else change} since" in ledger(aws)[0]["reason"]


def end(aws: LocalAws, place: ReviewPlace, request: ReviewRequest, how: str) -> None:
    """Let a review end without anybody's answer."""
    if how == "stopped":
        ask(place, request)
        place.backend.cancel(request.name)
    elif how == "failed":
        ask(place, request)
    else:
        short_lived(place)
        ask(place, request)
    wait_until_ended(place, request.name)


def short_lived(place: ReviewPlace) -> None:
    """Let reviews that are opened from now on expire within a second."""
    from custom_labels.hooks.sagemaker import ReviewSetupHook
    from custom_labels.review.a2i import A2IReviewBackend
    from custom_labels.review.setup import A2ISetup, plan_review

    assert place.project.review is not None
    review = place.project.review.model_copy(update={"lifetime_hours": 1 / 3600})
    project = place.project.model_copy(update={"review": review})
    hook = ReviewSetupHook(region_name="us-east-1")
    setup = A2ISetup(project, place.store, hook, plan_review(project, place.store, (1, 3)))
    setup.create()
    wait_until(lambda: {each.status for each in setup.describe().values()} == {"Active"})
    setup.record(setup.describe())
    object.__setattr__(place, "backend", A2IReviewBackend(project, place.store))


@pytest.mark.parametrize("how", ["expired", "stopped", "failed"])
def test_one_more_person_is_asked_when_nobody_answered(aws: LocalAws, place: ReviewPlace, how: str) -> None:
    """A review that failed to show its page has left nothing behind; what it asked is known from our own record."""
    request = make_request(aws, reviewers=3)
    if how == "failed":
        request = replace(request, image="nowhere/that/can/be/shown")
    end(aws, place, request, how)

    counts = Harvest(place, quorum=2).run()

    (line,) = ledger(aws)
    assert (line["fate"], line["status"], line["agreement"]) == ("asked_again", how, "unanswered")
    assert line["request"] == request.to_json()
    assert counts[how] == 1
    assert sorted(loops(place)) == sorted([request.name, request.name.replace("-r1", "-r2")])


def test_those_who_answered_count_when_the_others_did_not(aws: LocalAws, place: ReviewPlace) -> None:
    short_lived(place)
    request = make_request(aws, reviewers=3)
    ask(place, request)
    answer(aws, request.name, "rows", "anna")
    answer(aws, request.name, "rows", "ben")
    wait_until_ended(place, request.name)

    Harvest(place, quorum=2).run()

    (line,) = ledger(aws)
    assert (line["fate"], line["status"], line["votes"]) == ("copied", "expired", [["rows", 2]])


def test_a_label_with_a_slash_becomes_no_path(aws: LocalAws, place: ReviewPlace) -> None:
    request = make_request(aws, labels=(*LABELS, "../../registry"))
    ask_and_answer(aws, place, request, ["../../registry"])

    Harvest(place).run()

    assert fates(aws) == ["no_folder"]
    assert [key for key in keys(aws, "") if ".." in key] == []


def test_an_answer_of_somebody_else_is_left_alone(aws: LocalAws, place: ReviewPlace) -> None:
    """Whoever may write to the bucket can put an answer there; it must name what we asked."""
    request = make_request(aws)
    ask_and_answer(aws, place, request, ["rows"])
    (output,) = keys(aws, "a2i-human-loop-data/")
    s3(aws).put_object(Bucket=BUCKET, Key=output, Body=b'{"humanAnswers": [{"answerContent": {}}]}')

    Harvest(place).run()

    assert fates(aws) == ["asked_again"]
    assert copies(aws) == []


def test_a_review_is_harvested_once_however_often_it_is_announced(aws: LocalAws, place: ReviewPlace) -> None:
    request = make_request(aws)
    ask_and_answer(aws, place, request, ["rows"])
    queue = client(aws, "sqs")
    (message,) = queue.receive_message(QueueUrl=place.queues["reviews"], VisibilityTimeout=0)["Messages"]
    for body in (message["Body"], message["Body"], "no JSON", "{}", "[]"):
        queue.send_message(QueueUrl=place.queues["reviews"], MessageBody=body)
    runs = Harvest(place)

    assert runs.run(rung=True)["reviews"] == 1
    assert messages(aws, place) == 0
    queue.send_message(QueueUrl=place.queues["reviews"], MessageBody=message["Body"])
    assert runs.run(rung=True)["reviews"] == 0
    assert runs.run()["reviews"] == 0
    assert (len(ledger(aws)), messages(aws, place), len(copies(aws))) == (1, 0, 1)


def test_the_watermark_is_held_back_by_an_open_review(aws: LocalAws, place: ReviewPlace) -> None:
    first, second = make_request(aws, 1), make_request(aws, 2)
    ask(place, first)
    ask_and_answer(aws, place, second, ["rows"])
    runs = Harvest(place)
    runs.run()
    state = place.backend.status(first.name)
    assert state is not None
    assert harvest.read_watermark(place.store) == datetime.fromisoformat(state.created_at)

    answer_all(aws, place, first.name, ["columns"])
    runs.run()

    moved = harvest.read_watermark(place.store)
    assert moved is not None
    assert moved > datetime.fromisoformat(state.created_at)
    assert sorted(copies(aws)) == ["columns", "rows"]


def test_the_watermark_never_goes_back(place: ReviewPlace) -> None:
    later = datetime(2026, 11, 20, 12, tzinfo=UTC)
    harvest.move_watermark(place.store, later)
    harvest.move_watermark(place.store, later - timedelta(days=1))

    assert harvest.read_watermark(place.store) == later


def test_many_reviews_are_harvested_in_chunks(aws: LocalAws, place: ReviewPlace) -> None:
    aws.control.workforce(seconds=0)
    asked = [make_request(aws, number, LABELS[number % 2]) for number in range(130)]
    ask(place, *asked)
    wait_until_ended(place, *(request.name for request in asked))

    counts = Harvest(place).run()

    assert (counts["reviews"], counts["labelled"]) == (130, 130)
    assert Counter(copies(aws)) == dict.fromkeys(LABELS, 65)
    assert len(keys(aws, "reviews/harvested/")) == 5  # batches of 60, 60 and 10, chunks of 50 at most
    assert keys(aws, "reviews/unfinished/") == keys(aws, "reviews/harvest_work/") == []
