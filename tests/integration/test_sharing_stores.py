"""The stores of sharing on a real database: what their doubles promise, and what only a database can."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from services.chassis.deadline import Deadline
from services.chassis.migrations import migrate
from services.chassis.mongo import Client, connect, transact
from services.contracts.errors import ConcordatError, Invalid, RateLimited
from services.sharing.domain import limits
from services.sharing.domain.agencies import Agency
from services.sharing.domain.ownership import NOBODY, Ending, Ownership, end
from services.sharing.domain.people import Appointment
from services.sharing.domain.sessions import MOST, Session
from services.sharing.stores.agencies import AgencyStore
from services.sharing.stores.attempts import AttemptStore
from services.sharing.stores.concerns import STEPS as CONCERNS
from services.sharing.stores.concerns import ConcernStore
from services.sharing.stores.ownerships import STEPS as OWNERSHIPS
from services.sharing.stores.ownerships import OwnershipStore, make_readers
from services.sharing.stores.people import UserStore
from services.sharing.stores.principals import PrincipalStore
from services.sharing.stores.steps import STEPS
from tests.cell import Parts
from tests.sharing_conformance import NOW, AttemptStoreConformance, new_key
from tests.unit.sharing.grants import HOMES, POLICE, grant, own_team, ownership
from tests.unit.sharing.people import user


@pytest.fixture(scope="module")
def client(parts: Parts) -> Iterator[Client]:
    with connect(parts.mongo_url("sharing"), app="test") as client:
        migrate(client["sharing"], tuple(dict.fromkeys((*STEPS, *OWNERSHIPS, *CONCERNS))), holder="test")
        yield client


@pytest.fixture
def database(client: Client) -> Any:
    return client["sharing"]


class TestAttemptStore(AttemptStoreConformance):
    @pytest.fixture
    def store(self, database: Any) -> AttemptStore:
        return AttemptStore(database)

    def test_of_forty_at_once_ten_are_heard(self, store: AttemptStore) -> None:
        key = new_key()

        def attempt(_: int) -> bool:
            try:
                return bool(store.begin([key], NOW))
            except RateLimited:
                return False

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(attempt, range(40))) == limits.PER_USERNAME


class TestPrincipals:
    @pytest.fixture
    def person(self, database: Any, client: Client) -> Any:
        made = user(
            id=uuid.uuid4().hex,
            username=f"U-{uuid.uuid4().hex}",
            state="active",
            signature=None,
            has_password=False,
            has_totp=False,
            created_at=NOW,
            updated_at=NOW,
            roles=(Appointment("practitioner", NOW.date(), None),),
        )
        add = UserStore(database).add
        transact(
            client, Deadline.after(5), lambda session: add(made, {"hash": "h", "expires_at": NOW}, session)
        )
        return made

    def test_a_user_is_read_as_it_was_written(self, database: Any, person: Any) -> None:
        users = UserStore(database)
        assert users.load(person.id) == person
        assert users.by_username(person.username.lower()) == person
        assert users.in_team("nobody's") == []

    def test_a_name_is_taken_whatever_its_case(self, database: Any, client: Client, person: Any) -> None:
        other = user(id=uuid.uuid4().hex, username=person.username.lower())
        add = UserStore(database).add
        with pytest.raises(Invalid):
            transact(client, Deadline.after(5), lambda session: add(other, {}, session))

    def test_sessions_are_bounded_and_one_a_request(self, database: Any, person: Any) -> None:
        store = PrincipalStore(database)
        for number in range(MOST + 3):
            session = Session(f"s{number:03}", f"h{number}", NOW, NOW, NOW + timedelta(hours=1))
            assert store.begin_session("user", person.id, session, f"r{number}") == session
        again = Session("s999", "h999", NOW, NOW, NOW + timedelta(hours=1))
        last = MOST + 2
        assert store.begin_session("user", person.id, again, f"r{last}") == session
        ids = [one.id for one in store.sessions("user", person.id)]
        assert ids == [f"s{number:03}" for number in range(last, 2, -1)]
        found = store.user_with_session(person.id, f"h{last}")
        assert found == (person, session, None)  # no device of theirs
        assert store.user_with_session(person.id, "h0") is None
        store.saw("user", person.id, session.id, NOW + timedelta(minutes=2))
        store.saw("user", person.id, session.id, NOW + timedelta(minutes=1))
        found = store.user_with_session(person.id, session.hash)
        assert found is not None
        assert found[1].seen_at == NOW + timedelta(minutes=2)

    def test_disabling_ends_the_sessions_and_lets_none_begin(
        self, database: Any, client: Client, person: Any
    ) -> None:
        store, users = PrincipalStore(database), UserStore(database)
        session = Session("s1", "h1", NOW, NOW, NOW + timedelta(hours=1))
        assert store.begin_session("user", person.id, session, "r1") == session
        transact(
            client,
            Deadline.after(5),
            lambda transaction: users.change(
                person, {"state": "disabled"}, by="a", what="disable", now=NOW, session=transaction
            ),
        )
        assert store.sessions("user", person.id) == []
        assert not store.begin_session("user", person.id, session, "r2")

    @pytest.mark.parametrize("has", [{"totp": {"secret": "s", "last_step": 0}}, {"passkeys": [{"id": "y"}]}])
    def test_none_begins_without_a_second_factor_where_one_was_enrolled_meanwhile(
        self, database: Any, person: Any, has: Any
    ) -> None:
        store = PrincipalStore(database)
        first, second = (Session(one, one, NOW, NOW, NOW + timedelta(hours=1)) for one in ("s1", "s2"))
        assert store.begin_session("user", person.id, first, "r1", without=True) == first
        database["users"].update_one({"_id": person.id}, {"$set": has})
        assert store.begin_session("user", person.id, second, "r2", without=True) is None
        assert store.begin_session("user", person.id, first, "r1", without=True) == first
        assert store.begin_session("user", person.id, second, "r2") == second

    def test_an_activation_is_used_once_and_in_time(self, database: Any, client: Client, person: Any) -> None:
        store, users = PrincipalStore(database), UserStore(database)

        def activate(hashed: str, at: Any) -> bool:
            return transact(
                client,
                Deadline.after(5),
                lambda session: store.activate(person.id, hashed, "p", now=at, transaction=session),
            )

        until = NOW + timedelta(hours=1)
        transact(
            client,
            Deadline.after(5),
            lambda session: users.invite_again(
                person, {"hash": "x", "expires_at": until}, "a", now=NOW, session=session
            ),
        )
        assert not activate("y", NOW)
        assert not activate("x", until)
        assert activate("x", NOW)
        assert not activate("x", NOW)
        locked = store.locked(person.id)
        assert locked is not None
        assert (locked.user.state, locked.password_hash, locked.activation_hash) == ("active", "p", None)


class Asked(CommandListener):
    """The queries that were sent."""

    def __init__(self) -> None:
        self.finds: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find":
            told = event.command
            self.finds.append({name: told[name] for name in ("find", "filter", "projection", "hint")})

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


class TestOwnerships:
    """Of one case, which names its owner, the owner's team, Jo and a system."""

    NAMED = ("u:u-owner", "t:t-asb", "u:u-jo", "c:c-homes")

    @pytest.fixture
    def store(self, database: Any) -> OwnershipStore:
        return OwnershipStore(database)

    @pytest.fixture
    def kept(self, store: OwnershipStore, client: Client) -> Ownership:
        share = grant(client_ids=("c-homes",))
        made = ownership(own_team(), share, case_id=uuid.uuid4().hex)
        transact(client, Deadline.after(5), lambda session: store.add(made, session))
        return made

    @pytest.mark.parametrize("key", NAMED)
    def test_whoever_is_named_finds_it_whole(self, store: OwnershipStore, kept: Ownership, key: str) -> None:
        assert store.find_for(["u:other", key], kept.case_id) == kept == store.find(kept.case_id)

    def test_others_find_a_decoy_that_names_nobody(self, store: OwnershipStore, kept: Ownership) -> None:
        hidden = store.find_for(["u:other", "t:other"], kept.case_id)
        missing = store.find_for(["u:other", "t:other"], uuid.uuid4().hex)
        assert (hidden.owner.agency.id, missing.owner.agency.id) == (POLICE.id, NOBODY)
        assert set(hidden.acl.readers()) == set(missing.acl.readers()) == {f"u:{NOBODY}", f"t:{NOBODY}"}
        assert store.find(uuid.uuid4().hex) is None

    def test_a_hidden_one_is_not_read(self, database: Any, parts: Parts, kept: Ownership) -> None:
        asked = Asked()
        with MongoClient(parts.mongo_url("sharing"), tz_aware=True, event_listeners=[asked]) as watched:
            OwnershipStore(watched["sharing"]).find_for(["u:other", "t:other"], kept.case_id)
        assert len(asked.finds) == 2
        for find in asked.finds:
            told = database.command("explain", find, verbosity="executionStats")["executionStats"]
            assert told["totalDocsExamined"] == 0, told

    def test_whom_it_concerns_is_answered_without_reading_what_does_not(
        self, database: Any, parts: Parts, kept: Ownership
    ) -> None:
        asked, before = Asked(), kept.grants[1].granted_at - timedelta(seconds=1)
        with MongoClient(parts.mongo_url("sharing"), tz_aware=True, event_listeners=[asked]) as watched:
            store = ConcernStore(watched["sharing"])
            assert store.concerned(POLICE.id, kept.case_id, NOW)
            assert store.concerned(HOMES.id, kept.case_id, NOW)
            assert not store.concerned(HOMES.id, kept.case_id, before), "not given yet"
            asked.finds.clear()
            assert not store.concerned("a-charity", kept.case_id, NOW)
        assert len(asked.finds) == 6  # one for each way in which it might
        for find in asked.finds:
            told = database.command("explain", find, verbosity="executionStats")["executionStats"]
            assert (told["totalDocsExamined"], told["totalKeysExamined"] <= 1) == (0, True), told

    def test_what_a_change_takes_away_finds_a_decoy(
        self, store: OwnershipStore, client: Client, kept: Ownership
    ) -> None:
        ending = Ending(at=NOW, by=kept.owner.user, agency=POLICE, reason="other")
        change = end(kept, kept.grants[1], ending)
        transact(client, Deadline.after(5), lambda session: store.save(change, session))
        assert store.find_for(["u:u-jo"], kept.case_id).owner.user.id == NOBODY
        assert store.find_for(["t:t-asb"], kept.case_id) == change.after

    def test_one_from_before_there_were_readers_is_found_and_brought_up_to_date(
        self, store: OwnershipStore, database: Any, kept: Ownership
    ) -> None:
        rows = database["ownerships"]
        rows.update_one({"_id": kept.case_id}, {"$unset": {"readers": True}})
        assert store.find_for(["u:u-jo"], kept.case_id) == kept
        make_readers(database)
        assert set(rows.find_one({"_id": kept.case_id})["readers"]) == set(self.NAMED)
        assert store.find_for(["u:other"], kept.case_id).owner.user.id == NOBODY


def test_agencies_are_listed_by_name_in_parts(database: Any) -> None:
    store, tag = AgencyStore(database), uuid.uuid4().hex
    for name in ("b", "A", "é", "c"):
        store.add(Agency(uuid.uuid4().hex, f"{tag} {name}", "police", None, "proposed", 1, NOW, NOW))
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        part, cursor = store.page(3, cursor)
        found += [one.name for one in part if one.name.startswith(tag)]
        pages += 1
    assert found == [f"{tag} {name}" for name in ("A", "b", "c", "é")]
    with pytest.raises(ConcordatError):
        store.page(3, "bm8")


def test_every_query_of_a_request_is_on_an_index(database: Any) -> None:
    for collection, query in (
        ("users", {"username_key": "x"}),
        ("users", {"team_ids": "x"}),
        ("users", {"agency_id": "x"}),
        ("clients", {"agency_id": "x", "state": "active"}),
        ("teams", {"agency_id": "x"}),
        ("protocols", {"parties": "x"}),
    ):
        plan = database[collection].find(query).explain()["queryPlanner"]["winningPlan"]
        assert "IXSCAN" in str(plan), collection
