"""What the tests of the command share: an AWS account with nothing in it, and the command, run in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE
from include.infra import change_set, stack
from include.infra.__main__ import main
from tests.kit.stack_proxy import StackProxy

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

SECRET = "a-secret-that-nobody-may-see"


@dataclass(frozen=True)
class Ended:
    """How the command ended, and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def account(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """Credentials and a region where boto3 looks for them, and an empty folder of project files."""
    (tmp_path / "projects").mkdir()
    for name, value in {
        PROJECTS_DIR_VARIABLE: str(tmp_path / "projects"),
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }.items():
        monkeypatch.setenv(name, value)
    return aws


@pytest.fixture
def run(account: LocalAws, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command; whatever it prints, it never prints a secret."""

    def command(*arguments: str) -> Ended:
        capsys.readouterr()
        code = main(list(arguments))
        printed = capsys.readouterr()
        assert SECRET not in printed.out + printed.err
        return Ended(code, printed.out, printed.err)

    return command


@pytest.fixture
def proxy(account: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[StackProxy]:
    """Stands before the account; waits are short."""
    monkeypatch.setattr(stack, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(change_set, "POLL_SECONDS", 0.01)
    with StackProxy(account.endpoint_url) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made
