"""CopyObject heeds its condition on the source's ETag."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.support import BUCKET, Aws

SOURCE = "my photo é+%20.png"


@pytest.mark.parametrize("quoted", [True, False])
def test_a_source_is_copied_when_it_is_the_one_that_is_meant(aws: Aws, quoted: bool) -> None:
    client = aws.s3
    etag = client.put_object(Bucket=BUCKET, Key=SOURCE, Body=b"old")["ETag"]
    etag = etag if quoted else etag.strip('"')

    client.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": SOURCE}, CopySourceIfMatch=etag)

    assert client.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"old"


@pytest.mark.parametrize(("change", "code"), [("replaced", "PreconditionFailed"), ("deleted", "NoSuchKey")])
def test_nothing_is_copied_when_the_source_was(aws: Aws, change: str, code: str) -> None:
    client = aws.s3
    etag = client.put_object(Bucket=BUCKET, Key=SOURCE, Body=b"old")["ETag"]
    if change == "replaced":
        client.put_object(Bucket=BUCKET, Key=SOURCE, Body=b"new")
    else:
        client.delete_object(Bucket=BUCKET, Key=SOURCE)

    with pytest.raises(ClientError) as caught:
        client.copy_object(
            Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": SOURCE}, CopySourceIfMatch=etag
        )

    assert caught.value.response["Error"]["Code"] == code
    assert "Contents" not in client.list_objects_v2(Bucket=BUCKET, Prefix="copy")
