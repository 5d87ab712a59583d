"""Breaking glass, and looking into it afterwards. parse → decide → record → reveal, as everywhere: that it
reveals a case to somebody who could not know of it is the one exception to V7, and it is recorded first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from services.chassis.commands import Emit
from services.chassis.configured import Configured
from services.chassis.mongo import Session
from services.chassis.rpc import command
from services.chassis.stored import Stored
from services.contracts.access import has_role
from services.contracts.alerts import ACCESS_ALERT, AccessAlert
from services.contracts.authority import CaseEvent
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import (
    ConcordatError,
    InvalidTransition,
    NotVisible,
    RateLimited,
    ReasonRequired,
)
from services.contracts.messages import Reply
from services.contracts.permissions import PERMITS
from services.contracts.records import Record
from services.contracts.sharing.glass import BreakGlass, GlassBroken
from services.contracts.vocabulary import AccessReason
from services.sharing.domain import glass as rules
from services.sharing.domain.entries import case_object, disclosed, entry, share_object
from services.sharing.domain.ownership import Change, Grant, Ownership, give
from services.sharing.handlers.applying import Applying
from services.sharing.handlers.grants import Looked
from services.sharing.settings import SharingSettings
from services.sharing.stores import glasses
from services.sharing.stores.glasses import GlassStore

_PERMIT = PERMITS["sharing"]["break_glass"]


class Broken(Reply):
    """What a command keeps as its outcome. `entry_id`: of the run that counted; None: broken already."""

    glass_id: str
    entry_id: str | None = None


class GlassHandlers(Applying):
    glasses: GlassStore = Stored(GlassStore, glasses.STEPS)
    settings: SharingSettings = Configured()

    @command(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def break_glass(self, request: BreakGlass, caller: Caller) -> GlassBroken:
        """Let one person read a case for a while. Its owner and the officers are told of it at once."""
        glass_id, action, made = new_event_id(), "glass.break", list[tuple[Ownership, Record]]()
        kind = self.directory.today().on.standing.agencies[caller.agency_id].type
        with self.looking(caller, action, request.case_id) as looked:

            def break_it(session: Session, emit: Emit) -> Broken:
                reason = self._asked_rightly(looked, request, session)
                found = self.whole(looked, session)
                now = _clock()
                grant = rules.broken(caller, glass_id, now, self.settings.glass_lasts, kind)
                past = self.ownerships.on_perpetrators_side(looked.case_id, caller.agency_id, session)
                grant = rules.from_its_side(grant, caller, [*found.grants, *past])
                ownership, present = self._judged(looked, found, grant, session, now)
                if present is not None:
                    return Broken(glass_id=present.id)
                kept = self._glass(request, reason, grant)
                after = self._commit(give(ownership, grant, now), kept, session, emit)
                sections = grant.sections
                objects = (
                    case_object(after.case_id, after.owner.agency.id, sections),
                    share_object(glass_id, caller.agency_id, sections),
                )
                record = entry(caller, action, outcome="done", reason=reason, objects=objects)
                self.records.keep(record)
                made[:] = [(after, record)]
                return Broken(glass_id=glass_id, entry_id=record.id)

            try:
                told = self.commands.run(request, Broken, break_it)
            except (RateLimited, InvalidTransition) as problem:
                objects = (case_object(request.case_id, looked.agency_id),)
                self.records.keep(
                    entry(caller, action, outcome="refused", code=problem.code, objects=objects)
                )
                raise
            counted = made and made[0][1].id == told.entry_id
            after, record = made[0] if counted else (None, None)
            self.apply_at_once(after)
            return self._shown(looked, told.glass_id, record)

    def _asked_rightly(self, looked: Looked, request: BreakGlass, session: Session) -> AccessReason:
        """The reason's code. It is asked for before any case is looked at, so that asking tells nothing."""
        if not has_role(looked.caller, _PERMIT):
            self.judged(looked, "break_glass", session)
        if request.access_reason is None:
            raise ReasonRequired
        return request.access_reason

    def _judged(
        self, looked: Looked, found: Ownership, grant: Grant, session: Session, now: datetime
    ) -> tuple[Ownership, Grant | None]:
        """What may be opened, and the glass that is broken already. The same work whether or not there is a
        case. Raises NotVisible, RateLimited, InvalidTransition."""
        caller = looked.caller
        before = self.glasses.broken_by(caller.id, session)
        would = rules.opens(found.acl, grant, caller)
        present = rules.in_force(found, caller, now)
        ownership = found if would is not None and looked.there else None
        if ownership is not None and present is not None:
            return ownership, present
        seconds = rules.wait(before, self.settings.glass_a_day, now)
        if seconds is not None:  # said of the caller alone, before anything is said of the case
            raise RateLimited(retry_after=seconds)
        if ownership is None or would is None:
            raise NotVisible
        if would.via == "owner":
            raise InvalidTransition(cause="the owner's own case")
        return ownership, None

    def _glass(self, request: BreakGlass, reason: AccessReason, grant: Grant) -> rules.Glass:
        assert grant.expires_at is not None
        return rules.Glass(
            id=grant.id,
            case_id=request.case_id,
            user=grant.granted_by,
            agency=grant.agency,
            access_reason=reason,
            reason=request.glass.reason,
            broken_at=grant.granted_at,
            until=grant.expires_at,
            review_by=grant.granted_at + self.settings.glass_reviewed_within,
        )

    def _commit(self, change: Change, kept: rules.Glass, session: Session, emit: Emit) -> Ownership:
        """Grant, fence, what is kept for the review, and both events: all or none."""
        after = change.after.model_copy(update={"events": change.after.events + 1})
        self.save(replace(change, after=after), session)
        self.glasses.add(kept, session)
        aggregate, case_id, who = f"cases/{after.case_id}", after.case_id, kept.user.id
        data = CaseEvent(case_id=case_id, share_id=kept.id, actor_id=who, agency_id=kept.agency.id)
        emit("share.changed", aggregate, after.events - 1, data)
        emit(ACCESS_ALERT, aggregate, after.events, _alert(after, who))
        return after

    def _shown(self, looked: Looked, glass_id: str, first: Record | None) -> GlassBroken:
        """Only while it is in force, and to whom it opens anything: a conflict may have come in between."""
        grant = self.judged(looked, "break_glass").grant(glass_id)
        if grant is None or grant.expires_at is None or grant.expired(datetime.now(UTC)):
            raise NotVisible
        record = first or self.seen(looked, "glass.read", "opened")
        return GlassBroken(
            id=glass_id, case_id=looked.case_id, until=grant.expires_at, disclosed=disclosed(record)
        )


def _alert(ownership: Ownership, actor_id: str) -> AccessAlert:
    return AccessAlert(
        case_id=ownership.case_id,
        alert="glass_broken",
        keys=rules.called(ownership.acl),
        actor_id=actor_id,
        agency_id=ownership.owner.agency.id,
    )


def _clock() -> datetime:
    """Now, as the database keeps it: what is told is what is kept."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
