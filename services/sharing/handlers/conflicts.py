"""Declaring a conflict of interest: from then on the case does not exist for that user, by any channel."""

from __future__ import annotations

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.authority import CaseEvent
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, FieldError, Invalid, NotOwner, NotVisible
from services.contracts.messages import Reply
from services.contracts.paging import Ref
from services.contracts.records import Record
from services.contracts.sharing.conflicts import (
    ConflictPage,
    ConflictView,
    DeclareConflict,
    ListConflicts,
    WithdrawConflict,
)
from services.contracts.views import Empty
from services.sharing.domain.conflicts import declare, view, withdraw
from services.sharing.domain.entries import case_object, disclosed, entry
from services.sharing.domain.known import Known, Today
from services.sharing.domain.ownership import Change, Conflict, Ownership
from services.sharing.handlers.share_acts import ShareActs, owns
from services.sharing.stores.pages import cursor_of, read_cursor

_UNKNOWN = FieldError("/user_id", "unknown_user", "There is no such user.")


class Declared(Reply):
    """What a declaration keeps as its outcome."""

    conflict_id: str
    entry_id: str


class ConflictHandlers(ShareActs):
    @command(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def declare_conflict(self, request: DeclareConflict, caller: Caller) -> ConflictView:
        """The owner, of anybody else; whoever may know of the case, of itself."""
        conflict_id, action, said = new_event_id(), "conflict.declare", request.conflict
        today = self.directory.today()
        made: list[tuple[Ownership, Record]] = []
        with self.looking(caller, action, request.case_id) as looked:

            def shut_out(session: Session, emit: Emit) -> Declared:
                ownership = self.judged(looked, "declare_conflict", session)
                if not owns(caller, ownership) and said.user_id != caller.id:
                    raise NotOwner
                conflict = _conflict(request, conflict_id, self._whoever(said.user_id, today), caller, today)
                change = declare(ownership, conflict)
                after = change.after
                record = self._noted(change, caller, action, session, emit)
                made[:] = [(after, record)]
                return Declared(conflict_id=conflict_id, entry_id=record.id)

            told = self.commands.run(request, Declared, shut_out)
            if made and made[0][1].id == told.entry_id:
                after, record = made[0]
                self.apply_at_once(after)
            else:  # told again, to an owner: whoever declared it of itself may know of the case no more
                after = self.judged(looked, "list_conflicts")
                record = self.seen(looked, "conflict.read", "opened")
            conflict = next((one for one in after.conflicts if one.id == told.conflict_id), None)
            if conflict is None:
                raise NotVisible
            return view(after, conflict).model_copy(update={"disclosed": disclosed(record)})

    @command(expected_exceptions=ConcordatError)
    def withdraw_conflict(self, request: WithdrawConflict, caller: Caller) -> Empty:
        """The owner: it was a mistake, or is over. Nothing is given that shares and roles do not give."""
        action = "conflict.withdraw"
        with self.looking(caller, action, request.case_id) as looked:
            made: list[tuple[Ownership, Record]] = []

            def let_in(session: Session, emit: Emit) -> Declared:
                ownership = self.judged(looked, "withdraw_conflict", session)
                if (first := self.commands.done(request, Declared)) is not None:
                    return first
                change = withdraw(ownership, request.conflict_id)
                record = self._noted(change, caller, action, session, emit)
                made[:] = [(change.after, record)]
                return Declared(conflict_id=request.conflict_id, entry_id=record.id)

            told = self.commands.run(request, Declared, let_in)
            if made and made[0][1].id == told.entry_id:
                self.apply_at_once(made[0][0])
            return Empty()

    def _noted(self, change: Change, caller: Caller, action: str, session: Session, emit: Emit) -> Record:
        """List, fence, event and entry, all or none. Whom it is about, and why, is not for whoever reads the
        log: it may be the one shut out."""
        after = change.after
        self.save(change, session)
        data = CaseEvent(case_id=after.case_id, actor_id=caller.id, agency_id=caller.agency_id)
        emit("share.changed", f"cases/{after.case_id}", after.events, data)
        objects = (case_object(after.case_id, after.owner.agency.id),)
        record = entry(caller, action, outcome="done", objects=objects)
        self.records.keep(record)
        return record

    @rpc(expected_exceptions=ConcordatError)
    def list_conflicts(self, request: ListConflicts, caller: Caller) -> ConflictPage:
        """The newest first, to the owner alone."""
        with self.looking(caller, "conflict.list", request.case_id) as looked:
            ownership = self.judged(looked, "list_conflicts")
            after = None if request.cursor is None else read_cursor(request.cursor)
            newest = sorted(ownership.conflicts, key=lambda one: one.id, reverse=True)
            rest = [one for one in newest if after is None or one.id < after]
            part = rest[: request.limit]
            record = self.seen(looked, "conflict.list", "listed")
            return ConflictPage(
                items=tuple(view(ownership, one) for one in part),
                next=cursor_of(part[-1].id) if len(rest) > len(part) else None,
                disclosed=disclosed(record),
            )

    def _whoever(self, user_id: str, today: Today) -> Known:
        """Whoever it is: a disabled account may come back. Raises Invalid."""
        known = self.directory.by_kind(today, users=[user_id]).get(f"u:{user_id}")
        if known is None:
            raise Invalid(errors=(_UNKNOWN,))
        return known


def _conflict(
    request: DeclareConflict, conflict_id: str, user: Known, caller: Caller, today: Today
) -> Conflict:
    return Conflict(
        id=conflict_id,
        user=Ref(id=user.id, name=user.name),
        agency=user.agency,
        kind=request.conflict.kind,
        reason=request.conflict.reason,
        declared_by=Ref(id=caller.id, name=caller.name or caller.id),
        declared_at=today.now,
    )
