"""What ends by the calendar, on the real broker and database: who is warned before, and what comes back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.contracts.errors import Invalid, ProtocolExpired, Unauthenticated
from services.contracts.notify import Changes, GetChanges, Inbox, ListInbox, StreamItems
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.protocols import GetProtocol, PatchProtocol, ProtocolChanges
from services.contracts.sharing.shares import GetShare
from services.sharing.domain.london import day_of
from tests.cell import Parts
from tests.integration.calling import Calling, instances
from tests.integration.granting import World
from tests.integration.notifying import NOTIFY, QUICK
from tests.integration.partnership import Person
from tests.integration.sharing_gate import CASES, SHARING
from tests.integration.test_notify_with_sharing import ask, stream
from tests.waiting import until

TODAY = day_of(datetime.now(UTC))


class Agreed(World):
    """The partnership with its operator, and administrators of two of its agencies."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        operators = self._agency(f"Operator {uuid.uuid4().hex[:8]}", "operator")
        self.operator = self.person(operators, "Otto", role="system_operator")
        self.admin = self.person(self.police, "Ada", role="agency_admin")
        self.foreign = self.person(self.homes, "Hugh", role="agency_admin")

    def ends_on(self, day: Any) -> None:
        """The calendar has got so far: both documents that know the protocol's last day say so."""
        for collection, wanted, name in (
            ("protocols", self.protocol.id, "ends_on"),
            ("standing", "standing", f"protocols.{self.protocol.id}.ends_on"),
        ):
            change: dict[str, Any] = {"$set": {name: day.isoformat()}, "$inc": {"version": 1}}
            self.database[collection].update_one({"_id": wanted}, change)

    def patch(self, **changes: Any) -> Any:
        protocol_id = self.protocol.id
        etag = self.operator.ask("get_protocol", GetProtocol(protocol_id=protocol_id))["etag"]
        changed = ProtocolChanges.model_validate(changes)
        request = PatchProtocol(protocol_id=protocol_id, if_match=f'"{etag}"', changes=changed)
        return self.operator.tell("patch_protocol", request)

    def look_anew(self) -> None:
        """As if nobody had ever been warned of anything."""
        self.database["reminder_marks"].update_many({}, {"$set": {"at": None, "key": None}})


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agreed]:
    logs = tmp_path_factory.mktemp("logs")
    with (
        Calling(parts, "cases") as cases,
        Calling(parts, "notify") as notify,
        instances(parts, logs, SHARING, SHARING, CASES),
        instances(parts, logs, NOTIFY, **QUICK),
        connect(parts.mongo_url("sharing"), app="test") as client,
    ):
        made = Agreed(parts, calling, {"cases": cases, "notify": notify}, client["sharing"])
        yield made
        made.close()


def told(person: Person) -> list[tuple[str | None, str, str]]:
    found = ask(person, "list_inbox", ListInbox(limit=100), Inbox).items
    kinds = {"access.alert", "access.reminder"}
    return sorted((one.case_id, one.text, one.href) for one in found if one.kind in kinds)


