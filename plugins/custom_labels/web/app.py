"""The application behind our own pages: who may see what, and with which headers."""
# No `from __future__ import annotations` here: FastAPI reads the annotations of routes and dependencies as they are.

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from custom_labels.assist.assist_records import assist_record
from custom_labels.core.keys import DETECTIONS, MAXIMUM_KEY_BYTES
from custom_labels.core.registry import project_store
from custom_labels.core.settings import Project, load_project
from custom_labels.datasets.imports.import_records import read_report
from custom_labels.datasets.inspection.inspection_records import read_inspection
from custom_labels.errors import CustomLabelsError, SettingError
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.drawn_result_records import draw_result
from custom_labels.evaluation.learning_curve_records import read_learning_curve
from custom_labels.evaluation.thumbnail_records import thumbnails
from custom_labels.operations.image_lineage_records import image_lineage, relative_key
from custom_labels.operations.lineage import ImageLineage, LineageError, Show
from custom_labels.operations.lineage_records import version_lineage
from custom_labels.review.backends.airflow_page.page_records import PageRecords, image_link
from custom_labels.review.backends.airflow_page.project_file import KIND
from custom_labels.review.statistics_page import statistics_page
from custom_labels.review.statistics_records import STATISTICS
from custom_labels.s3.store import S3Store
from custom_labels.training.inspected_records import newest_inspection
from custom_labels.web.assist_page import ASSIST, assist_page, assists_page, latest_assists
from custom_labels.web.data_page import data_page
from custom_labels.web.import_page import IMPORT, import_page, imports_page, latest_reports
from custom_labels.web.lineage_page import (
    ETAG,
    IMAGES_A_PAGE,
    LAST_PAGE,
    LONGEST_IMAGE,
    VERSIONS_SHOWN,
    image_page,
    version_page,
)

PROJECT = r"^[a-zA-Z0-9][a-zA-Z0-9_\-]{0,99}$"
# VersionName (Rekognition API reference), beginning as our names do: a project's first character.
VERSION = r"^[a-zA-Z0-9][a-zA-Z0-9_.\-]{0,254}$"
# HumanLoopName (A2I runtime API reference), which all reviews' names keep to.
REVIEW = r"^[a-z0-9](-*[a-z0-9]){0,62}$"

ProjectPath = Annotated[str, Path(pattern=PROJECT)]
VersionPath = Annotated[str, Path(pattern=VERSION)]
ReviewPath = Annotated[str, Path(pattern=REVIEW)]
ImportPath = Annotated[str, Path(pattern=IMPORT)]
AssistPath = Annotated[str, Path(pattern=ASSIST)]
DigestPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
ImageQuery = Annotated[str, Query(max_length=LONGEST_IMAGE)]
EtagQuery = Annotated[str, Query(pattern=ETAG)]
PageQuery = Annotated[int, Query(ge=1, le=LAST_PAGE)]
ResultPath = Annotated[str, Path(pattern=r"^.+\.json$", max_length=MAXIMUM_KEY_BYTES)]


