"""Which browser the tests take, and what they say when there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser.chromium import NoChromiumError, chromium


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only folder on PATH of somebody who may install nothing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def program(folder: Path, name: str, text: str = "") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_first_of_the_known_names_is_taken_when_nothing_is_named(programs: Path) -> None:
    program(programs, "google-chrome-stable")
    expected = program(programs, "chromium-browser")
    assert chromium() == expected


def test_named_browser_is_taken_when_there_are_others(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "chromium")
    expected = program(programs, "mine")
    monkeypatch.setenv("CHROMIUM", expected)
    assert chromium() == expected


def test_wrong_name_is_refused_when_there_are_others(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "chromium")
    monkeypatch.setenv("CHROMIUM", "/nope")
    with pytest.raises(ValueError, match=r"CHROMIUM is '/nope': expected a program\. Correct or unset it\."):
        chromium()


def test_way_out_is_given_in_one_line_when_there_is_none(programs: Path) -> None:
    with pytest.raises(NoChromiumError, match=r"^No browser on PATH \(.*\)\. Install .* variable CHROMIUM\.$"):
        chromium()


def test_browser_is_installed_when_root_has_none(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    # Knows no package until its lists are fetched, as in a fresh image.
    program(
        programs,
        "apt-get",
        f"""case "$*" in
        *update*) : >{programs}/lists ;;
        *download*) test -e {programs}/lists || {{ echo 'E: no chromium' >&2; exit 100; }} ;;
        *install*) : >{programs}/chromium; /bin/chmod +x {programs}/chromium ;;
        esac""",
    )
    assert chromium() == str(programs / "chromium")


def test_reason_is_what_apt_says_when_it_fails(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(programs, "apt-get", "echo first >&2; echo 'E: no network' >&2; exit 100")
    with pytest.raises(NoChromiumError, match=r"^'apt-get -qq update' said 'E: no network'\. Install"):
        chromium()
