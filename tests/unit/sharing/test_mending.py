"""A case of a copy that was put back, beside the list that its holder has: the narrower of the two wins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.access import AccessList, Owner, Share
from services.contracts.paging import Ref
from services.contracts.restores import AuthorityMark
from services.contracts.vocabulary import LEVELS, SECTIONS
from services.sharing.domain.mending import RESTORED, Facts, Mended, Told, mend, narrower, unheld, unread
from services.sharing.domain.ownership import Conflict, Grant, Ownership, register
from tests.unit.sharing.grants import HOMES, LATER, NOW, OWNER, POLICE

FACTS = Facts(
    term=5,
    now=NOW,
    opened_at=NOW - timedelta(days=3),
    heard=7,
    regime="part3",
    people={},
    new_id=lambda: "new",
)
OTHER = Owner(user=Ref(id="u-next", name="Nora Next"), agency=POLICE, team=Ref(id="t-next", name="Next"))


def grant(share_id: str = "s-1", **changed: Any) -> Grant:
    terms: dict[str, Any] = {
        "id": share_id,
        "kind": "share",
        "agency": HOMES,
        "user_ids": ("u-jo", "u-lee"),
        "level": "contribute",
        "sections": ("summary", "victim", "timeline"),
        "protocol_id": "p-1",
        "purpose": "crime_prevention",
        "expires_at": LATER,
        "regime": "uk_gdpr",
        "granted_by": OWNER.user,
        "granted_at": NOW,
        "updated_at": NOW,
    }
    return Grant.model_validate({**terms, **changed})


def copy_of(*grants: Grant, **changed: Any) -> Ownership:
    made = register("c-1", OWNER, client=None, regime="part3", term=2, share_id="s-team", now=NOW)
    update = {"epoch": 4, "events": 3, "confirmed": True, "grants": (*made.grants, *grants), **changed}
    return made.model_copy(update=update)


def held(copy: Ownership, epoch: int = 6, **changed: Any) -> AccessList:
    return copy.acl.model_copy(update={"epoch": epoch, **changed})


def shares(mended: Mended) -> tuple[str, ...]:
    return tuple(one.id for one in mended.after.grants)


def test_a_case_that_did_not_change_is_the_same_in_the_new_term_under_a_later_epoch() -> None:
    copy = copy_of(grant())
    mended = mend(copy, held(copy, 4), FACTS)
    assert (mended.after.term, mended.after.epoch, mended.after.events) == (5, 5, 7)
    assert mended.after.model_copy(update={"term": 2, "epoch": 4, "events": 3}) == copy
    assert (mended.told, mended.past) == ((), ())


def test_what_the_holder_no_longer_has_ends_and_is_among_the_past_shares() -> None:
    copy = copy_of(grant())
    mended = mend(copy, held(copy, shares=copy.acl.shares[:1]), FACTS)
    assert shares(mended) == ("s-team",)
    assert mended.told == (Told("share_ended", "s-1"),)
    (past,) = mended.past
    assert past.ending is not None
    assert (past.grant.id, past.ending.reason, past.ended_at) == ("s-1", RESTORED, NOW)
    assert mended.after.epoch == 7


def test_what_had_run_out_in_the_copy_is_past_without_anybody_ending_it() -> None:
    copy = copy_of(grant(expires_at=NOW - timedelta(days=1)))
    (past,) = mend(copy, held(copy, shares=()), FACTS).past[1:]
    assert (past.ending, past.ended_at) == (None, NOW - timedelta(days=1))


def test_what_only_the_holder_has_is_not_given_for_nobody_knows_what_it_rests_on() -> None:
    copy = copy_of()
    mended = mend(copy, held(copy, shares=(*copy.acl.shares, grant("s-2").share())), FACTS)
    assert shares(mended) == ("s-team",)
    assert mended.told == (Told("share_lost", "s-2"),)
    assert HOMES.id in mended.agencies


def test_a_share_in_both_gives_what_both_give() -> None:
    copy = copy_of(grant())
    beside = grant(
        user_ids=("u-lee", "u-kim"),
        level="read",
        sections=("summary", "timeline", "risk"),
        side="perpetrator",
        expires_at=LATER - timedelta(days=9),
    )
    mended = mend(copy, held(copy, shares=(copy.acl.shares[0], beside.share())), FACTS)
    after = mended.after.grant("s-1")
    assert after is not None
    assert (after.user_ids, after.level, after.sections) == (("u-lee",), "read", ("summary", "timeline"))
    assert (after.side, after.expires_at) == ("perpetrator", LATER - timedelta(days=9))
    assert mended.told == (Told("share_narrowed", "s-1"),)


@pytest.mark.parametrize(
    "changed",
    [
        {"protocol_id": "p-2"},
        {"purpose": "other"},
        {"agency_id": "a-charity"},
        {"user_ids": ("u-kim",)},
        {"sections": ("risk",)},
    ],
)
def test_a_share_that_has_nothing_in_common_with_the_holders_ends(changed: dict[str, Any]) -> None:
    assert narrower(grant(), grant().share().model_copy(update=changed), NOW) is None


def test_conflicts_of_both_stay() -> None:
    conflict = Conflict(
        id="k-1",
        user=Ref(id="u-one", name="One"),
        agency=POLICE,
        kind="household",
        reason="Family",
        declared_by=OWNER.user,
        declared_at=NOW,
    )
    copy = copy_of(conflicts=(conflict,))
    mended = mend(copy, held(copy, excluded=("u-two",)), FACTS)
    assert mended.after.acl.excluded == ("u-one", "u-two")
    assert mended.told == (Told("conflict_kept", "u-two"),)


def test_a_case_that_was_handed_over_is_the_new_owners_with_the_new_owners_team() -> None:
    copy = copy_of(grant(), ownerless_since=NOW)
    team = Share(
        id="s-next", kind="team", agency_id=POLICE.id, team_ids=("t-next",), level="read", sections=("risk",)
    )
    mended = mend(copy, held(copy, owner=OTHER, shares=(team, grant("s-2").share())), FACTS)
    assert mended.after.owner == OTHER
    assert shares(mended) == ("s-next",)
    assert mended.after.ownerless_since is None
    assert [one.what for one in mended.told] == ["owner_changed", "share_ended", "share_ended", "share_lost"]


def test_a_team_that_was_let_in_since_by_the_same_owner_is_not_let_in() -> None:
    copy = copy_of()
    team = copy.acl.shares[0].model_copy(update={"id": "s-new", "team_ids": ("t-other",)})
    mended = mend(copy, held(copy, shares=(copy.acl.shares[0], team)), FACTS)
    assert shares(mended) == ("s-team",)
    assert mended.told == (Told("share_lost", "s-new"),)


def test_a_case_that_the_copy_does_not_know_has_its_owner_and_the_owners_team_back() -> None:
    copy = copy_of(grant())
    mended = mend(None, held(copy, 3, excluded=("u-two",)), FACTS)
    after = mended.after
    assert (after.owner, after.term, after.epoch, after.events) == (OWNER, 5, 4, 7)
    assert (shares(mended), after.acl.excluded, after.confirmed) == (("s-team",), ("u-two",), True)
    assert after.registered_at == FACTS.opened_at
    assert mended.told == (Told("owner_regained", "u-owner"), Told("share_lost", "s-1"))


def test_where_the_holder_had_not_heard_of_the_last_change_the_copy_stands() -> None:
    copy = copy_of()
    behind = held(copy, 3, shares=(*copy.acl.shares, grant("s-2").share()))
    mended = mend(copy, behind, FACTS)
    assert (shares(mended), mended.after.epoch, mended.told) == (("s-team",), 5, ())
    assert HOMES.id in mended.agencies  # whose fence keeps the holder's older list from being believed


def test_a_registration_without_a_case_is_left_to_the_sweep_and_a_lost_case_is_told() -> None:
    registered = copy_of(confirmed=False)
    mended = unheld(registered, 5, 0)
    assert (mended.after.confirmed, mended.after.term, mended.after.epoch) == (False, 5, 5)
    assert mended.told == ()
    assert unheld(copy_of(), 5, 9).told == (Told("holder_missing", "c-1"),)
    assert unheld(copy_of(), 5, 9).after.events == 9


@pytest.mark.parametrize("owner", [OWNER, OTHER])
def test_where_the_holders_list_is_damaged_the_case_is_its_owners_alone(owner: Owner) -> None:
    """What was ended since the copy is not known: so everything is, in an epoch that was never used."""
    copy = copy_of(grant())
    left = AccessList(case_id="c-1", term=0, epoch=0, owner=owner)
    mended = unread(copy, left, FACTS)
    assert mended.told[0] == Told("list_unreadable", "c-1")
    assert {one.what for one in mended.told[1:]} >= {"share_ended"}
    assert (mended.after.owner, mended.after.grants) == (owner, ())
    assert (mended.after.term, mended.after.epoch) == (5, 5)
    assert {one.grant.id for one in mended.past} == {"s-1", "s-team"}
    alone = unread(None, left, FACTS)
    assert (alone.after.owner, alone.after.grants, alone.after.confirmed) == (owner, (), True)


PEOPLE = ("u-jo", "u-lee", "u-kim")


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    return grant(
        user_ids=tuple(draw(st.lists(st.sampled_from(PEOPLE), unique=True, min_size=1))),
        level=draw(st.sampled_from(LEVELS)),
        sections=tuple(one for one in SECTIONS if draw(st.booleans())),
        side=draw(st.sampled_from((None, "victim", "perpetrator"))),
        expires_at=NOW + timedelta(days=draw(st.integers(1, 9))),
    )


@given(grants(), grants())
def test_nothing_is_given_that_one_of_the_two_does_not_give(one: Grant, other: Grant) -> None:
    found = narrower(one, other.share(), NOW)
    if found is None:
        return
    for each in (one, other):
        assert set(found.user_ids) <= set(each.user_ids)
        assert set(found.sections) <= set(each.sections)
        assert LEVELS.index(found.level) <= LEVELS.index(each.level)
        assert found.expires_at is not None
        assert each.expires_at is not None
        assert found.expires_at <= each.expires_at
        assert each.side != "perpetrator" or found.side == "perpetrator"


@pytest.mark.parametrize(
    ("later", "behind"),
    [((1, 5, 3), False), ((2, 5, 3), True), ((1, 6, 3), True), ((1, 5, 4), True), ((1, 4, 2), False)],
)
def test_a_database_is_behind_when_more_was_seen_of_anything(
    later: tuple[int, int, int], *, behind: bool
) -> None:
    mine = AuthorityMark(term=1, beat=5, standing=3)
    other = AuthorityMark(term=later[0], beat=later[1], standing=later[2])
    assert mine.behind(other) is behind
