"""The pages about platforms: what they tell a user to type is what these programs take, and what they name is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest

from custom_labels.core.settings_fields import Settings
from include.deployments.__main__ import _parser
from tests.conftest import ROOT
from tests.kit.documents import code_blocks

PAGES = ("mwaa", "kubernetes", "astro", "plain", "celery", "secrets_backend")
OTHERS = frozenset({"docker", "helm", "kubectl", "astro", "sudo", "curl", "export"})
"""What is not here to be asked: of these only the files that they are given are checked."""
PLACEHOLDERS = {"BUCKET": "my-bucket", "ENVIRONMENT": "my-airflow", "PROJECT": "digits"}

each_page = pytest.mark.parametrize("page", PAGES)


def text(page: str) -> str:
    return (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")


def commands(page: str) -> Iterator[list[str]]:
    """Give the words of each command in the page's blocks of shell, with names in the place of placeholders."""
    for block in code_blocks(text(page), "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            filled = re.sub("|".join(PLACEHOLDERS), lambda found: PLACEHOLDERS[found[0]], line)
            words = shlex.split(filled, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            if words:
                yield words


@each_page
def test_every_command_is_one_that_its_program_takes(page: str) -> None:
    for words in commands(page):
        if "--" in words and words[0] == "kubectl":
            check(words[words.index("--") + 1 :])
        check([word for word in words if word != "&"])


def check(words: list[str]) -> None:
    program = words[0]
    if program == "make":
        assert f"\n{words[1]}: " in (ROOT / "Makefile").read_text(), words
        for arguments in (word.removeprefix("ARGS=") for word in words[2:]):
            _parser().parse_args([words[1], *arguments.split()])
    elif program == "airflow":
        check_airflow(words)
    elif program == "python":
        assert words[1] == "-m"
        assert (ROOT / words[2].replace(".", "/") / "__main__.py").exists()
        if words[2] == "include.deployments":
            _parser().parse_args(words[3:])
    elif program.startswith("python3") or program.endswith("/pip"):
        check_files(words, ".txt")
    else:
        assert program in OTHERS, words
        check_files(words, ".yaml", "Dockerfile")


def check_airflow(words: list[str]) -> None:
    from airflow.cli import cli_parser

    # Its provider is in another environment (`make test-celery`).
    if words[1] != "celery":
        cli_parser.get_parser().parse_args(words[1:])


def check_files(words: list[str], *endings: str) -> None:
    for word in words:
        if word.endswith(endings):
            assert (ROOT / word).exists(), words


@each_page
def test_every_link_leads_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", text(page)):
        assert not link or link.startswith("https://") or (ROOT / "docs" / link).exists(), link


@each_page
def test_every_make_target_and_file_in_the_prose_is_there(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text()

    for target in re.findall(r"`make ([a-z-]+)", text(page)):
        assert f"\n{target}: " in makefile, target
    for path in re.findall(r"`((?:include|tests|plugins|docs)/[\w./-]+)`", text(page)):
        assert (ROOT / path).exists(), path


def test_a_setting_in_the_environment_is_a_setting() -> None:
    names = re.findall(r"AIRFLOW_VAR_PROJECT__([A-Z0-9_]+)", " ".join(map(text, PAGES)))

    assert names
    assert {name.lower() for name in names} <= set(Settings.model_fields)
