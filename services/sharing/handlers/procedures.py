"""The Security Operating Procedure: published by the security manager, read and signed by everybody."""

from __future__ import annotations

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.errors import ProcedureMissing, ProcedureSuperseded
from services.contracts.records import Object
from services.contracts.sharing.procedures import (
    ClauseView,
    CurrentProcedure,
    GetCurrentProcedure,
    ListProcedures,
    MySignature,
    ProcedurePage,
    ProcedureView,
    PublishProcedure,
    SignatureView,
    SignProcedure,
)
from services.sharing.domain import etags
from services.sharing.domain.london import day_of
from services.sharing.domain.procedures import Procedure, Published, Signature, check_publication, digest
from services.sharing.handlers.identity import REFUSALS, Identity, Made


class Procedures(Identity):
    @command(expected_exceptions=REFUSALS)
    def publish_procedure(self, request: PublishProcedure, caller: Caller) -> ProcedureView:
        """Take the next version."""
        given = request.procedure

        def body(session: Session, _emit: Emit) -> Made:
            now = self.now()
            before = self.standing.load(session).procedures
            check_publication(given.effective_from, given.sign_by, before[-1] if before else None)
            procedure = Procedure(
                version=self.procedures.latest_version(session) + 1,
                title=given.title,
                clauses=given.clauses,
                sha256=digest(given.title, given.clauses),
                effective_from=given.effective_from,
                sign_by=given.sign_by,
                created_at=now,
            )
            self.procedures.add(procedure, caller.id, session)
            self.standing.put_procedure(procedure, session)
            self.keep(caller, "procedure.publish", _object(procedure.version))
            return Made(id=str(procedure.version))

        made = self.commands.run(request, Made, body)
        return ProcedureView(**_fields(self.procedures.load(int(made.id)), clauses=True))

    @rpc(expected_exceptions=REFUSALS)
    def list_procedures(self, request: ListProcedures, caller: Caller) -> ProcedurePage:
        """Every version, the newest first, without the text."""
        found, after = self.procedures.page(request.limit, request.cursor)
        items = tuple(ProcedureView(**_fields(one, clauses=False)) for one in found)
        return ProcedurePage(items=items, next=after)

    @rpc(expected_exceptions=REFUSALS)
    def current_procedure(self, request: GetCurrentProcedure, caller: Caller) -> CurrentProcedure:
        """The version in effect, and which one the caller signed."""
        current = self._current()
        signature = self.accounts.signature(caller.id) if caller.kind == "user" else None
        mine = None
        if signature is not None:
            mine = MySignature(version=signature.version, signed_at=signature.signed_at)
        return CurrentProcedure(
            **_fields(self.procedures.load(current.version), clauses=True),
            my_signature=mine,
            etag=etags.etag_of(current.version, mine.version if mine else 0),
        )

    @command(expected_exceptions=REFUSALS)
    def sign_procedure(self, request: SignProcedure, caller: Caller) -> SignatureView:
        """Sign the version in effect; the session goes on with what it may do now."""
        given = request.signature

        def body(session: Session, _emit: Emit) -> Made:
            current = self._current()
            if (current.version, current.sha256) != (given.version, given.sha256):
                raise ProcedureSuperseded
            signature = Signature(current.version, current.sha256, self.now())
            self.accounts.sign(caller.id, signature, session)
            self.keep(caller, "procedure.sign", _object(current.version))
            return Made(id=str(current.version))

        self.commands.run(request, Made, body)
        signature = self.accounts.signature(caller.id)
        if signature is None:
            raise ProcedureSuperseded(cause="signature gone")
        return SignatureView(
            version=signature.version,
            sha256=signature.sha256,
            user_id=caller.id,
            device_id=None,
            signed_at=signature.signed_at,
        )

    def _current(self) -> Published:
        """Raises ProcedureMissing."""
        now = self.now()
        current = self.standing.load().on(day_of(now)).current_procedure(now)
        if current is None:
            raise ProcedureMissing
        return current


def _fields(procedure: Procedure, *, clauses: bool) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": str(procedure.version),
        "version": procedure.version,
        "title": procedure.title,
        "sha256": procedure.sha256,
        "effective_from": procedure.effective_from,
        "sign_by": procedure.sign_by,
        "created_at": procedure.created_at,
        "updated_at": procedure.created_at,
    }
    if clauses:
        fields["clauses"] = tuple(
            ClauseView(
                no=one.no,
                heading=one.heading,
                text=one.text,
                **({"covers": one.covers} if one.covers else {}),
            )
            for one in procedure.clauses
        )
    return fields


def _object(version: int) -> Object:
    return Object(type="procedure", id=str(version), version=version)
