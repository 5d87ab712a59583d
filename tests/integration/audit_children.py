"""What the tests of the log need beside it: a stand-in for `sharing`, an `audit` that dies, records sealed
as a holder seals them."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.audit.handlers.intake import IntakeHandlers
from services.audit.service import AuditService
from services.audit.stores.tree import append_only
from services.chassis.intake import Taken, intake
from services.chassis.recording import CONTEXT, MARK, MARK_CONTEXT
from services.chassis.rpc import ANYONE, rpc
from services.chassis.sealing import CONTENT_TYPE, Keyring
from services.chassis.topology import INTAKE
from services.contracts.access import AccessList, Owner
from services.contracts.authority import (
    AccessLists,
    CaseOfSubject,
    CasesOfSubject,
    Describe,
    Described,
    Exclusions,
    GetAccessLists,
    GetCasesOfSubject,
    GetExclusions,
    GetPowers,
    GetPrincipals,
    GetTeamMembers,
    GrantedPower,
    Powers,
    Principal,
    Principals,
    TeamMembers,
)
from services.contracts.directory import RECORDER
from services.contracts.paging import Ref
from services.contracts.records import Mark, Record
from tests.cell import Parts
from tests.integration.running_services import Operator

AUDIT = "services.audit.service:AuditService"
ORIGIN = "concordat.local/log"
DIES = "CONCORDAT_TEST_DIES"
"""Names a file: while it is there, the process dies after a batch is in the log and before it is told so."""


def in_log(log: Any, ids: set[str]) -> bool:
    """Whether all of these entries are in audit's database."""
    return bool(append_only(log)["leaves"].count_documents({"id": {"$in": list(ids)}}) >= len(ids))


class StandInSharing:
    """Knows a case `OWNER--AGENCY` as the owner's, and calls everybody `name of ID`."""

    name = "sharing"

    @rpc(callers=ANYONE)
    def access_lists(self, request: GetAccessLists) -> AccessLists:
        return AccessLists(items=tuple(_list(case) for case in request.case_ids if "--" in case))

    @rpc(callers=ANYONE)
    def exclusions(self, request: GetExclusions) -> Exclusions:
        """A case `OWNER--AGENCY.not.ID` does not exist for who has this id, which ends with `.shut`."""
        cases = tuple(case for case in request.case_ids if case.partition(".not.")[2] in request.user_ids)
        return Exclusions(some=any(one.endswith(".shut") for one in request.user_ids), case_ids=cases)

    @rpc(callers=ANYONE)
    def describe(self, request: Describe) -> Described:
        return Described(names={one: f"name of {one}" for one in request.ids}, agencies={})

    @rpc(callers=ANYONE)
    def principals(self, request: GetPrincipals) -> Principals:
        """Everybody is a person, in the team `team-ID`."""
        nowhere = Ref(id="police", name="police")
        return Principals(
            items=tuple(
                Principal(
                    kind="user", id=one, name=one, agency=nowhere, team_ids=(f"team-{one}",), active=True
                )
                for one in request.ids
            ),
            now=datetime.now(UTC),
        )

    @rpc(callers=ANYONE)
    def team_members(self, request: GetTeamMembers) -> TeamMembers:
        return TeamMembers(user_ids=tuple(one.removeprefix("team-") for one in request.team_ids))

    @rpc(callers=ANYONE)
    def powers(self, request: GetPowers) -> Powers:
        """Every case is shared with the agency `nhs`."""
        return Powers(
            items=tuple(
                GrantedPower(
                    case_id=case,
                    share_id="share-1",
                    agency_id="nhs",
                    purpose="asb",
                    legal_gateway="cda_115",
                    protocol_id="protocol-1",
                    regime="part3",
                    since=datetime(2026, 1, 1, tzinfo=UTC),
                    until=None,
                )
                for case in request.case_ids
            )
        )


class StandInCases:
    """Knows a subject `s.OWNER--AGENCY` as the agency's, in the case `OWNER--AGENCY`."""

    name = "cases"

    @rpc(callers=ANYONE)
    def cases_of_subject(self, request: GetCasesOfSubject) -> CasesOfSubject:
        case = request.subject_id.removeprefix("s.")
        _, found, rest = case.partition("--")
        if not found:
            return CasesOfSubject(agency_id=None, items=())
        agency = rest.partition(".not.")[0]
        opened = datetime(2026, 1, 1, tzinfo=UTC)
        return CasesOfSubject(agency_id=agency, items=(CaseOfSubject(case_id=case, since=opened),))


def _list(case: str) -> AccessList:
    owner, _, rest = case.partition("--")
    agency, _, excluded = rest.partition(".not.")
    return AccessList(
        case_id=case,
        term=1,
        epoch=1,
        owner=Owner(user=Ref(id=owner, name=owner), agency=Ref(id=agency, name=agency)),
        excluded=(excluded,) if excluded else (),
    )


class DyingAudit(AuditService):
    """An audit that is killed between a batch's commit and its acknowledgement."""

    @intake(Record, marks=Mark)
    def take_records(self, batch: Sequence[Taken[Record] | Taken[Mark]]) -> None:
        IntakeHandlers.take_records(self, batch)
        file = Path(os.environ[DIES])
        if file.exists():
            file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


class FussyAudit(AuditService):
    """An audit with a defect: it cannot take records of the request "poison"."""

    @intake(Record, marks=Mark)
    def take_records(self, batch: Sequence[Taken[Record] | Taken[Mark]]) -> None:
        if any(getattr(taken.record, "request_id", "") == "poison" for taken in batch):
            raise RuntimeError("a defect")
        IntakeHandlers.take_records(self, batch)


class Holder:
    """A process that records, without its confirms: numbers, seals, publishes."""

    def __init__(self, parts: Parts, operator: Operator, service: str = "cases") -> None:
        self._keyring = Keyring(parts.keys_dir, service)
        self._operator, self.service = operator, service
        self.publisher, self.number = uuid.uuid4().hex, 0

    def keep(self, record: Record, *, number: int | None = None, service: str | None = None) -> None:
        self.number = self.number + 1 if number is None else number
        told = {
            "service": service or self.service,
            "publisher": self.publisher,
            "number": self.number,
        }
        self.send(record.model_copy(update=told).model_dump_json().encode())

    def mark(self, *, ended: bool = False) -> None:
        """Say how far it has counted."""
        mark = Mark(service=self.service, publisher=self.publisher, last=self.number, ended=ended)
        body = self._keyring.seal(RECORDER, mark.model_dump_json().encode(), 0, MARK_CONTEXT)
        self._operator.publish(body, exchange=INTAKE, key=INTAKE, content_type=CONTENT_TYPE, type=MARK)

    def send(self, body: bytes) -> None:
        """Seal whatever it is."""
        self.publish(self._keyring.seal(RECORDER, body, 0, CONTEXT))

    def publish(self, body: bytes, content_type: str = CONTENT_TYPE) -> None:
        self._operator.publish(body, exchange=INTAKE, key=INTAKE, content_type=content_type)
