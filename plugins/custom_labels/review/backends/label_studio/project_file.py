"""What a project file says to Label Studio."""

from __future__ import annotations

from pydantic import Field

from custom_labels.core.review_setup import BackendPart


class LabelStudioPart(BackendPart):
    """Which Label Studio, and how it reaches the bucket.

    :param conn_id: Airflow connection of type http: the server, and a token of an account there as its password.
    :param url: address at which people open it, where that is another one than the connection's.
    :param storage_conn_id: Airflow connection of type aws with the access key by which Label Studio reads images and
        writes answers; without one it uses its own: the role of the machine that it runs on.
    :param s3_endpoint: S3 as Label Studio and people's browsers reach it, where that is not Amazon's own.
    :param link_minutes: how long a link to an image works.
    :param answers_to_s3: whether Label Studio writes each answer into the bucket, which announces it; without that,
        answers are found when the harvest runs on its schedule.
    """

    conn_id: str = "label_studio_default"
    url: str | None = Field(None, pattern=r"^https?://[^/\s]+")
    storage_conn_id: str | None = None
    s3_endpoint: str | None = Field(None, pattern=r"^https?://[^/\s]+")
    link_minutes: int = Field(60, ge=1, le=10_080)
    answers_to_s3: bool = True
