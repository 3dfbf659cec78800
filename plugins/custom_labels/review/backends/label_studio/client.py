"""Label Studio's REST API: bounded, repeated where that may help, and never with the token in an error.

Checked against Label Studio 1.23.
"""

from __future__ import annotations

import json
import logging
import re
import ssl
import threading
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from custom_labels.core.connections import HttpConnection, mask
from custom_labels.review.backends.base import ReviewBackendError, ReviewBackendNotReady

log = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
PATIENCE_SECONDS = 60.0
"""How long a call is repeated that fails by load or by the network."""
FIRST_PAUSE, LONGEST_PAUSE = 0.3, 10.0
PAGE = 100
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_DONE = frozenset({425, 429, 503})
"""Answers by which a server says that it did not do what it was asked."""
_WORDS = 600
_PERSONAL_TOKEN = re.compile(r"eyJ[\w-]*\.[\w-]+\.[\w-]+")
"""A personal access token is a JWT that short-lived ones are made with; the legacy token is a plain word."""


class CallFailed(ReviewBackendError):
    """A call that failed.

    :param was_not_done: whether it is known that the call had no effect.
    :param after: seconds after which the server wants to be asked again.
    """

    def __init__(
        self, message: str, *, is_passing: bool = False, was_not_done: bool = False, after: float = 0.0
    ) -> None:
        super().__init__(message, is_passing=is_passing)
        self.was_not_done = was_not_done
        self.after = after


