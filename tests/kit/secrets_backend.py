"""A secrets backend for tests: Variables out of a JSON file, as others keep them in a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow.secrets import BaseSecretsBackend


class FileSecrets(BaseSecretsBackend):
    """Reads Variables from a file.

    :param path: of a JSON object, by key; a file that is missing is a service that does not answer.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = Path(path)

    def get_variable(self, key: str, team_name: str | None = None, **_: Any) -> str | None:
        """Read a Variable."""
        found: str | None = json.loads(self.path.read_text()).get(key)
        return found
