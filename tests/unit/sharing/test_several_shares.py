"""A change of one share of several: the others stay as they are, but for those that ran out long ago."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.contracts.authority import Question
from services.contracts.paging import Ref
from services.sharing.domain.glass import broken
from services.sharing.domain.knowing import may_know
from services.sharing.domain.known import caller_of
from services.sharing.domain.ownership import KEPT_AFTER_EXPIRY, Ending, end, replace
from services.sharing.domain.transfers import taken_over
from tests.unit.sharing.grants import (
    HOMES,
    LATER,
    NOW,
    OWNER,
    POLICE,
    grant,
    known,
    own_team,
    ownership,
    today,
)
from tests.unit.sharing.test_transfers import DUE, JO, LEE, offer, taking

FORMER = grant(id="s-0", user_ids=("u-kim",), expires_at=NOW - KEPT_AFTER_EXPIRY)
RECENT = grant(id="s-9", user_ids=("u-max",), expires_at=NOW - KEPT_AFTER_EXPIRY + timedelta(seconds=1))


def test_other_terms_are_put_in_the_place_of_one_share_alone() -> None:
    wider = grant(level="contribute")
    change = replace(ownership(own_team(), grant(), RECENT, FORMER), wider, NOW)
    assert change.after.grants == (own_team(), wider, RECENT)
    assert [(one.grant.id, one.ended_at, one.ending) for one in change.past] == [
        ("s-0", FORMER.expires_at, None)
    ]
    assert not change.narrowing


def test_one_share_ends_and_with_it_what_ran_out_long_before_that_instant() -> None:
    ending = Ending(at=NOW, by=OWNER.user, agency=POLICE, reason="no_longer_needed")
    change = end(ownership(own_team(), grant(), RECENT, FORMER), grant(), ending)
    assert change.after.grants == (own_team(), RECENT)
    assert [(one.grant.id, one.ended_at) for one in change.past] == [("s-1", NOW), ("s-0", FORMER.expires_at)]
    assert change.narrowing


def test_a_broken_glass_has_the_regime_of_the_agency_that_looks() -> None:
    who = caller_of(known(), today().on, NOW)
    kinds = ("police", "housing_association")
    regimes = [broken(who, "g-1", NOW, timedelta(hours=1), kind).regime for kind in kinds]
    assert regimes == ["part3", "uk_gdpr"]


@pytest.mark.parametrize("alert", [True, False])
def test_a_team_is_never_told_anything(alert: bool) -> None:
    """It has no inbox: what is for it is for its members."""
    team = known("team", "t-wardens", roles=("practitioner",))
    as_jo = caller_of(known(), today().on, NOW)
    question = Question(principal_id="t-wardens", case_id="k-1", alert=alert)
    assert not may_know(question, team, as_jo, ownership(grant()).acl)
    if not alert:
        assert may_know(question, known(), as_jo, ownership(grant()).acl)


# When a case is taken over


def test_who_accepted_and_why_is_kept() -> None:
    change = taken_over(ownership(), taking(offer(), reason="We know the family"), today())
    assert change.decided is not None
    assert (change.decided.by, change.decided.reason, change.decided.at) == (JO, "We know the family", NOW)


def test_a_share_of_a_team_or_a_system_alone_goes_on() -> None:
    team = grant(id="s-2", user_ids=(), team_ids=("t-wardens",))
    system = grant(id="s-3", user_ids=(), client_ids=("c-homes",))
    nobody = grant(id="s-4", user_ids=("u-owner",))
    one = offer(to=LEE, agency=POLICE)
    after = taken_over(ownership(team, system, nobody), taking(one), today()).after
    assert [share.id for share in after.grants] == ["s-2", "s-3"]


def test_what_rests_on_a_protocol_that_is_not_there_ends() -> None:
    charity = Ref(id="a-charity", name="Charity")
    lost = grant(id="s-2", agency=charity, protocol_id="p-9")
    after = taken_over(ownership(lost), taking(offer()), today()).after
    assert after.grants == ()


def test_only_what_is_changed_counts_as_changed() -> None:
    long_ago = NOW - timedelta(days=30)
    same = grant(id="s-2", agency=HOMES, consent=None, updated_at=long_ago)
    touched = grant(id="s-3", updated_at=long_ago)
    one = offer(to=LEE, agency=POLICE)
    after = taken_over(ownership(same, touched), taking(one), today()).after
    assert after.grants[0] == same
    assert (after.grants[1].updated_at, after.grants[1].confirm_by) == (NOW, DUE)
    assert after.grants[1].expires_at == LATER


def test_the_members_of_a_share_are_told_apart_by_kind() -> None:
    named = grant(user_ids=("x-1",), team_ids=("x-2",), client_ids=("x-3",))
    assert named.members() == {"u:x-1", "t:x-2", "c:x-3"}
