"""Whether a page of another server may show the images of a project's bucket."""

from __future__ import annotations

from botocore.exceptions import ClientError

from custom_labels.core.checks import TEMPLATE, CheckFailed
from custom_labels.core.context import ProjectContext
from custom_labels.s3.errors import error_code


def check_cors(ctx: ProjectContext, otherwise: str) -> str:
    """See whether the bucket has a CORS rule that allows GET.

    :param otherwise: what happens without one.
    :raises CheckFailed: it has none.
    """
    bucket = ctx.project.bucket
    try:
        rules = ctx.store.client.get_bucket_cors(Bucket=bucket)["CORSRules"]
    except ClientError as error:
        if error_code(error) != "NoSuchCORSConfiguration":
            raise
        rules = []
    if not any("GET" in rule["AllowedMethods"] for rule in rules):
        raise CheckFailed(
            f"The bucket {bucket} has no CORS rule that allows GET, without which {otherwise}. Add one ({TEMPLATE} has "
            "it)."
        )
    return "GET is allowed"
