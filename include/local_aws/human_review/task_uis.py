"""Worker task templates: CreateHumanTaskUi and its kin, and RenderUiTemplate."""

from __future__ import annotations

import hashlib

from include.local_aws.human_review.listing import page
from include.local_aws.human_review.state import Region, TaskUi
from include.local_aws.human_review.templates import TemplateError
from include.local_aws.strict_json import read_json
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params


def create_human_task_ui(region: Region, params: Params) -> Params:
    """Keep a template under a name that is free; there is no way to change it later."""
    name = params["HumanTaskUiName"]
    if name in region.task_uis:
        raise AwsError("ResourceInUse", f"The human task UI {name} already exists: {region.task_uis[name].arn}.")
    region.check_quota("task_uis", len(region.task_uis), "human task UIs")
    template = params["UiTemplate"]["Content"]
    region.task_uis[name] = TaskUi(**region.identity("human-task-ui", name), template=template)
    return {"HumanTaskUiArn": region.task_uis[name].arn}


def describe_human_task_ui(region: Region, params: Params) -> Params:
    """Return what is known of a template; AWS gives its hash, not its text."""
    found = _find(region, params["HumanTaskUiName"])
    digest = hashlib.sha256(found.template.encode()).hexdigest()
    return {
        "HumanTaskUiArn": found.arn,
        "HumanTaskUiName": found.name,
        "HumanTaskUiStatus": "Active",
        "CreationTime": found.created,
        "UiTemplate": {"ContentSha256": digest},
    }


def list_human_task_uis(region: Region, params: Params) -> Params:
    """Return a page of the templates."""
    found, token = page(region.task_uis.values(), "task-uis", params)
    summaries = [{"HumanTaskUiName": ui.name, "HumanTaskUiArn": ui.arn, "CreationTime": ui.created} for ui in found]
    return {"HumanTaskUiSummaries": summaries, "NextToken": token}


def delete_human_task_ui(region: Region, params: Params) -> Params:
    """Forget a template; loops that were not rendered yet fail."""
    del region.task_uis[_find(region, params["HumanTaskUiName"]).name]
    return {}


def render_ui_template(region: Region, params: Params) -> Params:
    """Render a template, given or kept, with a task's input; what is wrong with either comes back in Errors."""
    given, arn = params.get("UiTemplate"), params.get("HumanTaskUiArn")
    if (given is None) == (arn is None):
        raise AwsError("ValidationException", "Specify either UiTemplate or HumanTaskUiArn, and not both.")
    template = str(given["Content"]) if given else _kept(region, str(arn))
    try:
        content = region.render(template, read_json(params["Task"]["Input"]))
    except TemplateError as error:
        return {"RenderedContent": "", "Errors": [{"Code": "TemplateRenderingError", "Message": str(error)}]}
    except ValueError as error:
        return {"RenderedContent": "", "Errors": [{"Code": "InvalidInput", "Message": f"Task input: {error}"}]}
    return {"RenderedContent": content, "Errors": []}


def _kept(region: Region, arn: str) -> str:
    found = region.task_ui(arn)
    if found is None:
        raise AwsError("ResourceNotFound", f"The human task UI {arn} does not exist.")
    return found.template


def _find(region: Region, name: str) -> TaskUi:
    found = region.task_uis.get(name)
    if found is None:
        raise AwsError("ResourceNotFound", f"The human task UI {name} does not exist.")
    return found
