"""What can go wrong with S3, by kind and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from custom_labels.errors import CustomLabelsError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

MISSING = frozenset({"NoSuchKey", "404"})
CHANGED = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes from which an object must be restored before it is read (S3 user guide, "Storage classes")."""
ARCHIVED = frozenset({"InvalidObjectState", "ObjectNotInActiveTierError"})
"""S3's codes for an object in an archive: when it is read, and when it is copied."""
CUSTOMER_KEY = frozenset({"InvalidRequest"})
"""What S3 answers to a read, right in itself, of an object that is encrypted with a key that only its owner has."""
DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "KMS.AccessDeniedException",
        "KMS.DisabledException",
        "KMS.IncorrectKeyException",
        "KMS.InvalidKeyUsageException",
        "KMS.InvalidStateException",
        "KMS.KMSInvalidStateException",
        "KMS.KeyUnavailableException",
        "KMS.NotFoundException",
    }
)
"""S3's codes for an object that the caller may not read, or not decrypt."""
REFUSED = ARCHIVED | CUSTOMER_KEY | DENIED
_THROTTLED = frozenset(
    {
        "KMS.ThrottlingException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


_WRONG_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


class StorageError(CustomLabelsError):
    """S3 refused, or could not be asked; the message keeps AWS's own code and words."""


class ObjectExists(CustomLabelsError):
    """The object that was to be created is there already, with another content."""


class ObjectChanged(CustomLabelsError):
    """The object that was to be replaced is not the one that was read before."""


@dataclass(frozen=True)
class Subject:
    """What an operation was about, for the words of its error.

    :param configured_in: where the user sets bucket and region, such as ``the file x.ini``; empty if not known.
    """

    uri: str
    bucket: str
    aws_conn_id: str | None
    configured_in: str = ""

    @property
    def setting(self) -> str:
        """Name the setting of the bucket, with its value."""
        return f"'bucket'{_in(self.configured_in)} is '{self.bucket}'"

    def error(self, operation: str, error: BaseException) -> StorageError:
        """Word an error in four parts.

        :param operation: the boto3 client's method.
        """
        from botocore.exceptions import ClientError

        name = "".join(word.capitalize() for word in operation.split("_"))
        if not isinstance(error, ClientError):
            look = f"look at the Airflow connection '{self.aws_conn_id}' and at the network"
            way_out = connection_way_out(error, self.aws_conn_id, self.configured_in) or look
            return StorageError(
                f"S3 could not be asked for {name} of {self.uri}: {error}. {self.setting}; {way_out}, then run the "
                "task again."
            )
        code = error_code(error)
        message = error.response.get("Error", {}).get("Message", "no message")
        way_out = connection_way_out(error, self.aws_conn_id, self.configured_in) or self._way_out(code)
        return StorageError(f"S3 refused {name} of {self.uri} with {code}: {message}. {self.setting}; {way_out}.")

    def _way_out(self, code: str) -> str:
        if code == "NoSuchBucket":
            return "create that bucket, or correct 'bucket'"
        if code in {"AccessDenied", "403", "AllAccessDisabled"}:
            return (
                "correct 'bucket', or allow s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject on it "
                f"(and kms:Decrypt and kms:GenerateDataKey on the KMS key that encrypts it) to the identity of the "
                f"Airflow connection '{self.aws_conn_id}'"
            )
        if code in DENIED:
            return (
                "enable the KMS key that the object is encrypted with, and allow kms:Decrypt on it to the identity of "
                f"the Airflow connection '{self.aws_conn_id}'; or write the object anew under another key"
            )
        if code in ARCHIVED:
            return "restore the object from its archive, copy it to another storage class, or delete it"
        if code in {"PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}:
            return f"set 'region_name'{_in(self.configured_in)} to the region of the bucket"
        return (
            f"look the code up in the S3 API reference, check the Airflow connection '{self.aws_conn_id}', "
            "then run the task again"
        )


def _in(place: str) -> str:
    return f" in {place}" if place else ""


def connection_way_out(error: BaseException, aws_conn_id: str | None, configured_in: str = "") -> str | None:
    """Say what to do where AWS could not be asked; ``None`` where it was asked and said something of its own.

    :param configured_in: where the user sets the region; empty if that is not known.
    """
    from botocore.exceptions import (
        ClientError,
        CredentialRetrievalError,
        HTTPClientError,
        NoCredentialsError,
        NoRegionError,
        PartialCredentialsError,
        ProfileNotFound,
    )
    from botocore.exceptions import ConnectionError as NoConnection

    if isinstance(error, NoRegionError):
        return f"set 'region_name'{_in(configured_in)}, or the region of the Airflow connection '{aws_conn_id}'"
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError | ProfileNotFound):
        return f"give the Airflow connection '{aws_conn_id}' credentials, or the machine a role"
    if isinstance(error, NoConnection | HTTPClientError):
        return (
            f"check 'region_name'{_in(configured_in)}, whether that region has the service, the endpoint_url of "
            f"the Airflow connection '{aws_conn_id}' and the network"
        )
    if isinstance(error, ClientError) and error_code(error) in _WRONG_CREDENTIALS:
        return f"correct the credentials of the Airflow connection '{aws_conn_id}'"
    return None


def archive_of(described: Mapping[str, Any]) -> str | None:
    """Give the archive that an object must be restored from before it is read, ``None`` if it can be read.

    :param described: the answer of HeadObject, which alone names the archive tiers of INTELLIGENT_TIERING.
    """
    if 'ongoing-request="false"' in described.get("Restore", ""):
        return None
    storage_class = described.get("StorageClass")
    return described.get("ArchiveStatus") or (storage_class if storage_class in ARCHIVES else None)


def error_code(error: ClientError) -> str:
    """Give AWS's code of an error."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def is_passing(error: BaseException | None) -> bool:
    """Whether an error is a matter of load or of the way here, so that the same call may work in a moment.

    A read whose content has not the checksum that S3 sent with it did not arrive whole.
    """
    from botocore.exceptions import (
        ClientError,
        ConnectionClosedError,
        FlexibleChecksumError,
        IncompleteReadError,
        ReadTimeoutError,
        ResponseStreamingError,
    )

    on_the_way = FlexibleChecksumError | IncompleteReadError | ReadTimeoutError | ResponseStreamingError
    if isinstance(error, ConnectionClosedError | on_the_way):
        return True
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or status == 429 or error_code(error) in _THROTTLED
