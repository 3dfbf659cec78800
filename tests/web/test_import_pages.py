"""The pages of imports in Airflow's API server: who may see them, and that what a source holds is text on them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.codec import to_json
from custom_labels.datasets.imports.import_records import ImportFiles
from custom_labels.datasets.imports.import_work import ImportCounts, ImportReport, OnConflict
from custom_labels.datasets.imports.source import SourceKind
from custom_labels.s3.store import S3Store
from tests.kit.refused_access import refuse_access
from tests.kit.support import BUCKET, s3
from tests.web.test_pages import server, token

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

__all__ = ["server"]

# One process starts the server, not each.
pytestmark = pytest.mark.xdist_group("ui")

IMPORTS = "/custom-labels/digits/imports"
NAME = "20261121t120000-0123456789ab"
SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture
def report(aws: LocalAws) -> ImportReport:
    """A report in the bucket, in which whatever comes from outside is a script."""
    s3(aws).create_bucket(Bucket=BUCKET)
    counts = ImportCounts(
        {"taken": 3, "skipped": 2}, {"OTHER_FILE": 2}, {"OTHER_FILE": (f"{SCRIPT}: no image",)}, {SCRIPT: 3}
    )
    made = ImportReport(
        NAME,
        datetime(2026, 11, 21, 12, tzinfo=UTC),
        f"s3://other/{SCRIPT}/",
        SourceKind.FOLDERS,
        OnConflict.KEEP,
        f"digits_import_dataset/{SCRIPT}",
        is_dry_run=False,
        mapping={SCRIPT: None, "a": SCRIPT},
        counts=counts,
    )
    store = S3Store(BUCKET, region_name="us-east-1")
    store.write_json(ImportFiles(NAME).report, to_json(made))
    # One that has not ended, and what somebody has uploaded beside them.
    store.write_json("imports/20261122t120000-0123456789ab/batches/0000.jsonl", {})
    store.write_json("imports/uploads/report.json", {"a": 1})
    return made


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("VIEWER", 200), ("ADMIN", 200)], ids=["nobody", "viewer", "admin"]
)
@pytest.mark.parametrize("path", [IMPORTS, f"{IMPORTS}/{NAME}"], ids=["all", "one"])
def test_whoever_may_read_the_import_dag_may_read_its_pages(
    server: Any, report: ImportReport, path: str, role: str | None, status: int
) -> None:
    assert server.get(path, headers=token(role)).status_code == status


def test_access_is_asked_for_the_projects_import_dag(
    server: Any, report: ImportReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = refuse_access(monkeypatch)

    assert [server.get(path, headers=token("ADMIN")).status_code for path in (IMPORTS, f"{IMPORTS}/{NAME}")] == [
        403
    ] * 2
    assert asked == [("GET", "digits_import_dataset")] * 2


def test_what_a_source_holds_is_text(server: Any, report: ImportReport) -> None:
    one, all_of_them = (server.get(path, headers=token("VIEWER")) for path in (f"{IMPORTS}/{NAME}", IMPORTS))

    for page in (one, all_of_them):
        assert page.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
        assert "<script" not in page.text
    # Source, run, example, label, and both sides of the mapping.
    assert one.text.count(ESCAPED) == 6
    assert "<dt>Images taken</dt><dd>3</dd>" in one.text
    assert f'href="imports/{NAME}"' in all_of_them.text
    assert all_of_them.text.count("href=") == 1


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/digits/imports/20250101t000000-0123456789ab", 404, "There is no report of an import"),
        ("/birds/imports", 404, "There is no project 'birds'"),
        ("/digits/imports/uploads", 422, "should match pattern"),
        ("/digits/imports/..%2f..%2fregistry%2fproject", 404, "Not Found"),
    ],
)
def test_what_there_is_not_is_refused(server: Any, report: ImportReport, path: str, status: int, words: str) -> None:
    answer = server.get(f"/custom-labels{path}", headers=token("ADMIN"))

    assert answer.status_code == status
    assert words in answer.text


def test_a_report_that_is_none_of_ours_is_said(server: Any, aws: LocalAws, report: ImportReport) -> None:
    s3(aws).put_object(Bucket=BUCKET, Key=ImportFiles(NAME).report, Body=b'{"a": 1}')

    answer = server.get(f"{IMPORTS}/{NAME}", headers=token("ADMIN"))

    assert answer.status_code == 502
    assert f"imports/{NAME}/report.json is not as this package writes it" in answer.text
