"""What the hooks of this package have in common: patient retries, and the waiters that the SDK lacks."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.config import Config

RETRIES = {"mode": "standard", "max_attempts": 10}
"""Control-plane operations are limited to a few calls a second, so that throttling is normal life."""


NOT_FOUND = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
"""Codes of SageMaker and of the A2I runtime for what does not exist."""


class ServiceHook(AwsBaseHook):
    """Base of the hooks; a subclass names its service.

    :param aws_conn_id: the Airflow connection, as for every hook of the Amazon provider; likewise
        ``region_name``, ``verify`` and ``config`` (a botocore ``Config`` or its keywords).
    """

    service: ClassVar[str]
    connections: ClassVar[int] = 10
    """Connections that the client keeps."""

    def __init__(
        self,
        aws_conn_id: str | None = "aws_default",
        *,
        region_name: str | None = None,
        verify: bool | str | None = None,
        config: Config | dict[str, Any] | None = None,
    ) -> None:
        given = Config(**config) if isinstance(config, dict) else config
        defaults = Config(retries=RETRIES, max_pool_connections=self.connections)  # type: ignore[arg-type]
        super().__init__(
            aws_conn_id,
            region_name=region_name,
            verify=verify,
            client_type=self.service,
            config=defaults.merge(given) if given else defaults,
        )

    @cached_property
    def waiter_path(self) -> os.PathLike[str] | None:
        """The waiters of this package for the service, if it has any."""
        path = Path(__file__).parents[1] / "waiters" / f"{self.service}.json"
        return path if path.exists() else None
