"""The AWS account that the commands work in, and what can go wrong with it in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, ProfileNotFound

from custom_labels.errors import CustomLabelsError
from custom_labels.s3.errors import DENIED, error_code

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_rekognition.client import RekognitionClient
    from mypy_boto3_s3.client import S3Client

REFUSED = DENIED | {"AccessDeniedException", "UnauthorizedOperation"}
"""AWS's codes for what the caller may not do."""
_RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 8})


class InfraError(CustomLabelsError):
    """The command cannot do what it was asked for; the message names the way out."""

    @property
    def aws_code(self) -> str:
        """AWS's code, where it refused a call; else empty."""
        cause = self.__cause__
        return error_code(cause) if isinstance(cause, ClientError) else ""


@dataclass(frozen=True)
class Account:
    """Credentials and a region, from boto3's usual chain unless they are named.

    :param profile: of the AWS configuration; ``None`` for whatever the chain finds.
    :param options: those that named region and profile, for commands that are shown.
    """

    session: boto3.Session
    region: str
    profile: str | None
    options: str = ""

    @classmethod
    def open(cls, region: str | None, profile: str | None) -> Account:
        """Find credentials and a region.

        :raises InfraError: there is no such profile, or no region.
        """
        try:
            session = boto3.Session(region_name=region, profile_name=profile)
        except ProfileNotFound as error:
            raise InfraError(f"{error}. --profile or AWS_PROFILE names it: name one of ~/.aws/config.") from error
        if not session.region_name:
            raise InfraError(
                "No AWS region is known: neither --region, nor AWS_DEFAULT_REGION, nor the profile names one. Add "
                "--region with a region that has Custom Labels, such as us-east-1."
            )
        named = {"--region": region, "--profile": profile}
        options = "".join(f" {name} {value}" for name, value in named.items() if value)
        return cls(session, session.region_name, profile, options)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """A client of CloudFormation."""
        return self.session.client("cloudformation", config=_RETRIES)

    @cached_property
    def rekognition(self) -> RekognitionClient:
        """A client of Custom Labels."""
        return self.session.client("rekognition", config=_RETRIES)

    @cached_property
    def s3(self) -> S3Client:
        """A client of S3."""
        return self.session.client("s3", config=_RETRIES)

    @cached_property
    def iam(self) -> IAMClient:
        """A client of IAM."""
        return self.session.client("iam", config=_RETRIES)

    @cached_property
    def number(self) -> str:
        """The account's twelve digits."""
        with self.asking("sts:GetCallerIdentity"):
            return str(self.session.client("sts", config=_RETRIES).get_caller_identity()["Account"])

    @contextmanager
    def asking(self, action: str) -> Iterator[None]:
        """Word what AWS, or the way there, has against a call.

        :param action: as an IAM policy names it.
        :raises InfraError: there was something.
        """
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise self._error(action, error) from error

    def _error(self, action: str, error: ClientError | BotoCoreError) -> InfraError:
        whose = f"profile '{self.profile}'" if self.profile else "boto3's usual chain"
        if isinstance(error, NoCredentialsError | NoRegionError):
            return InfraError(
                f"AWS could not be asked for {action}: {error}. Credentials are looked for in {whose}: log in, set "
                "AWS_PROFILE, or add --profile."
            )
        if not isinstance(error, ClientError):
            return InfraError(
                f"AWS could not be asked for {action} in {self.region}: {error}. Check --region and the network, and "
                "run the same command again."
            )
        code, message = error_code(error), str(error.response.get("Error", {}).get("Message", "")).rstrip(".")
        way_out = "run the same command again, or look the code up in AWS's API reference"
        if code in REFUSED:
            way_out = f"allow {action} to them, or name others by --profile"
        return InfraError(
            f"AWS refused {action} in {self.region} with {code}: {message}. The credentials are those of {whose}; "
            f"{way_out}."
        )
