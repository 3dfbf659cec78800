"""The Jinja templates of the rooms; what is put into them is text, whatever it holds."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, folder: Path = Path(__file__).parent, /, **values: Any) -> str:
    """Fill a template.

    :param template: its file, such as ``decision.html.j2``, and ``folder`` where that is.
    """
    return _environment(folder).get_template(template).render(values)


@functools.cache
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
