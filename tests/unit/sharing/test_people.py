"""Roles with dates, who may give which, and the states of an account."""

from __future__ import annotations

from typing import Any

import pytest

from services.contracts.errors import Invalid, InvalidTransition
from services.sharing.domain.people import Appointment, check_move, check_roles, roles_on, works_on_cases
from tests.unit.sharing.people import DAY, TODAY

ADMIN, OPERATOR = ("agency_admin",), ("system_operator",)


def codes(refused: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(one.pointer, one.code) for one in refused.value.errors]


def test_a_role_begins_and_ends_by_itself() -> None:
    held = (
        Appointment("practitioner"),
        Appointment("supervisor", TODAY + DAY),
        Appointment("agency_dpo", None, TODAY),
        Appointment("agency_admin", TODAY, TODAY - DAY),
        Appointment("practitioner", TODAY),
    )
    assert roles_on(held, TODAY) == ("practitioner", "agency_dpo")
    assert roles_on(held, TODAY + DAY) == ("practitioner", "supervisor")


@pytest.mark.parametrize(
    ("givers", "own", "role", "allowed"),
    [
        (ADMIN, True, "practitioner", True),
        (ADMIN, True, "agency_admin", True),
        (ADMIN, True, "agency_dpo", True),
        (ADMIN, True, "governance_member", True),
        (ADMIN, True, "system_operator", False),
        (ADMIN, True, "partnership_dpo", False),
        (ADMIN, True, "security_manager", False),
        (ADMIN, False, "practitioner", False),
        (OPERATOR, False, "agency_admin", True),
        (OPERATOR, False, "partnership_dpo", True),
        (OPERATOR, False, "security_manager", True),
        (OPERATOR, True, "system_operator", True),
        (OPERATOR, False, "practitioner", False),
        (OPERATOR, False, "supervisor", False),
        (("supervisor",), True, "practitioner", False),
    ],
)
def test_who_may_give_which_role(givers: Any, own: bool, role: Any, allowed: bool) -> None:
    if allowed:
        check_roles([Appointment(role)], (), givers, own_agency=own)
    else:
        with pytest.raises(Invalid) as refused:
            check_roles([Appointment(role)], (), givers, own_agency=own)
        assert codes(refused) == [("/roles/0/role", "not_yours_to_give")]


def test_what_was_given_by_others_stays_and_is_not_taken_away() -> None:
    given = (Appointment("partnership_dpo"), Appointment("practitioner"))
    check_roles([Appointment("partnership_dpo")], given, ADMIN, own_agency=True)
    with pytest.raises(Invalid) as refused:
        check_roles([], given, ADMIN, own_agency=True)
    assert codes(refused) == [("/roles", "not_yours_to_take")]


def test_a_role_does_not_end_before_it_starts() -> None:
    with pytest.raises(Invalid) as refused:
        check_roles([Appointment("practitioner", TODAY, TODAY - DAY)], (), ADMIN, own_agency=True)
    assert codes(refused) == [("/roles/0/ends_on", "before_start")]


@pytest.mark.parametrize(
    ("present", "to", "has_password", "allowed"),
    [
        ("invited", "disabled", False, True),
        ("invited", "active", False, False),
        ("active", "disabled", True, True),
        ("active", "active", True, False),
        ("disabled", "active", True, True),
        ("disabled", "active", False, False),
        ("disabled", "disabled", True, False),
    ],
)
def test_an_account_moves_as_the_table_says(present: Any, to: Any, has_password: bool, allowed: bool) -> None:
    if allowed:
        check_move(present, to, has_way_in=has_password)
    else:
        with pytest.raises(InvalidTransition):
            check_move(present, to, has_way_in=has_password)


def test_a_role_to_come_leads_to_content_as_well() -> None:
    assert works_on_cases([Appointment("practitioner", TODAY + DAY)])
    assert not works_on_cases([Appointment("agency_admin")])
