"""moto's CloudFormation, made to keep what it would delete and to apply what it would pass over.

moto deletes a bucket with the stack unless its DeletionPolicy is "Retain" to the letter, and reads of a bucket's
properties its encryption and tags only: it would announce no image, and show none on a worker's page. A stack that a
change set made has no outputs, goes on with its first parameters, and lists are no texts in them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.cloudformation.parsing import ResourceMap
    from moto.s3.models import FakeBucket

_KEPT = "RetainExceptOnCreate"
_CORS = {"AllowedMethods": "AllowedMethod", "AllowedOrigins": "AllowedOrigin", "AllowedHeaders": "AllowedHeader"}
"""Part of a CORS rule in a template -> in moto, as S3's API names it."""


@functools.cache
def improve_stacks() -> None:
    """Replace what moto's stacks do wrong; has no effect a second time in the same process."""
    _keep_what_is_retained()
    _apply_properties_of_buckets()
    _let_change_sets_set_all()
    _describe_lists_as_texts()


def _keep_what_is_retained() -> None:
    from moto.cloudformation.parsing import ResourceMap

    delete = ResourceMap.delete

    def delete_others(self: ResourceMap) -> None:
        for resource in self._resource_json_map.values():
            if resource.get("DeletionPolicy") == _KEPT:
                # No creation of moto's fails half way, which is where the two differ.
                resource["DeletionPolicy"] = "Retain"
        delete(self)

    ResourceMap.delete = delete_others  # type: ignore[method-assign]


def _apply_properties_of_buckets() -> None:
    from moto.s3.models import FakeBucket

    create = FakeBucket.create_from_cloudformation_json
    update = FakeBucket.update_from_cloudformation_json

    def create_bucket(resource_name: str, cloudformation_json: Any, *args: Any, **kwargs: Any) -> FakeBucket:
        bucket = create(resource_name, cloudformation_json, *args, **kwargs)
        _apply(bucket, cloudformation_json.get("Properties", {}))
        return bucket

    def update_bucket(
        original_resource: Any, new_resource_name: str, cloudformation_json: Any, *args: Any, **kwargs: Any
    ) -> FakeBucket:
        bucket = update(original_resource, new_resource_name, cloudformation_json, *args, **kwargs)
        _apply(bucket, cloudformation_json.get("Properties", {}))
        return bucket

    FakeBucket.create_from_cloudformation_json = staticmethod(create_bucket)  # type: ignore[method-assign]
    FakeBucket.update_from_cloudformation_json = staticmethod(update_bucket)  # type: ignore[method-assign]


def _let_change_sets_set_all() -> None:
    from moto.cloudformation.models import ChangeSet

    apply = ChangeSet.apply

    def apply_all(self: ChangeSet) -> None:
        apply(self)
        self.stack.parameters = self.parameters
        self.stack.template = self.template
        self.stack._parse_template()  # noqa: SLF001 - moto has no other name for it
        self.stack.output_map = self.stack._create_output_map()  # noqa: SLF001

    ChangeSet.apply = apply_all  # type: ignore[method-assign]


def _describe_lists_as_texts() -> None:
    from moto.cloudformation.models import Stack

    def stack_parameters(self: Stack) -> dict[str, str]:
        found = self.resource_map.resolved_parameters
        return {name: ",".join(value) if isinstance(value, list) else value for name, value in found.items()}

    def parameter_list(self: Stack) -> list[dict[str, str]]:
        hidden = self.resource_map.no_echo_parameter_keys
        values = stack_parameters(self).items()
        return [{"ParameterKey": name, "ParameterValue": "****" if name in hidden else value} for name, value in values]

    Stack.stack_parameters = property(stack_parameters)  # type: ignore[method-assign,assignment]
    Stack.parameter_list = property(parameter_list)  # type: ignore[method-assign,assignment]


def _apply(bucket: FakeBucket, properties: Mapping[str, Any]) -> None:
    """Apply a bucket's notifications, CORS rules and versioning as S3's own calls would."""
    if notifications := properties.get("NotificationConfiguration"):
        bucket.set_notification_configuration(_notifications(notifications))
    if rules := properties.get("CorsConfiguration", {}).get("CorsRules"):
        bucket.set_cors([{_CORS[key]: value for key, value in rule.items() if key in _CORS} for rule in rules])
    if versioning := properties.get("VersioningConfiguration"):
        bucket.versioning_status = versioning["Status"]


def _notifications(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Write notifications as S3's API has them; CloudFormation names most parts of them otherwise."""
    queues = [
        {
            "Queue": each["Queue"],
            "Event": [each["Event"]],
            "Filter": {"S3Key": {"FilterRule": each.get("Filter", {}).get("S3Key", {}).get("Rules", [])}},
        }
        for each in properties.get("QueueConfigurations", [])
    ]
    bridge: dict[str, Any] = {"EventBridgeConfiguration": {}} if properties.get("EventBridgeConfiguration") else {}
    return {"QueueConfiguration": queues, **bridge}