def _headers(sandbox: str, form_action: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": (
            f"{sandbox}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
            f"form-action {form_action}; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


# The page comes out of the bucket, where others may write: whatever it holds, no script of it runs, it sends nothing
# anywhere, and it has not the origin of Airflow.
HEADERS = _headers("sandbox", "'none'")
# The one page with a form. It is written here, and what comes out of the bucket is text on it; still no script runs,
# and it has not the origin of Airflow, so that a browser sends no cookie of Airflow along with a form but with a GET,
# which changes nothing. A form may only be sent to where the page came from.
FORM_HEADERS = _headers("sandbox allow-forms", "'self'")


def may_read_train_dag(project: ProjectPath, request: Request, user: GetUserDep) -> None:
    """Let in who may read the project's train DAG."""
    requires_access_dag("GET", param_dag_id=f"{project}_train")(request, user)


def may_read_detect_dag(project: ProjectPath, request: Request, user: GetUserDep) -> None:
    """Let in who may read the project's detect DAG."""
    requires_access_dag("GET", param_dag_id=f"{project}_detect")(request, user)


def may_read_harvest_dag(project: ProjectPath, request: Request, user: GetUserDep) -> None:
    """Let in who may read the project's harvest DAG."""
    requires_access_dag("GET", param_dag_id=f"{project}_harvest_reviews")(request, user)


def may_read_import_dag(project: ProjectPath, request: Request, user: GetUserDep) -> None:
    """Let in who may read the project's import DAG."""
    requires_access_dag("GET", param_dag_id=f"{project}_import_dataset")(request, user)


def may_read_assist_dag(project: ProjectPath, request: Request, user: GetUserDep) -> None:
    """Let in who may read the project's label assist DAG."""
    requires_access_dag("GET", param_dag_id=f"{project}_label_assist")(request, user)


def may_read_ask_dag(project: ProjectPath, request: Request, user: GetUserDep) -> None:
    """Let in who may read the DAG that asks people, and so its questions."""
    requires_access_dag("GET", param_dag_id=f"{project}_{KIND}")(request, user)


@contextmanager
def as_http_errors() -> Iterator[None]:
    """Answer 404 where there is no such project, and 502 where its bucket cannot be read."""
    try:
        yield
    except SettingError as error:
        raise HTTPException(404, str(error)) from error
    except CustomLabelsError as error:
        raise HTTPException(502, str(error)) from error


def make_app() -> FastAPI:
    """Make the application; every route names who may call it."""
    app = FastAPI(title="Custom Labels", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/{project}/reviews", dependencies=[Depends(may_read_harvest_dag)])
    def reviews(project: ProjectPath) -> HTMLResponse:
        """Show how many reviews wait, and how people answer."""
        with as_http_errors():
            statistics = STATISTICS.read(project_store(load_project(project)))
        if statistics is None:
            raise HTTPException(404, f"No harvest has counted the reviews of project '{project}' yet.")
        return HTMLResponse(statistics_page(project, statistics), headers=HEADERS)

    @app.get("/{project}/detections/{result:path}", dependencies=[Depends(may_read_detect_dag)])
    def detection(project: ProjectPath, result: ResultPath) -> Response:
        """Draw a result, whose key is that below ``detections/``, over its image."""
        with as_http_errors():
            drawing = draw_result(project_store(load_project(project)), f"{DETECTIONS}{result}")
        if drawing is None:
            raise HTTPException(404, f"There is no result '{DETECTIONS}{result}' of project '{project}'.")
        return Response(drawing, headers=HEADERS, media_type="image/svg+xml")

    @app.get("/{project}/reviews/{review}/image", dependencies=[Depends(may_read_ask_dag)])
    def review_image(project: ProjectPath, review: ReviewPath) -> Response:
        """Lead on to the image of a review on Airflow's page, by a link that is made for this request only."""
        with as_http_errors():
            store = project_store(load_project(project))
            found = PageRecords(store).read(review)
        if found is None:
            raise HTTPException(404, f"There is no review '{review}' of project '{project}'.")
        return RedirectResponse(image_link(store, found.request.key), headers=HEADERS)

    _add_evaluation(app)
    _add_data(app)
    _add_imports(app)
    _add_assists(app)
    _add_lineage(app)
    return app


def _add_evaluation(app: FastAPI) -> None:
    """Add the pages of how good versions are."""

    @app.get("/{project}/decisions/{version}", dependencies=[Depends(may_read_train_dag)])
    def decision(project: ProjectPath, version: VersionPath) -> HTMLResponse:
        """Show why a version was put into service or refused."""
        with as_http_errors():
            page = Decisions(project_store(load_project(project)), version).page()
        if page is None:
            raise HTTPException(404, f"There is no decision about a version '{version}' of project '{project}'.")
        return HTMLResponse(page, headers=HEADERS)

    @app.get("/{project}/learning-curve", dependencies=[Depends(may_read_train_dag)])
    def curve(project: ProjectPath) -> Response:
        """Show the metric of all versions by images and by date."""
        with as_http_errors():
            picture = read_learning_curve(project_store(load_project(project)))
        if picture is None:
            raise HTTPException(404, f"No version of project '{project}' was evaluated yet.")
        return Response(picture, headers=HEADERS, media_type="image/svg+xml")


def _add_data(app: FastAPI) -> None:
    """Add the pages of what was found in training data."""

    @app.get("/{project}/data", dependencies=[Depends(may_read_train_dag)])
    def newest_data(project: ProjectPath) -> HTMLResponse:
        """Show what was found in the newest snapshot that a training was prepared of."""
        with as_http_errors():
            store = project_store(load_project(project))
            found = newest_inspection(store)
            page = data_page(project, store, found) if found else None
        if page is None:
            raise HTTPException(404, f"No training of project '{project}' has looked into its images yet.")
        return HTMLResponse(page, headers=HEADERS)

    @app.get("/{project}/data/{digest}", dependencies=[Depends(may_read_train_dag)])
    def data(project: ProjectPath, digest: DigestPath) -> HTMLResponse:
        """Show what was found in a snapshot."""
        with as_http_errors():
            store = project_store(load_project(project))
            found = read_inspection(store, digest)
            page = data_page(project, store, found) if found else None
        if page is None:
            raise HTTPException(404, f"Nobody has looked into a snapshot '{digest}' of project '{project}'.")
        return HTMLResponse(page, headers=HEADERS)


def _add_imports(app: FastAPI) -> None:
    """Add the pages of imports."""

    @app.get("/{project}/imports", dependencies=[Depends(may_read_import_dag)])
    def imports(project: ProjectPath) -> HTMLResponse:
        """List the project's imports."""
        with as_http_errors():
            reports = latest_reports(project_store(load_project(project)))
        return HTMLResponse(imports_page(project, reports), headers=HEADERS)

    @app.get("/{project}/imports/{name}", dependencies=[Depends(may_read_import_dag)])
    def one_import(project: ProjectPath, name: ImportPath) -> HTMLResponse:
        """Show what an import took and skipped."""
        with as_http_errors():
            store = project_store(load_project(project))
            report = read_report(store, name)
        if report is None:
            raise HTTPException(404, f"There is no report of an import '{name}' into project '{project}'.")
        return HTMLResponse(import_page(project, store, report), headers=HEADERS)


def _add_assists(app: FastAPI) -> None:
    """Add the pages of label assist."""

    @app.get("/{project}/assist", dependencies=[Depends(may_read_assist_dag)])
    def assists(project: ProjectPath) -> HTMLResponse:
        """List the project's label assists."""
        with as_http_errors():
            found = latest_assists(project_store(load_project(project)))
        return HTMLResponse(assists_page(project, found), headers=HEADERS)

    @app.get("/{project}/assist/{name}", dependencies=[Depends(may_read_assist_dag)])
    def assist(project: ProjectPath, name: AssistPath) -> HTMLResponse:
        """Show how a label assist goes on."""
        with as_http_errors():
            loaded = load_project(project)
            store = project_store(loaded)
            found = assist_record(name).read(store)
            page = assist_page(loaded, store, found) if found else None
        if page is None:
            raise HTTPException(404, f"There is no label assist '{name}' of project '{project}'.")
        return HTMLResponse(page, headers=HEADERS)


def _add_lineage(app: FastAPI) -> None:
    """Add the pages of lineage."""

    # What is known of an image is also on the pages of detections and of reviews.
    @app.get(
        "/{project}/lineage",
        dependencies=[Depends(may_read_train_dag), Depends(may_read_detect_dag), Depends(may_read_harvest_dag)],
    )
    def image(project: ProjectPath, image: ImageQuery = "", etag: EtagQuery = "", every: bool = False) -> HTMLResponse:
        """Ask for an image, and show what is known of it."""
        with as_http_errors():
            known = load_project(project)
            store = project_store(known)
            try:
                found = _find_image(store, known, image, etag, newest=None if every else VERSIONS_SHOWN)
            except LineageError as error:
                return HTMLResponse(image_page(project, image, etag, None, why_not=str(error)), 404, FORM_HEADERS)
            thumbnail = thumbnails(store, [found.uri]).get(found.uri) if found and found.present else None
        return HTMLResponse(image_page(project, image, etag, found, thumbnail), headers=FORM_HEADERS)

    @app.get("/{project}/lineage/{version}", dependencies=[Depends(may_read_train_dag)])
    def version(project: ProjectPath, version: VersionPath, show: Show = Show.ALL, page: PageQuery = 1) -> HTMLResponse:
        """Show the images of a version."""
        with as_http_errors():
            known = load_project(project)
            try:
                with version_lineage(project_store(known), known, version) as (found, table):
                    skip = (page - 1) * IMAGES_A_PAGE
                    images = list(table.shown(show, skip=skip, most=IMAGES_A_PAGE)) if table else []
            except LineageError as error:
                raise HTTPException(404, str(error)) from error
        return HTMLResponse(version_page(found, images, show, page), headers=HEADERS)


def _find_image(store: S3Store, project: Project, image: str, etag: str, *, newest: int | None) -> ImageLineage | None:
    """Look up an image; ``None`` where none is asked about.

    :raises LineageError: nothing is known of it.
    """
    if not image:
        return None
    found = image_lineage(store, project, relative_key(store, image), etag or None, newest)
    found.require_known()
    return found
