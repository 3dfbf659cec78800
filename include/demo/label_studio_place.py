"""Label Studio as the place where people answer: a real one of this machine, as the demo's child."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from custom_labels.review.backends.label_studio.project_file import LabelStudioPart
from include.demo.errors import DemoError
from include.demo.label_studio_people import LabelStudioPeople, sign_in
from include.demo.local_cloud import LocalCloud
from include.demo.people import People
from include.demo.ports import free_port
from include.demo.processes import Child, Processes, log_tail
from include.demo.settings_file import SettingsObject
from include.demo.view import View
from include.label_studio.server import (
    READY_SECONDS,
    Account,
    LabelStudioError,
    command,
    environment,
    fill,
    initialised,
    installed,
    is_ready,
    start_arguments,
)
from include.local_aws.process import Control

PORT = 8090


class LabelStudioPlace:
    """A Label Studio with a data folder in the demo's own, and an account that ends with it.

    It reaches the embedded AWS by its own environment, as one on AWS does by the role of its machine: so the project
    file needs no more than ``review.backend``.
    """

    backend = "label_studio"
    made = "its project at Label Studio and the storages by which that reaches the bucket"

    def __init__(self) -> None:
        self.account = Account.new()
        self.url = ""
        self._child: Child | None = None

    def check_installed(self) -> None:
        """See whether Label Studio is installed."""
        if installed():
            raise DemoError(
                "'--review label_studio' needs Label Studio, which is not installed here. Start the demo by make, "
                'which installs it (a minute, once): make demo ARGS="--review label_studio"'
            )

    def start(self, processes: Processes, endpoint_url: str, view: View) -> None:
        """Start it; its database is made before, once for this version of Label Studio."""
        folder = processes.workspace.label_studio
        try:
            with view.waiting("Label Studio's database is copied, or made (a minute, once)"):
                fill(folder, initialised())
        except LabelStudioError as error:
            raise DemoError(str(error)) from error
        port = free_port(processes.workspace.near(PORT))
        self.url = f"http://127.0.0.1:{port}"
        # The embedded AWS takes any credentials.
        access = {"S3_ENDPOINT": endpoint_url, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        self._child = processes.start(
            "Label Studio",
            command(start_arguments(port)),
            {**environment(folder, self.account), **access},
            holds_input=True,
        )

    def wait(self, view: View) -> list[SettingsObject]:
        """Wait until it knows its account; give the connection whose password is the account's token."""
        child = self._child
        if child is None:
            raise DemoError("Label Studio has not been started: call start() first.")
        deadline = time.monotonic() + READY_SECONDS
        with view.waiting("Label Studio starts"):
            while not self._is_ready(child):
                if time.monotonic() > deadline:
                    raise DemoError(
                        f"{child.name} was not ready within {READY_SECONDS:.0f} seconds. {log_tail(child.log)}"
                    )
                time.sleep(0.2)
        view.line(f"Label Studio   {self.url}. {sign_in(self.account)}")
        address, name = urlsplit(self.url), LabelStudioPart().conn_id
        body = {
            "connection_id": name,
            "conn_type": "http",
            "schema": "http",
            "host": address.hostname,
            "port": address.port,
            "password": self.account.token,
        }
        return [SettingsObject("connections", name, body)]

    def people(self, cloud: LocalCloud, control: Control) -> People:  # noqa: ARG002
        """Give its annotators."""
        return LabelStudioPeople(self.url, self.account)

    def _is_ready(self, child: Child) -> bool:
        child.check_alive()
        try:
            return is_ready(self.url, self.account, child.log.parent)
        except LabelStudioError as error:
            raise DemoError(str(error)) from error
