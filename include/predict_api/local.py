"""The API of a project on this machine, with the AWS that the project's Airflow connection names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custom_labels.aws.hooks.rekognition import RekognitionHook
from custom_labels.core.registry import Registry, project_store
from include.predict_api.function.api import PredictApi
from include.predict_api.function.handler import CLIENT
from include.predict_api.function.settings import ApiSettings

if TYPE_CHECKING:
    from custom_labels.core.settings import Project

IMAGES_BELOW = "images_for_detection/"
CONNECTIONS = 64


def make_api(project: Project, inbox: str = "none", pointer_seconds: float = ApiSettings.pointer_seconds) -> PredictApi:
    """Make the API of a project.

    :param inbox: which images are put into the inbox: ``none``, ``doubtful`` or ``all``.
    :param pointer_seconds: how long it may go on with what the pointer said.
    :raises BelongsToAnother: the bucket and prefix are another project's.
    :raises StorageError: S3 refused.
    """
    store = project_store(project)
    store.botocore_config = {**CLIENT, "max_pool_connections": CONNECTIONS}
    Registry(store).require_owner(project.name)
    hook = RekognitionHook(
        aws_conn_id=store.aws_conn_id,
        region_name=store.region_name,
        verify=store.verify,
        config=store.botocore_config,
    )
    settings = ApiSettings(
        bucket=store.bucket,
        prefix=store.prefix,
        task=project.task.upper(),
        pointer_seconds=pointer_seconds,
        images_below=IMAGES_BELOW,
        inbox=inbox,
    )
    return PredictApi(settings, hook.get_conn(), store.client)
