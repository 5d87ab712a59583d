"""Who may move a task where."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import get_args

import pytest

from services.cases.domain.tasks import AssignedTo, Task, changed, keeps_access, new_task, returned, sees_all
from services.contracts.access import Standing, standing_of
from services.contracts.caller import Caller
from services.contracts.cases.tasks import Assignee, TaskBody, TaskChanges
from services.contracts.errors import ConcordatError, Invalid, InvalidTransition, LevelTooLow, Refused
from services.contracts.vocabulary import TaskState
from tests.unit.cases.making import NOW, acl, caller, case, share

BOB = caller("bob", "housing", team_ids=("night",))
FOR_BOB = AssignedTo("u:bob", "Bob", "housing", ("u:bob", "t:night"))
ONE = case(share("bob", "housing", level="task"))


def task(state: TaskState = "offered", assignee: AssignedTo = FOR_BOB) -> Task:
    body = TaskBody(title="Call", assignee=Assignee(user_id="bob"), due_on=date(2026, 12, 1))
    return replace(new_task("task", ONE, body, assignee, caller(), now=NOW), state=state)


def standing(who: Caller) -> Standing:
    found = standing_of(who, ONE.acl)
    assert found is not None
    return found


def moved(state: TaskState, to: TaskState, who: Caller, reason: str | None = "Because") -> str:
    changes = TaskChanges(state=to) if reason is None else TaskChanges(state=to, reason=reason)
    try:
        return changed(task(state), changes, who, standing(who), NOW).state
    except ConcordatError as problem:
        return type(problem).__name__


STATES: tuple[TaskState, ...] = get_args(TaskState)
ASSIGNEES = {("offered", "accepted"), ("offered", "declined"), ("accepted", "done")}
CONTRIBUTORS = {("offered", "cancelled"), ("accepted", "cancelled")}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("to", STATES)
def test_every_move_is_the_assignees_the_contributors_or_nobodys(state: TaskState, to: TaskState) -> None:
    if (state, to) in ASSIGNEES:
        expected = (to, Refused.__name__)
    elif (state, to) in CONTRIBUTORS:
        expected = (LevelTooLow.__name__, to)
    else:
        expected = (InvalidTransition.__name__,) * 2
    assert (moved(state, to, BOB), moved(state, to, caller())) == expected


def test_a_team_s_task_is_moved_by_anybody_in_it() -> None:
    team = AssignedTo("t:night", "Night", "housing", ("t:night",))
    changes = TaskChanges(state="accepted")
    assert changed(task(assignee=team), changes, BOB, standing(BOB), NOW).state == "accepted"


def test_declining_and_cancelling_need_a_reason() -> None:
    assert moved("offered", "declined", BOB, None) == Invalid.__name__
    assert moved("offered", "cancelled", caller(), None) == Invalid.__name__
    assert moved("offered", "accepted", BOB, None) == "accepted"


def test_another_day_is_the_contributors_to_give_and_nothing_is_no_change() -> None:
    changes = TaskChanges(due_on=date(2027, 1, 1))
    assert changed(task(), changes, caller(), standing(caller()), NOW).due_on == "2027-01-01"
    with pytest.raises(LevelTooLow):
        changed(task(), changes, BOB, standing(BOB), NOW)
    with pytest.raises(InvalidTransition):
        changed(task("done"), changes, caller(), standing(caller()), NOW)
    with pytest.raises(Invalid):
        changed(task(), TaskChanges(outcome="X"), BOB, standing(BOB), NOW)


def test_a_change_is_always_later_than_the_one_before() -> None:
    assert changed(task(), TaskChanges(state="accepted"), BOB, standing(BOB), NOW).updated_at > NOW


def test_a_task_stays_while_the_list_names_its_assignee() -> None:
    for shares, stays in (
        ((share("bob", "housing"),), True),
        ((share("x", "housing", team_ids=("night",)),), True),
        ((share("bob", "housing", level="know"),), False),
        ((share("bob", "elsewhere"),), False),
        ((), False),
    ):
        assert keeps_access(FOR_BOB, acl(*shares)) is stays
    back = returned(task("accepted"), acl().owner, NOW)
    assert (back.assignee.key, back.state) == ("u:ann", "offered")
    assert keeps_access(back.assignee, acl())


def test_a_light_participant_sees_its_own_at_any_level() -> None:
    one = case(share("bob", "housing", level="contribute"))
    light = caller("bob", "housing", roles=("light_participant",))
    found = standing_of(light, one.acl)
    assert found is not None
    assert not sees_all(light, found)
    assert sees_all(BOB, found)
