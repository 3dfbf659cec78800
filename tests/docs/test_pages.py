"""README and docs/ say what is there: links, commands, settings, outcomes, and each promise with its test."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from custom_labels import __version__
from custom_labels.core.outcome import Outcome
from custom_labels.core.settings_fields import Settings
from include.docs.pages import pages
from tests.conftest import ROOT
from tests.kit.documents import code_blocks

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
LONGEST_README = 140
WIDEST_ROW = 150
LINK = re.compile(r"\]\(([^)\s]+)\)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def rows(text: str) -> list[list[str]]:
    """Give the cells of the tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]


def anchors(page: Path) -> set[str]:
    """Give the names that links may lead to within a page, as GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


PROMISES = {row[0]: row[1] for row in rows((DOCS / "promises.md").read_text(encoding="utf-8"))[1:]}


def test_the_readme_is_read_at_once() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= LONGEST_README
    assert [line for line in lines if line.startswith("|") and len(line) > WIDEST_ROW] == []


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_the_newest_release_is_the_version_of_the_package() -> None:
    releases = re.findall(r"^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$", PAGES[2].read_text(encoding="utf-8"), re.MULTILINE)

    assert releases[0] == __version__


def test_every_page_is_in_the_index() -> None:
    listed = set(LINK.findall((DOCS / "README.md").read_text(encoding="utf-8")))

    assert {path.name for path in DOCS.glob("*.md")} - listed == {"README.md"}


@pytest.mark.parametrize("made", list(pages()), ids=lambda made: made[0].name)
def test_what_is_made_of_the_code_is_as_the_code_is(made: tuple[Path, str]) -> None:
    path, text = made

    assert path.read_text(encoding="utf-8") == text, "run `make docs`"


def test_every_setting_and_every_outcome_is_explained() -> None:
    settings, dags = ((DOCS / name).read_text(encoding="utf-8") for name in ("settings.md", "dags.md"))

    assert [name for name in Settings.model_fields if f"| `{name}` |" not in settings] == []
    assert [outcome for outcome in Outcome if f"`{outcome}`" not in dags] == []


def commands(page: Path) -> Iterator[list[str]]:
    """Give the words of each command that a page's blocks show; ends of lines within a command are joined."""
    for block in code_blocks(page.read_text(encoding="utf-8"), "bash"):
        for line in block.replace("\\\n", " ").replace(" && ", "\n").splitlines():
            if words := shlex.split(line, comments=True):
                yield words


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@each_page
def test_every_command_of_ours_is_there(page: Path) -> None:
    known, unknown = targets(), []
    for words in commands(page):
        if words[0] == "make":
            named = [word for word in words[1:] if "=" not in word]
            unknown += [word for word in named if word not in known]
        if "-m" in words and "python" in words[0]:
            module = words[words.index("-m") + 1]
            if module.startswith("include.") and importlib.util.find_spec(module) is None:
                unknown.append(module)

    assert unknown == []


OF_PROVIDERS = {"celery"}
"""Commands that are there only with a provider that `make test` does not have."""
AIRFLOW_COMMANDS = [
    (page, words)
    for page in PAGES
    for words in commands(page)
    if words[0] == "airflow" and words[1] not in OF_PROVIDERS
]


@pytest.mark.parametrize(
    ("page", "words"), AIRFLOW_COMMANDS, ids=[f"{page.name} {' '.join(words[1:3])}" for page, words in AIRFLOW_COMMANDS]
)
def test_airflow_takes_every_command_of_its_own(page: Path, words: list[str]) -> None:
    """By its own parser, which ends with 2 at a command or an option that it does not know."""
    from airflow.cli.cli_parser import get_parser

    assert get_parser().parse_args(words[1:]).subcommand in words[1:3]


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_has_its_test(promise: str) -> None:
    links = LINK.findall(PROMISES[promise])

    assert links or "`make " in PROMISES[promise]
    for link in links:
        path, _, name = link.partition("#")
        assert not name or name in functions(DOCS / path), link


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
