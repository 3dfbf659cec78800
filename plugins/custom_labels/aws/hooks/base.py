"""What the hooks of this package have in common: patient retries, a typed client, the waiters that the SDK lacks."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

Client = TypeVar("Client", bound=BaseClient)
P = ParamSpec("P")
Answer = TypeVar("Answer")

RETRIES = {"mode": "standard", "max_attempts": 10}
"""Control-plane operations are limited to a few calls a second, so that throttling is normal life."""
NOT_FOUND = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
"""Codes of Rekognition, SageMaker and the A2I runtime for what does not exist."""


class ServiceHook(AwsGenericHook[Client], Generic[Client]):
    """Base of the hooks; a subclass names its service, and the type of its boto3 client.

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
    def client(self) -> Client:
        """The boto3 client."""
        return self.get_conn()

    @cached_property
    def waiter_path(self) -> os.PathLike[str] | None:
        """The waiters of this package for the service, if it has any."""
        path = Path(__file__).parents[1] / "waiters" / f"{self.service}.json"
        return path if path.exists() else None


def find(describe: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer | None:
    """Call an operation that describes something; give ``None`` where AWS says that it does not exist."""
    try:
        return describe(*args, **kwargs)
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_FOUND:
            return None
        raise
