"""The detect DAG on the embedded AWS, by Airflow and step by step: what becomes of images, events and messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.dag_runs import Variables, record, trigger_by_queue
from tests.kit.detect_runs import (
    INBOX,
    announce,
    count_messages,
    count_visible,
    detect,
    end_of,
    event,
    keys,
    make_queues,
    point_to,
    put,
    put_and_announce,
    receive,
    results,
    serve,
    start,
    train_versions,
    version_arn,
    waiting,
)
from tests.kit.step_runs import detect_by_steps
from tests.kit.support import BUCKET, effects, meanwhile, picture, rekognition, s3, wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def inbox(digits: LocalAws, variables: Variables) -> LocalAws:
    """A project with a version that serves, asked as fast as may be, and reviews that nobody is asked for."""
    variables.set(detections_per_unit_second=1000, enable_a2i_workflow="false", minimum_label_detection_confidence=0)
    make_queues(digits)
    serve(digits)
    return digits


@pytest.fixture
def by_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs be as those that the queue triggers: they do not look for images by themselves."""
    trigger_by_queue(monkeypatch)


def detected(aws: LocalAws) -> list[str]:
    """Give the names of the images that have a result, one for each result."""
    return sorted(each["key"].removeprefix(INBOX) for each in results(aws))


@pytest.mark.usefixtures("by_queue")
def test_images_are_detected_however_they_are_announced(inbox: LocalAws) -> None:
    names = ["my photo é.jpg", "a+b.png", "2026/11/21/deep.png", "100%.png", "pasted.PNG", "two.png", "three.png"]
    etags = {name: put(inbox, name, picture("rows", n)) for n, name in enumerate(names)}
    one, plus, deep, percent, pasted, two, three = names
    announce(
        inbox,
        event(one, etags[one]),
        event(one, etags[one]),  # S3 delivers at least once
        event(plus, etags[plus], "ObjectCreated:CompleteMultipartUpload"),
        event(deep, etags[deep], "ObjectCreated:Copy"),
        {"Type": "Notification", "Message": json.dumps({"Records": [event(percent, etags[percent])]})},
        {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": BUCKET}, "object": {"key": INBOX + pasted, "etag": etags[pasted], "size": 9}},
        },
        {"Records": [event(two, etags[two]), event(three, etags[three])]},
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET},
        event("old.png", kind="ObjectRemoved:Delete"),
        event("notes.txt"),
    )

    run = detect()

    assert end_of(run) == ("success", "detected")
    assert detected(inbox) == sorted(names)
    assert effects(inbox, "DetectCustomLabels") == len(names)
    assert (count_messages(inbox), count_messages(inbox, "dead-letters")) == (0, 0)
    assert keys(inbox, "detection_work/") == []
    assert record(inbox, "last_run/digits_detect")["facts"]["Images"] == len(names)


def test_a_replaced_image_is_detected_once_as_it_is_now(inbox: LocalAws) -> None:
    old = put(inbox, "a.png", picture("rows", 1))
    new = put(inbox, "a.png", picture("columns", 1))
    announce(inbox, event("a.png", new, object={"sequencer": "02"}), event("a.png", old, object={"sequencer": "01"}))

    detect_by_steps(by_queue=True)

    assert [(each["etag"], each["label"]) for each in results(inbox)] == [(new, "columns")]
    assert count_messages(inbox) == 0


@pytest.mark.slow
def test_images_that_no_event_announced_are_found_once(inbox: LocalAws) -> None:
    names = ["a.png", "a.png/b.jpg", "deep/er/c.JPEG", "ö ü.png", "x" * 900 + ".png"]
    for number, name in enumerate(names):
        put(inbox, name, picture("rows", number))
    for name in ("folder/", "notes.txt"):
        put(inbox, name, b"" if name != "notes.txt" else b"notes")

    first, second = detect_by_steps(), detect_by_steps()

    assert (first.outcome, second.outcome) == ("detected", "nothing_to_detect")
    assert "1 files in the inbox are of another kind by their names" in second.note
    assert detected(inbox) == sorted(names)
    assert effects(inbox, "DetectCustomLabels") == len(names)

    changed = put(inbox, "a.png", picture("columns", 1))
    announce(inbox, event("a.png"))  # as it was before
    detect_by_steps()

    assert effects(inbox, "DetectCustomLabels") == len(names) + 1
    assert [each["etag"] for each in results(inbox) if each["key"] == f"{INBOX}a.png"].count(changed) == 1
    assert count_messages(inbox) == 0


