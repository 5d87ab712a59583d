"""How the log is kept: what its database user cannot do, what erasing leaves, keys that are replaced."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from deploy import verifier
from deploy.store import LOG_READER
from services.audit.domain import exporting, merkle
from services.audit.domain.lookups import Search
from services.audit.domain.merkle import Range
from services.audit.domain.notes import Signer, Statement
from services.audit.stores.tree import TreeStore, append_only
from services.audit.stores.upkeep import EntryUpkeep
from services.audit.stores.writer import STEPS, LogWriter
from services.audit.tools import __main__ as tools
from services.audit.tools import fsck
from services.chassis import logkeys
from services.chassis.logkeys import WrappingKeys
from services.chassis.migrations import migrate
from services.chassis.mongo import connect
from services.contracts.records import Object, Record
from tests.cell import Parts
from tests.unit.audit.logs import NOW, ORIGIN, record, signer, wrapping
from tests.unit.audit.test_merkle import root_from_inclusion

UNAUTHORIZED = 13


@dataclass
class Log:
    """A log of its own, filled as the service fills it."""

    database: Any

    @property
    def tree(self) -> TreeStore:
        return TreeStore(self.database)

    @property
    def entries(self) -> EntryUpkeep:
        return EntryUpkeep(self.database, wrapping)

    def append(self, *records: Record) -> None:
        LogWriter(self.database, wrapping).append(records, signer(), again=False)

    def exported(self) -> list[bytes]:
        """As the export of who may see everything."""
        size, _, note = self.tree.latest() or (0, b"", "")
        details, lines = self.entries.between(0, size), []
        for index, leaf, hashed in self.tree.leaves(0, size):
            found = details.get(index)
            kept = (found.text, found.salt) if found else (None, None)
            lines.append(exporting.line(index, leaf, hashed, *kept))
        return [f"{line}\n".encode() for line in (*lines, exporting.last_line(note))]


@pytest.fixture
def log(parts: Parts, tag: str) -> Iterator[Log]:
    with connect(parts.mongo_url("operator"), app="test") as client:
        database = client[f"kept_{tag}"]
        migrate(database, STEPS, holder="test")
        yield Log(database)
        client.drop_database(append_only(database).name)
        client.drop_database(database.name)


def about(number: int, *objects: Object) -> Record:
    return record(number, objects=objects)


def key() -> verifier.Key:
    return verifier.Key.read(str(signer().verifier))


@pytest.mark.parametrize("collection", ["leaves", "checkpoints", "cosignatures", "conflicts"])
def test_the_services_user_can_neither_change_nor_delete_what_is_in_the_log(
    parts: Parts, collection: str
) -> None:
    with pymongo.MongoClient[dict[str, Any]](parts.mongo_url("audit")) as client:
        log = client["audit_log"]
        log[collection].find_one()
        attempts = (
            lambda: log[collection].update_one({}, {"$set": {"leaf": b""}}),
            lambda: log[collection].replace_one({"_id": -1}, {"leaf": b""}, upsert=True),
            lambda: log[collection].delete_one({}),
            lambda: log[collection].find_one_and_update({}, {"$set": {"leaf": b""}}),
            log[collection].drop,
            lambda: log[collection].rename("elsewhere"),
            lambda: client["audit"]["publishers"].aggregate(
                [{"$out": {"db": "audit_log", "coll": collection}}]
            ),
            lambda: log.command("collMod", collection, expireAfterSeconds=1),
            lambda: client.drop_database("audit_log"),
        )
        for attempt in attempts:
            with pytest.raises(OperationFailure) as refused:
                attempt()
            assert refused.value.code == UNAUTHORIZED


def test_who_reads_the_log_needs_no_privilege_on_details(parts: Parts, tag: str) -> None:
    with pymongo.MongoClient[dict[str, Any]](parts.mongo_url("operator")) as operator:
        operator.admin.command("createUser", f"r{tag}", pwd="p", roles=[{"role": LOG_READER, "db": "admin"}])
        hosts = ",".join(f"{host}:{port}" for host, port in operator.nodes or [operator.address])
        with pymongo.MongoClient[dict[str, Any]](f"mongodb://r{tag}:p@{hosts}/?authSource=admin") as reader:
            reader["audit_log"]["leaves"].find_one()
            for database, name in (("audit", "entries"), ("audit", "detail_keys")):
                with pytest.raises(OperationFailure) as refused:
                    reader[database][name].find_one()
                assert refused.value.code == UNAUTHORIZED
            with pytest.raises(OperationFailure):
                reader["audit_log"]["leaves"].insert_one({"_id": -1})
        operator.admin.command("dropUser", f"r{tag}")


def test_a_detail_is_nowhere_in_the_database_as_text(log: Log) -> None:
    log.append(record(reason="investigation", request_id="secret-request"))
    for name in ("entries", "detail_keys"):
        assert b"secret-request" not in b"".join(repr(row).encode() for row in log.database[name].find())
    assert log.entries.find(0).record.request_id == "secret-request"  # type: ignore[union-attr]


def test_erasing_a_subject_leaves_every_proof_valid(log: Log) -> None:
    anna, ben = Object(type="subject", id="anna"), Object(type="subject", id="ben")
    log.append(*(about(number, anna if number % 3 else ben) for number in range(20)))
    before = log.exported()
    assert verifier.verify_export(before, key()).details == 20
    log.append(*(about(number, ben) for number in range(20, 23)))

    assert log.entries.erase(Search(each=(("s:anna",),)), NOW) == 13
    assert log.entries.erase(Search(each=(("s:anna",),)), NOW) == 0

    after = log.exported()
    checked = verifier.verify_export(after, key())
    assert (checked.checkpoint.size, checked.details) == (23, 10)
    assert verifier.verify_export(before, key()).details == 20  # what was exported before holds as well
    assert b"anna" not in b"".join(after)
    assert log.entries.newest(Search(each=(("s:anna",),)), 50, None) == []
    assert len(log.entries.newest(Search(each=(("s:ben",),)), 50, None)) == 10
    _, root, note = log.tree.latest() or (0, b"", "")
    assert Statement.read(signer().verifier.open(note)) == Statement(ORIGIN, 23, root)
    for index, leaf, _ in log.tree.leaves(0, 23):
        ranges = merkle.inclusion(index, 23)
        hashes = merkle.hashes(ranges, log.tree.hashes(merkle.nodes(ranges)).__getitem__)
        assert root_from_inclusion(index, 23, leaf, hashes) == root
    earlier = merkle.fold([log.tree.hashes([node])[node] for node in merkle.cover(Range(0, 20))])
    said = json.loads(before[-1])["note"]
    assert Statement.read(signer().verifier.open(said)).root == earlier


def test_what_was_erased_shortens_no_page(log: Log) -> None:
    anna, ben = Object(type="subject", id="anna"), Object(type="subject", id="ben")
    log.append(*(about(number, anna if number % 2 else ben) for number in range(20)))
    log.entries.erase(Search(each=(("s:anna",),)), NOW)
    assert [one.index for one in log.entries.newest(Search(), 4, None)] == [18, 16, 14, 12]


def test_a_copy_of_the_entries_is_of_no_use_once_their_keys_are_destroyed(log: Log) -> None:
    log.append(about(0, Object(type="subject", id="anna")))
    copy = list(log.database["entries"].find())
    log.entries.erase(Search(each=(("s:anna",),)), NOW)
    log.database["entries"].delete_many({})
    log.database["entries"].insert_many(copy)
    assert log.entries.find(0) is None


def test_another_wrapping_key_needs_no_detail_to_be_encrypted_anew(log: Log) -> None:
    log.append(*(record(number) for number in range(5)))
    details = [row["sealed"] for row in log.database["entries"].find()]
    both = WrappingKeys({**wrapping().keys, "k2": bytes(32)}, ((0.0, "k1"), (1.0, "k2")))
    alone = WrappingKeys({"k2": bytes(32)}, ((1.0, "k2"),))
    store = EntryUpkeep(log.database, lambda: both)
    assert store.find(3) is not None
    assert (store.rewrap(), store.rewrap()) == (5, 0)
    assert [row["sealed"] for row in log.database["entries"].find()] == details
    renewed = EntryUpkeep(log.database, lambda: alone)
    assert [renewed.find(index).record.number for index in range(5)] == [0] * 5  # type: ignore[union-attr]


def test_what_an_earlier_version_kept_in_the_clear_is_read_and_then_encrypted(log: Log) -> None:
    log.append(record(7))
    found = log.entries.find(0)
    assert found is not None
    log.database["entries"].update_one(
        {"_id": 0}, {"$unset": {"sealed": ""}, "$set": {"detail": found.text, "salt": found.salt}}
    )
    log.database["detail_keys"].delete_many({})
    assert log.entries.find(0) == found
    assert log.entries.seal_old() == 1
    assert log.entries.find(0) == found
    assert "detail" not in log.database["entries"].find_one({"_id": 0})


def test_the_hash_of_a_detail_and_its_salt_is_what_the_leaf_says(log: Log) -> None:
    log.append(record())
    found, (_, leaf, _) = log.entries.find(0), log.tree.leaves(0, 1)[0]
    assert found is not None
    verifier.check_detail(leaf, found.text, base64.b64encode(found.salt).decode())


# -- fsck -----------------------------------------------------------------------------------------------


def sound(log: Log) -> fsck.Sound:
    return fsck.check(log.tree, log.entries, ORIGIN, [fsck.KeyInTime(signer().verifier, 0.0, None)])


@pytest.mark.parametrize(
    ("spoil", "index"),
    [
        (lambda at: at["leaves"].delete_one({"_id": 5}), 5),
        (lambda at: at["leaves"].delete_one({"_id": 11}), 11),
        (lambda at: at["leaves"].update_one({"_id": 4}, {"$set": {"leaf": b'{"id":"x"}'}}), 4),
        (lambda at: at["leaves"].update_one({"_id": 7}, {"$set": {"hashes": bytes(128)}}), 7),
        (lambda at: at["checkpoints"].update_one({"_id": 6}, {"$set": {"root": bytes(32)}}), 6),
        (lambda at: at["checkpoints"].update_one({"_id": 6}, {"$set": {"note": "no note"}}), 6),
        (lambda at: at["leaves"].delete_many({"_id": {"$gte": 9}}), 9),
        (lambda at: at["tree"].update_one({}, {"$set": {"size": 3}}), 3),
        (lambda at: at["entries"].delete_one({"_id": 2}), 2),
        (lambda at: at["entries"].update_one({"_id": 2}, {"$unset": {"sealed": ""}}), 2),
        (lambda at: at["detail_keys"].delete_one({"_id": 8}), 8),
        (lambda at: at["entries"].update_one({"_id": 0}, {"$set": {"sealed": bytes(100)}}), 0),
    ],
)
def test_fsck_names_the_first_index_that_is_wrong(log: Log, spoil: Any, index: int) -> None:
    for begin in (0, 6):
        log.append(*(record(number) for number in range(begin, begin + 6)))
    assert sound(log) == fsck.Sound(12, 2, 12, 0)
    stored = {
        name: (append_only(log.database) if name in ("leaves", "checkpoints") else log.database)[name]
        for name in ("leaves", "checkpoints", "tree", "entries", "detail_keys")
    }
    spoil(stored)
    with pytest.raises(fsck.Broken, match=f"^index {index}\\b"):
        sound(log)


def test_fsck_takes_what_was_erased_for_sound(log: Log) -> None:
    log.append(*(about(number, Object(type="subject", id="anna")) for number in range(3)), record(4))
    log.entries.erase(Search(each=(("s:anna",),)), NOW)
    assert sound(log) == fsck.Sound(4, 1, 1, 3)


# -- the command --------------------------------------------------------------------------------------------


def test_the_operators_commands_on_a_real_log(
    log: Log,
    parts: Parts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in parts.environment("audit").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MONGO_URL", parts.mongo_url("operator"))
    monkeypatch.setenv("CONCORDAT_MONGO_DATABASE", log.database.name)

    def told(*arguments: str) -> tuple[int, str]:
        code = tools.main(list(arguments))
        said = capsys.readouterr()
        return code, said.out + said.err

    origin = "concordat.local/log"
    keys = logkeys.read(parts.keys_dir, origin)
    by = Signer(origin, keys.current())
    writer = LogWriter(log.database, lambda: logkeys.read_wrapping(parts.keys_dir))
    writer.append([about(number, Object(type="subject", id="anna")) for number in range(5)], by, again=False)

    assert told("fsck") == (0, "sound: 5 entries, 1 checkpoints, 5 details, 0 erased\n")
    assert told("tiles", str(tmp_path))[0] == 0
    assert told("check-tiles", str(tmp_path), str(by.verifier)) == (0, "sound: 5 entries\n")
    assert told("check-tiles", str(tmp_path), str(signer().verifier))[0] == 1
    assert told("shred", "--subject", "anna") == (0, "5 details are destroyed; every proof stays\n")
    assert told("fsck") == (0, "sound: 6 entries, 2 checkpoints, 1 details, 5 erased\n")
    assert told("rewrap") == (0, "0 keys wrapped anew\n")
    (said,) = [found for found in log.database["publishers"].find() if found["_id"].startswith("audit/")]
    assert "open" not in said  # nobody waits for more of it
    assert b"anna" not in b"".join(repr(row).encode() for row in log.database["entries"].find())
    append_only(log.database)["leaves"].delete_one({"_id": 3})
    code, text = told("fsck")
    assert (code, text) == (1, "NOT sound: index 3: the entry is not there\n")
