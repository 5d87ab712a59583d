"""The parts of every act on a share: judge what is wanted, commit what is decided, reveal what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.chassis.commands import Emit
from services.chassis.configured import Configured
from services.chassis.mongo import Session
from services.contracts.access import names
from services.contracts.authority import CaseEvent
from services.contracts.caller import Caller
from services.contracts.errors import IfMatchRequired, InvalidTransition, NotVisible, Stale
from services.contracts.messages import Reply
from services.contracts.paging import Ref
from services.contracts.records import Record
from services.contracts.sharing.shares import ChangeShare, Member, ShareBody, ShareView
from services.contracts.vocabulary import EventName
from services.sharing.domain.certifying import due_in
from services.sharing.domain.entries import case_object, disclosed, entry, share_object
from services.sharing.domain.known import Today
from services.sharing.domain.ownership import Change, Ending, Grant, Ownership
from services.sharing.domain.showing import keys_in, show, show_past
from services.sharing.domain.terms import Facts, propose
from services.sharing.handlers.applying import Applying
from services.sharing.handlers.grants import Looked
from services.sharing.settings import SharingSettings


class ShareVersion(Reply):
    """What a command on a share keeps as its outcome. `entry_id`: of the run that counted; None: nothing
    changed."""

    case_id: str
    share_id: str
    epoch: int
    entry_id: str | None = None


class Act(NamedTuple):
    """What it is called in the log, the event that tells of it, the code of a reason."""

    action: str
    event: EventName
    reason: str | None = None


class Changing:
    """One act on its way. What its last run made MUST NOT be used before `counted` says that this run was the
    one that was committed: a repeated command runs, and is then undone."""

    def __init__(self, act: Act, looked: Looked) -> None:
        self.act, self.looked = act, looked
        self.made: tuple[Ownership, Record] | None = None

    def counted(self, told: ShareVersion) -> tuple[Ownership, Record] | tuple[None, None]:
        """The ownership after the act and its entry; nothing if an earlier run counted."""
        if self.made is not None and self.made[1].id == told.entry_id:
            return self.made
        return None, None


class ShareActs(Applying):
    settings: SharingSettings = Configured()

    # judging

    def proposed(
        self, body: ShareBody, ownership: Ownership, caller: Caller, share_id: str, today: Today
    ) -> Grant:
        """The share that is asked for. Raises Invalid and its kinds."""
        facts = self.facts(ownership, body.protocol_id, body.members, today)
        grant = propose(body, facts, share_id, Ref(id=caller.id, name=caller.name or caller.id))
        return grant.model_copy(update={"certify_by": due_in(self.settings.certify_days, today.now)})

    def facts(
        self, ownership: Ownership, protocol_id: str | None, members: Sequence[Member], today: Today
    ) -> Facts:
        """What terms are judged by."""
        known = self.directory.by_kind(
            today,
            users=[one.user_id for one in members if one.user_id],
            teams=[one.team_id for one in members if one.team_id],
            clients=[one.client_id for one in members if one.client_id],
        )
        try:
            protocol = self.protocols.load(protocol_id) if protocol_id else None
        except NotVisible:  # said of the protocol, not of the case: it is judged as none
            protocol = None
        grantable = {key: one.agency.id for key, one in known.items() if one.grantable}
        excluded = frozenset(ownership.acl.excluded)
        return Facts(ownership.owner, today.on, protocol, grantable, today.now, excluded)

    def matched(
        self, request: ChangeShare, looked: Looked, today: Today, session: Session
    ) -> tuple[Ownership, Grant]:
        """The share as it is, if the caller may change it and has seen it so."""
        caller = looked.caller
        ownership = self.judged(looked, "change_share", session)
        to_owner = owns(caller, ownership)
        grant = ownership.grant(request.share_id)
        if grant is None or not (to_owner or names_caller(caller, grant)):
            if (
                to_owner
                and (past := self.ownerships.past(request.share_id))
                and past.case_id == request.case_id
            ):
                raise InvalidTransition(cause="share is over")
            raise NotVisible
        if request.if_match is None:
            raise IfMatchRequired
        present = self._shown_share(ownership, grant, today, to_owner=to_owner)
        if request.if_match != present.etag:
            raise Stale(etag=present.etag)
        return ownership, grant

    # committing

    def commit_change(
        self,
        changing: Changing,
        change: Change,
        grant: Grant,
        session: Session,
        emit: Emit,
    ) -> ShareVersion:
        """Ownership, fence, event and entry, all or none. The entry is kept last, before it commits."""
        after, act, caller = change.after, changing.act, changing.looked.caller
        self.save(change, session)
        data = CaseEvent(
            case_id=after.case_id, share_id=grant.id, actor_id=caller.id, agency_id=grant.agency.id
        )
        emit(act.event, f"cases/{after.case_id}", after.events, data)
        record = entry(
            caller,
            act.action,
            outcome="done",
            reason=act.reason,
            objects=(
                case_object(after.case_id, after.owner.agency.id, grant.sections),
                share_object(grant.id, grant.agency.id, grant.sections),
            ),
        )
        self.records.keep(record)
        changing.made = after, record
        return version_of(after, grant.id, record.id)

    # revealing

    def reveal(self, looked: Looked, share_id: str, first: Record | None, today: Today) -> ShareView:
        """One share as it is now, by the entry that its change made, or by one of its own."""
        ownership = self.judged(looked, "get_share")
        to_owner = owns(looked.caller, ownership)
        grant = ownership.grant(share_id)
        if grant is not None and (to_owner or names_caller(looked.caller, grant)):
            view = self._shown_share(ownership, grant, today, to_owner=to_owner)
        elif to_owner:
            view = self._past_share(looked.case_id, share_id, today)
        else:
            raise NotVisible
        record = first or self.seen(looked, "share.read", "opened")
        return view.model_copy(update={"disclosed": disclosed(record)})

    def reveal_ended(self, looked: Looked, share_id: str, first: Record | None, today: Today) -> ShareView:
        """To the owner as ever. Who handed a share back may not know of the case any more: it is told of the
        share that it ended, without who else was in it."""
        if owns(looked.caller, self.found(looked)):
            return self.reveal(looked, share_id, first, today)
        past = self.ownerships.past(share_id)
        if past is None or past.ending is None or past.ending.by.id != looked.caller.id:
            raise NotVisible
        record = first or self.seen(looked, "share.read", "opened")
        return show_past(past, {}, to_owner=False).model_copy(update={"disclosed": disclosed(record)})

    def _shown_share(self, ownership: Ownership, grant: Grant, today: Today, *, to_owner: bool) -> ShareView:
        known = self.directory.by_kind(today, **keys_in([grant]))
        return show(ownership, grant, known, today, to_owner=to_owner)

    def _past_share(self, case_id: str, share_id: str, today: Today) -> ShareView:
        past = self.ownerships.past(share_id)
        if past is None or past.case_id != case_id:
            raise NotVisible
        return show_past(past, self.directory.by_kind(today, **keys_in([past.grant])))


def owns(caller: Caller, ownership: Ownership) -> bool:
    owner = ownership.owner
    return caller.kind == "user" and (caller.id, caller.agency_id) == (owner.user.id, owner.agency.id)


def names_caller(caller: Caller, grant: Grant) -> bool:
    return grant.agency.id == caller.agency_id and names(grant.share(), caller)


def version_of(ownership: Ownership, share_id: str, entry_id: str | None = None) -> ShareVersion:
    return ShareVersion(
        case_id=ownership.case_id, share_id=share_id, epoch=ownership.epoch, entry_id=entry_id
    )


def ending_by(caller: Caller, reason: str) -> Ending:
    return Ending(
        at=datetime.now(UTC),
        by=Ref(id=caller.id, name=caller.name or caller.id),
        agency=Ref(id=caller.agency_id, name=caller.agency_name or caller.agency_id),
        reason=reason,
    )