class LabelStudioClient:
    """Calls a Label Studio. It may be used by several threads at once.

    :param connection: the server, with a legacy token or a personal access token.
    :param patience_seconds: how long a call is repeated.
    """

    def __init__(self, connection: HttpConnection, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.connection = connection
        self._http = httpx.Client(
            base_url=connection.url,
            timeout=TIMEOUT,
            verify=ssl.create_default_context(cafile=connection.ca_file),
            follow_redirects=False,
        )
        self._patience = patience_seconds
        self._lock = threading.Lock()
        self._is_personal = _PERSONAL_TOKEN.fullmatch(connection.token) is not None
        self._access = ""

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, absent: Collection[int] = ()) -> Any:
        """Read something.

        :param absent: statuses for which ``None`` is given.
        :raises ReviewBackendError: it is refused, or cannot be asked for.
        :raises ReviewBackendNotReady: the token is not accepted.
        """
        return self._call("GET", path, params=params, absent=absent)

    def post(self, path: str, body: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Make something; it is not repeated where it may have been made already. Raises as :meth:`get` does."""
        return self._call("POST", path, params=params, body=body, may_repeat=False)

    def patch(self, path: str, body: Any, *, absent: Collection[int] = ()) -> Any:
        """Change something. Raises as :meth:`get` does."""
        return self._call("PATCH", path, body=body, absent=absent)

    def delete(self, path: str) -> None:
        """Delete something, or find it gone. Raises as :meth:`get` does."""
        self._call("DELETE", path, absent={404})

    def pages(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[list[dict[str, Any]]]:
        """Read a list that has pages with a link to the next, one page at a time."""
        number = 0
        while True:
            number += 1
            found = self.get(path, {**(params or {}), "page": number, "page_size": PAGE})
            yield found["results"]
            if not found.get("next"):
                return

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        absent: Collection[int] = (),
        may_repeat: bool = True,
    ) -> Any:
        def worth_repeating(error: BaseException) -> bool:
            return isinstance(error, CallFailed) and error.is_passing and (may_repeat or error.was_not_done)

        retrying = Retrying(
            retry=retry_if_exception(worth_repeating),
            wait=_pause,
            stop=stop_after_delay(self._patience),
            reraise=True,
        )
        return retrying(self._once, method, path, params, body, absent)

    def _once(
        self, method: str, path: str, params: Mapping[str, Any] | None, body: Any, absent: Collection[int]
    ) -> Any:
        response, used = self._send(method, path, params, body)
        if response.status_code == 401 and self._is_personal:
            # The short-lived token has expired, perhaps.
            self._renew(used)
            response, _ = self._send(method, path, params, body)
        if response.status_code in absent:
            return None
        if not response.is_success:
            raise self._error(response, method, path)
        if response.status_code == 204 or not response.content:
            return None
        try:
            return response.json()
        except ValueError as error:
            raise CallFailed(
                f"{self._what(method, path)} is answered with no JSON: {_words(response)!r}. Is it a Label Studio? "
                f"{self._way_out}"
            ) from error

    def _send(self, method: str, path: str, params: Mapping[str, Any] | None, body: Any) -> tuple[httpx.Response, str]:
        authorization = f"Bearer {self._bearer()}" if self._is_personal else f"Token {self.connection.token}"
        headers = {"Authorization": authorization}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body, ensure_ascii=False).encode()
        return self._exchange(method, path, headers, params, content), self._access

    def _exchange(
        self, method: str, path: str, headers: dict[str, str], params: Mapping[str, Any] | None, content: bytes | None
    ) -> httpx.Response:
        try:
            return self._http.request(method, path, headers=headers, params=params, content=content)
        except httpx.TransportError as error:
            # An answer that does not come within the time-out may still be a call that was carried out.
            not_done = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            is_certificate = "CERTIFICATE_VERIFY_FAILED" in str(error)
            hint = (
                " Name the file of its certificates as 'ca_file' in the connection's extra." if is_certificate else ""
            )
            raise CallFailed(
                f"{self._what(method, path)} fails: {type(error).__name__}: {self._clean(str(error))}.{hint} "
                f"{self._way_out}",
                is_passing=not is_certificate,
                was_not_done=not_done,
            ) from None

    def _bearer(self) -> str:
        return self._access or self._renew("")

    def _renew(self, used: str) -> str:
        """Get another short-lived token, unless another thread has done so."""
        with self._lock:
            if self._access and self._access != used:
                return self._access
            path, body = "/api/token/refresh/", json.dumps({"refresh": self.connection.token}).encode()
            response = self._exchange("POST", path, {"Content-Type": "application/json"}, None, body)
            if not response.is_success:
                raise self._error(response, "POST", path)
            self._access = str(response.json()["access"])
            mask(self._access)
            return self._access

    def _error(self, response: httpx.Response, method: str, path: str) -> ReviewBackendError | ReviewBackendNotReady:
        status = response.status_code
        told = f"{self._what(method, path)} is answered with HTTP {status}: {self._clean(_words(response))}."
        if status == 401:
            return ReviewBackendNotReady(
                f"{told} The password of the Airflow connection '{self.connection.conn_id}' has to be a token of an "
                "account there: a personal access token, or a legacy one where the organization allows these "
                "(Organization > API Tokens Settings). Correct it under Admin > Connections."
            )
        return CallFailed(
            f"{told} {self._way_out}",
            is_passing=status in _PASSING,
            was_not_done=status in _NOT_DONE,
            after=_retry_after(response),
        )

    def _what(self, method: str, path: str) -> str:
        return f"{method} {path} of Label Studio at {self.connection.url}"

    @property
    def _way_out(self) -> str:
        return (
            f"The Airflow connection is '{self.connection.conn_id}': correct it if that is what is wrong, else run the "
            "task again."
        )

    def _clean(self, text: str) -> str:
        """Take out what nobody may read, should a server or a proxy repeat it."""
        for secret in (self.connection.token, self._access):
            text = text.replace(secret, "***") if secret else text
        return text


def _words(response: httpx.Response) -> str:
    """Give Label Studio's own words, without the page around them where it answers with one."""
    try:
        found = response.json()
    except ValueError:
        title = re.search(r"<title>(.*?)</title>", response.text, re.DOTALL | re.IGNORECASE)
        return (title.group(1).strip() if title else response.text.strip() or "nothing")[:_WORDS]
    if not isinstance(found, dict):
        return json.dumps(found, ensure_ascii=False)[:_WORDS]
    details = found.get("validation_errors")
    words = str(found.get("detail") or found)
    return f"{words} {json.dumps(details, ensure_ascii=False) if details else ''}".strip()[:_WORDS]


def _retry_after(response: httpx.Response) -> float:
    """Give the seconds of a Retry-After; a date counts as none."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), PATIENCE_SECONDS) if text.isascii() and text.isdigit() else 0.0


_random = wait_random_exponential(FIRST_PAUSE, LONGEST_PAUSE)


def _pause(state: RetryCallState) -> float:
    """Wait for as long as the server asks for, else at random and longer each time."""
    error = state.outcome.exception() if state.outcome else None
    after = error.after if isinstance(error, CallFailed) else 0.0
    return after or _random(state)
