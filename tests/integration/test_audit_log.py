"""The log on a real database: two writers never fork it, nothing is in it twice, proofs and searches hold."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.audit.domain import merkle
from services.audit.domain.lookups import search
from services.audit.domain.merkle import Frontier
from services.audit.domain.notes import Statement
from services.audit.domain.numbering import GRACE
from services.audit.stores.entries import EntryStore
from services.audit.stores.finding import Place
from services.audit.stores.tree import Forked, OtherLog, TreeStore, append_only
from services.audit.stores.writer import STEPS, LogWriter
from services.chassis.migrations import migrate
from services.chassis.mongo import connect
from services.contracts.audit import ListEntries
from services.contracts.records import Actor, Object, Record
from tests.cell import Parts
from tests.unit.audit.logs import NOW, record, signer, wrapping
from tests.unit.audit.test_merkle import root_from_inclusion, subproof

Database = Any


@pytest.fixture
def open_log(parts: Parts, tag: str) -> Iterator[Callable[[], Database]]:
    """A new log's database, each time by another client."""
    clients = []

    def opened() -> Database:
        clients.append(connect(parts.mongo_url("operator"), app="test"))
        return clients[-1][f"log_{tag}"]

    migrate(opened(), STEPS, holder="test")
    yield opened
    clients[0].drop_database(f"log_{tag}_log")
    clients[0].drop_database(f"log_{tag}")
    for client in clients:
        client.close()


def recomputed(database: Database) -> list[Frontier]:
    """The tree after each leaf, from the leaves alone; indexes are contiguous, each entry is there once."""
    tree, trees, seen = Frontier(), [Frontier()], set()
    for index, row in enumerate(append_only(database)["leaves"].find().sort("_id", 1)):
        assert row["_id"] == index
        assert row["id"] not in seen
        seen.add(row["id"])
        tree, complete = tree.add(merkle.leaf_hash(row["leaf"]))
        assert b"".join(complete) == row["hashes"]
        trees.append(tree)
    return trees


def check(database: Database) -> int:
    """Every checkpoint ever signed is of a beginning of the one log that there is. Its size."""
    trees = recomputed(database)
    assert database["tree"].find_one({"_id": "log"})["size"] == len(trees) - 1
    assert database["entries"].count_documents({}) == len(trees) - 1
    for row in append_only(database)["checkpoints"].find():
        said = Statement.read(signer().verifier.open(row["note"]))
        assert (said.size, said.root) == (row["_id"], trees[row["_id"]].root)
    return len(trees) - 1


def batches(count: int, each: int, publisher: str) -> list[list[Record]]:
    return [[record(batch * each + n, publisher=publisher) for n in range(each)] for batch in range(count)]


