"""What deploy and teardown make of the states that a stack can be in, of refusals, and of Ctrl-C at any call."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.infra.conftest import Run
from tests.infra.test_deploy import parameters, stacks
from tests.kit.stack_proxy import StackProxy
from tests.kit.support import client, wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

NO_ROLE = ("AirflowPolicy", "AWS::IAM::ManagedPolicy", "CREATE_FAILED", "The role with name x cannot be found.")
CANCELLED = ("Topic", "AWS::SNS::Topic", "CREATE_FAILED", "Resource creation cancelled")
TAKEN = ("Bucket", "AWS::S3::Bucket", "CREATE_FAILED", "my-birds already exists")
ATTACHED = ("AirflowPolicy", "AWS::IAM::ManagedPolicy", "DELETE_FAILED", "Cannot delete a policy attached to entities.")


def test_it_waits_for_what_cloudformation_does_already(run: Run, proxy: StackProxy, account: LocalAws) -> None:
    run("deploy", "birds")
    proxy.statuses += ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]

    ended = run("deploy", "birds")

    assert ended.code == 0
    assert "is UPDATE_IN_PROGRESS: waiting" in ended.out
    assert "nothing to change" in ended.out
    assert proxy.statuses == []


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"])
def test_a_stack_whose_creation_failed_is_made_anew_with_what_was_given(
    run: Run, proxy: StackProxy, account: LocalAws, status: str
) -> None:
    run("deploy", "birds", "--bucket", "my-birds", "--prefix", "a")
    before = stacks(account)[0]["StackId"]
    # CloudFormation deletes the bucket of a creation that failed; moto's did not fail.
    client(account, "s3").delete_bucket(Bucket="my-birds")
    proxy.statuses.append(status)
    planned = run("plan", "birds")
    assert (planned.code, "create it anew" in planned.out) == (0, True)
    assert stacks(account)[0]["StackId"] == before
    proxy.statuses.append(status)

    ended = run("deploy", "birds")

    assert ended.code == 0
    assert f"is {status}, since its first creation failed" in ended.out
    assert stacks(account)[0]["StackId"] != before
    assert (parameters(account)["BucketName"], parameters(account)["Prefix"]) == ("my-birds", "a/")


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        (NO_ROLE, "AirflowPolicy (AWS::IAM::ManagedPolicy) CREATE_FAILED: The role with name x cannot be found."),
        (TAKEN, "name another bucket by --bucket"),
    ],
    ids=["role", "bucket"],
)
def test_a_failed_creation_is_told_in_cloudformations_words(
    run: Run, proxy: StackProxy, failed: tuple[str, str, str, str], expected: str
) -> None:
    proxy.statuses += ["ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    proxy.events += [CANCELLED, failed]

    ended = run("deploy", "birds")

    assert (ended.code, expected in ended.err) == (1, True), ended.err
    assert "Stack custom-labels-birds is ROLLBACK_COMPLETE" in ended.err
    assert "Resource creation cancelled" not in ended.err
    assert "run the same command again" in ended.err


def test_a_failed_update_is_an_error_and_the_next_run_goes_on(run: Run, proxy: StackProxy, account: LocalAws) -> None:
    run("deploy", "birds")
    proxy.statuses += ["UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]

    ended = run("deploy", "birds", "--backend", "ground_truth")

    assert (ended.code, "is UPDATE_ROLLBACK_COMPLETE" in ended.err) == (1, True)
    proxy.statuses.append("UPDATE_ROLLBACK_COMPLETE")
    assert run("deploy", "birds", "--backend", "ground_truth").code == 0


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name custom-labels-birds"),
        ("DELETE_FAILED", "run teardown birds"),
    ],
)
def test_a_stack_that_a_person_has_to_repair_is_not_touched(
    run: Run, proxy: StackProxy, account: LocalAws, status: str, expected: str
) -> None:
    run("deploy", "birds")
    account.control.clear_changes()
    proxy.statuses.append(status)

    ended = run("deploy", "birds")

    assert (ended.code, expected in ended.err) == (1, True)
    assert account.control.changes() == []


def test_a_change_set_of_an_earlier_try_is_taken_up(run: Run, proxy: StackProxy, account: LocalAws) -> None:
    run("deploy", "birds")
    proxy.refused.add("ExecuteChangeSet")
    assert run("deploy", "birds", "--backend", "ground_truth").code == 1
    proxy.refused.clear()
    account.control.clear_changes()

    ended = run("deploy", "birds", "--backend", "ground_truth")

    assert ended.code == 0, ended.err
    assert [each["operation"] for each in account.control.changes()] == ["cloudformation.ExecuteChangeSet"]
    assert parameters(account)["GroundTruth"] == "true"


def test_a_change_set_that_is_outdated_is_made_anew(run: Run, proxy: StackProxy, account: LocalAws) -> None:
    run("deploy", "birds")
    run("deploy", "birds", "--backend", "ground_truth")
    run("deploy", "birds", "--backend", "airflow")

    ended = run("deploy", "birds", "--backend", "ground_truth")

    assert ended.code == 0, ended.err
    assert parameters(account)["GroundTruth"] == "true"


def test_what_cloudformation_foresees_to_fail_is_said_and_leaves_nothing(
    run: Run, proxy: StackProxy, account: LocalAws
) -> None:
    proxy.no_change_set = "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]"

    ended = run("deploy", "birds")

    assert (ended.code, proxy.no_change_set in ended.err, "--bucket" in ended.err) == (1, True, True), ended.err
    assert stacks(account) == []


def test_what_an_interrupted_plan_left_is_in_nobodys_way(run: Run, account: LocalAws) -> None:
    client(account, "cloudformation").create_change_set(
        StackName="custom-labels-birds", ChangeSetName="old", ChangeSetType="CREATE", TemplateBody='{"Resources": {}}'
    )
    assert [each["StackStatus"] for each in stacks(account)] == ["REVIEW_IN_PROGRESS"]

    assert run("deploy", "birds").code == 0

    assert [each["StackStatus"] for each in stacks(account)] == ["CREATE_COMPLETE"]


@pytest.mark.parametrize(
    "action", ["DescribeStacks", "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "GetCallerIdentity"]
)
def test_a_refused_call_is_named_with_its_way_out(run: Run, proxy: StackProxy, action: str) -> None:
    proxy.refused.add(action)

    ended = run("deploy", "birds")

    assert (ended.code, f":{action} in us-east-1 with AccessDenied" in ended.err) == (1, True), ended.err
    assert f"allow {'sts' if action == 'GetCallerIdentity' else 'cloudformation'}:{action} to them" in ended.err
    proxy.refused.clear()
    assert run("deploy", "birds").code == 0


def test_a_role_that_may_not_be_looked_at_is_left_to_cloudformation(
    run: Run, proxy: StackProxy, account: LocalAws
) -> None:
    client(account, "iam").create_role(RoleName="airflow", AssumeRolePolicyDocument="{}")
    proxy.refused.add("GetRole")

    assert run("deploy", "birds", "--airflow-role", "airflow").code == 0


def test_a_bucket_that_may_not_be_looked_at_is_left_to_cloudformation(run: Run, account: LocalAws) -> None:
    account.control.denied({"bucket": "my-birds", "operation": "s3.HeadBucket"})

    assert run("deploy", "birds", "--bucket", "my-birds").code == 0


def test_calls_that_are_throttled_are_made_again(run: Run, account: LocalAws) -> None:
    account.control.faults({"operation": "cloudformation.*", "kind": "throttle", "share": 0.3})

    assert run("deploy", "birds").code == 0
    assert len(stacks(account)) == 1


def test_a_stack_that_cannot_be_deleted_says_what_is_in_the_way(run: Run, proxy: StackProxy) -> None:
    run("deploy", "birds")
    proxy.actions.clear()
    proxy.statuses += ["CREATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_FAILED"]
    proxy.events.append(ATTACHED)

    ended = run("teardown", "birds")

    assert (ended.code, "Cannot delete a policy attached to entities" in ended.err) == (1, True), ended.err
    assert "attached to by hand" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hold_before", "hold_after"])
@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("deploy", "CreateChangeSet"),
        ("deploy", "ExecuteChangeSet"),
        ("plan", "DeleteChangeSet"),
        ("teardown", "DeleteStack"),
    ],
)
def test_it_goes_on_where_it_was_interrupted(run: Run, account: LocalAws, command: str, action: str, kind: str) -> None:
    if command == "teardown":
        run("deploy", "birds")
    account.control.faults({"operation": f"cloudformation.{action}", "kind": kind})
    process = subprocess.Popen(
        [sys.executable, "-m", "include.infra", command, "birds"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )
    wait_until(lambda: bool(account.control.held()))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    account.control.faults()

    assert (process.returncode, "the same command waits for that, and goes on" in errors) == (130, True), errors
    assert run(command, "birds").code == 0
    assert [each["StackStatus"] for each in stacks(account)] == (["CREATE_COMPLETE"] if command == "deploy" else [])
