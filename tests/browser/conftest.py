"""A real browser for the folder, and for each test a context of its own in which nothing may go wrong unseen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    WebError,
    sync_playwright,
)

from include.local_aws.process import LocalAws
from tests.browser.chromium import OPTIONS, NoChromiumError, chromium
from tests.browser.portal import Portal
from tests.local_aws.review_support import Reviews
from tests.local_aws.support import BUCKET, Aws

HERE = Path(__file__).parent
REQUIRED = "CUSTOM_LABELS_REQUIRE_BROWSER"
PATIENCE_MS = 60_000
INSTALLING_SECONDS = 900


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the folder in one process, so one browser is started, and give that time to be installed."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))
            item.add_marker(pytest.mark.timeout(INSTALLING_SECONDS))


@cache
def missing() -> str:
    """Return why there is no browser, or nothing; looked for, and maybe installed, when the first test needs it."""
    try:
        chromium()
    except NoChromiumError as error:
        return str(error)
    return ""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Function) -> None:
    """Skip or fail what needs a browser before anything else is started for it."""
    reason = missing() if "browser" in item.fixturenames else ""
    if reason and os.environ.get(REQUIRED, "") not in ("", "0"):
        pytest.fail(f"{REQUIRED} is set. {reason}", pytrace=False)
    if reason:
        # As a mark: the summary then says it a few times a file and not once a test.
        item.add_marker(pytest.mark.skip(reason))


@dataclass
class Watch:
    """What a test's pages asked for, and what went wrong in them."""

    hosts: set[str] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Listen to all pages of a context."""
        context.on("request", self._requested)
        context.on("requestfailed", self._failed)
        context.on("weberror", self._uncaught)
        context.on("console", self._said)
        context.on("dialog", self._asked)

    def _requested(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme != "data":
            self.hosts.add(address.netloc)

    def _failed(self, request: Request) -> None:
        # Aborted is what a page still loads when somebody goes on.
        if request.failure != "net::ERR_ABORTED":
            self.trouble.append(f"failed: {request.url} {request.failure}")

    def _uncaught(self, error: WebError) -> None:
        self.trouble.append(f"uncaught: {error.error}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.trouble.append(f"console: {message.text}")

    def _asked(self, dialog: Dialog) -> None:
        self.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()


# Not for the session: while Playwright's loop runs, nothing else in the process can start one, and DAG tests do.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        yield started
        started.close()


@pytest.fixture
def reviews(aws: LocalAws) -> Reviews:
    """Human review in the embedded AWS, without delays."""
    aws.control.durations(flow_create=0, loop_start=0, loop_stop=0)
    clients = Aws(aws.endpoint_url)
    clients.s3.create_bucket(Bucket=BUCKET)
    return Reviews(clients)


@pytest.fixture
def watch(browser: Browser) -> Watch:
    return Watch()


@pytest.fixture
def page(browser: Browser, reviews: Reviews, watch: Watch) -> Iterator[Page]:
    """An empty page in a profile of its own; at the end, no page of that profile may have been in trouble."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    watch.over(context)
    yield context.new_page()
    context.close()
    assert watch.trouble == []
    assert watch.hosts <= {urlsplit(reviews.aws.url).netloc}


@pytest.fixture
def portal(page: Page, reviews: Reviews) -> Portal:
    """The worker portal in the test's page."""
    return Portal(page, reviews)
