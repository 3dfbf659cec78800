"""Code that the pages of the documentation show."""

from __future__ import annotations

import re
import textwrap


def code_blocks(text: str, language: str) -> list[str]:
    """Give a page's blocks of code in a language, those in lists as well, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for _, block in found]
