"""Broken glass and conflicts: what they open, whom they shut out, who looks into it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.contracts.access import decide, standing_of
from services.contracts.authority import Question
from services.contracts.caller import Caller
from services.contracts.errors import (
    AlreadyExists,
    CannotBeNamed,
    InvalidTransition,
    LevelTooLow,
    NotOwner,
    OwnerHasConflict,
)
from services.contracts.paging import Ref
from services.contracts.permissions import PERMITS
from services.contracts.sharing.shares import ShareChange
from services.contracts.vocabulary import SECTIONS
from services.sharing.domain.amending import amend
from services.sharing.domain.conflicts import declare
from services.sharing.domain.glass import broken, called, from_its_side, in_force, opens, reviews, wait
from services.sharing.domain.knowing import may_know
from services.sharing.domain.known import caller_of
from services.sharing.domain.ownership import Conflict, Ownership, give
from services.sharing.domain.terms import propose
from tests.unit.sharing.grants import HOMES, NOW, OWNER, POLICE, body, facts, grant, known, ownership, today

HOUR = timedelta(hours=1)
DECLARED_BY = Ref(id="u-owner", name="Olive Owner")


def caller(id: str = "u-jo", agency: Ref = HOMES, now: Any = NOW, **changed: Any) -> Caller:
    changed.setdefault("roles", ("practitioner",))
    return caller_of(known(id=id, agency=agency, **changed), today().on, now)


def glass(who: Caller, **changed: Any) -> Any:
    return broken(who, "g-1", NOW, HOUR, "housing_association").model_copy(update=changed)


def with_glass(who: Caller, *grants: Any, **changed: Any) -> Ownership:
    return give(ownership(*grants, **changed), glass(who), NOW).after


def conflict(user: str = "u-jo", agency: Ref = HOMES) -> Conflict:
    return Conflict(
        id="c-1",
        user=Ref(id=user, name="Jo"),
        agency=agency,
        kind="neighbour",
        reason="Lives next door",
        declared_by=DECLARED_BY,
        declared_at=NOW,
    )


def test_it_opens_every_section_but_safe_contact_to_one_person_for_reading() -> None:
    jo = caller()
    acl = with_glass(jo).acl
    standing = standing_of(jo, acl)
    assert standing is not None
    assert (standing.via, standing.level, standing.until) == ("break_glass", "read", NOW + HOUR)
    assert set(standing.sections) == set(SECTIONS) - {"safe_contact"}
    assert standing_of(caller("u-other"), acl) is None
    assert standing_of(caller("u-jo", POLICE), acl) is None


def test_it_ends_at_its_instant() -> None:
    acl = with_glass(caller()).acl
    just_before = NOW + HOUR - timedelta(milliseconds=1)
    assert standing_of(caller(now=just_before), acl) is not None
    assert standing_of(caller(now=NOW + HOUR), acl) is None


@pytest.mark.parametrize("method", ["share_case", "list_access", "list_conflicts", "revoke_share"])
def test_who_broke_it_has_none_of_the_owners_rights(method: str) -> None:
    decision = decide(caller(), with_glass(caller()).acl, PERMITS["sharing"][method])
    assert isinstance(decision.refusal, NotOwner)


def test_who_broke_it_writes_nothing() -> None:
    decision = decide(caller(), with_glass(caller()).acl, PERMITS["cases"]["add_entry"], section="timeline")
    assert isinstance(decision.refusal, LevelTooLow)


def test_who_is_on_the_perpetrators_side_by_a_share_does_not_see_the_victim_by_glass() -> None:
    acl = with_glass(caller(), grant(side="perpetrator", level="know", sections=())).acl
    standing = standing_of(caller(), acl)
    assert standing is not None
    assert "victim" not in standing.sections
    assert "timeline" in standing.sections


@pytest.mark.parametrize("named", [{"user_ids": ("u-jo",)}, {"user_ids": (), "team_ids": ("t-homes",)}])
def test_nor_by_a_share_on_that_side_that_was_handed_back_before(named: Any) -> None:
    who = caller(team_ids=("t-homes",))
    before = grant(side="perpetrator", **named)
    assert "victim" in from_its_side(glass(who), who, [grant(side="victim", **named)]).sections
    assert "victim" not in from_its_side(glass(who), who, [before]).sections
    other = before.model_copy(update={"agency": POLICE})
    assert "victim" in from_its_side(glass(who), who, [other]).sections


def test_for_whom_there_is_a_conflict_it_opens_nothing() -> None:
    acl = ownership(conflicts=(conflict(),)).acl
    assert opens(acl, glass(caller()), caller()) is None
    assert opens(ownership().acl, glass(caller()), caller()) is not None


def test_nor_where_an_agency_is_not_in_force() -> None:
    there = caller_of(known(roles=("practitioner",)), today(police="suspended").on, NOW)
    assert opens(ownership().acl, glass(there), there) is None


def test_the_one_that_is_broken_already_is_found_until_it_ends() -> None:
    found = with_glass(caller())
    present = in_force(found, caller(), NOW)
    assert present is not None
    assert present.id == "g-1"
    assert in_force(found, caller("u-other"), NOW) is None
    assert in_force(found, caller(), NOW + HOUR) is None
    assert in_force(ownership(grant()), caller(), NOW) is None  # a share is none


def test_it_is_changed_in_no_way() -> None:
    for change in (ShareChange(level="manage"), ShareChange(sections=SECTIONS), ShareChange(note="x")):
        with pytest.raises(InvalidTransition):
            amend(glass(caller()), change, facts())


def test_so_many_in_a_day_and_no_more() -> None:
    times = [NOW - timedelta(hours=hours) for hours in (30, 23, 5)]
    assert wait(times, 3, NOW) is None
    assert wait(times, 2, NOW) == 3601
    assert wait([], 1, NOW) is None


def test_what_was_broken_a_day_ago_to_the_instant_does_not_count() -> None:
    assert wait([NOW - 24 * HOUR], 1, NOW) is None
    just_inside = NOW - 24 * HOUR + timedelta(microseconds=1)
    assert wait([just_inside], 1, NOW) == 1


def test_owner_and_officers_answer_for_a_case_and_nobody_else() -> None:
    acl = with_glass(caller()).acl
    for answers, who in (
        (True, caller("u-owner", POLICE)),
        (True, caller("u-dpo", POLICE, roles=("agency_dpo",))),
        (True, caller("u-all", HOMES, roles=("partnership_dpo",))),
        (False, caller("u-dpo", HOMES, roles=("agency_dpo",))),
        (False, caller("u-owner", HOMES)),  # moved to another agency
        (False, caller("u-adm", POLICE, roles=("agency_admin", "supervisor"))),
        (False, caller()),
    ):
        assert reviews(who, acl) is answers, who


def test_an_officer_under_conflict_is_not_told() -> None:
    acl = ownership(conflicts=(conflict("u-dpo", POLICE),)).acl
    assert not reviews(caller("u-dpo", POLICE, roles=("agency_dpo",)), acl)


def test_the_calling_is_addressed_to_the_owner_and_to_offices() -> None:
    assert called(ownership().acl) == ("u:u-owner", "o:agency_dpo.a-police", "o:partnership_dpo")


def test_an_alert_is_told_to_an_officer_and_case_news_are_not() -> None:
    officer = known(id="u-dpo", agency=POLICE, roles=("agency_dpo",))
    who = caller_of(officer, today().on, NOW)
    for alert in (True, False):
        question = Question(principal_id="u-dpo", case_id="k-1", alert=alert)
        assert may_know(question, officer, who, ownership().acl) is alert


def test_a_reader_is_told_case_news_and_no_alert() -> None:
    jo = known(roles=("practitioner",))
    for alert in (True, False):
        question = Question(principal_id="u-jo", case_id="k-1", alert=alert)
        assert may_know(question, jo, caller(), ownership(grant()).acl) is not alert


def test_a_conflict_takes_the_case_away_whatever_names_the_user() -> None:
    before = ownership(grant(), glass(caller()))
    change = declare(before, conflict())
    assert change.narrowing
    assert {HOMES.id, POLICE.id} <= change.agencies
    assert (change.after.epoch, change.after.events) == (before.epoch + 1, before.events + 1)
    assert standing_of(caller(), before.acl) is not None
    assert standing_of(caller(), change.after.acl) is None


def test_the_fence_of_a_conflict_reaches_every_agency_that_a_share_names() -> None:
    """The user may have moved: an old copy of the list is not to be believed there either."""
    moved = declare(ownership(grant()), conflict("u-mo", POLICE))
    assert HOMES.id in moved.agencies


def test_the_owner_cannot_be_shut_out_and_nobody_twice() -> None:
    with pytest.raises(OwnerHasConflict):
        declare(ownership(), conflict(OWNER.user.id, POLICE))
    once = declare(ownership(), conflict()).after
    with pytest.raises(AlreadyExists):
        declare(once, conflict())


def test_whom_there_is_a_conflict_for_cannot_be_named_in_a_share() -> None:
    known_of = facts()
    shut_out = known_of.__class__(
        OWNER, known_of.standing, known_of.protocol, known_of.members, NOW, frozenset({"u-jo"})
    )
    with pytest.raises(CannotBeNamed) as refused:
        propose(body(), shut_out, "s-9", OWNER.user)
    assert refused.value.errors[0].pointer == "/members/0"
    assert propose(body(), known_of, "s-9", OWNER.user).user_ids == ("u-jo",)
