"""requirements.txt on Amazon MWAA, which installs it under its own versions, or not at all without a word in the UI."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PINS = sorted(Path(__file__).parent.glob("mwaa-*.txt"))
NOT_IN_THE_IMAGE = {"defusedxml", "imagehash", "pillow", "pywavelets"}
"""What MWAA's own versions do not name, so that any may be installed."""
UNREACHABLE = re.compile(r"dns error|error sending request|failed to fetch|connection refused", re.IGNORECASE)

each_platform = pytest.mark.parametrize("pins", PINS, ids=lambda path: path.stem)


def lines(path: Path) -> list[str]:
    found = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in found if line]


def versions(texts: list[str]) -> dict[str, str]:
    """Give versions by name, of lines such as ``name==1.2``."""
    pairs = (re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", text) for text in texts)
    return {canonicalize_name(pair[1]): pair[2] for pair in pairs if pair}


def requirements() -> list[Requirement]:
    return [Requirement(line) for line in lines(ROOT / "requirements.txt")]


@each_platform
def test_no_requirement_excludes_a_version_of_the_image(pins: Path) -> None:
    pinned = versions(lines(pins))

    refused = [
        str(each)
        for each in requirements()
        if canonicalize_name(each.name) not in NOT_IN_THE_IMAGE
        and not each.specifier.contains(pinned[canonicalize_name(each.name)])
    ]

    assert refused == []


@each_platform
def test_requirements_resolve_to_the_versions_of_the_image(pins: Path, tmp_path: Path) -> None:
    """By the resolver, since what a requirement itself needs counts as well."""
    found = tmp_path / "resolved.txt"
    uv = Path(sys.executable).parent / "uv"
    command: list[str | Path] = [uv if uv.exists() else ROOT / ".venv" / "bin" / "uv"]
    command += ["pip", "compile", "--no-header", "--no-annotate", "--python-version", "3.12"]
    command += [ROOT / "requirements.txt", "-c", pins, "-o", found]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip(f"no package index can be reached: {done.stderr[-300:]}")

    assert done.returncode == 0, done.stderr
    resolved, pinned = versions(lines(found)), versions(lines(pins))
    assert {name: version for name, version in resolved.items() if pinned.get(name) != version}.keys() == {
        canonicalize_name(name) for name in NOT_IN_THE_IMAGE
    }, "add what MWAA pins of a new requirement to the file, or name it above"


def test_mwaa_takes_its_own_versions() -> None:
    """It does not where a line, be it a comment, holds one of these."""
    text = (ROOT / "requirements.txt").read_text()

    assert not [option for option in ("-c ", "--constraint ") if option in text]


def test_the_pins_name_no_package_index() -> None:
    assert not [path for path in PINS if re.search(r"https?://|--index|--extra-index|--find-links", path.read_text())]
