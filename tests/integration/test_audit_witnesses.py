"""Witnesses of a real log: what they cosign is kept and read; what the log signed elsewhere is alarmed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.witness.keeping import Memory
from deploy.witness.notes import LogKey
from deploy.witness.signing import own_key
from deploy.witness.watching import Watch
from services.audit.domain.cosignatures import WitnessKey
from services.audit.domain.notes import Signer, Statement
from services.audit.stores.tree import append_only
from services.audit.stores.witnesses import MOST, WitnessStore
from services.chassis import logkeys
from services.chassis.mongo import connect
from services.contracts import audit, witnesses
from services.contracts.errors import AlreadyExists, Invalid, InvalidTransition, RoleRequired
from tests.cell import Parts
from tests.integration.asking import Asking
from tests.integration.audit_children import AUDIT, ORIGIN, Holder, in_log
from tests.integration.calling import Calling, Ear, instances
from tests.unit.audit.logs import NOW, record
from tests.waiting import until


@pytest.fixture(scope="module", autouse=True)
def fleet(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with instances(parts, tmp_path_factory.mktemp("logs"), AUDIT):
        yield


@pytest.fixture
def log(parts: Parts) -> Iterator[Any]:
    with connect(parts.mongo_url("operator"), app="test") as client:
        yield client["audit"]


class OverRpc:
    """The log as a witness's HTTP client shows it, asked without a gateway."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking

    def latest(self) -> str:
        return str(self.asking.ask("latest_checkpoint", audit.LatestCheckpoint(), audit.Checkpoint).note)

    def consistency(self, since: int, until: int) -> list[str]:
        request = audit.GetConsistency.model_validate({"from": since, "to": until})
        return list(self.asking.ask("get_consistency", request, audit.Consistency).hashes)

    def publish(self, note: str, verifier_key: str) -> None:
        self.asking.ask("add_cosignature", cosignature(note, verifier_key), witnesses.Cosigned)


def cosignature(note: str, verifier_key: str) -> witnesses.AddCosignature:
    body = witnesses.CosignatureBody(note=note, verifier_key=verifier_key)
    return witnesses.AddCosignature(body=body)


def test_a_witness_follows_the_log_and_its_cosignatures_are_read_by_all(
    parts: Parts, calling: Calling, ear: Ear, log: Any, tmp_path: Path
) -> None:
    keys = [LogKey.read(str(signer(parts).verifier))]
    officer = Asking(calling, parts, "dpo", "police", "agency_dpo")
    key = own_key(tmp_path, f"witness.test/{uuid.uuid4().hex}")
    watch = Watch(OverRpc(officer), keys, key, Memory(tmp_path, keys))
    holder = Holder(parts, ear)
    sizes = []
    for number in range(3):
        one = record(number)
        holder.keep(one)
        until(lambda one=one: in_log(log, {one.id}))
        until(lambda: watch.look()[0] == "grown" or sizes)
        sizes.append(watch.look()[1].tree[0])

    def latest() -> audit.Checkpoint:
        found: audit.Checkpoint = officer.ask("latest_checkpoint", audit.LatestCheckpoint(), audit.Checkpoint)
        return found

    until(lambda: watch.look()[1].tree[0] == latest().size)
    assert key.name in latest().note
    assert keys[0].open(latest().note).size == latest().size
    page = officer.ask("list_checkpoints", witnesses.ListCheckpoints(limit=2), witnesses.CheckpointList)
    assert len(page.items) == 2
    assert page.items[0].size == latest().size
    assert [(one.name, one.agency_id) for one in page.items[0].witnesses] == [(key.name, "police")]
    more = witnesses.ListCheckpoints(limit=2, cursor=page.next)
    (further, *_) = officer.ask("list_checkpoints", more, witnesses.CheckpointList).items
    assert further.size < page.items[1].size

    again = officer.ask("add_cosignature", cosignature(latest().note, str(key)), witnesses.Cosigned)
    assert (again.size, again.witness) == (latest().size, key.name)
    other = Asking(calling, parts, "eve", "thirteen", "agency_dpo")
    assert isinstance(other.refused("add_cosignature", cosignature(latest().note, str(key))), AlreadyExists)
    no_officer = Asking(calling, parts, "pat", "police", "practitioner")
    refused = no_officer.refused("add_cosignature", cosignature(latest().note, str(key)))
    assert isinstance(refused, RoleRequired)


def test_an_agency_has_a_few_witnesses_and_not_any_number(log: Any) -> None:
    store, agency = WitnessStore(log), f"agency-{uuid.uuid4().hex}"
    keys = [
        WitnessKey(f"witness.test/{uuid.uuid4().hex}", bytes([number]) * 32) for number in range(MOST + 1)
    ]
    assert [store.claim(key, agency, NOW) for key in keys] == [True] * MOST + [False]
    assert store.claim(keys[0], agency, NOW)
    assert not store.claim(WitnessKey(keys[1].name, bytes(32)), agency, NOW)
    assert store.claim(keys[MOST], f"{agency}-2", NOW)


def test_a_note_that_the_log_signed_and_has_not_is_kept_and_alarmed(
    parts: Parts, calling: Calling, log: Any, tmp_path: Path
) -> None:
    asking = Asking(calling, parts, "dpo", "police", "agency_dpo")
    until(append_only(log)["checkpoints"].find_one)
    key = own_key(tmp_path, f"witness.test/{uuid.uuid4().hex}")
    conflicts = append_only(log)["conflicts"]
    before = conflicts.count_documents({})
    notes = [
        signer(parts).sign(str(Statement(ORIGIN, size, uuid.uuid4().bytes * 2))) for size in (0, 1, 10**9)
    ]
    for note in notes:
        for _ in range(2):
            refused = asking.refused("add_cosignature", cosignature(note, str(key)))
            assert isinstance(refused, InvalidTransition)
    assert conflicts.count_documents({}) == before + 3


def test_what_is_no_note_or_not_cosigned_is_refused(parts: Parts, calling: Calling, tmp_path: Path) -> None:
    asking = Asking(calling, parts, "dpo", "police", "agency_dpo")
    note = until(lambda: OverRpc(asking).latest())
    key = own_key(tmp_path, f"witness.test/{uuid.uuid4().hex}")
    forged = note.replace("\n\n", "\nmore\n\n")
    for bad, verifier_key in ((note, str(key)), (forged, str(key)), ("no note", str(key)), (note, "no key")):
        assert isinstance(asking.refused("add_cosignature", cosignature(bad, verifier_key)), Invalid)


def signer(parts: Parts) -> Signer:
    return Signer(ORIGIN, logkeys.read(parts.keys_dir, ORIGIN).current())
