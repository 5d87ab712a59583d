"""The parts of every act on a transfer: who may, commit what is decided, reveal what came of it."""

from __future__ import annotations

from typing import NamedTuple

from services.chassis.commands import Emit
from services.chassis.configured import Configured
from services.chassis.mongo import Session
from services.chassis.stored import Stored
from services.contracts.access import decide
from services.contracts.alerts import ACCESS_ALERT, AccessAlert
from services.contracts.authority import CaseEvent
from services.contracts.caller import Caller
from services.contracts.errors import NotVisible
from services.contracts.messages import Reply
from services.contracts.paging import Ref
from services.contracts.permissions import PERMITS
from services.contracts.records import Object, Record
from services.contracts.sharing.transfers import TransferView
from services.contracts.vocabulary import Role
from services.sharing.domain.entries import case_object, disclosed
from services.sharing.domain.known import Known, Today
from services.sharing.domain.offers import Ground, Offer
from services.sharing.domain.ownership import Change, Ownership
from services.sharing.domain.showing_transfers import show_decided, show_offer
from services.sharing.domain.transfers import cannot_act, check_taker
from services.sharing.handlers.applying import Applying
from services.sharing.handlers.grants import Looked
from services.sharing.handlers.share_acts import owns
from services.sharing.settings import SharingSettings
from services.sharing.stores import transfers
from services.sharing.stores.transfers import TransferStore

PERMITTED = PERMITS["sharing"]
_ADMINISTRATORS: frozenset[Role] = frozenset({"agency_admin"})


class TransferVersion(Reply):
    """What a command on a transfer keeps as its outcome. `entry_id`: of the run that counted."""

    case_id: str
    transfer_id: str
    epoch: int
    entry_id: str


class Made(NamedTuple):
    """What one run made. It MUST NOT be used before `counted` says that this run was the one committed."""

    after: Ownership
    record: Record


class TransferActs(Applying):
    transfers: TransferStore = Stored(TransferStore, transfers.STEPS)
    settings: SharingSettings = Configured()

    # judging

    def owned_or_appointing(
        self, looked: Looked, method: str, today: Today, session: Session | None = None
    ) -> tuple[Ownership, bool]:
        """The case, and whether the caller acts as its agency's administrator, who finds a new owner for one
        whose owner cannot act (R38) and sees nothing else of it. Raises as `judged` does."""
        caller = looked.caller
        found = self.found_for(looked, _ADMINISTRATORS, session)
        decision = decide(caller, found.acl, PERMITTED[method])
        if looked.there and not decision.allowed and self._appoints(caller, found, today):
            self.unbarred(looked, working=False)
            return found, True
        decision.require()
        self.unbarred(looked)
        return found, False

    def _appoints(self, caller: Caller, ownership: Ownership, today: Today) -> bool:
        owner = ownership.owner
        if (
            caller.kind != "user"
            or "agency_admin" not in caller.roles
            or caller.agency_id != owner.agency.id
            or caller.id in ownership.acl.excluded
            or ownership.ownerless_since is None
        ):
            return False
        return cannot_act(self.user(owner.user.id, today))

    def ground(
        self, known: Known | None, ownership: Ownership, today: Today, *, appointing: bool = False
    ) -> Ground | None:
        """Raises Invalid and its kinds."""
        other = known is not None and known.agency.id != ownership.owner.agency.id
        protocols = (
            self.protocols.between(known.agency.id, ownership.owner.agency.id) if known and other else []
        )
        return check_taker(known, ownership, protocols, today, appointing=appointing)

    def user(self, user_id: str, today: Today) -> Known | None:
        return self.directory.by_kind(today, users=[user_id]).get(f"u:{user_id}")

    # committing

    def commit_transfer(
        self,
        change: Change,
        offer: Offer,
        record: Record,
        emit: Emit,
        session: Session,
        *,
        alert: str | None = None,
        keys: tuple[str, ...] = (),
        by: str | None = None,
    ) -> Made:
        """Ownership, fence, event and entry, all or none. The entry is kept last, before it commits. With an
        `alert` only those are told whom it concerns; without, everybody who can see the case."""
        after = change.after
        self.save(change, session)
        aggregate = f"cases/{after.case_id}"
        if alert is None:
            told = CaseEvent(case_id=after.case_id, actor_id=by, agency_id=offer.agency.id)
            emit("case.transferred", aggregate, after.events, told)
        else:
            called = AccessAlert(case_id=after.case_id, alert=alert, keys=keys, actor_id=by)
            emit(ACCESS_ALERT, aggregate, after.events, called)
        self.records.keep(record)
        return Made(after, record)

    # revealing

    def reveal_transfer(
        self, looked: Looked, transfer_id: str, first: Record | None, today: Today
    ) -> TransferView:
        """One transfer as it is now, to those who had a part in it and to the owner."""
        ownership = self.ownerships.find(looked.case_id)
        if ownership is None:
            raise NotVisible
        offer, caller = ownership.transfer, looked.caller
        if offer is not None and offer.id == transfer_id:
            view = show_offer(ownership.case_id, offer, today.now)
            parts = {offer.to.id, offer.by.id if offer.by else None}
        else:
            decided = self.transfers.find(transfer_id)
            if decided is None or decided.case_id != looked.case_id:
                raise NotVisible
            view, offer = show_decided(decided), decided.offer
            parts = {offer.to.id, offer.by.id if offer.by else None, decided.by.id if decided.by else None}
        if not owns(caller, ownership) and caller.id not in parts:
            raise NotVisible
        if caller.id in ownership.acl.excluded:
            raise NotVisible
        record = first or self.seen(looked, "transfer.read", "opened")
        return view.model_copy(update={"disclosed": disclosed(record)})


def counted(made: list[Made], told: TransferVersion) -> Made | None:
    """What was committed, if this process's last run was what counted."""
    return made[-1] if made and made[-1].record.id == told.entry_id else None


def version_of(made: Made, transfer_id: str) -> TransferVersion:
    return TransferVersion(
        case_id=made.after.case_id,
        transfer_id=transfer_id,
        epoch=made.after.epoch,
        entry_id=made.record.id,
    )


def objects_of(ownership: Ownership, offer: Offer) -> tuple[Object, ...]:
    """The case as data of the agency that has it, and of the one that it is to go to; and to whom."""
    agencies = dict.fromkeys((ownership.owner.agency.id, offer.agency.id))
    return (
        *(case_object(ownership.case_id, one) for one in agencies),
        Object(type="user", id=offer.to.id, agency_id=offer.agency.id),
    )


def ref_of(caller: Caller) -> Ref:
    return Ref(id=caller.id, name=caller.name or caller.id)