def test_whom_it_concerns_is_warned_once_of_what_ends_and_nobody_else(world: Agreed) -> None:
    """Two instances of the service look at the same time."""
    nell = world.person(world.police, "Nell")
    near, far = ((TODAY + timedelta(days=days)).isoformat() for days in (5, 91))
    roles = [
        {"role": "practitioner", "starts_on": None, "ends_on": near},
        # It goes on: nothing ends for her.
        {"role": "supervisor", "starts_on": None, "ends_on": near},
        {"role": "supervisor", "starts_on": near, "ends_on": far},
    ]
    world.database["users"].update_one({"_id": nell.id}, {"$set": {"roles": roles}})
    soon, later = world.case(), world.case()
    world.share(soon)
    world.share(soon, members=[{"user_id": world.stranger.id}])
    world.share(later, expires_at=datetime.now(UTC) + timedelta(days=50))
    world.ends_on(TODAY + timedelta(days=20))
    before = world.calling.ask("notify.changes", GetChanges(), reply=Changes).n
    world.look_anew()
    protocol = (
        None,
        "An information sharing protocol ends within 30 days",
        f"/administration/protocols/{world.protocol.id}",
    )
    until(lambda: protocol in told(world.admin))
    until(lambda: protocol in told(world.foreign))
    until(lambda: protocol in told(world.operator))
    expected = sorted(
        [
            (soon, "Sharing of a case of yours ends within 30 days", f"/cases/{soon}/shares"),
            (later, "Sharing of a case of yours ends within 90 days", f"/cases/{later}/shares"),
        ]
    )

    def mine() -> list[tuple[str | None, str, str]]:
        return [one for one in told(world.owner) if one[0] in {soon, later}]

    until(lambda: mine() == expected)
    assert until(lambda: told(nell)) == [(None, "A role of yours ends within 7 days", "/account")]
    of_nell = (
        None,
        "A role of somebody in your agency ends within 7 days",
        f"/administration/users/{nell.id}",
    )
    until(lambda: of_nell in told(world.admin))
    assert of_nell not in told(world.foreign)
    assert [told(one) for one in (world.jo, world.stranger, world.colleague)] == [[], [], []]
    # What gets so near later is told of then; what was told is not told again.
    third = world.case()
    share = world.share(third)
    ends = datetime.now(UTC) + timedelta(days=7, seconds=1)
    world.database["ownerships"].update_one(
        {"_id": third, "grants.id": share["id"]}, {"$set": {"grants.$.expires_at": ends}}
    )
    until(
        lambda: (
            (third, "Sharing of a case of yours ends within 7 days") in [one[:2] for one in told(world.owner)]
        )
    )
    assert mine() == expected
    assert told(world.admin).count(protocol) == told(world.operator).count(protocol) == 1
    assert told(world.admin).count(of_nell) == len(told(nell)) == 1
    # The stream is about cases, and a reminder about none.
    assert stream(nell, str(before)).frames == ()


def test_an_end_by_the_calendar_shuts_out_at_once_and_a_renewal_restores_the_shares_exactly(
    world: Agreed,
) -> None:
    case_id = world.case()
    share = world.share(case_id)
    asked = GetShare(case_id=case_id, share_id=share["id"])
    lists, row = world.acl(case_id), world.database["ownerships"].find_one({"_id": case_id})
    assert world.may_know(case_id, world.jo, world.owner) == [True, True]
    world.ends_on(TODAY - timedelta(days=1))
    assert world.may_know(case_id, world.jo, world.owner) == [False, False]
    for one in (world.jo, world.owner):
        with pytest.raises(ProtocolExpired):
            one.ask("me", GetMe())
        with pytest.raises(ProtocolExpired):
            one.signed("notify", "stream_items", StreamItems(), None)
    # By the operator, for agencies that are locked out.
    assert world.patch(ends_on=TODAY + timedelta(days=60))["state"] == "active"
    for one in (world.jo, world.owner):
        with pytest.raises(Unauthenticated):
            one.ask("me", GetMe())
        world.log_in_anew(one)
    assert world.jo.ask("get_share", asked)["state"] == "active"
    assert world.may_know(case_id, world.jo, world.owner) == [True, True]
    assert world.acl(case_id) == lists
    assert world.database["ownerships"].find_one({"_id": case_id}) == row


def test_who_was_let_in_all_the_time_stays_logged_in(world: Agreed) -> None:
    person = world.person(world.police, "Steady")
    world.patch(ends_on=TODAY + timedelta(days=61))
    assert person.ask("me", GetMe())["must"] == []


def test_an_agency_cannot_be_taken_out_of_a_protocol_that_shares_rest_on(world: Agreed) -> None:
    """It is withdrawn, or the protocol ends: both stop what it shared at once, for everybody."""
    case_id = world.case()
    world.share(case_id)
    with pytest.raises(Invalid) as refused:
        world.patch(parties=[world.homes.id, world.charity.id])
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/parties", "party_missing")]
    assert world.may_know(case_id, world.jo) == [True]
