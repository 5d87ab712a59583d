"""The decision taken apart is the decision: in random worlds, and where one thing is wrong at a time."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from services.contracts.access import AccessList, Owner, Share, decide
from services.contracts.bars import About, Bar
from services.contracts.caller import Caller
from services.contracts.paging import Ref
from services.contracts.permissions.actions import ACTIONS
from services.contracts.steps import Step, steps
from services.contracts.vocabulary import LEVELS, SECTIONS
from tests.unit.contracts.test_access import LATER, NOW, OWNER, acl, caller, permit, share

WORLDS, EACH = 4000, 10
AGENCIES, USERS, TEAMS, PROTOCOLS = (
    ("a-1", "a-2", "a-3"),
    ("u-1", "u-2", "u-3"),
    ("t-1", "t-2"),
    ("p-1", "p-2"),
)
ABOUT = About("complex_asb", "official")


def few(random: Random, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in names if random.random() < 0.4)


def some_share(random: Random, number: int) -> Share:
    return Share(
        id=f"s-{number}",
        kind=random.choice(("share", "share", "team", "break_glass")),
        agency_id=random.choice(AGENCIES),
        user_ids=few(random, USERS),
        team_ids=few(random, TEAMS),
        client_ids=few(random, USERS),
        level=random.choice(LEVELS),
        sections=tuple(one for one in SECTIONS if random.random() < 0.5),
        side=random.choice((None, None, "victim", "perpetrator")),
        protocol_id=random.choice((None, *PROTOCOLS)),
        expires_at=random.choice((None, NOW, NOW + timedelta(microseconds=1), LATER)),
    )


def some_list(random: Random) -> AccessList:
    owner = Owner(
        user=Ref(id=random.choice(USERS), name="-"),
        agency=Ref(id=random.choice(AGENCIES), name="-"),
        team=None,
    )
    shares = tuple(some_share(random, number) for number in range(random.randrange(5)))
    excluded = few(random, USERS) if random.random() < 0.3 else ()
    return AccessList(case_id="k", term=1, epoch=1, owner=owner, shares=shares, excluded=excluded)


def some_caller(random: Random) -> Caller:
    barred = {
        key: Bar(code=code)
        for key, code in (
            ("use:complex_asb", "training_required"),
            ("marking:official", "device_not_permitted"),
            ("marking:official_sensitive", "step_up_required"),
        )
        if random.random() < 0.2
    }
    return caller(
        kind=random.choice(("user", "user", "client")),
        id=random.choice(USERS),
        agency_id=random.choice(AGENCIES),
        team_ids=few(random, TEAMS),
        roles=random.choice((("practitioner",), ("light_participant",), ("agency_admin",))),
        scopes=random.choice((("cases:read",), ("cases:read", "cases:write"), ())),
        inactive_agencies=few(random, AGENCIES) if random.random() < 0.3 else (),
        inactive_protocols=few(random, PROTOCOLS),
        barred=barred,
    )


def test_allowed_is_that_every_step_holds() -> None:
    random, allowed = Random(5), 0
    for _ in range(WORLDS):
        listed, who = some_list(random), some_caller(random)
        about = random.choice((None, ABOUT))
        for what, section in random.sample(tuple(ACTIONS.values()), EACH):
            decided = decide(who, listed, what, section=section, about=about)
            found = steps(who, listed, what, section=section, about=about)
            assert decided.allowed is all(one.holds is not False for one in found), (who, listed, what)
            allowed += decided.allowed
    assert 0.02 < allowed / (WORLDS * EACH) < 0.5, "the worlds try both answers"


def wrong(found: tuple[Step, ...]) -> set[str]:
    return {one.name for one in found if one.holds is False}


@pytest.mark.parametrize(
    ("changed", "of_share", "named"),
    [
        ({}, {}, set()),
        ({"inactive_protocols": ("p-1",)}, {}, {"protocol_active"}),
        ({"inactive_agencies": ("a-homes",)}, {}, {"agencies_active"}),
        ({"roles": ("agency_admin",)}, {}, {"role_held"}),
        ({"barred": {"use:complex_asb": Bar(code="training_required")}}, {}, {"training_current"}),
        ({"barred": {"marking:official": Bar(code="device_not_permitted")}}, {}, {"place_and_device"}),
        ({}, {"expires_at": NOW}, {"grant_in_date"}),
        ({}, {"user_ids": ("u-other",)}, {"individual_granted"}),
        ({}, {"agency_id": "a-fire"}, {"agency_granted"}),
        ({}, {"level": "know"}, {"level_reached"}),
        ({}, {"sections": ("timeline",)}, {"level_reached"}),
        ({}, {"expires_at": NOW, "level": "know"}, {"grant_in_date", "level_reached"}),
    ],
)
def test_what_is_wrong_is_named_and_nothing_else(
    changed: dict[str, Any], of_share: dict[str, Any], named: set[str]
) -> None:
    who, listed = caller(**changed), acl(share(**of_share))
    assert wrong(steps(who, listed, permit("read"), section="summary", about=ABOUT)) == named


def test_a_level_that_is_not_reached_names_the_shares_that_come_closest() -> None:
    shares = (share(id="s-low", level="know"), share(id="s-other", agency_id="a-fire"))
    found = steps(caller(), acl(*shares), permit("read"), section="summary", about=ABOUT)
    assert {one.name: one.share_ids for one in found if one.holds is False} == {"level_reached": ("s-low",)}


def test_of_a_case_whose_use_nobody_said_training_is_not_known() -> None:
    found = steps(caller(), acl(share()), permit("read"))
    unknown = {one.name for one in found if one.holds is None}
    assert unknown == {"training_current", "place_and_device"}


def test_a_conflict_stands_against_the_owner_as_well() -> None:
    owner = caller(id="u-owner", agency_id=OWNER.agency.id)
    assert wrong(steps(owner, acl(excluded=("u-owner",)), permit("own"))) == {"no_conflict"}
    assert wrong(steps(owner, acl(), permit("own"))) == set()


def test_each_step_is_asked_of_the_grants_that_come_closest() -> None:
    other = share(id="s-other", agency_id="a-fire")
    listed = acl(share(id="s-old", expires_at=NOW), share(id="s-ended", protocol_id="p-2"), other)
    found = {
        one.name: one for one in steps(caller(inactive_protocols=("p-2",)), listed, permit(), about=None)
    }
    assert wrong(tuple(found.values())) == {"protocol_active"}
    assert found["protocol_active"].share_ids == ("s-ended",)
    assert found["agency_granted"].share_ids == ("s-old", "s-ended")


def test_without_a_grant_nothing_of_a_grant_holds() -> None:
    found = steps(caller(), acl(share(agency_id="a-fire", user_ids=("u-x",))), permit())
    of_a_grant = {"agency_granted", "individual_granted", "grant_in_date", "protocol_active", "level_reached"}
    assert wrong(found) == of_a_grant
    assert not any(one.share_ids for one in found), "what is given to others is not told"