@pytest.mark.slow
@pytest.mark.parametrize("announced", [True, False], ids=["announced", "found"])
def test_every_object_gets_a_result_or_is_counted(inbox: LocalAws, announced: bool) -> None:
    contents = {
        **{name: picture("rows", 1, "JPEG") for name in ("pasted.jfif", "no ending", "photo.2026", "a.gif")},
        **dict.fromkeys(("empty.png", "empty", "empty.jfif"), b""),
        **dict.fromkeys(("photo.heic", "text without ending"), b"no picture"),
        **dict.fromkeys(("notes.txt", "data.json", ".DS_Store"), b"something"),
    }
    for name, content in contents.items():
        etag = put(inbox, name, content)
        if announced:
            announce(inbox, event(name, etag, object={"size": len(content)}))

    run = detect_by_steps(by_queue=announced)

    decisions = {each["key"].removeprefix(INBOX): each["decision"] for each in results(inbox)}
    assert decisions == {
        **dict.fromkeys(("pasted.jfif", "no ending", "photo.2026", "a.gif"), "accepted"),
        **dict.fromkeys(("empty.png", "empty", "empty.jfif", "photo.heic", "text without ending"), "unreadable"),
    }
    assert {each["reason"] for each in results(inbox) if "empty" in each["key"]} == {"the file is empty"}
    facts = record(inbox, "last_run/digits_detect")["facts"]
    assert (facts["Images"], facts["Unreadable"], facts["Files of another kind by their names"]) == (9, 5, 3)
    assert run.outcome == "detection_trouble"
    assert "5 images cannot be read; 4 of 9 accepted" in run.note
    assert effects(inbox, "DetectCustomLabels") == 4, "no version is asked about what is empty"
    assert (count_messages(inbox), count_messages(inbox, "dead-letters")) == (0, 0)


@pytest.mark.slow
def test_no_more_than_asked_are_detected_and_the_next_run_is_triggered(inbox: LocalAws) -> None:
    for number in range(5):
        put(inbox, f"{number}.png", picture("rows", number))

    run = detect({"maximum_images": 3})

    assert (end_of(run), run.tasks["go_on_detecting"], len(results(inbox))) == (("success", "detected"), "success", 3)
    assert detect({"maximum_images": 3}).tasks["go_on_detecting"] == "skipped"
    assert len(results(inbox)) == 5


@pytest.mark.slow
@pytest.mark.parametrize("deployed", [False, True], ids=["none was deployed", "the live one was stopped"])
def test_nothing_is_taken_from_the_queue_when(digits: LocalAws, deployed: bool) -> None:
    make_queues(digits)
    project = train_versions(digits, "v1")
    if deployed:
        point_to(digits, project, "v1")
    put_and_announce(digits, "a.png")

    first, second = detect(), detect()

    assert end_of(first) == ("success", "nothing_serves")
    assert ("TRAINING_COMPLETED, not RUNNING" if deployed else "no version was deployed yet") in str(first.note)
    assert effects(digits, "DetectCustomLabels") == 0
    assert len(receive(digits, "detections")) == 1
    assert end_of(second) == ("success", ""), "the same news is told once"
    assert (first.tasks["detect_batch"], second.tasks["finish"]) == ("skipped", "skipped")
    assert "Still: " in str(second.note)


@pytest.mark.slow
def test_an_image_that_cannot_be_read_gets_a_result_that_says_so(inbox: LocalAws) -> None:
    announce(inbox, event("bad.png", put(inbox, "bad.png", b"no image")))
    announce(inbox, event("tiny.png", put(inbox, "tiny.png", tiny())))
    announce(inbox, event("gone.png"))

    run = detect_by_steps()

    assert run.outcome == "detection_trouble"
    assert [(each["decision"], each["reason"].partition(":")[0], each["review"]) for each in results(inbox)] == [
        ("unreadable", "InvalidImageFormatException", None),
        ("unreadable", "InvalidParameterException", None),
    ]
    facts = record(inbox, "last_run/digits_detect")["facts"]
    assert (facts["Unreadable"], facts["Gone meanwhile"]) == (2, 1)
    assert "bad.png: InvalidImageFormatException" in facts["Example 1"]
    assert "2 images cannot be read; 0 of 3 accepted" in run.note
    assert count_messages(inbox) == 0
    assert not detect_by_steps().worked


