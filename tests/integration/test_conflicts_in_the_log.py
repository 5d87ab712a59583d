"""Whom a conflict shuts out of a case does not find it in the log either: real `sharing`, real `audit`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy import verifier
from services.audit.stores.tree import append_only
from services.chassis.mongo import connect
from services.contracts import audit
from services.contracts.audit import (
    ExportEntries,
    GetEntry,
    GetProof,
    ListCaseConsultations,
    ListEntries,
    ListOwnConsultations,
)
from services.contracts.authority import Exclusions, GetExclusions
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, NotVisible, Unavailable
from services.contracts.messages import Request
from services.contracts.records import Actor, Object, Record
from services.contracts.sharing.conflicts import ConflictBody, DeclareConflict, WithdrawConflict
from services.contracts.statements import GetReceipt
from tests.cell import Parts
from tests.integration.audit_children import AUDIT, Holder, in_log
from tests.integration.calling import Calling, Ear, Instance, instances
from tests.integration.granting import World
from tests.integration.partnership import Person
from tests.integration.sharing_gate import sharing_alone
from tests.unit.audit.logs import record
from tests.waiting import until


class Logged:
    """Olive has two cases, of which Colin of her team opened both, and listed them together. Sue supervises
    them; each agency's officer and the partnership's read the log."""

    def __init__(self, world: World, sharing: Instance, parts: Parts, ear: Ear) -> None:
        self.world, self.sharing, self._parts, self._ear = world, sharing, parts, ear
        self.sue = world.person(world.police, "Sue Supervisor", world.asb, role="supervisor")
        self.officer = world.person(world.police, "Desmond Officer", role="agency_dpo")
        self.partnership = world.person(world.police, "Petra Partnership", role="partnership_dpo")
        self.colin = world.colleague
        self.readers = (self.sue, self.officer, self.partnership)

    def begin(self) -> None:
        """Two new cases and what was done with them."""
        self.case, self.other = self.world.case(), self.world.case()
        mine, other = self._about(self.case), self._about(self.other)
        entry = Object(type="entry", id=new_event_id(), agency_id=self.world.police.id)
        colin = self._actor(self.colin)
        self.opened = record(1, actor=colin, objects=(mine,), reason="safeguarding")
        self.added = record(2, actor=colin, objects=(mine, entry), action="entry.add", outcome="done")
        self.listed = record(3, actor=colin, objects=(mine, other), action="case.list", how="listed")
        self.beside = record(4, actor=colin, objects=(other,))
        watched = Object(type="log", id=self.case)
        self.watched = record(5, actor=self._actor(self.world.owner), objects=(watched,), action="log.read")
        self.kept(self.opened, self.added, self.listed, self.beside, self.watched)

    def kept(self, *records: Record) -> None:
        holder = Holder(self._parts, self._ear)
        for one in records:
            holder.keep(one)
        with connect(self._parts.mongo_url("operator"), app="test") as client:
            log = client["audit"]
            until(lambda: in_log(log, {one.id for one in records}))
            until(lambda: append_only(log)["checkpoints"].find_one({"_id": log["tree"].find_one()["size"]}))

    def own(self, reader: Person, *objects: Object, **more: Any) -> Record:
        made = record(6, actor=self._actor(reader), objects=objects or (self._about(self.case),), **more)
        self.kept(made)
        return made

    def shut_out(self, *readers: Person) -> list[str]:
        made = []
        for one in readers:
            body = ConflictBody(user_id=one.id, kind="household", reason="Lives with the victim")
            told = self.world.owner.tell(
                "declare_conflict", DeclareConflict(case_id=self.case, conflict=body)
            )
            made.append(told["id"])
        return made

    def let_in(self, conflict_id: str) -> None:
        request = WithdrawConflict(case_id=self.case, conflict_id=conflict_id)
        self.world.owner.tell("withdraw_conflict", request)

    def ask(self, who: Person, method: str, request: Request, reply: Any = None) -> Any:
        signed, request_id = who.signed("audit", method, request, None)
        return self.world.calling.ask(
            f"audit.{method}", request, caller=signed, request_id=request_id, reply=reply, seconds=5
        )

    def refused(self, who: Person, method: str, request: Request) -> ConcordatError:
        with pytest.raises(ConcordatError) as problem:
            self.ask(who, method, request)
        return problem.value

    def entries(self, who: Person, **filters: Any) -> dict[str, Any]:
        """By id, all that there are, or that the filters leave, however many pages: short ones, where they
        leave few."""
        found: dict[str, Any] = {}
        asked = ListEntries(limit=2 if {"actor_id", "case_id"} & filters.keys() else 100, **filters)
        while True:
            page = self.ask(who, "list_entries", asked, audit.EntryList)
            assert page.items or page.next is None
            found |= {one.id: one for one in page.items}
            if page.next is None:
                return found
            asked = asked.model_copy(update={"cursor": page.next})

    def text_of_export(self, who: Person) -> str:
        """All of it, once the verifier has found it complete."""
        (key,) = self.ask(who, "list_keys", audit.ListKeys(), audit.KeyList).items
        lines: list[str] = []
        cursor = None
        while True:
            page = self.ask(who, "export_entries", ExportEntries(cursor=cursor), audit.ExportPage)
            lines += page.lines
            if page.next is None:
                break
            cursor = page.next
        checked = verifier.verify_export(
            [f"{line}\n".encode() for line in lines], verifier.Key.read(key.verifier_key)
        )
        assert checked.checkpoint.size == len(lines) - 1
        return "\n".join(lines)

    def _about(self, case_id: str) -> Object:
        agency = self.world.police.id
        return Object(type="case", id=case_id, agency_id=agency, sections=("summary",))

    @staticmethod
    def _actor(one: Person) -> Actor:
        return Actor(kind="user", id=one.id, agency_id=one.agency_id)


@pytest.fixture(scope="module")
def scene(
    parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Ear], Logged]]:
    logs: Path = tmp_path_factory.mktemp("logs")
    with (
        Calling(parts, "cases") as cases,
        Calling(parts, "audit") as auditing,
        sharing_alone(parts, logs) as sharing,
        connect(parts.mongo_url("sharing"), app="test") as client,
    ):
        world = World(parts, calling, {"cases": cases, "audit": auditing}, client["sharing"])
        world.close()  # what is recorded is audit's from here on
        with instances(parts, logs, AUDIT):
            yield lambda ear: Logged(world, sharing, parts, ear)


@pytest.fixture
def log(scene: Callable[[Ear], Logged], ear: Ear) -> Logged:
    logged = scene(ear)
    logged.begin()
    return logged


def test_before_a_conflict_each_reader_finds_the_case(log: Logged) -> None:
    for reader in log.readers:
        found = log.entries(reader, actor_id=log.colin.id)
        assert {log.opened.id, log.added.id, log.listed.id, log.beside.id} <= found.keys()
        assert log.case in found[log.listed.id].model_dump_json()


def test_a_case_is_in_no_list_for_who_is_shut_out_of_it_and_pages_stay_full(log: Logged) -> None:
    log.shut_out(*log.readers)
    for reader in log.readers:
        for filters in ({}, {"actor_id": log.colin.id}, {"case_id": log.case}, {"action": "case.list"}):
            found = log.entries(reader, **filters)
            assert log.case not in "".join(one.model_dump_json() for one in found.values())
            assert not {log.opened.id, log.added.id, log.watched.id} & found.keys()
        assert log.entries(reader, case_id=log.case) == {}
        shown = log.entries(reader, actor_id=log.colin.id)
        assert [item.id for item in shown[log.listed.id].objects] == [log.other]
        assert log.beside.id in shown
        assert log.listed.id in log.entries(reader, case_id=log.other)


def test_an_entry_about_the_case_alone_is_as_one_that_is_not_there(log: Logged) -> None:
    log.shut_out(*log.readers)
    for reader in log.readers:
        for method, request in (
            ("get_entry", GetEntry),
            ("get_proof", GetProof),
            ("get_receipt", GetReceipt),
        ):
            missing = log.refused(reader, method, request(entry_id=new_event_id()))
            for hidden in (log.opened, log.added, log.watched):
                problem = log.refused(reader, method, request(entry_id=hidden.id))
                assert isinstance(problem, NotVisible)
                assert (problem.public_code, problem.status) == (missing.public_code, missing.status)
        one = log.ask(reader, "get_entry", GetEntry(entry_id=log.listed.id), audit.EntryView)
        assert [item.id for item in one.objects] == [log.other]
        receipt = log.ask(reader, "get_receipt", GetReceipt(entry_id=log.listed.id))
        assert "detail" not in receipt["entry"]
        assert log.case not in str(receipt)
    assert isinstance(
        log.refused(log.sue, "list_case_consultations", ListCaseConsultations(case_id=log.case)), NotVisible
    )


def test_an_export_is_complete_and_says_nothing_of_it(log: Logged) -> None:
    assert log.case in log.text_of_export(log.partnership)
    log.shut_out(*log.readers)
    for reader in (log.officer, log.partnership):
        text = log.text_of_export(reader)
        assert log.case not in text
        assert log.beside.id in text
        assert log.other in text


def test_own_acts_stay_without_the_case_and_own_refusals_as_they_were_asked(log: Logged) -> None:
    for reader in log.readers:
        opened = log.own(reader, reason="safeguarding", use="complex_asb")
        refused = log.own(reader, outcome="refused", code="not_found")
        nowhere = Object(type="case", id=new_event_id())
        missing = log.own(reader, nowhere, outcome="refused", code="not_found")
        log.shut_out(reader)
        found = log.entries(reader, actor_id=reader.id)
        assert found[opened.id].objects == ()
        assert found[opened.id].reason is None
        assert [item.id for item in found[refused.id].objects] == [log.case]
        assert [item.id for item in found[missing.id].objects] == [nowhere.id]
        # Asked by the case, there is what there is of one that does not exist: what was asked for.
        assert [log.entries(reader, case_id=one).keys() for one in (log.case, nowhere.id)] == [
            {refused.id},
            {missing.id},
        ]
        looks = log.ask(reader, "list_own_consultations", ListOwnConsultations(), audit.OwnConsultations)
        own = {one.entry_id: [item.id for item in one.objects] for one in looks.items}
        assert (own[opened.id], own[refused.id]) == ([], [log.case])
        receipts = [
            log.ask(reader, "get_receipt", GetReceipt(entry_id=one.id))["entry"] for one in (refused, missing)
        ]
        assert [one.keys() for one in receipts] == [{"id", "index"}, {"id", "index"}]


def test_it_is_there_again_when_the_conflict_is_over(log: Logged) -> None:
    (conflict,) = log.shut_out(log.sue)
    assert log.opened.id not in log.entries(log.sue)
    log.let_in(conflict)
    assert log.opened.id in log.entries(log.sue)


def test_what_is_shut_out_is_read_in_an_index_of_conflicts_alone(log: Logged) -> None:
    log.shut_out(log.sue)
    asked = GetExclusions(user_ids=(log.sue.id, log.colin.id), case_ids=(log.case, log.other, new_event_id()))
    told = log.world.peers["audit"].ask("sharing.exclusions", asked, reply=Exclusions)
    assert (told.some, told.case_ids) == (True, (log.case,))
    nobody = asked.model_copy(update={"user_ids": (log.colin.id,)})
    assert log.world.peers["audit"].ask("sharing.exclusions", nobody, reply=Exclusions).some is False
    ownerships = log.world.database["ownerships"]
    under = {"conflicts.user.id": {"$in": [log.sue.id]}, "_id": {"$in": [log.case, log.other]}}
    plan = ownerships.find(under, {"_id": True}).hint("conflicts").explain()["executionStats"]
    assert (plan["totalDocsExamined"], plan["nReturned"]) == (0, 1)
    assert plan["totalKeysExamined"] <= 3


def test_nothing_is_shown_while_it_cannot_be_known(log: Logged) -> None:
    log.own(log.partnership)
    asked = {
        method: (request, log.partnership.signed("audit", method, request, None))
        for method, request in (
            ("list_entries", ListEntries()),
            ("get_entry", GetEntry(entry_id=log.opened.id)),
            ("get_receipt", GetReceipt(entry_id=log.opened.id)),
            ("export_entries", ExportEntries()),
            ("list_own_consultations", ListOwnConsultations()),
        )
    }
    log.sharing.kill()
    answers = [
        log.world.calling.begin(f"audit.{method}", request, caller=caller, request_id=request_id, seconds=4)
        for method, (request, (caller, request_id)) in asked.items()
    ]
    for answer in answers:
        with pytest.raises(Unavailable):
            answer.result(10)
