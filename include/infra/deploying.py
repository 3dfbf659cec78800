"""Creating and updating a project's stack, once: a second run finds that nothing is to be done."""

from __future__ import annotations

from collections.abc import Mapping

from include.infra import change_set as change_sets
from include.infra.account import REFUSED, InfraError
from include.infra.cleaning import empty_and_delete
from include.infra.stack import CREATION_FAILED, IN_REVIEW, Stack, StackWatch
from include.infra.template import read_parameters
from include.infra.values import BUCKET, OPTIONS, ROLE, choose_values, derive_bucket

DONE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_UPDATABLE = DONE | {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}


def deploy(watch: StackWatch, given: Mapping[str, str], *, dry_run: bool) -> Stack | None:
    """Bring a project's stack to what the template and the parameters say; give it as it is then.

    :param given: parameters of this run; others stay as they are deployed.
    :param dry_run: only say what would be done; ``None`` where there is no stack.
    :raises InfraError: CloudFormation refused, or failed, and why.
    """
    stack = watch.find_settled()
    if stack and stack.status == IN_REVIEW:
        # A plan was interrupted, perhaps one with other options; nothing is in it.
        watch.delete(stack)
        stack = None
    values = choose_values(
        read_parameters(),
        watch.project,
        given,
        stack.parameters if stack else {},
        lambda: derive_bucket(watch.project, watch.account.number, watch.account.region),
    )
    if stack and stack.status in CREATION_FAILED:
        _say_what_failed(watch, stack)
        if dry_run:
            watch.say("deploy would delete what is left of it, and create it anew.")
            return None
        watch.delete(stack)
        stack = None
    if stack and stack.status not in _UPDATABLE:
        raise InfraError(
            f"Stack {stack.name} is {stack.status}, in which CloudFormation changes nothing. It is the stack of "
            f"project '{watch.project}': run teardown {watch.project}, and this command again."
        )
    if stack is None:
        require_free_bucket(watch, values[BUCKET])
    if values[ROLE] and values[ROLE] != (stack.parameters.get(ROLE) if stack else None):
        require_role(watch, values[ROLE])
    proposed = change_sets.propose(watch, stack, values)
    _say_what_changes(watch, stack, proposed, values)
    if proposed.is_usable and not dry_run:
        return _execute(watch, proposed)
    change_sets.discard(watch, proposed, with_stack=stack is None)
    return stack


def require_role(watch: StackWatch, role: str) -> None:
    """See whether the role is there that is to get the policies: else the stack would fail after minutes.

    :raises InfraError: it is not.
    """
    try:
        with watch.account.asking("iam:GetRole"):
            watch.account.iam.get_role(RoleName=role)
    except InfraError as error:
        code = error.aws_code
        if code == "NoSuchEntity":
            raise InfraError(
                f"There is no role {role!a} in account {watch.account.number}. {OPTIONS[ROLE]} names the role that "
                "Airflow runs as: correct it, or give '' for none."
            ) from error
        if code not in REFUSED:
            raise


def require_free_bucket(watch: StackWatch, bucket: str) -> None:
    """See whether the bucket of a new stack is still to be made.

    :raises InfraError: there is one of that name.
    """
    try:
        with watch.account.asking("s3:ListBucket"):
            watch.account.s3.head_bucket(Bucket=bucket)
    except InfraError as error:
        # One that may not be looked at is another account's, or none: CloudFormation finds out.
        if error.aws_code in {"404", "NoSuchBucket", "403"}:
            return
        if error.aws_code not in {"301", "400"}:
            raise
    raise InfraError(
        f"There is a bucket {bucket!a} already, and the stack makes one of its own. {OPTIONS[BUCKET]} names it: name "
        f"another. If it is yours and nothing in it is needed any more, this empties and deletes it: "
        f"{empty_and_delete(bucket, watch.account)}"
    )


def _execute(watch: StackWatch, proposed: change_sets.ChangeSet) -> Stack:
    before = watch.pass_over_events(proposed.stack_id)
    change_sets.execute(watch, proposed)
    stack = watch.wait(proposed.stack_id)
    if stack and stack.status in DONE:
        return stack
    reasons = watch.failures(proposed.stack_id, before) or ["CloudFormation gives no reason"]
    raise InfraError(
        f"Stack {watch.name} is {stack.status if stack else 'gone'}: {'; '.join(reasons)}. CloudFormation took back "
        f"what it had done.{_way_out(' '.join(reasons))} Then run the same command again."
    )


def _way_out(reasons: str) -> str:
    """Say what to do about what fails most often."""
    if "already exists" in reasons:
        return (
            f" What is named there is somebody else's, or was left behind: name another bucket by {OPTIONS[BUCKET]}, "
            "or delete what is yours and not needed."
        )
    return " Correct that."


def _say_what_failed(watch: StackWatch, stack: Stack) -> None:
    reasons = "; ".join(watch.failures(stack.id)) or "CloudFormation gives no reason any more"
    watch.say(f"Stack {stack.name} is {stack.status}, since its first creation failed: {reasons}.")


def _say_what_changes(
    watch: StackWatch, stack: Stack | None, proposed: change_sets.ChangeSet, values: Mapping[str, str]
) -> None:
    if not proposed.is_usable:
        watch.say(f"Stack {watch.name} is as it has to be: nothing to change.")
        return
    watch.say(f"Stack {watch.name} in {watch.account.region} {'is changed' if stack else 'is created'}:")
    for name, value in values.items():
        if value:
            watch.say(f"  {name} = {value}")
    for line in proposed.changes:
        watch.say(f"  {line}")
