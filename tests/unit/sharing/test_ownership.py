"""What a change of an ownership makes: the next epoch, who is concerned, whether anybody loses by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.contracts.vocabulary import LEVELS, SECTIONS
from services.sharing.domain.comparing import state_of, widens
from services.sharing.domain.ownership import (
    KEPT_AFTER_EXPIRY,
    Ending,
    Ownership,
    decoy,
    end,
    give,
    register,
    replace,
)
from tests.unit.sharing.grants import HOMES, LATER, NOW, OWNER, POLICE, grant, own_team, ownership

ENDING = Ending(at=NOW, by=OWNER.user, agency=POLICE, reason="no_longer_needed")


def registered(**changed: Any) -> Ownership:
    given = {"client": None, "regime": "part3", "term": 3, "share_id": "s-t", "now": NOW}
    return register("k-1", changed.pop("owner", OWNER), **{**given, **changed})


def test_a_new_case_is_at_epoch_one_with_a_share_for_the_owners_team() -> None:
    found = registered()
    assert (found.term, found.epoch, found.events, found.confirmed) == (3, 1, 0, False)
    (share,) = found.acl.shares
    assert (share.kind, share.level, share.sections) == ("team", "contribute", SECTIONS)
    assert (share.agency_id, share.team_ids, share.expires_at, share.protocol_id) == (
        "a-police",
        ("t-asb",),
        None,
        None,
    )


def test_without_a_team_there_is_no_share_and_a_client_that_opened_it_is_named() -> None:
    alone = OWNER.model_copy(update={"team": None})
    assert registered(owner=alone).grants == ()
    (found,) = registered(owner=alone, client=HOMES).grants
    assert (found.client_ids, found.team_ids, found.level) == (("a-homes",), (), "contribute")


def test_the_decoy_has_a_list_of_its_own_that_names_nobody() -> None:
    found = decoy().acl
    assert len(found.shares) == 2
    assert not [one for one in found.readers() if one[2:].strip("-")]


def test_giving_takes_the_next_epoch_and_the_next_event_number() -> None:
    change = give(ownership(own_team()), grant(), NOW)
    assert (change.before, change.after.epoch, change.after.events) == (4, 5, 3)
    assert [one.id for one in change.after.grants] == ["s-t", "s-1"]
    assert change.agencies == {"a-police", "a-homes"}
    assert not change.narrowing
    assert change.past == ()


def test_to_put_somebody_on_the_perpetrators_side_takes_something_away() -> None:
    assert give(ownership(), grant(side="perpetrator"), NOW).narrowing
    assert not give(ownership(), grant(side="victim"), NOW).narrowing


def test_ending_narrows_and_keeps_the_share_among_the_past_ones() -> None:
    before = ownership(own_team(), grant())
    change = end(before, before.grants[1], ENDING)
    assert change.narrowing
    assert [one.id for one in change.after.grants] == ["s-t"]
    (past,) = change.past
    assert (past.grant.id, past.case_id, past.ending, past.ended_at) == ("s-1", "k-1", ENDING, NOW)


def test_what_ran_out_long_ago_goes_with_the_next_change() -> None:
    old = grant(id="s-0", expires_at=NOW - KEPT_AFTER_EXPIRY)
    recent = grant(id="s-2", expires_at=NOW - timedelta(hours=1))
    change = give(ownership(old, recent), grant(), NOW)
    assert [one.id for one in change.after.grants] == ["s-2", "s-1"]
    (past,) = change.past
    assert (past.grant.id, past.ending, past.ended_at) == ("s-0", None, old.expires_at)
    assert not change.narrowing


@pytest.mark.parametrize(
    ("changed", "wider", "narrower"),
    [
        ({}, False, False),
        ({"note": "another"}, False, False),
        ({"level": "contribute"}, True, False),
        ({"level": "know"}, False, True),
        ({"sections": ("summary", "timeline", "risk")}, True, False),
        ({"sections": ("summary",)}, False, True),
        ({"sections": ("risk",)}, True, True),
        ({"user_ids": ("u-jo", "u-al")}, True, False),
        ({"user_ids": ("u-al",)}, True, True),
        ({"user_ids": (), "client_ids": ("u-jo",)}, True, True),
        ({"expires_at": LATER + timedelta(days=1)}, True, False),
        ({"expires_at": LATER - timedelta(days=1)}, False, True),
        ({"side": "perpetrator"}, False, True),
        ({"side": "victim"}, False, True),
        ({"protocol_id": "p-2"}, True, True),
        ({"legal_gateway": "other"}, True, True),
    ],
)
def test_what_widens_and_what_narrows(changed: dict[str, Any], wider: bool, narrower: bool) -> None:
    before, after = grant(), grant(**changed)
    assert widens(before, after) is wider
    change = replace(ownership(before), after, NOW)
    assert change.narrowing is narrower
    assert change.after.grants == (after,)


def test_to_leave_the_perpetrators_side_widens_and_to_join_it_narrows() -> None:
    side = grant(side="perpetrator")
    assert widens(side, grant())
    assert replace(ownership(side), grant(side="perpetrator", user_ids=("u-jo", "u-al")), NOW).narrowing
    assert not widens(side, grant(side="perpetrator", level="know"))


def test_a_share_without_an_end_outlasts_every_other() -> None:
    open_end = own_team()
    assert open_end.ends_at is None
    assert not widens(open_end, open_end)
    dated = open_end.model_copy(update={"expires_at": LATER})
    assert widens(dated, open_end)
    assert not widens(open_end, dated)
    assert replace(ownership(open_end), dated, NOW).narrowing
    assert not replace(ownership(dated), open_end, NOW).narrowing


@pytest.mark.parametrize(("before", "after"), [(a, b) for a in LEVELS for b in LEVELS])
def test_a_level_widens_upwards_and_narrows_downwards(before: Any, after: Any) -> None:
    first, second = LEVELS.index(before), LEVELS.index(after)
    assert widens(grant(level=before), grant(level=after)) is (second > first)
    assert replace(ownership(grant(level=before)), grant(level=after), NOW).narrowing is (second < first)


def test_the_state_of_a_share_is_worked_out_when_it_is_read() -> None:
    def state(one: Any = None, agencies: tuple[str, ...] = (), protocols: tuple[str, ...] = ()) -> str:
        return state_of(one or grant(), OWNER, NOW, inactive_agencies=agencies, inactive_protocols=protocols)

    assert state() == "active"
    assert state(grant(expires_at=NOW)) == "expired"
    assert state(agencies=("a-homes",)) == state(agencies=("a-police",)) == "suspended"
    assert state(protocols=("p-1",)) == "suspended"
    assert state(agencies=("a-fire",), protocols=("p-2",)) == "active"
    assert state(own_team(), protocols=("p-1",)) == "active"


def test_the_list_that_holders_get_has_what_the_rule_needs_and_no_more() -> None:
    (share,) = ownership(grant(note="private", side="victim")).acl.shares
    assert (share.id, share.agency_id, share.user_ids, share.side) == ("s-1", "a-homes", ("u-jo",), "victim")
    assert (share.protocol_id, share.purpose, share.expires_at) == ("p-1", "crime_prevention", LATER)
    assert "private" not in share.model_dump_json()
