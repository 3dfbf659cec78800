"""The one exception that operations raise to answer with an AWS error."""

from __future__ import annotations


class AwsError(Exception):
    """An error answer in AWS's terms.

    Parameters: `code` is the error code a client sees (`ResourceInUseException`), `message` its text,
    `status` the HTTP status; None takes the status that the service model gives the code.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
