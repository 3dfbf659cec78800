"""Airflow connections that are read by themselves: to a server with a token, and an access key of AWS."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from custom_labels.errors import SettingError

if TYPE_CHECKING:
    from airflow.sdk import Connection

CA_FILE = "ca_file"
"""Key of the connection's extra that names a file of certificates which are trusted beside those of the system."""


@dataclass(frozen=True)
class HttpConnection:
    """A server, and the token that it knows us by.

    :param url: without a slash at its end.
    :param ca_file: certificates that are trusted instead of the system's.
    """

    conn_id: str
    url: str
    token: str = field(repr=False)
    ca_file: str | None = None


def read_http_connection(conn_id: str, setting: str) -> HttpConnection:
    """Read a connection in a task; Airflow masks its password in every log.

    HTTPS is used unless the connection's schema is ``http``, or its host is this machine.

    :param setting: of the project file, which names the connection.
    :raises SettingError: there is none of that name, or it has no host or no password.
    """
    found = _read(conn_id, setting)
    if not found.host or not found.password:
        missing = "host" if not found.host else "password, which is the token"
        raise SettingError(
            f"The Airflow connection '{conn_id}' has no {missing}. '{setting}' names it: correct it "
            "under Admin > Connections."
        )
    host, ca_file = found.host.rstrip("/"), found.extra_dejson.get(CA_FILE)
    if "://" not in host:
        port = f":{found.port}" if found.port else ""
        host = f"{found.schema or ('http' if _is_this_machine(host) else 'https')}://{host}{port}"
    return HttpConnection(conn_id, host, found.password, str(ca_file) if ca_file else None)


@dataclass(frozen=True)
class AccessKey:
    """A long-lived access key of AWS."""

    id: str
    secret: str = field(repr=False)


def read_access_key(conn_id: str, setting: str) -> AccessKey:
    """Read the access key that a connection of type aws holds, in a task.

    :raises SettingError: there is no such connection, or no key in it.
    """
    found = _read(conn_id, setting)
    if not found.login or not found.password:
        raise SettingError(
            f"The Airflow connection '{conn_id}' holds no access key. '{setting}' names it; add the key as its login "
            "and the secret as its password under Admin > Connections."
        )
    return AccessKey(found.login, found.password)


def _read(conn_id: str, setting: str) -> Connection:
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as error:
        raise SettingError(
            f"There is no Airflow connection '{conn_id}'. '{setting}' names it: add it under Admin > Connections."
        ) from error


def mask(secret: str) -> None:
    """Let Airflow mask a secret in every log."""
    from airflow.sdk.log import mask_secret

    mask_secret(secret)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
