"""Flow definitions: which template is shown to which team, how often, and where answers go."""

from __future__ import annotations

from include.local_aws.human_review.listing import page
from include.local_aws.human_review.state import Flow, Region
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

_DETAILS = ("HumanLoopRequestSource", "HumanLoopActivationConfig", "HumanLoopConfig", "OutputConfig", "RoleArn")


def create_flow_definition(region: Region, params: Params) -> Params:
    """Start making a flow definition, which is Initializing first; there is no way to change it later."""
    name = params["FlowDefinitionName"]
    if name in region.flows:
        raise AwsError("ResourceInUse", f"The flow definition {name} already exists: {region.flows[name].arn}.")
    region.check_quota("flow_definitions", len(region.flows), "flow definitions")
    _check_uri(params["OutputConfig"]["S3OutputPath"])
    if "HumanLoopConfig" not in params:
        raise AwsError("ValidationException", "HumanLoopConfig is missing: name the template and the team of workers.")
    details = {key: params[key] for key in _DETAILS if key in params}
    flow = Flow(**region.identity("flow-definition", name), details=details)
    region.flows[name] = flow
    region.after("flow_create", lambda: _initialize(region, flow))
    return {"FlowDefinitionArn": flow.arn}


def describe_flow_definition(region: Region, params: Params) -> Params:
    """Return a flow definition and its status."""
    flow = _find(region, params["FlowDefinitionName"])
    return {**_summary(flow), **flow.details}


def list_flow_definitions(region: Region, params: Params) -> Params:
    """Return a page of the flow definitions."""
    found, token = page(region.flows.values(), "flows", params)
    return {"FlowDefinitionSummaries": [_summary(flow) for flow in found], "NextToken": token}


def delete_flow_definition(region: Region, params: Params) -> Params:
    """Start deleting a flow definition that has no active loop."""
    flow = _find(region, params["FlowDefinitionName"])
    if flow.active:
        message = f"The flow definition {flow.name} has {flow.active} active human loops: stop them first."
        raise AwsError("ResourceInUse", message)
    if flow.status == "Initializing":
        raise AwsError("ResourceInUse", f"The flow definition {flow.name} is Initializing: wait until it is Active.")
    flow.status = "Deleting"
    region.after("flow_delete", lambda: _forget(region, flow))
    return {}


def _initialize(region: Region, flow: Flow) -> None:
    missing = [
        arn
        for arn, found in (
            (flow.config["HumanTaskUiArn"], region.task_ui(flow.config["HumanTaskUiArn"])),
            (flow.config["WorkteamArn"], region.workteam(flow.config["WorkteamArn"])),
        )
        if found is None
    ]
    flow.status = "Failed" if missing else "Active"
    if missing:
        flow.failure_reason = f"Not found in {region.name}: {', '.join(missing)}."


def _forget(region: Region, flow: Flow) -> None:
    if region.flows.get(flow.name) is flow:
        del region.flows[flow.name]


def _find(region: Region, name: str) -> Flow:
    found = region.flows.get(name)
    if found is None:
        raise AwsError("ResourceNotFound", f"The flow definition {name} does not exist.")
    return found


def _summary(flow: Flow) -> Params:
    return {
        "FlowDefinitionName": flow.name,
        "FlowDefinitionArn": flow.arn,
        "FlowDefinitionStatus": flow.status,
        "CreationTime": flow.created,
        "FailureReason": flow.failure_reason,
    }


def _check_uri(uri: str) -> None:
    if not uri.startswith("s3://"):
        raise AwsError("ValidationException", f"S3OutputPath {uri!r} is not an s3:// URI.")
