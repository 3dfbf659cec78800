"""The bootstrap DAG's checks of what reviews at Label Studio need."""

from __future__ import annotations

from collections.abc import Iterator

from custom_labels.core.checks import Check, CheckFailed
from custom_labels.core.context import ProjectContext
from custom_labels.review.backends.cors import check_cors
from custom_labels.review.backends.label_studio.backend import LabelStudioBackend
from custom_labels.review.backends.label_studio.storages import Storages


def server_checks(ctx: ProjectContext) -> Iterator[Check]:
    """Give each check."""
    backend = LabelStudioBackend(ctx.project, ctx.store)
    yield Check("Label Studio", "label_studio", lambda: _server(backend))
    yield Check("bucket CORS", ctx.project.bucket, lambda: check_cors(ctx, "Label Studio shows no images"))
    yield Check("review projects", "label_studio", lambda: _projects(ctx, backend))


def _server(backend: LabelStudioBackend) -> str:
    """See whether the server is there and accepts the token."""
    version = backend.client.get("/api/version").get("release", "of an unknown version")
    account = backend.client.get("/api/current-user/whoami")
    return f"{version} at {backend.client.connection.url}, as its account {account['id']}"


def _projects(ctx: ProjectContext, backend: LabelStudioBackend) -> str:
    """See whether the projects that the settings ask for are there, unchanged and with their storages."""
    storages = Storages(ctx.project, ctx.store, backend.client)
    missing = {1, ctx.settings("reviewers_per_image").reviewers_per_image} - backend.asking.keys()
    bad = [f"no project asks {count} people" for count in sorted(missing)]
    for asking in backend.asking.values():
        backend.projects.check(asking)
        bad += [f"project {asking.id} has no storage for {what}" for what in storages.missing(asking.id)]
    if bad:
        raise CheckFailed(f"Reviews cannot be answered: {'; '.join(bad)}. Read the log of set_up_review in this run.")
    return ", ".join(f"project {asking.id} asks {count}" for count, asking in sorted(backend.asking.items()))
