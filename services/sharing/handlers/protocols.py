"""Information sharing protocols, by the operator, also for who is locked out; seen by their parties."""

from __future__ import annotations

from typing import Any

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import FieldError, Invalid, NotVisible
from services.contracts.records import Object
from services.contracts.sharing.protocols import (
    ContactView,
    CreateProtocol,
    GetProtocol,
    ListProtocols,
    MoveProtocol,
    PatchProtocol,
    ProtocolMove,
    ProtocolPage,
    ProtocolView,
    PurposeView,
    SignatoryView,
)
from services.sharing.domain import etags
from services.sharing.domain.london import day_of
from services.sharing.domain.protocols import (
    Protocol,
    Signatory,
    check_changes,
    check_dates,
    check_move,
    check_parties,
    renewed,
)
from services.sharing.handlers.identity import REFUSALS, Identity, Made, changes_of, is_operator
from services.sharing.stores.protocols import changed


class Protocols(Identity):
    @command(expected_exceptions=REFUSALS)
    def create_protocol(self, request: CreateProtocol, caller: Caller) -> ProtocolView:
        """Make a draft."""
        given, now = request.protocol, self.now()
        check_dates(given.starts_on, given.ends_on)
        values = {name: getattr(given, name) for name in type(given).model_fields}
        protocol = Protocol(
            id=new_event_id(),
            state="draft",
            signatories=(),
            version=1,
            created_at=now,
            updated_at=now,
            **values,
        )

        def body(session: Session, _emit: Emit) -> Made:
            self._check_parties(given.parties, session)
            self.protocols.add(protocol, session)
            self.standing.put_protocol(protocol, session)
            self.keep(caller, "protocol.create", *_objects(protocol))
            return Made(id=protocol.id)

        return self._protocol(self.commands.run(request, Made, body).id)

    @rpc(expected_exceptions=REFUSALS)
    def list_protocols(self, request: ListProtocols, caller: Caller) -> ProtocolPage:
        """Those that the caller's agency is party to; the operator and the policing body see all."""
        party = None if _sees_all(caller) else caller.agency_id
        found, after = self.protocols.page(party, request.limit, request.cursor)
        return ProtocolPage(items=tuple(self._view(one) for one in found), next=after)

    @rpc(expected_exceptions=REFUSALS)
    def get_protocol(self, request: GetProtocol, caller: Caller) -> ProtocolView:
        found = self.protocols.load(request.protocol_id)
        if caller.agency_id not in found.parties and not _sees_all(caller):
            raise NotVisible
        return self._with_etag(found)

    @command(expected_exceptions=REFUSALS)
    def patch_protocol(self, request: PatchProtocol, caller: Caller) -> ProtocolView:
        """A draft in full; later its parties, dates and contacts. A later end brings it back to life."""
        changes = changes_of(request.changes, frozenset({"document_sha256"}))

        def body(session: Session, _emit: Emit) -> Made:
            now, before = self.now(), self.protocols.load(request.protocol_id, session)
            today = day_of(now)
            etags.check(request.if_match, _etag(before, before.shown(today)))
            check_changes(before.shown(today), set(changes))
            if "parties" in changes:
                self._check_parties(changes["parties"], session)
                check_parties(before.shown(today), before.parties, changes["parties"])
            after = changed(before, changes, now)
            check_dates(after.starts_on, after.ends_on)
            if "ends_on" in changes:
                after = _as(after, renewed(after.state, after.ends_on, today))
            self._save(after, session, None)
            self.keep(caller, "protocol.change", *_objects(after))
            return Made(id=after.id)

        return self._protocol(self.commands.run(request, Made, body).id)

    @command(expected_exceptions=REFUSALS)
    def move_protocol(self, request: MoveProtocol, caller: Caller) -> ProtocolView:
        """To another state. All that rests on a protocol that leaves `active` stops at once."""
        move = request.move

        def body(session: Session, _emit: Emit) -> Made:
            now, before = self.now(), self.protocols.load(request.protocol_id, session)
            shown = before.shown(day_of(now))
            check_move(shown, move.to, before.ends_on, day_of(now))
            after = changed(before, {"state": move.to, **_signed(before, move, now)}, now)
            step = {"at": now, "by": caller.id, "from": shown, "to": move.to, "reason": move.reason}
            self._save(after, session, step)
            self.keep(caller, f"protocol.{move.to}", *_objects(after))
            return Made(id=after.id)

        return self._protocol(self.commands.run(request, Made, body).id)

    def _save(self, after: Protocol, session: Session, step: dict[str, Any] | None) -> None:
        self.protocols.save(after, session, step)
        with self.letting_in(session):
            self.standing.put_protocol(after, session)

    def _check_parties(self, parties: tuple[str, ...], session: Session) -> None:
        """Raises Invalid: each once, and each an agency that there is."""
        known = self.agencies.known(parties, session)
        errors = [
            FieldError(
                f"/parties/{number}", "unknown_agency", "There is no such agency, or it is here twice."
            )
            for number, one in enumerate(parties)
            if one not in known or one in parties[:number]
        ]
        if errors:
            raise Invalid(errors=tuple(errors))

    def _protocol(self, protocol_id: str) -> ProtocolView:
        return self._with_etag(self.protocols.load(protocol_id))

    def _with_etag(self, protocol: Protocol) -> ProtocolView:
        view = self._view(protocol)
        return view.model_copy(update={"etag": _etag(protocol, view.state)})

    def _view(self, protocol: Protocol) -> ProtocolView:
        return ProtocolView(
            id=protocol.id,
            title=protocol.title,
            state=protocol.shown(day_of(self.now())),
            parties=protocol.parties,
            purposes=tuple(PurposeView.model_validate(one.model_dump()) for one in protocol.purposes),
            data_categories=protocol.data_categories,
            starts_on=protocol.starts_on,
            ends_on=protocol.ends_on,
            review_on=protocol.review_on,
            spoc=ContactView(name=protocol.spoc.name, email=protocol.spoc.email),
            dpo=ContactView(name=protocol.dpo.name, email=protocol.dpo.email),
            document_sha256=protocol.document_sha256,
            signatories=tuple(
                SignatoryView(name=one.name, agency_id=one.agency_id, at=one.at)
                for one in protocol.signatories
            ),
            created_at=protocol.created_at,
            updated_at=protocol.updated_at,
        )


def _sees_all(caller: Caller) -> bool:
    return is_operator(caller) or caller.agency_type in ("operator", "policing_body")


def _etag(protocol: Protocol, shown: str) -> str:
    """The calendar changes what is seen, too."""
    return etags.etag_of(protocol.version, shown)


def _as(protocol: Protocol, state: Any) -> Protocol:
    return protocol if protocol.state == state else changed(protocol, {"state": state}, protocol.updated_at)


def _signed(before: Protocol, move: ProtocolMove, now: Any) -> dict[str, Any]:
    """Who signed for it. Raises Invalid, `/signatory/agency_id` no party."""
    if move.signatory is None:
        return {}
    if move.signatory.agency_id not in before.parties:
        raise Invalid(
            errors=(FieldError("/signatory/agency_id", "not_a_party", "This agency is no party to it."),)
        )
    return {
        "signatories": (*before.signatories, Signatory(move.signatory.name, move.signatory.agency_id, now))
    }


def _objects(protocol: Protocol) -> tuple[Object, ...]:
    return (Object(type="protocol", id=protocol.id, version=protocol.version),)
