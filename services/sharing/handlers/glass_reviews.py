"""Looking into broken glass: by the owner and the officers, in time, or the partnership's officer is told."""

from __future__ import annotations

from datetime import UTC, datetime

from services.chassis import context
from services.chassis.commands import Emit
from services.chassis.logs import log
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.chassis.timers import every
from services.contracts.access import decide, has_role, owns
from services.contracts.alerts import ACCESS_ALERT, AccessAlert, office_keys
from services.contracts.caller import Caller
from services.contracts.errors import ConcordatError, NotOwner, OwnGlass
from services.contracts.messages import Id, Reply, Request
from services.contracts.paging import Ref
from services.contracts.permissions import PERMITS
from services.contracts.permissions.permit import OFFICERS
from services.contracts.sharing.glass import (
    GlassDecided,
    GlassItem,
    GlassPage,
    GlassView,
    ListGlasses,
    ReviewGlass,
)
from services.sharing.domain.entries import case_object, disclosed, entry, share_object
from services.sharing.domain.glass import Glass, reviews
from services.sharing.domain.ownership import Ownership
from services.sharing.handlers.glass import GlassHandlers
from services.sharing.handlers.grants import Looked

_PERMIT = PERMITS["sharing"]["list_glasses"]
AT_ONCE = 100


class Reviewed(Reply):
    """What is kept of a decision."""

    glass_id: str
    entry_id: str


class EscalateGlass(Request):
    """What the timer tells itself, once for each."""

    glass_id: Id


class Escalated(Reply):
    """`told`: it was due still."""

    told: bool


class GlassReviews(GlassHandlers):
    @rpc(expected_exceptions=ConcordatError)
    def list_glasses(self, request: ListGlasses, caller: Caller) -> GlassPage:
        """The newest first, to those who answer for the case; with nothing of what is in it."""
        with self.looking(caller, "glass.list", request.case_id) as looked:
            ownership = self._answering(looked)
            found, cursor = self.glasses.of_case(request.case_id, request.limit, request.cursor)
            items = self._items(ownership, found)
            record = self.seen(looked, "glass.list", "listed")
            return GlassPage(items=tuple(items), next=cursor, disclosed=disclosed(record))

    @command(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def review_glass(self, request: ReviewGlass, caller: Caller) -> GlassView:
        """Say whether it was justified. Said again, the latest counts and all are kept."""
        with self.looking(caller, "glass.review", request.case_id) as looked:

            def decide(session: Session, emit: Emit) -> Reviewed:
                ownership = self._answering(looked, session)
                glass = self.glasses.load(request.case_id, request.glass_id, session)
                if glass.user.id == caller.id:
                    raise OwnGlass
                said = request.review
                by = Ref(id=caller.id, name=caller.name or caller.id)
                decided = GlassDecided(
                    decision=said.decision, reason=said.reason, by=by, at=datetime.now(UTC)
                )
                self.glasses.decide(glass.id, decided, session)
                objects = (
                    case_object(request.case_id, ownership.owner.agency.id),
                    share_object(glass.id, glass.agency.id),
                )
                record = entry(caller, "glass.review", outcome="done", reason=said.decision, objects=objects)
                self.records.keep(record)
                return Reviewed(glass_id=glass.id, entry_id=record.id)

            told = self.commands.run(request, Reviewed, decide)
            ownership = self._answering(looked)
            glass = self.glasses.load(request.case_id, told.glass_id)
            (item,) = self._items(ownership, [glass])
            record = self.seen(looked, "glass.read", "opened")
            return GlassView(**item.model_dump(), disclosed=disclosed(record))

    @every(15.0)
    def escalate_glass(self) -> None:
        """Tell the partnership's officer of what nobody has reviewed in time, once."""
        now = datetime.now(UTC)
        for glass in self.glasses.overdue(now, AT_ONCE):
            self._escalate(glass, now)

    def _escalate(self, glass: Glass, now: datetime) -> None:
        def tell(session: Session, emit: Emit) -> Escalated:
            ownership = self.ownerships.find(glass.case_id, session)
            if ownership is None or not self.glasses.escalate(glass.id, now, session):
                return Escalated(told=False)
            number = self.ownerships.count_event(glass.case_id, session)
            assert number is not None
            agency_id = ownership.owner.agency.id
            data = AccessAlert(
                case_id=glass.case_id,
                alert="glass_overdue",
                keys=office_keys(("partnership_dpo",), agency_id),
                agency_id=agency_id,
            )
            emit(ACCESS_ALERT, f"cases/{glass.case_id}", number, data)
            return Escalated(told=True)

        with context.keyed(f"escalate-{glass.id}"):
            told = self.commands.run(EscalateGlass(glass_id=glass.id), Escalated, tell)
        if told.told:
            log.warning("glass_not_reviewed", count=1)

    def _items(self, ownership: Ownership, found: list[Glass]) -> list[GlassItem]:
        gone = [one.id for one in found if ownership.grant(one.id) is None]
        ended = self.ownerships.ended(gone) if gone else {}
        now = datetime.now(UTC)
        return [_item(one, ended.get(one.id) or (one.until if one.until <= now else None)) for one in found]

    def _answering(self, looked: Looked, session: Session | None = None) -> Ownership:
        """Raises NotVisible; NotOwner to one who may know of the case, and does not answer for it; what
        stands against the caller by itself."""
        caller = looked.caller
        found = self.found_for(looked, OFFICERS, session)
        if looked.there and has_role(caller, _PERMIT) and reviews(caller, found.acl):
            self.unbarred(looked, working=owns(caller, found.acl))
            return found
        decide(caller, found.acl, _PERMIT).require()
        raise NotOwner


def _item(glass: Glass, ended_at: datetime | None) -> GlassItem:
    return GlassItem(
        id=glass.id,
        case_id=glass.case_id,
        user=glass.user,
        agency=glass.agency,
        access_reason=glass.access_reason,
        reason=glass.reason,
        created_at=glass.broken_at,
        until=glass.until,
        ended_at=ended_at,
        review=glass.review,
        review_by=glass.review_by,
        escalated_at=glass.escalated_at,
        decisions=glass.decisions,
    )
