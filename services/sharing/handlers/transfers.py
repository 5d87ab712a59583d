"""Giving a case to another owner, who accepts it (R37). The order is the security property:
parse → decide → record → reveal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import (
    ConcordatError,
    FieldError,
    Invalid,
    InvalidTransition,
    NotOwner,
    NotVisible,
)
from services.contracts.paging import Ref
from services.contracts.sharing.transfers import (
    DecideTransfer,
    ListTransfers,
    OfferTransfer,
    TransferPage,
    TransferView,
)
from services.sharing.domain.entries import disclosed, entry
from services.sharing.domain.known import Today
from services.sharing.domain.offers import Offer
from services.sharing.domain.ownership import Change, Ownership
from services.sharing.domain.showing_transfers import show_decided, show_offer
from services.sharing.domain.terms import end_of
from services.sharing.domain.transfers import Taking, ended, offered, taken_over
from services.sharing.handlers.grants import Looked
from services.sharing.handlers.share_acts import owns
from services.sharing.handlers.transfer_acts import (
    Made,
    TransferActs,
    TransferVersion,
    counted,
    objects_of,
    ref_of,
    version_of,
)
from services.sharing.stores.pages import cursor_of, read_cursor

_ACTIONS = {"accepted": "transfer.accept", "declined": "transfer.decline", "cancelled": "transfer.cancel"}


class TransferHandlers(TransferActs):
    @command(expected_exceptions=ConcordatError)
    def offer_transfer(self, request: OfferTransfer, caller: Caller) -> TransferView:
        """Offer a case to somebody, who then knows of it and no more. An administrator may, of a case whose
        owner cannot act, to somebody of the same agency."""
        transfer_id, today, made = new_event_id(), self.directory.today(), list[Made]()
        with self.looking(caller, "transfer.offer", request.case_id) as looked:

            def give(session: Session, emit: Emit) -> TransferVersion:
                ownership, appointing = self.owned_or_appointing(looked, "offer_transfer", today, session)
                if ownership.transfer is not None and ownership.transfer.stands(today.now):
                    raise InvalidTransition(cause="offered already")
                offer = self._offer(request, ownership, caller, transfer_id, today, appointing=appointing)
                change = offered(ownership, offer)
                record = entry(caller, "transfer.offer", outcome="done", objects=objects_of(ownership, offer))
                keys = (f"u:{offer.to.id}",)
                made.append(
                    self.commit_transfer(
                        change, offer, record, emit, session,
                        alert="transfer_offered", keys=keys, by=caller.id,
                    )
                )  # fmt: skip
                return version_of(made[-1], transfer_id)

            return self._finish(request, give, made, looked, today)

    @command(expected_exceptions=ConcordatError)
    def decide_transfer(self, request: DecideTransfer, caller: Caller) -> TransferView:
        """The addressee accepts or declines; the owner, or the administrator, takes the offer back."""
        action, today, made = _ACTIONS[request.decision.state], self.directory.today(), list[Made]()
        with self.looking(caller, action, request.case_id) as looked:

            def settle(session: Session, emit: Emit) -> TransferVersion:
                ownership, offer = self._open(request, looked, today, session)
                record = entry(caller, action, outcome="done", objects=objects_of(ownership, offer))
                if request.decision.state == "accepted":
                    change = self._accepted(request, ownership, offer, caller, today)
                    made.append(self.commit_transfer(change, offer, record, emit, session, by=caller.id))
                else:
                    change = ended(
                        ownership,
                        request.decision.state,
                        ref_of(caller),
                        request.decision.reason,
                        today.now,
                    )
                    keys = (f"u:{ownership.owner.user.id}",)
                    alert = f"transfer_{request.decision.state}"
                    made.append(
                        self.commit_transfer(
                            change, offer, record, emit, session, alert=alert, keys=keys, by=caller.id
                        )
                    )
                return version_of(made[-1], offer.id)

            return self._finish(request, settle, made, looked, today)

    @rpc(expected_exceptions=ConcordatError)
    def list_transfers(self, request: ListTransfers, caller: Caller) -> TransferPage:
        """All, to the owner; to an addressee what is offered; to an administrator what it offered."""
        today = self.directory.today()
        with self.looking(caller, "transfer.list", request.case_id) as looked:
            ownership, appointing = self.owned_or_appointing(looked, "list_transfers", today)
            offer = ownership.transfer
            if owns(caller, ownership):
                page = self._history(request, ownership, today)
            elif offer is not None and (
                offer.way == "appointment" if appointing else _addressed(offer, caller)
            ):
                page = TransferPage(items=(show_offer(request.case_id, offer, today.now),), next=None)
            elif appointing:
                page = TransferPage(items=(), next=None)
            else:
                raise NotOwner
            record = self.seen(looked, "transfer.list", "listed")
            return page.model_copy(update={"disclosed": disclosed(record)})

    # deciding

    def _offer(
        self,
        request: OfferTransfer,
        ownership: Ownership,
        caller: Caller,
        transfer_id: str,
        today: Today,
        *,
        appointing: bool,
    ) -> Offer:
        """Raises Invalid and its kinds."""
        known = self.user(request.transfer.to_user_id, today)
        # What leaves the agency is disclosed to another: that is no administrator's to decide.
        # Nor to take the case themself: an administrator has no content (R39).
        if appointing and known is not None:
            elsewhere = known.agency.id != ownership.owner.agency.id
            known = None if elsewhere or known.id == caller.id else known
        ground = self.ground(known, ownership, today, appointing=appointing)
        assert known is not None
        lapses_at = today.now + timedelta(days=self.settings.transfer_days)
        if ground is not None:
            lapses_at = min(lapses_at, end_of(self.protocols.load(ground.protocol_id)))
        return Offer(
            id=transfer_id,
            way="appointment" if appointing else "offer",
            owner=ownership.owner,
            to=Ref(id=known.id, name=known.name),
            agency=known.agency,
            reason=request.transfer.reason,
            by=ref_of(caller),
            at=today.now,
            lapses_at=lapses_at,
            ground=ground,
        )

    def _open(
        self, request: DecideTransfer, looked: Looked, today: Today, session: Session
    ) -> tuple[Ownership, Offer]:
        """The offer, if it is this caller's to decide in this way."""
        caller, state = looked.caller, request.decision.state
        ownership, appointing = self.owned_or_appointing(looked, "decide_transfer", today, session)
        offer, gives = ownership.transfer, appointing or owns(caller, ownership)
        if offer is None or offer.id != request.transfer_id:
            past = self.transfers.find(request.transfer_id, session)
            had_a_part = past is not None and (gives or past.offer.to.id == caller.id)
            if past is not None and past.case_id == request.case_id and had_a_part:
                raise InvalidTransition(cause="transfer is decided")
            raise NotVisible if gives else NotOwner
        fits = gives if state == "cancelled" else _addressed(offer, caller)
        if not fits and not gives:
            raise NotOwner
        if not fits or not offer.stands(today.now):
            raise InvalidTransition(cause=f"transfer {state}")
        if state == "declined" and request.decision.reason is None:
            raise Invalid(errors=(FieldError("/reason", "required", "Say why you decline."),))
        if state != "accepted" and request.decision.team_id is not None:
            raise Invalid(errors=(FieldError("/team_id", "unknown_field", "It goes with accepted only."),))
        return ownership, offer

    def _accepted(
        self, request: DecideTransfer, ownership: Ownership, offer: Offer, caller: Caller, today: Today
    ) -> Change:
        """Judged anew: what allowed the offer may not hold any more. Raises Invalid and its kinds."""
        self.ground(self.user(caller.id, today), ownership, today)
        taking = Taking(
            offer=offer,
            by=ref_of(caller),
            reason=request.decision.reason,
            team=self._own_team(request.decision.team_id, caller, today),
            parties={one: each.parties for one, each in today.on.standing.protocols.items()},
            confirm_by=today.now + timedelta(days=self.settings.consent_days),
            share_id=new_event_id(),
            now=today.now,
        )
        return taken_over(ownership, taking, today)

    def _own_team(self, team_id: str | None, caller: Caller, today: Today) -> Ref | None:
        if team_id is None:
            return None
        team = self.directory.by_kind(today, teams=[team_id]).get(f"t:{team_id}")
        if team is None or team.agency.id != caller.agency_id or team_id not in caller.team_ids:
            raise Invalid(errors=(FieldError("/team_id", "not_your_team", "Name one of your own teams."),))
        return Ref(id=team.id, name=team.name)

    # revealing

    def _finish(
        self,
        request: OfferTransfer | DecideTransfer,
        body: Callable[[Session, Emit], TransferVersion],
        made: list[Made],
        looked: Looked,
        today: Today,
    ) -> TransferView:
        told = self.commands.run(request, TransferVersion, body)
        run = counted(made, told)
        self.apply_at_once(run.after if run else None)
        return self.reveal_transfer(looked, told.transfer_id, run.record if run else None, today)

    def _history(self, request: ListTransfers, ownership: Ownership, today: Today) -> TransferPage:
        """The open offer first, then those that were decided, the newest first."""
        after = None if request.cursor is None else read_cursor(request.cursor, str)
        first = ownership.transfer if after is None else None
        room = request.limit - (first is not None)
        past = self.transfers.of_case(request.case_id, after, room + 1)
        items = [show_offer(request.case_id, first, today.now)] if first else []
        items += [show_decided(one) for one in past[:room]]
        return TransferPage(items=tuple(items), next=cursor_of(items[-1].id) if len(past) > room else None)


def _addressed(offer: Offer, caller: Caller) -> bool:
    return caller.kind == "user" and (offer.to.id, offer.agency.id) == (caller.id, caller.agency_id)
