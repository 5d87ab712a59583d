"""Who can see a case and why; and who may be told of it now. Both ask the one access rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.contracts.authority import Question
from services.contracts.errors import RateLimited
from services.contracts.sharing.shares import AccessItem
from services.contracts.vocabulary import SECTIONS
from services.sharing.domain.audience import item, ways
from services.sharing.domain.clients import Client
from services.sharing.domain.knowing import may_know
from services.sharing.domain.known import Known, Today, caller_of, known_client, known_team, known_user
from services.sharing.domain.ownership import Ownership
from services.sharing.domain.pace import Pace
from services.sharing.domain.people import Appointment, User
from services.sharing.domain.procedures import Signature
from services.sharing.domain.teams import Team
from tests.unit.sharing.grants import HOMES, NOW, POLICE, PROTOCOL, grant, known, own_team, ownership, today

OWNER = known(id="u-owner", agency=POLICE, team_ids=("t-asb",))
WARDEN = known(id="u-warden", team_ids=("t-wardens",))
PEOPLE = (
    OWNER,
    WARDEN,
    known(),
    known("client", "c-homes"),
    known("team", "t-wardens", name="Wardens"),
    known("team", "t-asb", POLICE),
    known(id="u-colleague", agency=POLICE, team_ids=("t-asb",)),
)


def seen(what: Ownership, *people: Known, when: Today | None = None) -> dict[str, AccessItem]:
    people = people or PEOPLE
    members = [one for one in people if one.kind == "user"]
    found = ways(what, {one.key: one for one in people}, members)
    return {way.known.id: item(way, what, when or today()) for way in found}


def test_the_owner_comes_first_and_once() -> None:
    what = ownership(own_team(), grant(user_ids=("u-jo",), team_ids=("t-wardens",)))
    found = seen(what)
    assert list(found) == ["u-owner", "u-jo", "u-warden", "u-colleague"]
    owner = found["u-owner"]
    assert (owner.via, owner.level, owner.sections, owner.until, owner.now) == (
        "owner",
        "manage",
        SECTIONS,
        None,
        "open",
    )


def test_an_owner_who_is_of_another_agency_now_is_let_in_by_what_names_it_there() -> None:
    moved = replace(OWNER, agency=HOMES)
    what, people = ownership(grant(user_ids=("u-owner",))), {moved.key: moved}
    told = [(way.grant is None, item(way, what, today()).now) for way in ways(what, people, [moved])]
    assert told == [(True, "blocked"), (False, "open")]


def test_a_way_is_blocked_to_whom_the_training_for_the_use_is_missing() -> None:
    taught = known(id="u-taught", uses=("vemt",))
    what = ownership(grant(user_ids=("u-jo", "u-taught")))
    people = {one.key: one for one in (known(), taught)}
    told = {way.known.id: item(way, what, today(), "vemt").blocked_by for way in ways(what, people, [])}
    assert told == {"u-jo": "training_required", "u-taught": None}


def test_a_light_participants_way_is_open_from_level_task_on() -> None:
    light = known(roles=("light_participant",))
    shared = ownership(grant(level="know"))
    assert seen(shared, light)["u-jo"].blocked_by == "level_too_low"
    assert seen(ownership(grant(level="task")), light)["u-jo"].now == "open"


def test_teams_are_expanded_to_people_and_clients_stand_for_themselves() -> None:
    found = seen(ownership(grant(user_ids=(), team_ids=("t-wardens",), client_ids=("c-homes",))))
    assert list(found) == ["u-owner", "u-warden", "c-homes"]
    assert found["u-warden"].who.team is not None
    assert found["u-warden"].who.team.name == "Wardens"
    assert found["c-homes"].who.kind == "client"
    assert found["c-homes"].share_id == "s-1"


def test_who_is_named_in_person_and_by_a_team_stands_there_in_person() -> None:
    found = seen(ownership(grant(user_ids=("u-warden",), team_ids=("t-wardens",))))
    assert found["u-warden"].who.team is None


def test_who_left_the_agency_or_is_not_known_has_no_way_in() -> None:
    moved = known(agency=POLICE)
    assert list(seen(ownership(grant(user_ids=("u-jo", "u-gone"))), OWNER, moved)) == ["u-owner"]


def test_each_way_says_on_which_ground_it_stands() -> None:
    found = seen(ownership(grant(side="perpetrator", sections=("summary", "victim"))))["u-jo"]
    assert found.protocol is not None
    assert (found.protocol.id, found.protocol.clause) == ("p-1", "Prevention of crime")
    assert (found.purpose, found.legal_gateway, found.procedure_version) == (
        "crime_prevention",
        "cda_s115",
        1,
    )
    assert found.sections == ("summary",)


@pytest.mark.parametrize(
    ("person", "when", "share", "code"),
    [
        ({"because": "account_disabled"}, {}, {}, "account_disabled"),
        ({"because": "procedure_unsigned"}, {}, {}, "procedure_unsigned"),
        ({"roles": ("agency_admin",)}, {}, {}, "role_required"),
        ({}, {"police": "suspended"}, {}, "agency_suspended"),
        ({}, {}, {"expires_at": NOW}, "share_expired"),
        ({}, {"protocol": replace(PROTOCOL, state="ended")}, {}, "protocol_not_active"),
        ({}, {"protocol": replace(PROTOCOL, ends_on=date(2026, 11, 1))}, {}, "protocol_expired"),
        ({}, {"protocol": replace(PROTOCOL, parties=("a-police",))}, {}, "protocol_not_active"),
    ],
)
def test_a_way_that_is_not_open_says_what_blocks_it(
    person: dict[str, Any], when: dict[str, Any], share: dict[str, Any], code: str
) -> None:
    # With a protocol, the owner's agency stays in force by another one.
    found = _with_another_protocol(when["protocol"]) if "protocol" in when else today(**when)
    blocked = seen(ownership(grant(**share)), OWNER, known(**person), when=found)["u-jo"]
    assert (blocked.now, blocked.blocked_by) == ("blocked", code)


def _with_another_protocol(protocol: Any) -> Today:
    first, other = today(protocol), today(replace(PROTOCOL, id="p-2"))
    standing = first.on.standing
    both = replace(standing, protocols={**standing.protocols, **other.on.standing.protocols})
    return Today(both.on(first.on.today), NOW)


def test_a_light_participant_is_not_blocked_by_its_role() -> None:
    light = known(roles=("light_participant",))
    assert seen(ownership(grant(level="task")), OWNER, light)["u-jo"].now == "open"


# May it be told?


def told(question: dict[str, Any], what: Ownership, one: Known | None = None, **states: Any) -> bool:
    one, when = one or known(), today(**states)
    asked = Question(principal_id=one.id, case_id="k-1", **question)
    return may_know(asked, one, caller_of(one, when.on, when.now), what.acl)


def test_who_may_see_may_be_told() -> None:
    shared = ownership(grant())
    assert told({}, shared)
    assert told({"section": "timeline"}, shared)
    assert not told({"section": "risk"}, shared)
    assert not told({"withheld_from": ("a-homes",)}, shared)
    assert told({"withheld_from": ("a-fire",)}, shared)
    assert not told({}, ownership())
    assert not told({}, shared, known(id="u-stranger"))
    assert told({"least": "read"}, shared)
    know = ownership(grant(level="know"))
    assert told({}, know)
    assert not told({"least": "read"}, know)
    assert not told({}, shared, homes="suspended")
    assert not told({}, shared, police="withdrawn")


@pytest.mark.parametrize("because", ["account_disabled", "procedure_unsigned", "not_activated", "expired"])
def test_who_could_not_open_it_is_not_told(because: str) -> None:
    assert not told({}, ownership(grant()), known(because=because))


def test_roles_and_scopes_count() -> None:
    assert not told({}, ownership(grant()), known(roles=("agency_admin",)))
    client = ownership(grant(user_ids=(), client_ids=("c-homes",)))
    assert told({}, client, known("client", "c-homes"))
    assert not told({}, client, known("client", "c-homes", scopes=("directory:read",)))
    assert not told({}, ownership(grant(team_ids=("t-1",))), known("team", "t-1"))


def test_an_own_task_is_told_to_whoever_works_on_tasks() -> None:
    task = {"section": "tasks", "assignee": "u:u-jo"}
    light = known(roles=("light_participant",))
    only_tasks = ownership(grant(level="task", sections=()))
    assert told(task, only_tasks, light)
    assert not told({**task, "assignee": "u:u-other"}, only_tasks, light)
    assert not told(task, ownership(grant(level="know")), light)
    assert told(
        {**task, "assignee": "t:t-wardens"}, ownership(grant(level="task", user_ids=("u-warden",))), WARDEN
    )
    assert told({**task, "assignee": "u:u-other"}, ownership(grant(sections=("tasks",))))
    assert not told({**task, "assignee": "u:u-other"}, only_tasks)


# What is known of people


def user(**changed: Any) -> User:
    given: dict[str, Any] = {
        "id": "u-jo",
        "username": "jo",
        "name": "Jo",
        "email": "jo@example.test",
        "agency_id": "a-homes",
        "job_title": None,
        "team_ids": ("t-wardens",),
        "roles": (Appointment("practitioner"), Appointment("supervisor", ends_on=date(2026, 11, 22))),
        "state": "active",
        "signature": Signature(1, "0" * 64, NOW),
        "has_password": True,
        "has_totp": True,
        "must_change": False,
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return User(**{**given, **changed})


CLIENT = Client(
    id="c-homes",
    agency_id="a-homes",
    name="System",
    accountable_user_id="u-jo",
    scopes=("cases:read",),
    networks=(),
    expires_at=NOW + timedelta(days=1),
    state="active",
    version=1,
    created_at=NOW,
    updated_at=NOW,
)


@pytest.mark.parametrize(
    ("changed", "states", "because"),
    [
        ({}, {}, None),
        ({"state": "disabled"}, {}, "account_disabled"),
        ({"state": "invited"}, {}, "not_activated"),
        ({"signature": None}, {}, "procedure_unsigned"),
        ({}, {"homes": "suspended"}, "agency_suspended"),
        ({"agency_id": "a-fire"}, {}, "protocol_not_active"),
    ],
)
def test_why_a_person_can_open_nothing(changed: Any, states: Any, because: str | None) -> None:
    found = known_user(user(**changed), today(**states).on, NOW)
    assert found.because == because
    assert found.active is (because in (None, "procedure_unsigned"))
    assert found.roles == ("practitioner",)


def test_a_client_stands_and_falls_with_its_accountable_person() -> None:
    on = today().on
    assert known_client(CLIENT, user(), on, NOW).because is None
    assert known_client(CLIENT, user(state="disabled"), on, NOW).because == "account_disabled"
    assert known_client(CLIENT, user(signature=None), on, NOW).because == "procedure_unsigned"
    assert known_client(CLIENT, user(agency_id="a-police"), on, NOW).because == "account_disabled"
    assert known_client(CLIENT, None, on, NOW).because == "account_disabled"
    assert known_client(replace(CLIENT, expires_at=NOW), user(), on, NOW).because == "expired"
    assert known_client(replace(CLIENT, state="deleted"), user(), on, NOW).because == "account_disabled"


def test_a_team_is_as_its_agency_is() -> None:
    team = Team("t-wardens", "a-homes", "Wardens", 1, NOW, NOW)
    assert known_team(team, today().on).because is None
    assert known_team(team, today(homes="withdrawn").on).because == "agency_suspended"
    assert known_team(team, today().on).agency.id == HOMES.id


# The pace of searches


def test_whoever_searches_too_fast_waits() -> None:
    pace = Pace(burst=3, each_second=1)
    for _ in range(3):
        pace.step("u-1", 0.0)
    with pytest.raises(RateLimited) as refused:
        pace.step("u-1", 0.0)
    assert refused.value.retry_after == 1
    pace.step("u-2", 0.0)
    pace.step("u-1", 1.0)
