"""Make what a project needs at AWS: `python -m include.infra plan|deploy|write-project|teardown PROJECT`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.markup import escape

from custom_labels.core.field_types import ProjectName, WorkteamArn
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.review_setup import BACKENDS
from custom_labels.errors import CustomLabelsError
from include.infra.account import Account, InfraError
from include.infra.deploying import deploy
from include.infra.project_file import Choices, draft
from include.infra.stack import StackName, StackWatch, stack_name
from include.infra.teardown import tear_down
from include.infra.values import BUCKET, GROUND_TRUTH, PREFIX, ROLE
from include.upload.local_files import printable

INTERRUPTED = 130
GROUND_TRUTH_BACKEND = "ground_truth"


def main(arguments: list[str] | None = None) -> int:
    """Do what the command says; give the exit code: 0 once it is done, 1 with an error, 130 at Ctrl-C."""
    given = _parser().parse_args(arguments)
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)

    def say(line: str) -> None:
        # What AWS and files say is data: no markup of ours, and no signs that move a cursor.
        console.print(escape(printable(line)), soft_wrap=True)

    try:
        account = Account.open(given.region, given.profile)
        watch = StackWatch(account, given.stack or stack_name(given.project), given.project, say)
        given.run(watch, given)
    except CustomLabelsError as error:
        lines = (printable(line) for line in str(error).splitlines())
        errors.print(escape("\n".join(lines)), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        errors.print(
            "Interrupted. CloudFormation ends what it has begun; the same command waits for that, and goes on.",
            soft_wrap=True,
        )
        return INTERRUPTED
    return 0


def plan(watch: StackWatch, given: argparse.Namespace) -> None:
    """Show what deploy would do."""
    deploy(watch, _parameters(given), dry_run=True)
    watch.say("Nothing was changed.")


def create_or_update(watch: StackWatch, given: argparse.Namespace) -> None:
    """Deploy, and show what came of it."""
    if given.dry_run:
        plan(watch, given)
        return
    stack = deploy(watch, _parameters(given), dry_run=False)
    if stack is None:
        return
    for name, value in stack.outputs.items():
        watch.say(f"  {name}: {value}")
    if not stack.parameters.get(ROLE):
        watch.say(
            "No role of Airflow has the policies yet: add --airflow-role NAME to this command, or attach all "
            "whose names end in PolicyArn to what Airflow runs as."
        )
    watch.say(f"Next: python -m include.infra write-project {watch.project}{_same_options(watch)}")


def write_project(watch: StackWatch, given: argparse.Namespace) -> None:
    """Write the project's file.

    :raises InfraError: there is no stack, or the file would be wrong.
    """
    stack = watch.find_settled()
    if stack is None:
        raise InfraError(
            f"There is no stack {watch.name} in {watch.account.region}. --stack, --region and --profile say where it "
            f"is; if there is none yet, run deploy {watch.project} first."
        )
    made = draft(
        watch.project,
        stack,
        watch.account.region,
        Choices(given.task and ProjectTask(given.task), given.backend, given.workteam),
    )
    if not made.difference:
        watch.say(f"{made.path} says what the stack does: nothing to change.")
        return
    for line in made.difference.splitlines():
        watch.say(line)
    if given.dry_run:
        watch.say(f"{made.path} was not written.")
        return
    made.write()
    watch.say(f"{made.path} is written.")


def take_away(watch: StackWatch, given: argparse.Namespace) -> None:
    """Delete the stack."""
    tear_down(watch, dry_run=given.dry_run, leave_models=given.even_with_models)


def _same_options(watch: StackWatch) -> str:
    stack = "" if watch.name == stack_name(watch.project) else f" --stack {watch.name}"
    return f"{watch.account.options}{stack}"


def _parameters(given: argparse.Namespace) -> dict[str, str]:
    """Give the template's parameters that this run names."""
    role = given.airflow_role and given.airflow_role.rpartition("/")[2]
    asks_by_jobs = None if given.backend is None else str(given.backend == GROUND_TRUTH_BACKEND).lower()
    named = {BUCKET: given.bucket, PREFIX: given.prefix, ROLE: role, GROUND_TRUTH: asks_by_jobs}
    return {**dict(given.parameter), **{name: value for name, value in named.items() if value is not None}}


def _checked(kind: Any) -> Callable[[str], str]:
    """Make a check of an option by a type of the project file."""

    def check(text: str) -> str:
        try:
            return str(TypeAdapter(kind).validate_python(text))
        except ValidationError as error:
            expected = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            raise argparse.ArgumentTypeError(f"it is {text!a}: {expected}") from error

    return check


def _pair(text: str) -> tuple[str, str]:
    name, is_pair, value = text.partition("=")
    if not is_pair or not name:
        raise argparse.ArgumentTypeError(f"it is {text!a}: expected NAME=VALUE")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.infra",
        description="Make what a project needs at AWS beside its Airflow - bucket, queues, topic, role and policies - "
        "as one CloudFormation stack, and take it away. A second run changes nothing, and asks for nothing.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    planned = _command(commands, "plan", plan, "show what deploy would create and change")
    deployed = _command(commands, "deploy", create_or_update, "create or update the stack")
    for each in (planned, deployed):
        _add_parameters(each)
    written = _command(commands, "write-project", write_project, "write include/projects/PROJECT.yaml from the stack")
    written.add_argument("--task", choices=[*ProjectTask], help="of a new file (default: image_classification)")
    written.add_argument(
        "--backend",
        choices=list(BACKENDS),
        help="of a new file: where people answer (default: airflow; label_studio for boxes)",
    )
    written.add_argument(
        "--workteam", type=_checked(WorkteamArn), metavar="ARN", help="who answers, with a2i and ground_truth"
    )
    removed = _command(commands, "teardown", take_away, "delete the stack; the bucket stays")
    removed.add_argument(
        "--even-with-models",
        action="store_true",
        help="although the Custom Labels project is there, whose running versions are billed on",
    )
    for each in (deployed, written, removed):
        each.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[StackWatch, argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.set_defaults(run=run)
    command.add_argument("project", type=_checked(ProjectName), metavar="PROJECT", help="name of the project")
    command.add_argument("--region", help="where (default: as boto3 finds it)")
    command.add_argument("--profile", help="of the AWS configuration (default: as boto3 finds credentials)")
    command.add_argument(
        "--stack", type=_checked(StackName), metavar="NAME", help="name of the stack (default: custom-labels-PROJECT)"
    )
    return command


def _add_parameters(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--bucket", metavar="NAME", help="bucket to make (default: a name with project, account and region)"
    )
    command.add_argument("--prefix", help="folder in the bucket that all of the project lies in (default: none)")
    command.add_argument("--airflow-role", metavar="NAME", help="role that Airflow runs as, which gets the policies")
    command.add_argument(
        "--backend", choices=list(BACKENDS), help="where people answer; ground_truth needs rules and rights of its own"
    )
    command.add_argument(
        "--parameter",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another parameter of include/infra/custom-labels-project.yaml, such as ImportBucketArns",
    )


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    sys.exit(main())
