"""The command that empties and deletes a bucket; none of ours does, since the bucket is the system of record."""

from __future__ import annotations

from include.infra.account import Account


def empty_and_delete(bucket: str, account: Account) -> str:
    """Give a command that deletes all versions of all objects of a bucket, and the bucket.

    ``aws s3 rb --force`` leaves the old versions, and fails.

    :param bucket: has been checked to be a bucket's name.
    """
    profile = f", profile_name={account.profile!a}" if account.profile else ""
    session = f"boto3.Session(region_name={account.region!a}{profile})"
    code = f"import boto3; b = {session}.resource('s3').Bucket({bucket!a}); b.object_versions.delete(); b.delete()"
    return f'python -c "{code}"'
