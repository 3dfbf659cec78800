"""Taking a project's stack away; its bucket stays, and models have to be gone before."""

from __future__ import annotations

from include.infra.account import InfraError
from include.infra.cleaning import empty_and_delete
from include.infra.stack import Stack, StackWatch
from include.infra.values import BUCKET


def tear_down(watch: StackWatch, *, dry_run: bool, leave_models: bool) -> None:
    """Delete a project's stack; a second run goes on where the first one ended, or finds nothing to do.

    :param dry_run: only say what would be deleted.
    :param leave_models: whether the Custom Labels project may stay.
    :raises InfraError: models are there, the stack is another's, or it could not be deleted.
    """
    if not leave_models:
        require_no_models(watch)
    stack = watch.find_settled()
    if stack is None:
        watch.say(f"There is no stack {watch.name} in {watch.account.region}: nothing to take away.")
        return
    resources = list_resources(watch, stack)
    for line in resources:
        watch.say(f"  {line}")
    if dry_run:
        watch.say(f"teardown would delete these resources of the stack {stack.name}, all but the bucket.")
    else:
        watch.delete(stack)
        watch.say(f"Stack {stack.name} is deleted.")
    if bucket := stack.parameters.get(BUCKET):
        watch.say(
            f"The bucket {bucket} stays, with all images, labels and records, and its storage is billed. This deletes "
            "it, and everything in it, for good:"
        )
        watch.say(empty_and_delete(bucket, watch.account))


def require_no_models(watch: StackWatch) -> None:
    """See whether the project is gone at Custom Labels.

    :raises InfraError: it is there, with all its versions, some of which may run and be billed.
    """
    with watch.account.asking("rekognition:DescribeProjects"):
        found = watch.account.rekognition.describe_projects(ProjectNames=[watch.project])["ProjectDescriptions"]
    if found:
        raise InfraError(
            f"The Custom Labels project '{watch.project}' is still there in {watch.account.region}: versions of "
            f"it that run cost about 4 USD an hour each, and the DAGs that stop them need this stack. Trigger "
            f"{watch.project}_teardown in Airflow first, with dry_run off, or keep the models with "
            "--even-with-models."
        )


def list_resources(watch: StackWatch, stack: Stack) -> list[str]:
    """Name what is in a stack."""
    with watch.account.asking("cloudformation:ListStackResources"):
        pages = watch.account.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.id)
        found = [each for page in pages for each in page["StackResourceSummaries"]]
    made = [each for each in found if each.get("PhysicalResourceId")]
    return [f"{each['LogicalResourceId']} ({each['ResourceType']}) {each['PhysicalResourceId']}" for each in made]