def test_two_writers_that_race_never_fork_the_log(open_log: Callable[[], Database]) -> None:
    lost: list[BaseException] = []

    def write(publisher: str) -> None:
        writer = LogWriter(open_log(), wrapping)
        try:
            for batch in batches(15, 7, publisher):
                while True:
                    try:
                        writer.append(batch, signer(), again=False)
                        break
                    except Exception as problem:
                        if getattr(problem, "code", "") not in ("unavailable", "deadline_expired"):
                            raise
        except BaseException as problem:
            lost.append(problem)

    threads = [threading.Thread(target=write, args=(f"p{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not lost
    assert check(open_log()) == 3 * 15 * 7


def test_a_writer_that_was_paused_goes_on_with_the_log_as_it_is(open_log: Callable[[], Database]) -> None:
    paused, other = LogWriter(open_log(), wrapping), LogWriter(open_log(), wrapping)
    first, second, third = batches(3, 4, "p1")
    paused.append(first, signer(), again=False)
    other.append(second, signer(), again=False)
    paused.append(third, signer(), again=False)
    assert check(open_log()) == 12


def test_a_batch_that_comes_again_is_in_the_log_once(open_log: Callable[[], Database]) -> None:
    writer, other = LogWriter(open_log(), wrapping), LogWriter(open_log(), wrapping)
    (batch,) = batches(1, 10, "p1")
    writer.append(batch[:6], signer(), again=False)
    other.append(batch, signer(), again=False)  # nobody said that some were there before
    writer.append([*batch, batch[0]], signer(), again=True)
    assert check(open_log()) == 10


def test_a_checkpoint_that_a_dead_writer_left_unsigned_is_signed_later(
    open_log: Callable[[], Database],
) -> None:
    writer = LogWriter(open_log(), wrapping)
    assert writer.seal(signer())  # the empty log
    assert not writer.seal(signer())
    writer.append(batches(1, 5, "p1")[0], signer(), again=False)
    database = open_log()
    append_only(database)["checkpoints"].delete_one({"_id": 5})
    assert LogWriter(database, wrapping).seal(signer())
    assert check(database) == 5


def test_two_checkpoints_of_one_size_and_different_roots_stop_the_writer(
    open_log: Callable[[], Database],
) -> None:
    database = open_log()
    TreeStore(database).check_point(Statement(signer().name, 2, bytes(32)), "note", NOW)
    writer = LogWriter(database, wrapping)
    with pytest.raises(Forked):
        writer.append(batches(1, 2, "p1")[0], signer(), again=False)
    with pytest.raises(Forked):
        writer.append(batches(1, 2, "p2")[0], signer(), again=False)


def test_a_log_keeps_its_name(open_log: Callable[[], Database]) -> None:
    store = TreeStore(open_log())
    store.claim("one.example/log")
    store.claim("one.example/log")
    with pytest.raises(OtherLog):
        store.claim("other.example/log")


def test_proofs_from_the_database_lead_to_the_signed_roots(open_log: Callable[[], Database]) -> None:
    database = open_log()
    writer, store = LogWriter(database, wrapping), TreeStore(database)
    for batch in batches(5, 13, "p1"):
        writer.append(batch, signer(), again=False)
    trees = recomputed(database)
    leaves = [row["leaf"] for row in append_only(database)["leaves"].find().sort("_id", 1)]
    for size in (1, 13, 40, 65):
        assert store.frontier(size) == trees[size]
        for index in {0, size // 2, size - 1}:
            ranges = merkle.inclusion(index, size)
            hashes = merkle.hashes(ranges, store.hashes(merkle.nodes(ranges)).__getitem__)
            assert root_from_inclusion(index, size, leaves[index], hashes) == trees[size].root
    between = merkle.consistency(13, 65)
    hashes = merkle.hashes(between, store.hashes(merkle.nodes(between)).__getitem__)
    assert hashes == subproof(13, leaves, True)


def test_numbers_that_never_arrive_are_alarmed_once(open_log: Callable[[], Database]) -> None:
    database = open_log()
    writer = LogWriter(database, wrapping)
    writer.append([record(0), record(4), record(5, doubtful=((3, 3),))], signer(), again=False)
    writer.alarm_gaps(datetime.now(UTC))
    assert database["gaps"].count_documents({}) == 0
    later = datetime.now(UTC) + GRACE + timedelta(seconds=1)
    writer.alarm_gaps(later)
    writer.append([record(6)], signer(), again=False)
    writer.alarm_gaps(later + GRACE)
    found = {row["_id"]: row["last"] for row in database["gaps"].find()}
    assert found == {"cases/p1/2": 2, "cases/p1/4": 4}
    assert database["publishers"].find_one({"_id": "cases/p1"})["missing"] == []


def test_a_number_that_comes_late_is_not_alarmed(open_log: Callable[[], Database]) -> None:
    database = open_log()
    first, second = LogWriter(database, wrapping), LogWriter(open_log(), wrapping)
    first.append([record(3)], signer(), again=False)
    second.append([record(0), record(1), record(2)], signer(), again=False)
    first.alarm_gaps(datetime.now(UTC) + GRACE * 2)
    assert database["gaps"].count_documents({}) == 0


# -- searches ---------------------------------------------------------------------------------------------

USERS, CASES, ACTIONS = ("u1", "u2", "u3"), ("c1", "c2", "c3", "c4"), ("case.read", "case.list", "log.read")


def many() -> list[Record]:
    """A log in which every combination occurs."""
    found = []
    for number in range(240):
        agency = ("police", "nhs")[number % 2]
        objects = tuple(
            Object(
                type=kind, id=CASES[(number + place) % 4], agency_id=("police", "thirteen")[number % 3 % 2]
            )
            for place, kind in enumerate(("case", "case", "subject")[: number % 4])
        )
        found.append(
            record(
                number // 2,
                actor=Actor(kind="user", id=USERS[number % 3], agency_id=agency),
                action=ACTIONS[number % 7 % 3],
                objects=objects,
                outcome=("shown", "shown", "refused", "done")[number % 4],
                how="opened" if number % 5 else None,
            )
        )
    return found


@pytest.mark.parametrize("limit", [7, 100])
def test_every_combination_of_filters_finds_exactly_what_it_says(
    open_log: Callable[[], Database], limit: int
) -> None:
    database = open_log()
    records = many()
    LogWriter(database, wrapping).append(records, signer(), again=False)
    store = EntryStore(database, wrapping)
    asked: list[dict[str, Any]] = [
        {},
        {"actor_id": "u1"},
        {"agency_id": "nhs"},
        {"case_id": "c2"},
        {"subject_id": "c3"},
        {"action": "case.list"},
        {"outcome": "refused"},
        {"outcome": "shown", "action": "case.read"},
        {"actor_id": "u2", "outcome": "refused", "action": "case.read"},
        {"actor_id": "u2", "agency_id": "police", "case_id": "c1"},
        {"since": NOW + timedelta(seconds=20), "until": NOW + timedelta(seconds=60)},
        {"case_id": "c1", "since": NOW + timedelta(seconds=31), "outcome": "shown"},
    ]
    for filters in asked:
        expected = [n for n, one in enumerate(records) if _matches(one, ListEntries(**filters))]
        expected.sort(key=lambda n: (records[n].at, n), reverse=True)
        assert _all(store, filters, (), limit) == expected, filters
    own = [n for n, one in enumerate(records) if "police" in _concerned(one)]
    assert sorted(_all(store, {}, ("d:police",), limit)) == own
    both = [n for n, one in enumerate(records) if one.actor.id in ("u1", "u2")]
    assert sorted(_all(store, {}, ("p:u1", "p:u2"), limit)) == both


def _all(store: EntryStore, filters: dict[str, Any], within: tuple[str, ...], limit: int) -> list[int]:
    found: list[int] = []
    after: Place | None = None
    while True:
        page = store.newest(search(ListEntries(**filters), within), limit, after)
        found.extend(one.index for one in page)
        if len(page) < limit:
            return found
        after = Place(page[-1].at, page[-1].index)


def _matches(one: Record, asked: ListEntries) -> bool:
    of_kind = {(item.type, item.id) for item in one.objects}
    return (
        asked.actor_id in (None, one.actor.id)
        and asked.agency_id in (None, one.actor.agency_id)
        and (asked.case_id is None or ("case", asked.case_id) in of_kind)
        and (asked.subject_id is None or ("subject", asked.subject_id) in of_kind)
        and asked.action in (None, one.action)
        and asked.outcome in (None, one.outcome)
        and (asked.since is None or one.at >= asked.since)
        and (asked.until is None or one.at < asked.until)
    )


def _concerned(one: Record) -> set[str | None]:
    return {one.actor.agency_id, *(item.agency_id for item in one.objects)}
