"""The access rule, cell by cell: who may know of a case, who may do what with it, and what is told first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.access import (
    AccessList,
    Owner,
    Share,
    Standing,
    decide,
    has_role,
    keys_of,
    standing_of,
)
from services.contracts.bars import About, Bar
from services.contracts.caller import Caller
from services.contracts.errors import LevelTooLow, NotOwner, NotVisible, Refused, RoleRequired
from services.contracts.paging import Ref
from services.contracts.permissions import PERMITS, Permit, permit_of
from services.contracts.vocabulary import LEVELS, SECTIONS

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
WORKERS = frozenset({"practitioner", "supervisor"})
OWNER = Owner(
    user=Ref(id="u-owner", name="Owner"),
    agency=Ref(id="a-police", name="Police"),
    team=Ref(id="t-asb", name="ASB"),
)


def caller(**changed: Any) -> Caller:
    """A housing officer in the team `t-homes`."""
    return Caller.model_validate(
        {
            "kind": "user",
            "id": "u-jo",
            "agency_id": "a-homes",
            "team_ids": ("t-homes",),
            "roles": ("practitioner",),
            "device_class": "managed",
            "audience": "cases",
            "method": "get_case",
            "args_hash": "0" * 64,
            "request_id": "r-1",
            "now": NOW,
            "expires_at": NOW + timedelta(seconds=5),
            **changed,
        }
    )


def client(**changed: Any) -> Caller:
    changed = {"id": "c-homes", "roles": (), "team_ids": (), "scopes": ("cases:read",), **changed}
    return caller(kind="client", accountable_id="u-jo", **changed)


def share(**changed: Any) -> Share:
    return Share.model_validate(
        {
            "id": "s-1",
            "agency_id": "a-homes",
            "user_ids": ("u-jo",),
            "level": "read",
            "sections": ("summary", "timeline"),
            "protocol_id": "p-1",
            "expires_at": LATER,
            **changed,
        }
    )


def acl(*shares: Share, excluded: tuple[str, ...] = ()) -> AccessList:
    return AccessList(case_id="k-1", term=1, epoch=3, owner=OWNER, shares=shares, excluded=excluded)


def permit(least: Any = "know", **changed: Any) -> Permit:
    return Permit(**{"roles": WORKERS, "scopes": frozenset({"cases:read"}), "level": least, **changed})


def standing(who: Caller, *shares: Share) -> Standing:
    found = standing_of(who, acl(*shares))
    assert found is not None
    return found


def told(
    who: Caller, what: Permit, *shares: Share, section: Any = None, excluded: tuple[str, ...] = ()
) -> str:
    """ "ok", or the code of the refusal."""
    refusal = decide(who, acl(*shares, excluded=excluded), what, section=section).refusal
    return "ok" if refusal is None else refusal.code


# Both keys (R34)


@pytest.mark.parametrize(
    ("agency_granted", "individual_granted", "visible"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
@pytest.mark.parametrize("by", ["user_ids", "team_ids", "client_ids"])
def test_both_keys_are_needed(by: str, agency_granted: bool, individual_granted: bool, visible: bool) -> None:
    who = client() if by == "client_ids" else caller()
    name = {"user_ids": "u-jo", "team_ids": "t-homes", "client_ids": "c-homes"}[by]
    granted = share(
        agency_id="a-homes" if agency_granted else "a-fire",
        **{"user_ids": (), by: (name if individual_granted else "x-other",)},
    )
    assert (standing_of(who, acl(granted)) is not None) is visible


def test_the_two_keys_are_not_taken_from_two_shares() -> None:
    agency_only, individual_only = share(user_ids=("u-colleague",)), share(id="s-2", agency_id="a-fire")
    assert standing_of(caller(), acl(agency_only, individual_only)) is None


def test_nobody_named_is_nobody() -> None:
    assert standing_of(caller(), acl()) is None
    assert standing_of(caller(), acl(share(user_ids=()))) is None


def test_a_client_is_not_named_by_the_share_of_a_person_or_team() -> None:
    named = share(user_ids=("c-homes", "u-jo"), team_ids=("t-homes",))
    assert standing_of(client(team_ids=("t-homes",)), acl(named)) is None


def test_a_person_is_not_named_by_the_share_of_a_client() -> None:
    assert standing_of(caller(id="c-homes"), acl(share(user_ids=(), client_ids=("c-homes",)))) is None


def test_a_service_is_never_a_reader() -> None:
    named = share(user_ids=("u-jo",))
    assert standing_of(caller(kind="service"), acl(named)) is None
    assert standing_of(caller(kind="service", id="u-owner", agency_id="a-police"), acl()) is None


def test_an_administrators_role_shows_no_case() -> None:
    for role in ("agency_admin", "system_operator", "supervisor", "partnership_dpo", "agency_dpo"):
        assert standing_of(caller(agency_id="a-police", id="u-boss", roles=(role,)), acl()) is None


def test_a_team_of_the_owners_agency_is_a_wall() -> None:
    own = share(id="s-t", kind="team", agency_id="a-police", user_ids=(), team_ids=("t-asb",))
    inside = caller(id="u-p", agency_id="a-police", team_ids=("t-asb",))
    outside = caller(id="u-p", agency_id="a-police", team_ids=("t-adults",))
    assert standing(inside, own).via == "team"
    assert standing_of(outside, acl(own)) is None


# The owner


def test_the_owner_has_everything_without_end() -> None:
    found = standing(caller(id="u-owner", agency_id="a-police"))
    assert (found.via, found.level, found.public_level) == ("owner", "own", "manage")
    assert (found.until, found.share_id) == (None, None)
    assert found.sections == SECTIONS
    assert all(found.reaches(least, section) for least in (*LEVELS, "own") for section in (None, *SECTIONS))


def test_an_owner_who_moved_to_another_agency_is_none() -> None:
    assert standing_of(caller(id="u-owner", agency_id="a-homes"), acl()) is None


def test_a_client_with_the_owners_id_is_not_the_owner() -> None:
    assert standing_of(client(id="u-owner", agency_id="a-police"), acl()) is None


def test_only_the_owner_owns() -> None:
    assert told(caller(id="u-owner", agency_id="a-police"), permit("own")) == "ok"
    assert told(caller(), permit("own"), share(level="manage", sections=SECTIONS)) == "not_owner"


# Agencies, protocols, dates


@pytest.mark.parametrize("inactive", ["a-police", "a-homes"])
def test_the_owners_and_the_recipients_agency_are_both_in_force(inactive: str) -> None:
    assert standing_of(caller(), acl(share())) is not None
    assert standing_of(caller(inactive_agencies=(inactive,)), acl(share())) is None


def test_the_owner_too_sees_nothing_while_its_agency_is_not_in_force() -> None:
    assert (
        standing_of(caller(id="u-owner", agency_id="a-police", inactive_agencies=("a-police",)), acl())
        is None
    )


def test_another_agency_that_is_not_in_force_changes_nothing() -> None:
    assert standing_of(caller(inactive_agencies=("a-fire",)), acl(share())) is not None


def test_a_protocol_not_in_force_ends_its_shares_and_no_others() -> None:
    who = caller(inactive_protocols=("p-1",))
    assert standing_of(who, acl(share())) is None
    assert standing(who, share(), share(id="s-2", protocol_id="p-2")).share_id == "s-2"
    own = share(id="s-t", kind="team", agency_id="a-police", team_ids=("t-asb",), protocol_id=None)
    assert standing_of(
        caller(agency_id="a-police", team_ids=("t-asb",), inactive_protocols=("p-1",)), acl(own)
    )


@pytest.mark.parametrize(("microseconds", "visible"), [(-1, False), (0, False), (1, True)])
def test_a_share_ends_at_the_instant_it_says(microseconds: int, visible: bool) -> None:
    ends = NOW + timedelta(microseconds=microseconds)
    assert (standing_of(caller(), acl(share(expires_at=ends))) is not None) is visible


def test_access_lasts_as_long_as_the_last_share_in_force() -> None:
    sooner, later = share(expires_at=NOW + timedelta(days=1)), share(id="s-2", expires_at=LATER)
    assert standing(caller(), sooner, later).until == LATER
    endless = share(id="s-3", kind="team", expires_at=None, protocol_id=None)
    assert standing(caller(), sooner, endless).until is None
    over = share(id="s-4", expires_at=NOW - timedelta(days=1), level="manage", sections=SECTIONS)
    found = standing(caller(), sooner, over)
    assert (found.level, found.until) == ("read", sooner.expires_at)


# Levels and sections


@pytest.mark.parametrize(("granted", "least"), [*product(LEVELS, (*LEVELS, "own"))])
def test_a_level_reaches_what_is_not_above_it(granted: Any, least: Any) -> None:
    order = [*LEVELS, "own"]
    expected = "ok" if order.index(granted) >= order.index(least) else "level_too_low"
    if least == "own":
        expected = "not_owner"
    assert told(caller(), permit(least), share(level=granted)) == expected


@pytest.mark.parametrize(("granted", "least"), [*product(LEVELS, LEVELS)])
def test_a_level_holds_in_the_sections_it_was_given_for(granted: Any, least: Any) -> None:
    held = share(level=granted, sections=("timeline",))
    reached = LEVELS.index(granted) >= LEVELS.index(least)
    assert told(caller(), permit(least), held, section="timeline") == ("ok" if reached else "level_too_low")
    assert told(caller(), permit(least), held, section="risk") == "level_too_low"


@pytest.mark.parametrize("level", ["know", "task"])
def test_below_read_no_section_is_readable(level: Any) -> None:
    assert standing(caller(), share(level=level, sections=SECTIONS)).sections == ()


def test_where_shares_overlap_each_section_has_the_highest_level() -> None:
    found = standing(
        caller(),
        share(level="read", sections=("summary", "timeline")),
        share(id="s-2", level="contribute", sections=("timeline", "tasks")),
        share(id="s-3", user_ids=(), team_ids=("t-homes",), level="task", sections=("tasks", "risk")),
    )
    assert dict(found.levels) == {
        "summary": "read",
        "timeline": "contribute",
        "tasks": "contribute",
        "risk": "task",
    }
    assert (found.level, found.share_id) == ("contribute", "s-2")
    assert found.sections == ("summary", "timeline", "tasks")
    assert not found.reaches("contribute", "summary")
    assert found.reaches("contribute", "timeline")
    assert found.reaches("contribute")


def test_the_sections_are_in_the_order_of_the_vocabulary() -> None:
    assert standing(caller(), share(sections=tuple(reversed(SECTIONS)))).sections == SECTIONS


shares_of_any_kind = st.lists(
    st.builds(
        share,
        id=st.sampled_from(["s-1", "s-2", "s-3"]),
        level=st.sampled_from(LEVELS),
        sections=st.lists(st.sampled_from(SECTIONS), unique=True).map(tuple),
        side=st.sampled_from([None, "victim", "perpetrator"]),
        user_ids=st.sampled_from([(), ("u-jo",), ("u-colleague",)]),
        team_ids=st.sampled_from([(), ("t-homes",), ("t-other",)]),
        agency_id=st.sampled_from(["a-homes", "a-fire"]),
        expires_at=st.sampled_from([LATER, NOW, NOW - timedelta(days=1)]),
        protocol_id=st.sampled_from(["p-1", "p-2"]),
    ),
    max_size=5,
)


@given(shares_of_any_kind)
def test_no_share_gives_what_none_that_holds_grants(shares: list[Share]) -> None:
    who = caller(inactive_protocols=("p-2",))
    holding = [one for one in shares if standing_of(who, acl(one)) is not None]
    found = standing_of(who, acl(*shares))
    assert (found is not None) is bool(holding)
    if found is not None:
        assert found.level == max((one.level for one in holding), key=LEVELS.index)
        for section, level in found.levels:
            granting = [one.level for one in holding if section in one.sections]
            assert level == max(granting, key=LEVELS.index)


# The perpetrator's side


def test_nobody_on_the_perpetrators_side_sees_the_victims_sections() -> None:
    found = standing(caller(), share(side="perpetrator", level="manage", sections=SECTIONS))
    assert set(found.sections) == set(SECTIONS) - {"victim", "safe_contact"}
    assert not found.reaches("read", "victim")
    assert not found.reaches("know", "safe_contact")


def test_no_second_share_lets_the_perpetrators_side_see_them() -> None:
    other = share(id="s-2", user_ids=(), team_ids=("t-homes",), sections=("victim", "safe_contact", "risk"))
    found = standing(caller(), share(side="perpetrator"), other)
    assert found.sections == ("summary", "timeline", "risk")


def test_a_perpetrators_side_that_is_over_bars_nothing() -> None:
    over = share(side="perpetrator", expires_at=NOW)
    assert "victim" in standing(caller(), over, share(id="s-2", sections=("victim",))).sections


@pytest.mark.parametrize("side", [None, "victim"])
def test_other_sides_see_what_they_were_given(side: Any) -> None:
    assert standing(caller(), share(side=side, sections=SECTIONS)).sections == SECTIONS


# Conflicts


@pytest.mark.parametrize("who", [caller(), caller(id="u-owner", agency_id="a-police")])
def test_to_an_excluded_user_the_case_does_not_exist(who: Caller) -> None:
    assert told(who, permit(), share(), excluded=("u-other",)) == "ok"
    decision = decide(who, acl(share(), excluded=(who.id,)), permit())
    assert isinstance(decision.refusal, NotVisible)
    assert decision.standing is None


def test_a_system_for_which_an_excluded_user_answers_is_excluded_too() -> None:
    given = share(user_ids=(), client_ids=("c-homes",))
    assert told(client(), permit(), given) == "ok"
    assert told(client(), permit(), given, excluded=("u-jo",)) == "not_found"


def test_an_excluded_user_gets_nothing_by_breaking_the_glass() -> None:
    glass = share(kind="break_glass", protocol_id=None)
    assert told(caller(), permit(), glass) == "ok"
    assert told(caller(), permit(), glass, excluded=("u-jo",)) == "not_found"


# Break-glass


def test_a_broken_glass_is_the_way_in_only_where_nothing_else_gives_as_much() -> None:
    glass = share(id="s-g", kind="break_glass", protocol_id=None, sections=SECTIONS)
    assert standing(caller(), glass).via == "break_glass"
    both = standing(caller(), glass, share(level="read"))
    assert (both.via, both.sections) == ("share", SECTIONS)
    assert standing(caller(), glass, share(level="know")).via == "break_glass"


def test_a_broken_glass_ends_by_itself() -> None:
    assert standing_of(caller(), acl(share(kind="break_glass", protocol_id=None, expires_at=NOW))) is None


# Bars: training, network, device

ABOUT = About("vemt", "official_sensitive")
TRAINING = Bar(code="training_required", clause="7 Training")
DEVICE = Bar(code="device_not_permitted", clause="4 Devices")


def barred(**bars: Bar) -> Caller:
    return caller(barred={name.replace("__", ":"): bar for name, bar in bars.items()})


@pytest.mark.parametrize(("key", "bar"), [("use__vemt", TRAINING), ("marking__official_sensitive", DEVICE)])
def test_a_bar_refuses_every_act_and_cites_the_clause(key: str, bar: Bar) -> None:
    for least in ("know", "read"):
        decision = decide(barred(**{key: bar}), acl(share()), permit(least), about=ABOUT)
        assert isinstance(decision.refusal, Refused)
        assert (decision.refusal.code, decision.refusal.clause) == (bar.code, bar.clause)


def test_behind_a_bar_a_case_is_known_of_and_nothing_of_it_is_read() -> None:
    full = share(level="manage", sections=SECTIONS)
    standing = decide(barred(use__vemt=TRAINING), acl(full), permit(), about=ABOUT).standing
    assert standing is not None
    assert (standing.level, standing.sections) == ("know", ())
    assert standing.reaches("know")
    assert not any(standing.reaches(level) for level in LEVELS[1:])


def test_a_bar_holds_the_owner_too() -> None:
    owner = barred(use__vemt=TRAINING).model_copy(update={"id": "u-owner", "agency_id": "a-police"})
    decision = decide(owner, acl(), permit("own"), about=ABOUT)
    assert decision.refusal is not None
    assert decision.refusal.code == "training_required"


def test_training_is_told_before_the_device() -> None:
    both = barred(use__vemt=TRAINING, marking__official_sensitive=DEVICE)
    refusal = decide(both, acl(share()), permit(), about=ABOUT).refusal
    assert refusal is not None
    assert refusal.code == "training_required"


def test_bars_of_other_uses_and_markings_do_not_matter() -> None:
    other = barred(use__iom=TRAINING, marking__official=DEVICE)
    assert decide(other, acl(share()), permit(), about=ABOUT).allowed


def test_a_barred_caller_who_may_not_know_is_told_not_found() -> None:
    refusal = decide(barred(use__vemt=TRAINING), acl(), permit("own"), about=ABOUT).refusal
    assert isinstance(refusal, NotVisible)


def test_role_and_level_are_told_before_a_bar() -> None:
    who = barred(use__vemt=TRAINING)
    level = decide(who, acl(share(level="know")), permit("manage"), about=ABOUT).refusal
    role = decide(who.model_copy(update={"roles": ()}), acl(share()), permit(), about=ABOUT).refusal
    assert isinstance(level, LevelTooLow)
    assert isinstance(role, RoleRequired)


# What is told first


@pytest.mark.parametrize("failing", ["no grant", "expired", "excluded", "agency", "protocol"])
def test_not_found_is_told_whatever_else_failed(failing: str) -> None:
    who = caller(
        roles=(),
        inactive_agencies=("a-homes",) if failing == "agency" else (),
        inactive_protocols=("p-1",) if failing == "protocol" else (),
    )
    held = () if failing == "no grant" else (share(expires_at=NOW if failing == "expired" else LATER),)
    excluded = ("u-jo",) if failing == "excluded" else ()
    assert told(who, permit("own"), *held, excluded=excluded) == "not_found"


def test_the_role_is_told_before_the_level() -> None:
    assert told(caller(roles=("agency_admin",)), permit("manage"), share(level="know")) == "role_required"
    assert told(caller(), permit("manage"), share(level="know")) == "level_too_low"


def test_the_owner_without_the_role_is_told_the_role() -> None:
    assert told(caller(id="u-owner", agency_id="a-police", roles=("agency_admin",)), permit("own")) == (
        "role_required"
    )


def test_require_raises_what_was_decided() -> None:
    for what, held, error in [
        (permit(), (), NotVisible),
        (permit(roles=frozenset({"supervisor"})), (share(),), RoleRequired),
        (permit("contribute"), (share(),), LevelTooLow),
        (permit("own"), (share(),), NotOwner),
    ]:
        with pytest.raises(error):
            decide(caller(), acl(*held), what).require()
    assert decide(caller(), acl(share()), permit()).require().level == "read"


def test_a_refused_caller_who_may_know_keeps_its_standing() -> None:
    decision = decide(caller(), acl(share()), permit("own"))
    assert not decision.allowed
    assert decision.standing is not None


# Roles and scopes


def test_a_client_is_judged_by_scopes_alone() -> None:
    assert has_role(client(), permit())
    assert not has_role(client(scopes=("cases:write",)), permit())
    assert not has_role(client(roles=("practitioner",), scopes=()), permit())
    assert not has_role(client(), permit(scopes=frozenset()))
    assert not has_role(client(), Permit(roles=None))


def test_everybody_is_every_person() -> None:
    assert has_role(caller(roles=()), Permit(roles=None))


def test_a_client_reaches_the_case_that_names_it() -> None:
    named = share(user_ids=(), client_ids=("c-homes",))
    assert told(client(), PERMITS["cases"]["get_case"], named) == "ok"
    assert told(client(), PERMITS["cases"]["add_entry"], named) == "role_required"
    assert told(client(), PERMITS["sharing"]["share_case"], named) == "role_required"


def test_a_light_participant_reaches_its_tasks_and_not_the_case() -> None:
    light = caller(roles=("light_participant",))
    assert told(light, PERMITS["cases"]["list_tasks"], share(level="task")) == "ok"
    assert told(light, PERMITS["cases"]["get_case"], share(level="task")) == "role_required"


def test_a_method_without_permit_has_none() -> None:
    assert permit_of("cases", "apply_acl") is None
    assert permit_of("nobody", "anything") is None


# Index keys


def test_the_readers_are_everyone_who_is_named_once() -> None:
    listed = acl(
        share(team_ids=("t-homes",), client_ids=("c-homes",)), share(id="s-2", user_ids=("u-jo", "u-al"))
    )
    assert listed.readers() == ("c:c-homes", "t:t-homes", "u:u-al", "u:u-jo", "u:u-owner")
    assert listed.version == (1, 3)


def test_a_caller_is_found_under_the_keys_it_may_be_named_by() -> None:
    assert keys_of(caller()) == ("u:u-jo", "t:t-homes")
    assert keys_of(client(team_ids=("t-homes",))) == ("c:c-homes",)


@given(shares_of_any_kind)
def test_whoever_may_know_is_found_by_the_index(shares: list[Share]) -> None:
    for who in (caller(), client(), caller(id="u-owner", agency_id="a-police")):
        if standing_of(who, acl(*shares)) is not None:
            assert set(keys_of(who)) & set(acl(*shares).readers())
