"""Records on their way into the log: the real broker, the real database, an audit that is killed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.audit.domain import merkle
from services.audit.domain.merkle import Frontier
from services.audit.domain.notes import Signer, Statement
from services.audit.domain.numbering import GRACE, SILENCE
from services.audit.stores.tree import append_only
from services.chassis import logkeys
from services.chassis.mongo import connect
from services.chassis.topology import INTAKE, VHOST, dead_queue
from services.contracts import audit as audit_contract
from tests.cell import Parts
from tests.integration.asking import Asking
from tests.integration.audit_children import AUDIT, DIES, ORIGIN, Holder, in_log
from tests.integration.calling import Calling, Ear, Instance, instances
from tests.unit.audit.logs import record
from tests.waiting import until

DYING = "tests.integration.audit_children:DyingAudit"
FUSSY = "tests.integration.audit_children:FussyAudit"


@pytest.fixture
def log(parts: Parts) -> Iterator[Any]:
    """Audit's database."""
    with connect(parts.mongo_url("operator"), app="test") as client:
        yield client["audit"]


@pytest.fixture
def holder(parts: Parts, ear: Ear) -> Holder:
    return Holder(parts, ear)


def check(log: Any, parts: Parts) -> None:
    """One tree, each entry once, and a checkpoint of all of it, signed with the key of the folder."""
    tree, seen = Frontier(), set()
    for index, row in enumerate(append_only(log)["leaves"].find().sort("_id", 1)):
        assert row["_id"] == index
        assert row["id"] not in seen
        seen.add(row["id"])
        tree, _ = tree.add(merkle.leaf_hash(row["leaf"]))
    note = until(lambda: (append_only(log)["checkpoints"].find_one({"_id": tree.size}) or {}).get("note"))
    signer = Signer(ORIGIN, logkeys.read(parts.keys_dir, ORIGIN).current())
    assert Statement.read(signer.verifier.open(note)) == Statement(ORIGIN, tree.size, tree.root)


def test_records_are_in_the_log_under_a_checkpoint(
    parts: Parts, log: Any, holder: Holder, tmp_path: Path
) -> None:
    records = [record(number) for number in range(1200)]
    with instances(parts, tmp_path, AUDIT):
        for one in records:
            holder.keep(one)
        until(lambda: in_log(log, {one.id for one in records}), seconds=30)
        check(log, parts)
    row = log["publishers"].find_one({"_id": f"cases/{holder.publisher}"})
    assert (row["last"], row["missing"]) == (1200, [])


def test_an_audit_killed_between_a_batch_and_its_acknowledgement_logs_each_record_once(
    parts: Parts, log: Any, holder: Holder, tmp_path: Path
) -> None:
    records, death = [record(number) for number in range(300)], tmp_path / "dies"
    death.touch()
    with instances(parts, tmp_path, DYING, **{DIES: str(death)}) as (audit,):
        for one in records[:200]:
            holder.keep(one)
        until(lambda: not audit.alive, seconds=30)
    assert append_only(log)["leaves"].count_documents({"id": {"$in": [one.id for one in records]}}) > 0
    for one in records[200:]:
        holder.keep(one)  # nobody is there: the queue takes them all the same
    with instances(parts, tmp_path, AUDIT) as (other,):
        until(lambda: in_log(log, {one.id for one in records}), seconds=30)
        until(lambda: other.metric('records_total{outcome="duplicate"}') > 0)
        check(log, parts)


def test_two_audits_of_which_one_is_killed_again_and_again_log_each_record_once(
    parts: Parts, log: Any, holder: Holder, tmp_path: Path
) -> None:
    records, chance = [record(number) for number in range(600)], random.Random(7)
    for begin in range(0, 600, 300):
        with instances(parts, tmp_path, AUDIT, AUDIT) as audits:
            dies = chance.randrange(300)  # whenever: before, in or after a batch
            for place, one in enumerate(records[begin : begin + 300]):
                holder.keep(one)
                if place == dies:
                    audits[chance.randrange(2)].kill()
    with instances(parts, tmp_path, AUDIT):
        until(lambda: in_log(log, {one.id for one in records}), seconds=30)
        check(log, parts)
    assert log["publishers"].find_one({"_id": f"cases/{holder.publisher}"})["missing"] == []


def test_a_frozen_audit_that_wakes_up_does_no_harm(
    parts: Parts, log: Any, holder: Holder, tmp_path: Path
) -> None:
    records = [record(number) for number in range(400)]
    with instances(parts, tmp_path, AUDIT, AUDIT, CONCORDAT_HEARTBEAT="1") as audits:
        for one in records[:200]:
            holder.keep(one)
        audits[0].pause()
        for one in records[200:]:
            holder.keep(one)
        until(lambda: in_log(log, {one.id for one in records}), seconds=40)
        audits[0].resume()
        until(lambda: _ready(audits[0]), seconds=20)
        check(log, parts)


def _ready(instance: Instance) -> bool:
    return instance._get("readyz") is not None


