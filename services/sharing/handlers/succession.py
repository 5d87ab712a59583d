"""Never a case without an owner (R38): what is done, by the clock, for owners who cannot act any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.chassis import context
from services.chassis.commands import Emit
from services.chassis.logs import log
from services.chassis.mongo import Session
from services.chassis.rpc import rpc
from services.chassis.timers import every
from services.contracts.alerts import ACCESS_ALERT, AccessAlert, office_keys
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, RoleRequired
from services.contracts.messages import Id, Request
from services.contracts.paging import Ref
from services.contracts.records import Actor, Object, Record
from services.contracts.sharing.transfers import (
    MOST_OWNERLESS,
    ListOwnerless,
    OwnerlessCase,
    OwnerlessPage,
    TransferWay,
)
from services.sharing.domain.entries import case_object, disclosed, entry
from services.sharing.domain.known import Known, Today
from services.sharing.domain.offers import Offer
from services.sharing.domain.ownership import Change, Ownership
from services.sharing.domain.transfers import Taking, cannot_act, ended, successor, taken_over
from services.sharing.handlers.transfer_acts import (
    Made,
    TransferActs,
    TransferVersion,
    counted,
    objects_of,
    version_of,
)
from services.sharing.stores.pages import cursor_of, read_cursor

OWNERS, CASES = 500, 50
"""Looked at in one turn."""
_WHY: dict[TransferWay, str] = {
    "deputy": "The owner cannot act any more. The case goes to the owner's deputy.",
    "supervisor": "The owner cannot act any more and has no deputy. The case goes to the team's supervisor.",
}


class FollowCase(Request):
    """What a timer does about one case, as a command of its own."""

    case_id: Id


class _Places:
    """How far this process has looked. It begins anew when it starts: nothing is lost by that."""

    owner = case = offer = ""


class SuccessionHandlers(TransferActs):
    _places = _Places()

    # The method names are not told to anybody: timers.

    @every(5.0)
    def follow_owners(self) -> None:
        """Give the cases of owners who cannot act to whoever stands in for them; mark those that nobody
        does."""
        today = self.directory.today()
        owners = self.transfers.owners(self._places.owner, OWNERS)
        self._places.owner = owners[-1] if len(owners) == OWNERS else ""
        known = self.directory.by_kind(today, users=owners)
        for owner_id in owners:
            if cannot_act(known.get(f"u:{owner_id}")):
                for case_id in self.transfers.owned_by(owner_id, CASES):
                    self._follow(case_id, today)
        marked = self.transfers.ownerless(self._places.case, CASES)
        self._places.case = marked[-1].case_id if len(marked) == CASES else ""
        for one in marked:
            self._follow(one.case_id, today)

    @every(10.0)
    def follow_offers(self) -> None:
        """End the offers that nobody took up in time, or whose addressee cannot any more. By their date they
        have shown nothing since: this is for the list."""
        today = self.directory.today()
        found = self.transfers.offered(self._places.offer, CASES)
        self._places.offer = found[-1].case_id if len(found) == CASES else ""
        known = self.directory.by_kind(today, users=[one.transfer.to.id for one in found if one.transfer])
        for one in found:
            if one.transfer is not None and self._lapses(one, known.get(f"u:{one.transfer.to.id}"), today):
                with context.keyed(new_event_id()):
                    self._lapse(FollowCase(case_id=one.case_id), today)

    @rpc(expected_exceptions=ConcordatError)
    def list_ownerless(self, request: ListOwnerless, caller: Caller) -> OwnerlessPage:
        """Cases of the own agency whose owner cannot act: ids, and nothing of what they are about (R39)."""
        if "agency_admin" not in caller.roles:
            raise RoleRequired
        after = None if request.cursor is None else read_cursor(request.cursor, _read_place)
        found = self.transfers.ownerless_of(caller.agency_id, caller.id, after, request.limit + 1)
        shown = found[: request.limit]
        record = entry(
            caller,
            "ownerless.list",
            outcome="shown",
            objects=tuple(case_object(one.case_id, caller.agency_id) for one in shown),
        )
        self.records.keep(record)
        return OwnerlessPage(
            items=tuple(_ownerless(one) for one in shown),
            next=cursor_of(_place_of(shown[-1])) if len(found) > len(shown) else None,
            count=self.transfers.count_ownerless(caller.agency_id, caller.id, MOST_OWNERLESS),
            disclosed=disclosed(record),
        )

    # one case

    def _follow(self, case_id: str, today: Today) -> None:
        ownership = self.ownerships.find(case_id)
        # Looked at without a transaction first: of what nothing is to be done, nothing is kept.
        if ownership is None or self._next(ownership, today) is None:
            return
        made = list[Made]()
        request = FollowCase(case_id=case_id)

        def act(session: Session, emit: Emit) -> TransferVersion:
            present = self.ownerships.find(case_id, session)
            wanted = self._next(present, today) if present else None
            if present is None or wanted is None:
                return TransferVersion(case_id=case_id, transfer_id="-", epoch=0, entry_id="-")
            if isinstance(wanted, bool):
                return self._mark(present, today, session, emit, ownerless=wanted)
            change, offer = wanted
            record = _record(present, f"case.to_{offer.way}", *objects_of(present, offer))
            made.append(self.commit_transfer(change, offer, record, emit, session))
            return version_of(made[-1], offer.id)

        with context.keyed(new_event_id()):
            told = self.commands.run(request, TransferVersion, act)
            run = counted(made, told)
            self.apply_at_once(run.after if run else None)
            if run is not None:
                log.info("case_handed_over", count=1)

    def _next(self, ownership: Ownership, today: Today) -> tuple[Change, Offer] | bool | None:
        """Somebody takes it over; or it is to be marked as without an owner (True), or not any more (False);
        or nothing is to be done."""
        owner = self.user(ownership.owner.user.id, today)
        if not cannot_act(owner):
            return False if ownership.ownerless_since is not None else None
        deputy = self.user(owner.deputy_id, today) if owner and owner.deputy_id else None
        team = ownership.owner.team
        supervisors = self.directory.members([team.id], today) if team else []
        found = successor(ownership, deputy, supervisors)
        if found is None:
            return True if ownership.ownerless_since is None else None
        return self._handed_over(ownership, found[0], found[1], today)

    def _handed_over(
        self, ownership: Ownership, known: Known, way: TransferWay, today: Today
    ) -> tuple[Change, Offer]:
        """The owner team stays; its supervisor or a deputy in it is one of it."""
        owner, now = ownership.owner, today.now
        offer = Offer(
            id=new_event_id(),
            way=way,
            owner=owner,
            to=Ref(id=known.id, name=known.name),
            agency=known.agency,
            reason=_WHY[way],
            by=None,
            at=now,
            lapses_at=now,
        )
        taking = Taking(
            offer=offer,
            by=None,
            reason=None,
            team=owner.team if owner.team and owner.team.id in known.team_ids else None,
            parties={one: each.parties for one, each in today.on.standing.protocols.items()},
            confirm_by=now + timedelta(days=self.settings.consent_days),
            share_id=new_event_id(),
            now=now,
        )
        return taken_over(ownership, taking, today), offer

    def _mark(
        self, ownership: Ownership, today: Today, session: Session, emit: Emit, *, ownerless: bool
    ) -> TransferVersion:
        """No access changes by it: same epoch, no fence. The data protection officer is told."""
        since = today.now if ownerless else None
        update = {"ownerless_since": since, "events": ownership.events + int(ownerless)}
        after = ownership.model_copy(update=update)
        self.ownerships.save(
            Change(ownership.epoch, after, narrowing=False, agencies=frozenset(), past=()), session
        )
        agency_id = ownership.owner.agency.id
        if ownerless:
            keys = office_keys(("agency_dpo",), agency_id)
            alert = AccessAlert(case_id=ownership.case_id, alert="ownerless", keys=keys, agency_id=agency_id)
            emit(ACCESS_ALERT, f"cases/{ownership.case_id}", after.events, alert)
        record = _record(ownership, "case.without_owner" if ownerless else "case.with_owner",
                         case_object(ownership.case_id, agency_id))  # fmt: skip
        self.records.keep(record)
        return TransferVersion(
            case_id=ownership.case_id, transfer_id="-", epoch=after.epoch, entry_id=record.id
        )

    def _lapses(self, ownership: Ownership, known: Known | None, today: Today) -> bool:
        offer = ownership.transfer
        return offer is not None and (
            not offer.stands(today.now) or cannot_act(known) or (known is not None and not known.active)
        )

    def _lapse(self, request: FollowCase, today: Today) -> None:
        made = list[Made]()

        def act(session: Session, emit: Emit) -> TransferVersion:
            present = self.ownerships.find(request.case_id, session)
            offer = present.transfer if present else None
            if (
                present is None
                or offer is None
                or not self._lapses(present, self.user(offer.to.id, today), today)
            ):
                return TransferVersion(case_id=request.case_id, transfer_id="-", epoch=0, entry_id="-")
            change = ended(present, "lapsed", None, None, today.now)
            record = _record(present, "transfer.lapse", *objects_of(present, offer))
            keys = (f"u:{present.owner.user.id}",)
            made.append(
                self.commit_transfer(change, offer, record, emit, session, alert="transfer_lapsed", keys=keys)
            )
            return version_of(made[-1], offer.id)

        told = self.commands.run(request, TransferVersion, act)
        run = counted(made, told)
        self.apply_at_once(run.after if run else None)


def _record(ownership: Ownership, action: str, *objects: Object) -> Record:
    """Nobody asked for it: the service itself acted, for the owner's agency."""
    serving = context.current()
    return Record(
        id=new_event_id(),
        at=datetime.now(UTC),
        actor=Actor(kind="service", id="sharing", agency_id=ownership.owner.agency.id),
        action=action,
        operation="administration",
        objects=objects,
        outcome="done",
        request_id=serving.request_id if serving else new_event_id(),
    )


def _ownerless(ownership: Ownership) -> OwnerlessCase:
    assert ownership.ownerless_since is not None
    return OwnerlessCase(
        case_id=ownership.case_id,
        since=ownership.ownerless_since,
        owner=ownership.owner.user,
        offered=ownership.transfer is not None,
    )


def _place_of(ownership: Ownership) -> tuple[str, str]:
    assert ownership.ownerless_since is not None
    return ownership.ownerless_since.isoformat(), ownership.case_id


def _read_place(found: Any) -> tuple[datetime, str]:
    since, case_id = found
    if not isinstance(case_id, str):
        raise ValueError
    return datetime.fromisoformat(since), case_id
