"""The ways into a case, each exactly as the owner is shown it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.contracts.paging import Ref
from services.sharing.domain.audience import blocked_by, ways
from services.sharing.domain.ownership import Conflict
from tests.unit.sharing.grants import HOMES, NOW, OWNER, grant, known, own_team, ownership, today
from tests.unit.sharing.test_audience import OWNER as OLIVE
from tests.unit.sharing.test_audience import WARDEN, seen

CONFLICT = Conflict(
    id="x-1",
    user=Ref(id="u-jo", name="Jo"),
    agency=HOMES,
    kind="neighbour",
    reason="-",
    declared_by=OWNER.user,
    declared_at=NOW,
)


def test_the_owner_stands_there_with_the_owner_team() -> None:
    team = seen(ownership(own_team()))["u-owner"].who.team
    assert team is not None
    assert (team.id, team.name) == ("t-asb", "ASB")


def test_a_team_that_is_not_there_any_more_lets_nobody_in() -> None:
    named = ownership(grant(user_ids=(), team_ids=("t-wardens",)))
    assert list(seen(named, OLIVE, WARDEN)) == ["u-owner"]


@pytest.mark.parametrize("side", [None, "victim"])
def test_the_victims_sections_are_shown_of_a_share_that_has_them(side: Any) -> None:
    shared = ownership(grant(side=side, sections=("summary", "victim", "safe_contact")))
    assert seen(shared)["u-jo"].sections == ("summary", "victim", "safe_contact")


def test_a_way_that_a_conflict_shuts_says_so_to_the_owner() -> None:
    assert seen(ownership(grant(), conflicts=(CONFLICT,)))["u-jo"].blocked_by == "conflict_of_interest"


def test_a_system_is_shut_out_with_the_person_who_answers_for_it() -> None:
    shared = ownership(grant(user_ids=(), client_ids=("c-homes",)), conflicts=(CONFLICT,))
    for accountable, told in (("u-jo", "conflict_of_interest"), ("u-al", None)):
        system = known("client", "c-homes", accountable_id=accountable)
        (way,) = ways(shared, {"c:c-homes": system}, [])
        assert blocked_by(way, shared, today()) == told


def test_who_left_the_team_meanwhile_is_no_member() -> None:
    shared = ownership(grant(user_ids=(), team_ids=("t-wardens",)))
    (way,) = ways(shared, {"t:t-wardens": known("team", "t-wardens")}, [WARDEN])
    left = replace(way, known=replace(WARDEN, team_ids=()))
    assert blocked_by(way, shared, today()) is None
    assert blocked_by(left, shared, today()) == "not_a_member"


def test_an_agency_that_nobody_knows_has_no_rules_of_places() -> None:
    assert today().on.places_of("a-nobody") == ()


def test_a_procedure_is_in_effect_from_its_instant_on() -> None:
    on = today().on
    (published,) = on.standing.procedures
    assert on.current_procedure(published.effective_from) == published