def tiny() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (20, 20)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.slow
def test_an_image_that_fails_is_handed_to_people_at_its_third_delivery(inbox: LocalAws) -> None:
    """Its object is gone, and S3 answers 403 in place of 404, as it does without s3:ListBucket."""
    inbox.control.denied({"bucket": BUCKET, "operation": "s3.HeadObject"})
    put_and_announce(inbox, "good.png")
    announce(inbox, event("bad ü.png"))

    runs = []
    for _ in range(3):
        # Longer than the drain's last poll, which would else be a delivery of its own.
        wait_until(lambda: count_visible(inbox) > 0)
        runs.append(detect_by_steps(by_queue=True, visibility_seconds=5))

    assert [run.outcome for run in runs] == ["detection_trouble"] * 3
    assert detected(inbox) == ["good.png"]
    assert "InvalidS3ObjectException" in record(inbox, "last_run/digits_detect")["facts"]["Example 1"]
    assert count_messages(inbox) == 0
    handed = receive(inbox, "dead-letters")
    assert [json.loads(each["Body"])["Records"][0]["eventName"] for each in handed] == ["ObjectCreated:Put"]
    attributes = {name: value["StringValue"] for name, value in handed[0]["MessageAttributes"].items()}
    assert attributes["key"] == f"{INBOX}bad ü.png"
    assert "InvalidS3ObjectException: Unable to get object metadata" in attributes["reason"]


def test_an_archived_image_is_in_trouble_alone_and_says_how_to_restore_it(inbox: LocalAws) -> None:
    put_and_announce(inbox, "good.png")
    s3(inbox).put_object(Bucket=BUCKET, Key=f"{INBOX}old.png", Body=picture("rows", 5), StorageClass="GLACIER")
    announce(inbox, event("old.png"))

    run = detect_by_steps(by_queue=True)

    assert run.outcome == "detection_trouble"
    assert detected(inbox) == ["good.png"]
    assert (
        "The image is archived (GLACIER): restore it" in record(inbox, "last_run/digits_detect")["facts"]["Example 1"]
    )


def test_a_message_that_nobody_understands_is_handed_to_people_with_the_reason(inbox: LocalAws) -> None:
    announce(inbox, "hello", event("a.png", bucket="other"))

    run = detect_by_steps(by_queue=True)

    assert run.outcome == "detection_trouble"
    reasons = {
        each["Body"]: each["MessageAttributes"]["reason"]["StringValue"] for each in receive(inbox, "dead-letters")
    }
    assert "Invalid JSON" in reasons["hello"]
    assert any("of bucket 'other'" in reason for reason in reasons.values())
    assert count_messages(inbox) == 0


def shaky(aws: LocalAws, variables: Variables, **settings: Any) -> list[str]:
    """Detect two images with these settings and give the decisions, rows first."""
    variables.set(**settings)
    put(aws, "1.png", picture("rows", 1))
    put(aws, "2.png", picture("columns", 1))
    assert detect_by_steps().worked
    return [each["decision"] for each in results(aws)]


@pytest.mark.parametrize(
    ("settings", "decisions"),
    [
        ({"minimum_label_detection_confidence": 100}, ["not_reviewed", "not_reviewed"]),
        ({"label_detection_confidence": '{"rows": 100}'}, ["not_reviewed", "accepted"]),
    ],
    ids=["for all labels", "for one label"],
)
def test_nobody_is_asked_when_the_workflow_is_off(
    inbox: LocalAws, variables: Variables, settings: dict[str, Any], decisions: list[str]
) -> None:
    assert shaky(inbox, variables, **settings) == decisions
    assert waiting(inbox) == []


@pytest.mark.slow
def test_a_swap_in_the_middle_of_a_batch_goes_on_with_the_version_that_serves(
    digits: LocalAws, variables: Variables
) -> None:
    variables.set(detections_per_unit_second=10, enable_a2i_workflow="false", minimum_label_detection_confidence=0)
    make_queues(digits)
    project = serve(digits, "v1", "v2")
    start(digits, project, "v2")
    for number in range(60):
        put(digits, f"{number:02}.png", picture("rows", number % 5))

    def swap() -> None:
        wait_until(lambda: effects(digits, "DetectCustomLabels") >= 5, 300)
        point_to(digits, project, "v2")
        rekognition(digits).stop_project_version(ProjectVersionArn=version_arn(digits, project, "v1"))

    with meanwhile(swap):
        run = detect()

    found = results(digits)
    assert end_of(run) == ("success", "detected")
    assert len(found) == len({each["key"] for each in found}) == 60
    assert {each["version_name"] for each in found} == {"v1", "v2"}


def test_a_threshold_of_a_label_that_the_version_does_not_know_is_said(inbox: LocalAws, variables: Variables) -> None:
    variables.set(label_detection_confidence='{"rows": 80, "colums": 90}')
    put_and_announce(inbox, "a.png")

    runs = [detect_by_steps(), detect_by_steps()]

    assert [run.outcome for run in runs] == ["detected", "nothing_to_detect"]
    for run in runs:
        assert "'digits__label_detection_confidence' names labels that version v1 does not know: " in run.note
        assert "'colums' (is 'columns' meant?)" in run.note
