"""Why somebody may or may not: what each step cites, and who is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.contracts.bars import About
from services.contracts.caller import Caller
from services.contracts.sharing.explain import StepView
from services.sharing.domain.explaining import Asked, explain, may_ask, not_there
from services.sharing.domain.known import Known, Today, caller_of
from services.sharing.domain.ownership import Ownership
from services.sharing.domain.procedures import Published
from services.sharing.domain.standing import AgencyStanding, Standing
from tests.unit.sharing.grants import HOMES, NOW, POLICE, grant, known, own_team, ownership, today
from tests.unit.sharing.people import DAY

ABOUT = About("vemt", "official")
CITING = Published(1, "0" * 64, NOW - DAY, NOW, {"training_required": "4 Training"})


def told(
    who: Known | None = None, case: Ownership | None = None, when: Today | None = None, **more: Any
) -> dict[str, StepView]:
    asked = Asked("read", who or known(), case or ownership(grant()), ABOUT, when or today(), **more)
    found = explain(asked)
    assert found.allowed is all(one.holds is not False for one in found.steps)
    return {one.step: one for one in found.steps}


def wrong(steps: dict[str, StepView]) -> set[str]:
    return {name for name, one in steps.items() if one.holds is False}


def test_missing_training_is_told_with_the_clause_that_asks_for_it() -> None:
    standing = replace(today().on.standing, procedures=(CITING,))
    steps = told(when=Today(standing.on(NOW.date()), NOW), trained=("vemt",))
    assert wrong(steps) == {"training_current"}
    cites = steps["training_current"].cites
    assert cites is not None
    assert (cites.code, cites.clause, cites.use) == ("training_required", "4 Training", "vemt")
    assert wrong(told(known(uses=("vemt",)), trained=("vemt",))) == set()
    assert wrong(told(known(uses=("iom",)), trained=("iom",))) == set(), "required for another use"


def test_where_rules_on_places_are_nobody_knows_before_they_ask() -> None:
    assert told()["place_and_device"].holds is True
    standing = today().on.standing
    ruled: Any = ("a rule",)
    agencies = {
        **standing.agencies,
        HOMES.id: AgencyStanding("Homes", "housing_association", "active", ruled),
    }
    when = Today(Standing(1, 1, agencies, standing.protocols, standing.procedures).on(NOW.date()), NOW)
    assert told(when=when)["place_and_device"].holds is None


def test_each_refusal_before_the_case_is_told_beside_those_of_the_case() -> None:
    who = known(because="account_disabled", account="account_disabled", procedure="procedure_unsigned")
    steps = told(who, ownership(grant(expires_at=NOW)))
    assert wrong(steps) == {"principal_active", "procedure_signed", "grant_in_date"}
    assert [steps[one].cites.code for one in ("principal_active", "procedure_signed")] == [  # type: ignore[union-attr]
        "account_disabled",
        "procedure_unsigned",
    ]


def test_a_suspended_agency_and_a_conflict_say_what_they_are() -> None:
    steps = told(when=today(homes="suspended"))
    assert wrong(steps) == {"protocol_active", "agencies_active"}
    assert {steps[one].cites.code for one in wrong(steps)} == {"agency_suspended"}  # type: ignore[union-attr]


def test_a_reason_is_asked_of_people_of_other_agencies_alone() -> None:
    assert told()["reason_given"].holds is None
    colleague = known(id="u-c", agency=POLICE, team_ids=("t-asb",))
    assert told(colleague, ownership(own_team()))["reason_given"].holds is True


def test_before_anything_was_there_nothing_is_held() -> None:
    found = explain(Asked("read", not_there(known()), None, ABOUT, today()))
    assert not found.allowed
    held = {one.step for one in found.steps if one.holds}
    assert held <= {"training_current", "place_and_device", "no_conflict", "agencies_active"}


def officer(role: str, agency_id: str, **more: Any) -> Caller:
    who = known(id="u-dpo", roles=(role,))
    caller = caller_of(who, today().on, NOW)
    return caller.model_copy(update={"agency_id": agency_id, **more})


@pytest.mark.parametrize(
    ("asks", "of_agency", "concerned", "may"),
    [
        (officer("practitioner", POLICE.id, id="u-owner"), HOMES.id, False, True),
        (officer("practitioner", HOMES.id, id="u-owner"), HOMES.id, True, False),
        (officer("partnership_dpo", "a-opcc"), HOMES.id, False, True),
        (officer("agency_dpo", POLICE.id), HOMES.id, True, True),
        (officer("agency_dpo", HOMES.id), HOMES.id, True, True),
        (officer("agency_dpo", HOMES.id), HOMES.id, False, False),
        (officer("agency_dpo", HOMES.id), POLICE.id, True, False),
        (officer("agency_dpo", HOMES.id), None, True, False),
        (officer("agency_admin", POLICE.id), POLICE.id, True, False),
        (officer("partnership_dpo", "a-opcc", kind="client"), HOMES.id, True, False),
    ],
)
def test_who_may_ask(asks: Caller, of_agency: str | None, concerned: bool, may: bool) -> None:
    assert may_ask(asks, ownership(grant()).acl, of_agency, concerned=concerned) is may
    excluded = ownership(grant()).acl.model_copy(update={"excluded": (asks.id,)})
    assert not may_ask(asks, excluded, of_agency, concerned=concerned), "to nobody under conflict"
