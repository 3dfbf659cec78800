"""The A2I runtime: human loops are started, listed, stopped and deleted."""

from __future__ import annotations

from typing import Any

from include.local_aws.human_review.endings import complete_if_answered, end
from include.local_aws.human_review.listing import page
from include.local_aws.human_review.state import Flow, Loop, Region
from include.local_aws.human_review.templates import TemplateError
from include.local_aws.strict_json import read_json
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

_INPUT_BYTES = 3 * 1024 * 1024
_LIFETIME_SECONDS = 864_000
"""How long a task waits for workers when the flow definition does not say; not verified."""


def start_human_loop(region: Region, params: Params) -> Params:
    """Start a loop, or answer again for one that was started with the same name, flow and input.

    Raises AwsError ConflictException if an active loop has the name with another input, ValidationException
    for a bad input, a flow that is not Active or a name that an ended loop has, ServiceQuotaExceededException.
    """
    name, text = params["HumanLoopName"], params["HumanLoopInput"]["InputContent"]
    flow = _active_flow(region, params["FlowDefinitionArn"])
    content = _checked_input(text)
    known = region.loops.get(name)
    if known is not None:
        return _answer_again(known, flow, text)
    limit = region.settings.quota("loops_per_flow")
    if flow.active >= limit:
        message = f"The flow definition {flow.name} has {flow.active} human loops in flight; the limit is {limit}."
        raise AwsError("ServiceQuotaExceededException", message)
    loop = Loop(**region.identity("human-loop", name), flow=flow, input_text=text, input_content=content)
    loop.on_answer = lambda: _answered(region, loop)
    region.loops[name] = region.active_work[name] = loop
    flow.active += 1
    region.after("loop_start", lambda: _open(region, loop))
    lifetime = flow.config.get("TaskAvailabilityLifetimeInSeconds", _LIFETIME_SECONDS)
    region.transitions.schedule("loop expiry", lifetime, lambda: _expire(region, loop))
    return {"HumanLoopArn": loop.arn}


def describe_human_loop(region: Region, params: Params) -> Params:
    """Return a loop's status, and where its answers are once it has ended."""
    loop = _find(region, params["HumanLoopName"])
    return {
        "CreationTime": loop.created,
        "FailureReason": loop.failure_reason,
        "FailureCode": loop.failure_code,
        "HumanLoopStatus": loop.status,
        "HumanLoopName": loop.name,
        "HumanLoopArn": loop.arn,
        "FlowDefinitionArn": loop.flow.arn,
        "HumanLoopOutput": {"OutputS3Uri": loop.output_uri} if loop.output_uri else None,
    }


def list_human_loops(region: Region, params: Params) -> Params:
    """Return a page of one flow definition's loops."""
    arn = params["FlowDefinitionArn"]
    loops = [loop for loop in region.loops.values() if loop.flow.arn == arn]
    if not loops and region.flow(arn) is None:
        raise AwsError("ResourceNotFoundException", f"The flow definition {arn} does not exist.")
    found, token = page(loops, f"loops of {arn}", params)
    summaries = [
        {
            "HumanLoopName": loop.name,
            "HumanLoopStatus": loop.status,
            "CreationTime": loop.created,
            "FailureReason": loop.failure_reason,
            "FlowDefinitionArn": arn,
        }
        for loop in found
    ]
    return {"HumanLoopSummaries": summaries, "NextToken": token}


def stop_human_loop(region: Region, params: Params) -> Params:
    """Start stopping a loop; workers who have its task open can still answer until it is Stopped."""
    loop = _find(region, params["HumanLoopName"])
    if not loop.is_active:
        raise AwsError("ValidationException", f"The human loop {loop.name} is {loop.status}: it cannot be stopped.")
    if loop.status == "InProgress":
        loop.status = "Stopping"
        region.after("loop_stop", lambda: _stopped(region, loop))
    return {}


def delete_human_loop(region: Region, params: Params) -> Params:
    """Forget a loop that has ended; its output stays in S3."""
    loop = _find(region, params["HumanLoopName"])
    if loop.is_active:
        message = (
            f"The human loop {loop.name} is {loop.status}: only a Failed, Completed or Stopped one can be deleted."
        )
        raise AwsError("ValidationException", message)
    del region.loops[loop.name]
    return {}


def _find(region: Region, name: str) -> Loop:
    found = region.loops.get(name)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"The human loop {name} does not exist in {region.name}.")
    return found


def _active_flow(region: Region, arn: str) -> Flow:
    flow = region.flow(arn)
    if flow is None:
        raise AwsError("ValidationException", f"The flow definition {arn} does not exist.")
    if flow.status != "Active":
        raise AwsError("ValidationException", f"The flow definition {arn} is {flow.status}: it must be Active.")
    return flow


def _checked_input(text: str) -> dict[str, Any]:
    size = len(text.encode())
    if size > _INPUT_BYTES:
        raise AwsError("ValidationException", f"InputContent has {size} bytes; the limit is {_INPUT_BYTES}.")
    try:
        content = read_json(text)
    except ValueError as error:
        raise AwsError("ValidationException", f"InputContent is not valid JSON: {error}.") from None
    if not isinstance(content, dict):
        raise AwsError("ValidationException", "InputContent is not a JSON object.")
    return content


def _answer_again(known: Loop, flow: Flow, text: str) -> Params:
    if known.input_text == text and known.flow.arn == flow.arn:
        return {"HumanLoopArn": known.arn}
    if known.is_active:
        raise AwsError(
            "ConflictException",
            "Your request has the same name as another active human loop but has different input data. "
            f"You cannot start two human loops with the same name and different input data: {known.name}.",
        )
    raise AwsError(
        "ValidationException", f"A human loop named {known.name} exists and is {known.status}: delete it first."
    )


def _open(region: Region, loop: Loop) -> None:
    """Show the task to workers, or fail the loop if its template cannot be rendered."""
    if loop.status != "InProgress":
        return
    try:
        loop.page(region)
    except TemplateError as error:
        end(region, loop, "Failed", "ValidationError", f"Task failed to render: {error}")
    else:
        loop.is_open = True


def _answered(region: Region, loop: Loop) -> None:
    complete_if_answered(region, loop)


def _expire(region: Region, loop: Loop) -> None:
    if loop.is_active:
        reason = "The task was not completed within TaskAvailabilityLifetimeInSeconds."
        end(region, loop, "Failed", "Expired", reason)


def _stopped(region: Region, loop: Loop) -> None:
    if loop.is_active and not complete_if_answered(region, loop):
        end(region, loop, "Stopped")
