"""PutProjectPolicy, ListProjectPolicies, DeleteProjectPolicy."""

from __future__ import annotations

import time
import uuid

from include.local_aws.rekognition.paging import by_serial
from include.local_aws.rekognition.state import Policy, Project, Region, not_found
from include.local_aws.strict_json import read_json
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.parse import Params


def put_project_policy(region: Region, params: Params) -> Params:
    """Attach a policy, or replace the revision of it that the caller names."""
    project = region.project(params["ProjectArn"])
    _check_document(params["PolicyDocument"])
    name, now = params["PolicyName"], time.time()
    known = project.policies.get(name)
    if known is None:
        known = _new_policy(region, project, name, params)
        project.policies[name] = known
        return {"PolicyRevisionId": known.revision}
    if "PolicyRevisionId" not in params:
        raise AwsError(
            "ResourceAlreadyExistsException",
            f"The project {project.arn} has a policy {name} already: name its PolicyRevisionId to change it.",
        )
    _check_revision(known, params["PolicyRevisionId"])
    known.document, known.revision, known.updated = params["PolicyDocument"], uuid.uuid4().hex, now
    return {"PolicyRevisionId": known.revision}


def list_project_policies(region: Region, params: Params) -> Params:
    """List a project's policies, newest first."""
    project = region.project(params["ProjectArn"])
    pairs = [(policy.serial, policy) for policy in project.policies.values()]
    page, token = by_serial(pairs, f"policies {project.arn}", params.get("NextToken"), params.get("MaxResults", 5))
    return {"ProjectPolicies": [_description(project, policy) for policy in page], "NextToken": token}


def delete_project_policy(region: Region, params: Params) -> Params:
    """Delete a policy, or the revision that the caller names."""
    project = region.project(params["ProjectArn"])
    policy = project.policies.get(params["PolicyName"])
    if policy is None:
        raise not_found("policy", f"{params['PolicyName']} of {project.arn}")
    if "PolicyRevisionId" in params:
        _check_revision(policy, params["PolicyRevisionId"])
    del project.policies[policy.name]
    return {}


def _new_policy(region: Region, project: Project, name: str, params: Params) -> Policy:
    if "PolicyRevisionId" in params:
        raise AwsError(
            "InvalidPolicyRevisionIdException",
            f"The project {project.arn} has no policy {name}, so no revision {params['PolicyRevisionId']}.",
        )
    limit = region.settings.quota("policies_per_project")
    if len(project.policies) >= limit:
        raise AwsError(
            "ServiceQuotaExceededException", f"The project {project.arn} has {limit} policies, the most it may have."
        )
    now = time.time()
    return Policy(name, params["PolicyDocument"], uuid.uuid4().hex, region.next_serial(), now, now)


def _check_document(document: str) -> None:
    try:
        parsed = read_json(document)
    except ValueError as error:
        raise AwsError("MalformedPolicyDocumentException", f"The policy document is not JSON: {error}") from None
    if not isinstance(parsed, dict) or "Statement" not in parsed:
        raise AwsError("MalformedPolicyDocumentException", "The policy document has no Statement.")


def _check_revision(policy: Policy, revision: str) -> None:
    if policy.revision != revision:
        raise AwsError(
            "InvalidPolicyRevisionIdException",
            f"The policy {policy.name} is at another revision than {revision}.",
        )


def _description(project: Project, policy: Policy) -> Params:
    return {
        "ProjectArn": project.arn,
        "PolicyName": policy.name,
        "PolicyRevisionId": policy.revision,
        "PolicyDocument": policy.document,
        "CreationTimestamp": policy.created,
        "LastUpdatedTimestamp": policy.updated,
    }
