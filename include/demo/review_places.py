"""Where people answer reviews in the demo: what has to be started for it, and who answers there."""

from __future__ import annotations

from typing import Protocol

from include.demo.local_cloud import LocalCloud
from include.demo.people import A2IPeople, People
from include.demo.processes import Processes
from include.demo.settings_file import SettingsObject
from include.demo.view import View
from include.local_aws.process import Control


class ReviewPlace(Protocol):
    """A review backend as the demo stages it."""

    backend: str
    """Its name in a project file."""
    made: str
    """What the bootstrap DAG makes there, in words."""

    def check_installed(self) -> None:
        """See whether all that it needs is on this machine.

        :raises DemoError: something is missing; the message has the way out.
        """

    def start(self, processes: Processes, endpoint_url: str, view: View) -> None:
        """Start what it needs.

        :param endpoint_url: of the embedded AWS, which may not answer yet.
        :raises DemoError: it cannot be started.
        """

    def wait(self, view: View) -> list[SettingsObject]:
        """Wait until all of it is ready; give the connections to it, which Airflow needs.

        :raises DemoError: something does not start.
        """

    def people(self, cloud: LocalCloud, control: Control) -> People:
        """Give those who answer.

        :param control: of the embedded AWS.
        """


class A2IPlace:
    """Amazon A2I, a part of the embedded AWS."""

    backend = "a2i"
    made = "the review page and its flow at A2I"

    def check_installed(self) -> None:
        """Find nothing missing."""

    def start(self, processes: Processes, endpoint_url: str, view: View) -> None:
        """Start nothing more."""

    def wait(self, view: View) -> list[SettingsObject]:  # noqa: ARG002
        """Need no connection but that to AWS."""
        return []

    def people(self, cloud: LocalCloud, control: Control) -> People:
        """Give the workers whom the embedded AWS simulates."""
        return A2IPeople(cloud, control)


A2I: ReviewPlace = A2IPlace()
