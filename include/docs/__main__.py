"""Write the made parts of the pages in docs/: `make docs`."""

from __future__ import annotations

import sys

from include.docs.pages import pages


def main() -> int:
    """Write each page whose made parts have changed; give the exit code 0."""
    for path, text in pages():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"{path.name} is written anew.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