def test_what_nobody_can_read_is_put_aside_and_the_rest_goes_on(
    parts: Parts, log: Any, ear: Ear, holder: Holder, tmp_path: Path
) -> None:
    ear.taken(dead_queue("audit"))
    good = record(0)
    with instances(parts, tmp_path, AUDIT) as (audit,):
        holder.publish(b"Jane Roe, 1 High Street", content_type="text/plain")
        holder.publish(b"\1 not sealed at all")
        holder.send(b'{"name": "Jane Roe"}')
        holder.keep(record(1), number=9, service="sharing")
        holder.keep(good, number=1)
        until(lambda: in_log(log, {good.id}))
        letters = until(lambda: found if len(found := _letters(ear)) == 4 else None)
        assert audit.metric('dead_letters_total{queue="intake"') == 4
    assert sorted(letter.headers["x-reason"] for letter in letters) == [
        "content_type",
        "not_a_record",
        "not_sealed_for_us",
        "other_service",
    ]
    assert not any("Roe" in str(letter.body) for letter in letters)
    assert all(len(letter.headers["x-sha256"]) == 64 for letter in letters)


_found: list[Any] = []


def _letters(ear: Ear) -> list[Any]:
    _found.extend(ear.taken(dead_queue("audit")))
    return _found


def test_a_record_that_makes_its_batch_fail_is_put_aside_sealed_once_others_do_not(
    parts: Parts, log: Any, ear: Ear, holder: Holder, tmp_path: Path
) -> None:
    ear.taken(dead_queue("audit"))
    good = [record(number) for number in range(4)]
    with instances(parts, tmp_path, FUSSY) as (audit,):
        holder.keep(record(9, request_id="poison"))
        until(lambda: audit.count("records_not_taken") > 2)
        assert ear.taken(dead_queue("audit")) == []  # alone, it may be anything's fault: it waits
        for one in good:
            holder.keep(one)
        until(lambda: in_log(log, {one.id for one in good}), seconds=20)
        (letter,) = until(lambda: ear.taken(dead_queue("audit")))
    assert letter.headers["x-reason"] == "not_taken"
    assert letter.body[:1] == b"\1"
    check(log, parts)


def test_a_gap_in_the_numbers_is_kept_until_it_is_filled(
    parts: Parts, log: Any, holder: Holder, tmp_path: Path
) -> None:
    with instances(parts, tmp_path, AUDIT):
        for number in (1, 2, 6):
            holder.keep(record(number), number=number)
        key = {"_id": f"cases/{holder.publisher}"}
        until(lambda: (log["publishers"].find_one(key) or {}).get("last") == 6)
        (gap,) = log["publishers"].find_one(key)["missing"]
        assert (gap["first"], gap["last"]) == (3, 5)
        for number in (5, 3, 4):
            holder.keep(record(number), number=number)
        until(lambda: log["publishers"].find_one(key)["missing"] == [])


def emptied(parts: Parts) -> None:
    """The broker has lost what it confirmed, as one does that comes back with an empty disk."""
    parts.operator_api.call("DELETE", f"queues/{VHOST}/{INTAKE}/contents")


def test_a_broker_that_comes_back_with_an_empty_disk_is_noticed_by_the_next_mark(
    parts: Parts, log: Any, holder: Holder, tmp_path: Path
) -> None:
    for number in range(3):
        holder.keep(record(number))
    emptied(parts)
    holder.mark()  # nothing is recorded after what was lost
    key = {"_id": f"cases/{holder.publisher}"}
    with instances(parts, tmp_path, AUDIT):
        row = until(lambda: log["publishers"].find_one(key))
        assert row["last"] == 3
        assert [(gap["first"], gap["last"]) for gap in row["missing"]] == [(1, 3)]
        log["publishers"].update_one(key, {"$set": {"missing.0.since": datetime.now(UTC) - 2 * GRACE}})
        until(lambda: log["gaps"].find_one({"_id": f"cases/{holder.publisher}/1"}))


def test_a_process_whose_last_words_were_lost_is_told_of_and_one_that_ended_is_not(
    parts: Parts, log: Any, ear: Ear, tmp_path: Path
) -> None:
    ended, lost = Holder(parts, ear), Holder(parts, ear)
    for one in (ended, lost):
        one.keep(record(1))
    with instances(parts, tmp_path, AUDIT) as (audit,):
        publishers = log["publishers"]
        rows = [{"_id": f"cases/{one.publisher}"} for one in (ended, lost)]
        until(lambda: all(publishers.find_one(row) for row in rows))
        ended.mark(ended=True)
        until(lambda: "open" not in publishers.find_one(rows[0]))
        for row in rows:
            publishers.update_one(row, {"$set": {"at": datetime.now(UTC) - 2 * SILENCE}})
        until(lambda: "silent" in publishers.find_one(rows[1]), seconds=15)
        assert "silent" not in publishers.find_one(rows[0])
        until(lambda: audit.count("publisher_silent"))
        lost.keep(record(2))  # it was only slow
        until(lambda: publishers.find_one(rows[1]).get("open"))


def test_a_service_says_how_far_it_was_when_it_ends(
    parts: Parts, log: Any, calling: Calling, tmp_path: Path
) -> None:
    known = {row["_id"] for row in log["publishers"].find()}

    def fresh() -> list[dict[str, Any]]:
        return [
            row for row in log["publishers"].find({"_id": {"$regex": "^audit/"}}) if row["_id"] not in known
        ]

    with instances(parts, tmp_path, AUDIT, "tests.integration.audit_children:StandInSharing"):
        asking = Asking(calling, parts, "dpo", "police", "agency_dpo")
        asking.ask("list_entries", audit_contract.ListEntries(limit=1), audit_contract.EntryList)
        until(lambda: [row for row in fresh() if row.get("open")])
    with instances(parts, tmp_path, AUDIT):
        until(lambda: [row for row in fresh() if "open" not in row and row["missing"] == []])
