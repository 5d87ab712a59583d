"""The log as it is read, by real callers from a real service, and the export as the verifier takes it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy import verifier
from services.audit.domain import merkle
from services.audit.stores.tree import append_only
from services.chassis.mongo import connect
from services.contracts import audit, statements
from services.contracts.errors import Invalid, LogDamaged, Malformed, NotOwner, NotVisible, RoleRequired
from services.contracts.records import Actor, Object, Record
from tests.cell import Parts
from tests.integration.asking import Asking
from tests.integration.audit_children import AUDIT, Holder, in_log
from tests.integration.calling import Calling, Ear, instances
from tests.unit.audit.logs import record
from tests.unit.audit.test_merkle import root_from_inclusion
from tests.waiting import until

SHARING = "tests.integration.audit_children:StandInSharing"


@pytest.fixture(scope="module", autouse=True)
def fleet(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where its processes write their logs."""
    folder = tmp_path_factory.mktemp("logs")
    with instances(parts, folder, AUDIT, SHARING):
        yield folder


@pytest.fixture
def log(parts: Parts) -> Iterator[Any]:
    with connect(parts.mongo_url("operator"), app="test") as client:
        yield client["audit"]


class Scene:
    """Three entries: an officer reads her case, lists it beside another agency's, and is refused a third."""

    def __init__(self, calling: Calling, parts: Parts, ear: Ear, tag: str) -> None:
        self._calling, self._parts = calling, parts
        tag = tag[:8]
        self.officer, self.police, self.thirteen = f"ann-{tag}", f"police-{tag}", f"thirteen-{tag}"
        self.case, self.other = f"{self.officer}--{self.police}", f"bob-{tag}--{self.thirteen}"
        actor = Actor(kind="user", id=self.officer, agency_id=self.police)
        own = Object(type="case", id=self.case, agency_id=self.police, sections=("summary", "victim"))
        theirs = Object(type="case", id=self.other, agency_id=self.thirteen, sections=("summary",))
        self.entries = [
            record(1, actor=actor, objects=(own,), reason="safeguarding"),
            record(2, actor=actor, objects=(own, theirs), action="case.list", how="listed"),
            record(3, actor=actor, objects=(Object(type="case", id=self.other),), outcome="refused"),
        ]
        holder = Holder(parts, ear)
        for one in self.entries:
            holder.keep(one)

    def as_(self, id_: str, agency: str, *roles: str) -> Asking:
        return Asking(self._calling, self._parts, id_, agency, *roles)

    @property
    def ann(self) -> Asking:
        return self.as_(self.officer, self.police, "practitioner")

    @property
    def partnership(self) -> Asking:
        return self.as_("dpo", "opcc", "partnership_dpo")


@pytest.fixture
def scene(calling: Calling, parts: Parts, ear: Ear, tag: str, log: Any) -> Scene:
    scene = Scene(calling, parts, ear, tag)
    until(lambda: in_log(log, {one.id for one in scene.entries}))
    return scene


def listed(asking: Asking, **filters: Any) -> list[audit.EntryView]:
    found = asking.ask("list_entries", audit.ListEntries(**filters), audit.EntryList)
    return [one for one in found.items if one.action != "log.read"]


def ids(found: list[Any]) -> list[str]:
    return [one.id for one in found]


def test_everyone_reads_own_acts_newest_first_with_names(scene: Scene) -> None:
    found = listed(scene.ann)
    assert ids(found) == [one.id for one in reversed(scene.entries)]
    assert found[0].actor.name == f"name of {scene.officer}"
    assert found[2].reason == "safeguarding"
    assert found[2].index is not None
    assert listed(scene.as_(f"{scene.officer}x", scene.police, "practitioner")) == []


def test_pages_follow_one_another(scene: Scene) -> None:
    asked = audit.ListEntries(actor_id=scene.officer, limit=1)
    seen = []
    while True:
        page = scene.partnership.ask("list_entries", asked, audit.EntryList)
        seen.extend(one.id for one in page.items if one.action != "log.read")
        if page.next is None:
            break
        asked = asked.model_copy(update={"cursor": page.next})
    assert seen == [one.id for one in reversed(scene.entries)]
    refused = scene.ann.refused("list_entries", audit.ListEntries(cursor="AAAA"))
    assert isinstance(refused, Malformed)


def test_an_agencys_officer_sees_its_own_part_of_an_entry(scene: Scene) -> None:
    officer = scene.as_("d", scene.thirteen, "agency_dpo")
    (found,) = listed(officer)
    assert found.id == scene.entries[1].id
    assert [item.id for item in found.objects] == [scene.other]


