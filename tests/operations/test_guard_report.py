"""How a run of the cost guard ends, in words, and what is no news any more after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_labels.core.outcome import Outcome
from custom_labels.deployment.deployment import Units
from custom_labels.deployment.service import Notice, ServiceMemory
from custom_labels.operations.guard import Acting, Action, Decision, Inspection
from custom_labels.operations.guard_report import Accounts, GuardReport
from custom_labels.operations.versions import RunningVersion

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOON - timedelta(hours=30)
SERVES = RunningVersion("v1", "serves", Units(1), quiet_since=NOON - timedelta(hours=1))
IDLE = replace(SERVES, quiet_since=SINCE)
FOUND = Inspection(Acting.NOT_DUE, NOON, (), (), (SERVES,), (), ServiceMemory())
SPENT = Accounts("2026-11", 90, ("serving v1: $90.00",), "2026-09-10", 4, 100, level=0)
TOO_MUCH = replace(SPENT, total_usd=130, level=2)
STOP = Decision("v2", "arn", Action.STOP, "it runs without serving")
START = Decision("v1", "arn", Action.START, "the service window is open again")
UNKNOWN = Decision("v3", "arn", Action.ALERT, "the registry does not know it")


def report(found: Inspection = FOUND, spent: Accounts = SPENT, became: str | None = "STOPPED") -> GuardReport:
    statuses = {each.version_name: became for each in found.actions}
    return GuardReport(found, spent, statuses, 24, lambda name: f"digits__{name}")


def after(memory: ServiceMemory, found: Inspection = FOUND) -> Inspection:
    return replace(found, memory=memory)


ACTS = replace(FOUND, choice=Acting.DUE, actions=(STOP,))
STARTS = replace(FOUND, choice=Acting.DUE, actions=(START,))
SEES_UNKNOWN = replace(FOUND, left=(UNKNOWN,))
IS_IDLE = replace(FOUND, running=(IDLE,))
TOLD_OF_BUDGET = ServiceMemory(notified_budget=Notice("2026-11: $100", 2))
TOLD_OF_IDLE = ServiceMemory(notified_idle=Notice(f"v1 since {SINCE.isoformat()}", 1))
CASES = {
    "nothing": (report(), Outcome.NOTHING_TO_GUARD, "version v1 serves, not asked since"),
    "a deployment": (
        report(replace(FOUND, deploying="a run")),
        Outcome.NOTHING_TO_GUARD,
        "under way: a run; nothing is",
    ),
    "stopped": (report(ACTS), Outcome.GUARDED, "stopped version v2: it runs without serving; now version v1"),
    "not stopped": (report(ACTS, became="RUNNING"), Outcome.GUARDED, "version v2 was to be stopped and is RUNNING: it"),
    "started": (report(STARTS, became="RUNNING"), Outcome.GUARDED, "started version v1: the service window is open"),
    "not started": (report(STARTS, became=None), Outcome.GUARDED, "version v1 was to be started and is gone: the"),
    "deleted": (report(spent=replace(SPENT, deleted=("v0",))), Outcome.GUARDED, "deleted version v0, as it is old"),
    "unknown": (report(SEES_UNKNOWN), Outcome.GUARDED, "version v3 is unmanaged: the registry does not know it"),
    "unknown, again": (report(after(ServiceMemory(notified_unknown=("v3",)), SEES_UNKNOWN)), "nothing_to_guard", ""),
    "idle": (report(IS_IDLE), Outcome.LIVE_VERSION_IDLE, "'digits__idle_stop_hours' stops it"),
    "idle, again": (report(after(TOLD_OF_IDLE, IS_IDLE)), Outcome.NOTHING_TO_GUARD, "(30 h): $96.00 a day"),
    "idle for twice as long": (
        report(replace(after(TOLD_OF_IDLE, IS_IDLE), at=NOON + timedelta(hours=20))),
        Outcome.LIVE_VERSION_IDLE,
        "(2 days)",
    ),
    "idle since it was asked": (
        report(after(replace(TOLD_OF_IDLE, notified_idle=Notice("v1 since last week", 1)), IS_IDLE)),
        Outcome.LIVE_VERSION_IDLE,
        "",
    ),
    "too expensive": (report(ACTS, TOO_MUCH), Outcome.BUDGET_EXCEEDED, "more than the $100 of 'digits__monthly_budget"),
    "too expensive, again": (report(after(TOLD_OF_BUDGET), TOO_MUCH), Outcome.NOTHING_TO_GUARD, "more than the $100"),
    "a quarter more": (report(after(TOLD_OF_BUDGET), replace(TOO_MUCH, level=3)), Outcome.BUDGET_EXCEEDED, "; most: "),
    "of another budget": (report(after(TOLD_OF_BUDGET), replace(TOO_MUCH, budget_usd=90)), "budget_exceeded", "$90"),
    "of another month": (report(after(TOLD_OF_BUDGET), replace(TOO_MUCH, month="2026-12")), "budget_exceeded", ""),
    "no budget": (report(spent=replace(TOO_MUCH, budget_usd=None, level=0)), "nothing_to_guard", "is not set"),
}


@pytest.mark.parametrize(("made", "outcome", "words"), CASES.values(), ids=CASES)
def test_a_run_ends_with_what_is_most_urgent_and_news(made: GuardReport, outcome: str, words: str) -> None:
    assert (made.outcome, words in made.detail) == (outcome, True), made.detail


@pytest.mark.parametrize("made", [each[0] for each in CASES.values()], ids=CASES)
def test_what_was_reported_once_is_no_news(made: GuardReport) -> None:
    again = replace(made, inspected=replace(made.inspected, memory=made.remembered(made.inspected.memory)))

    assert again.outcome in {Outcome.NOTHING_TO_GUARD, Outcome.GUARDED, Outcome.LIVE_VERSION_IDLE}
    assert (again.budget_news, "v3 is unmanaged" in again.detail) == (None, False)
    if made.outcome is Outcome.LIVE_VERSION_IDLE:
        assert again.idle_news is None


def test_an_unknown_version_is_news_again_when_it_comes_back_but_not_for_a_deployment() -> None:
    notified = ServiceMemory(notified_unknown=("v3",))

    assert report(after(notified)).remembered(notified).notified_unknown == ()
    assert report(replace(after(notified), deploying="a run")).remembered(notified) == notified


def test_what_was_left_alone_is_below_the_sentence() -> None:
    facts = report(replace(ACTS, left=(UNKNOWN,))).facts

    assert facts["Done 1"] == "stopped version v2: it runs without serving"
    assert facts["Version v3"] == UNKNOWN.reason
    assert (facts["Costs of 2026-11"], facts["Prices of"]) == ("$90.00", "2026-09-10")
