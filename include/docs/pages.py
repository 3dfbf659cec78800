"""Pages with parts that are made: each stands between two comments that name what makes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from include.docs.observability_tables import lineage, metrics
from include.docs.params_table import params
from include.docs.settings_table import project_file, settings

FOLDER = Path(__file__).resolve().parents[2] / "docs"
MAKERS: Mapping[str, Callable[[], str]] = {
    "settings": settings,
    "project-file": project_file,
    "params": params,
    "metrics": metrics,
    "lineage": lineage,
}
"""What makes a part, by the name that the page's comment gives it."""
PART = re.compile(r"(<!-- made by `make docs`: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> Iterator[tuple[Path, str]]:
    """Give each page that has such a part, with its text as it is to be.

    :raises LookupError: nothing makes a part of that name.
    """
    for path in sorted(FOLDER.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if PART.search(text):
            yield path, filled(text)


def filled(text: str) -> str:
    """Make the parts of a page anew; what stands around them stays.

    :raises LookupError: nothing makes a part of that name.
    """
    return PART.sub(lambda found: f"{found[1]}\n{_made(found['name'])}\n\n{found[3]}", text)


def _made(name: str) -> str:
    if name not in MAKERS:
        raise LookupError(f"A page asks for a part '{name}', which nothing makes: name one of {', '.join(MAKERS)}.")
    return MAKERS[name]()