def test_an_owner_reads_what_concerns_the_own_case(scene: Scene) -> None:
    bob = scene.as_(scene.other.partition("--")[0], scene.thirteen, "practitioner")
    assert listed(bob) == []
    found = listed(bob, case_id=scene.other)
    assert ids(found) == [scene.entries[2].id, scene.entries[1].id]
    assert [item.id for item in found[1].objects] == [scene.other]
    one = bob.ask("get_entry", audit.GetEntry(entry_id=scene.entries[1].id), audit.EntryView)
    assert [item.id for item in one.objects] == [scene.other]
    missing = bob.refused("get_entry", audit.GetEntry(entry_id=scene.entries[0].id))
    assert isinstance(missing, NotVisible)
    assert isinstance(bob.refused("get_entry", audit.GetEntry(entry_id="nothing")), NotVisible)


def test_reading_the_log_is_in_the_log_itself(scene: Scene, log: Any) -> None:
    answer = scene.ann.ask("get_entry", audit.GetEntry(entry_id=scene.entries[0].id), audit.EntryView)
    until(lambda: in_log(log, {answer.disclosed.entry_id}))
    found = scene.partnership.ask(
        "get_entry", audit.GetEntry(entry_id=answer.disclosed.entry_id), audit.EntryView
    )
    assert (found.action, found.actor.id) == ("log.read", scene.officer)
    assert [(item.type, item.id) for item in found.objects] == [("log_entry", scene.entries[0].id)]
    nobody = scene.as_(f"eve-{scene.officer}", "nhs", "practitioner")
    nobody.refused("get_entry", audit.GetEntry(entry_id=scene.entries[0].id))
    until(lambda: _listed_refusals(scene, nobody.id))


def _listed_refusals(scene: Scene, user: str) -> bool:
    asked = audit.ListEntries(actor_id=user, outcome="refused", action="log.read")
    return len(scene.partnership.ask("list_entries", asked, audit.EntryList).items) == 1


def test_an_owner_sees_who_looked_and_others_do_not(scene: Scene) -> None:
    asked = audit.ListCaseConsultations(case_id=scene.case)
    answer = scene.ann.ask("list_case_consultations", asked, audit.Consultations)
    assert [one.entry_id for one in answer.items] == [scene.entries[1].id, scene.entries[0].id]
    first = answer.items[1].model_dump(exclude_unset=True)
    assert (first["how"], first["sections"], first["reason"]) == (
        "opened",
        ("summary", "victim"),
        "safeguarding",
    )
    stranger = scene.as_("eve", scene.police, "practitioner")
    assert isinstance(stranger.refused("list_case_consultations", asked), NotVisible)
    unknown = audit.ListCaseConsultations(case_id="unknown")
    assert isinstance(scene.ann.refused("list_case_consultations", unknown), NotVisible)


def test_everyone_sees_the_own_consultations(scene: Scene) -> None:
    answer = scene.ann.ask("list_own_consultations", audit.ListOwnConsultations(), audit.OwnConsultations)
    found = [one for one in answer.items if one.action != "log.read"]
    assert [one.entry_id for one in found] == [one.id for one in reversed(scene.entries)]
    assert [one.outcome for one in found] == ["refused", "shown", "shown"]


def test_a_proof_leads_from_the_entry_to_the_signed_checkpoint(scene: Scene) -> None:
    (key,) = scene.ann.ask("list_keys", audit.ListKeys(), audit.KeyList).items
    known = verifier.Key.read(key.verifier_key)
    checkpoint = scene.ann.ask("latest_checkpoint", audit.LatestCheckpoint(), audit.Checkpoint)
    said = known.open(checkpoint.note)
    assert (said.origin, said.size) == (checkpoint.origin, checkpoint.size) == (key.name, said.size)
    asked = audit.GetProof(entry_id=scene.entries[0].id, size=said.size)
    proof = scene.ann.ask("get_proof", asked, audit.Proof)
    hashes = [base64.b64decode(one) for one in proof.hashes]
    leaf = base64.b64decode(proof.leaf)
    assert root_from_inclusion(proof.index, proof.size, leaf, hashes) == said.root
    for size in (proof.index, 2**40):
        wrong = scene.ann.refused("get_proof", audit.GetProof(entry_id=scene.entries[0].id, size=size))
        assert isinstance(wrong, Invalid)
        assert wrong.errors[0].pointer == "/size"
    stranger = scene.as_("eve", "nhs", "practitioner")
    assert isinstance(stranger.refused("get_proof", asked), NotVisible)


def test_consistency_between_any_two_sizes(scene: Scene, log: Any) -> None:
    size = scene.ann.ask("latest_checkpoint", audit.LatestCheckpoint(), audit.Checkpoint).size
    answer = scene.ann.ask("get_consistency", audit.GetConsistency(since=1, until=size), audit.Consistency)
    assert (answer.since, answer.until) == (1, size)
    assert answer.hashes
    for since, until_, pointer in ((2, 1, "/from"), (1, 2**40, "/to")):
        wrong = scene.ann.refused("get_consistency", audit.GetConsistency(since=since, until=until_))
        assert [one.pointer for one in wrong.errors] == [pointer]


