"""Private workforces and workteams, only as far as a flow definition needs them."""

from __future__ import annotations

from include.local_aws.human_review.state import Region, Workteam
from include.local_aws.rekognition.paging import by_position
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params

_DETAILS = ("MemberDefinitions", "Description", "NotificationConfiguration", "WorkerAccessConfiguration")


def create_workforce(region: Region, params: Params) -> Params:
    """Make the region's private workforce, of which AWS allows one."""
    if region.workforces:
        raise AwsError(
            "ValidationException", f"A workforce already exists in this region: {', '.join(region.workforces)}."
        )
    if ("CognitoConfig" in params) == ("OidcConfig" in params):
        raise AwsError("ValidationException", "Specify either CognitoConfig or OidcConfig, and not both.")
    region.workforces[params["WorkforceName"]] = params
    return {"WorkforceArn": _workforce_arn(region, params["WorkforceName"])}


def create_workteam(region: Region, params: Params) -> Params:
    """Make a team under a name that is free; without a WorkforceName it belongs to the region's workforce.

    A Cognito team brings its workforce with it, as the console does it. Raises AwsError ResourceInUse,
    ResourceLimitExceeded, or ValidationException for an unknown workforce.
    """
    name = params["WorkteamName"]
    if name in region.workteams:
        raise AwsError("ResourceInUse", f"The workteam {name} already exists: {region.workteams[name].arn}.")
    region.check_quota("workteams", len(region.workteams), "workteams")
    wanted = params.get("WorkforceName", next(iter(region.workforces), "default"))
    if "WorkforceName" in params and wanted not in region.workforces:
        raise AwsError("ValidationException", f"The workforce {wanted} does not exist: call CreateWorkforce first.")
    identity = {**region.identity("workteam", name), "arn": region.arn("workteam/private-crowd", name)}
    details = {key: params[key] for key in _DETAILS if key in params}
    region.workteams[name] = Workteam(**identity, details=details, workforce_arn=_workforce_arn(region, wanted))
    return {"WorkteamArn": identity["arn"]}


def describe_workteam(region: Region, params: Params) -> Params:
    """Return a team; SubDomain is the address of the worker portal."""
    return {"Workteam": _described(region, _find(region, params["WorkteamName"]))}


def list_workteams(region: Region, params: Params) -> Params:
    """Return a page of the teams, those whose name contains NameContains if given."""
    wanted = params.get("NameContains", "")
    teams = [team for team in region.workteams.values() if wanted in team.name]
    by_name = params.get("SortBy") == "Name"
    teams.sort(key=lambda team: team.name if by_name else team.serial, reverse=params.get("SortOrder") == "Descending")
    limit = params.get("MaxResults", 100)
    found, token = by_position(teams, "workteams", params.get("NextToken"), limit, "ValidationException")
    return {"Workteams": [_described(region, team) for team in found], "NextToken": token}


def delete_workteam(region: Region, params: Params) -> Params:
    """Forget a team; flow definitions keep its ARN."""
    return {"Success": region.workteams.pop(params["WorkteamName"], None) is not None}


def _find(region: Region, name: str) -> Workteam:
    found = region.workteams.get(name)
    if found is None:
        raise AwsError("ValidationException", f"The workteam {name} does not exist.")
    return found


def _described(region: Region, team: Workteam) -> Params:
    return {
        "WorkteamName": team.name,
        "WorkteamArn": team.arn,
        "WorkforceArn": team.workforce_arn,
        "SubDomain": f"{region.endpoint_url}/_local_aws/work/".removeprefix("http://"),
        "CreateDate": team.created,
        "LastUpdatedDate": team.created,
        **team.details,
    }


def _workforce_arn(region: Region, name: str) -> str:
    return region.arn("workforce/private-crowd", name)