def exported(asking: Asking) -> list[bytes]:
    lines: list[bytes] = []
    cursor = None
    while True:
        page = asking.ask("export_entries", audit.ExportEntries(cursor=cursor), audit.ExportPage)
        lines.extend(f"{line}\n".encode() for line in page.lines)
        cursor = page.next
        if cursor is None:
            return lines


def test_the_export_is_accepted_by_the_verifier_and_with_a_byte_changed_it_names_the_entry(
    scene: Scene, log: Any, parts: Parts, ear: Ear
) -> None:
    holder_records = [record(number) for number in range(1100)]
    holder = Holder(parts, ear)
    for one in holder_records:
        holder.keep(one)
    until(lambda: in_log(log, {one.id for one in holder_records}), seconds=30)
    until(lambda: append_only(log)["checkpoints"].find_one({"_id": log["tree"].find_one()["size"]}))
    (key,) = scene.ann.ask("list_keys", audit.ListKeys(), audit.KeyList).items
    known = verifier.Key.read(key.verifier_key)
    lines = exported(scene.partnership)
    checked = verifier.verify_export(lines, known)
    assert checked.checkpoint.size == checked.details == len(lines) - 1 > 1100
    spoilt = [*lines[:700], lines[700].replace(b"case-1", b"case-2"), *lines[701:]]
    with pytest.raises(verifier.Wrong, match=r"^index 700:"):
        verifier.verify_export(spoilt, known)
    part = exported(scene.as_("d", scene.police, "agency_dpo"))
    own = verifier.verify_export(part, known)
    assert 3 <= own.details < 20
    assert scene.officer in "".join(line.decode() for line in part)
    refused = scene.ann.refused("export_entries", audit.ExportEntries())
    assert isinstance(refused, RoleRequired)


def test_an_agencys_export_has_no_detail_that_names_others_things(scene: Scene) -> None:
    part = exported(scene.as_("d", scene.thirteen, "agency_dpo"))
    assert scene.case not in "".join(line.decode() for line in part)


def test_a_merkle_path_of_one_entry_is_short(scene: Scene) -> None:
    proof = scene.ann.ask("get_proof", audit.GetProof(entry_id=scene.entries[0].id), audit.Proof)
    assert len(proof.hashes) <= proof.size.bit_length()
    assert len(merkle.inclusion(proof.index, proof.size)) == len(proof.hashes)


def test_a_log_with_leaves_missing_under_a_signed_checkpoint_says_so_and_proves_nothing(
    scene: Scene, log: Any, fleet: Path
) -> None:
    leaves = append_only(log)["leaves"]
    until(lambda: append_only(log)["checkpoints"].find_one({"_id": log["tree"].find_one()["size"]}))
    size = scene.ann.ask("latest_checkpoint", audit.LatestCheckpoint(), audit.Checkpoint).size
    asked = audit.GetConsistency(since=1, until=size)
    index = leaves.find_one({"id": scene.entries[0].id})["_id"]
    beside, gone = index ^ 1, []  # the neighbour's hash is the first of the entry's proof
    try:
        for one in {1, beside}:
            gone += leaves.find({"_id": one})
            leaves.delete_one({"_id": one})
        for method, request in (
            ("get_consistency", asked),
            ("get_proof", audit.GetProof(entry_id=scene.entries[0].id)),
            ("get_receipt", statements.GetReceipt(entry_id=scene.entries[0].id)),
        ):
            problem = scene.ann.refused(method, request)
            assert isinstance(problem, LogDamaged)
            assert (problem.status, problem.public_code) == (503, "unavailable")
        assert isinstance(scene.partnership.refused("export_entries", audit.ExportEntries()), LogDamaged)
    finally:
        leaves.insert_many(gone)
    assert scene.ann.ask("get_consistency", asked, audit.Consistency).hashes
    said = "".join(file.read_text() for file in fleet.rglob("*") if file.is_file())
    assert said.count('"log_damaged"') >= 4


def test_only_an_owner_asks_for_consultations(scene: Scene) -> None:
    light = scene.as_(scene.officer, scene.police, "light_participant")
    problem = light.refused("list_case_consultations", audit.ListCaseConsultations(case_id=scene.case))
    assert isinstance(problem, NotVisible | NotOwner | RoleRequired)


def test_records_hold_no_content() -> None:
    assert set(Record.model_fields) == {
        *("id", "at", "actor", "action", "operation", "how", "objects", "use", "reason", "outcome", "code"),
        *("request_id", "service", "publisher", "number", "doubtful"),
    }
