"""Sharing a case, changing a share, taking it back. The order is the security property:
parse → decide → record → reveal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, FieldError, Invalid, NotOwner, NotVisible
from services.contracts.sharing.shares import (
    MOST_SHARES,
    ChangeShare,
    CheckShare,
    GetShare,
    ListShares,
    RevokeReason,
    RevokeShare,
    ShareCase,
    ShareChecked,
    SharePage,
    ShareView,
)
from services.contracts.views import Empty
from services.sharing.domain.amending import amend, ends
from services.sharing.domain.entries import case_object, disclosed, entry
from services.sharing.domain.ownership import Grant, PastGrant, end, give, replace
from services.sharing.domain.showing import keys_in, show, show_past, show_proposal
from services.sharing.handlers.share_acts import (
    Act,
    Changing,
    ShareActs,
    ShareVersion,
    ending_by,
    names_caller,
    owns,
    version_of,
)
from services.sharing.stores.ownerships import OwnershipStore
from services.sharing.stores.pages import cursor_of, read_cursor

_CODES: frozenset[str] = frozenset(get_args(RevokeReason))


class ShareHandlers(ShareActs):
    @command(expected_exceptions=ConcordatError)
    def share_case(self, request: ShareCase, caller: Caller) -> ShareView:
        """Give a case to members of an agency."""
        share_id, act = new_event_id(), Act("share.create", "case.shared")
        today = self.directory.today()
        with self.looking(caller, act.action, request.case_id) as looked:
            changing = Changing(act, looked)

            def share(session: Session, emit: Emit) -> ShareVersion:
                ownership = self.judged(looked, "share_case", session)
                if len(ownership.grants) >= MOST_SHARES:
                    raise Invalid(errors=(FieldError("", "too_many", "This case has too many shares."),))
                grant = self.proposed(request.share, ownership, caller, share_id, today)
                change = give(ownership, grant, grant.granted_at)
                return self.commit_change(changing, change, grant, session, emit)

            told = self.commands.run(request, ShareVersion, share)
            after, record = changing.counted(told)
            self.apply_at_once(after)
            return self.reveal(looked, told.share_id, record, today)

    @rpc(expected_exceptions=ConcordatError)
    def check_share(self, request: CheckShare, caller: Caller) -> ShareChecked:
        """Judge a share as `share_case` does, and store nothing."""
        today = self.directory.today()
        with self.looking(caller, "share.check", request.case_id) as looked:
            ownership = self.judged(looked, "check_share")
            grant = self.proposed(request.share, ownership, caller, "-", today)
            known = self.directory.by_kind(today, **keys_in([grant]))
            objects = (case_object(request.case_id, looked.agency_id),)
            self.records.keep(entry(caller, "share.check", outcome="shown", objects=objects))
            return show_proposal(grant, known)

    @rpc(expected_exceptions=ConcordatError)
    def list_shares(self, request: ListShares, caller: Caller) -> SharePage:
        """The owner's list has all; a recipient's those that name it."""
        today = self.directory.today()
        with self.looking(caller, "share.list", request.case_id) as looked:
            ownership = self.judged(looked, "list_shares")
            to_owner = owns(caller, ownership)
            grants = [one for one in ownership.grants if to_owner or names_caller(caller, one)]
            page = _page(self.ownerships, grants, request, with_past=to_owner)
            known = self.directory.by_kind(
                today, **keys_in([*page.grants, *(one.grant for one in page.past)])
            )
            record = self.seen(looked, "share.list", "listed")
            return SharePage(
                items=(
                    *(show(ownership, one, known, today, to_owner=to_owner) for one in page.grants),
                    *(show_past(one, known) for one in page.past),
                ),
                next=page.next,
                disclosed=disclosed(record),
            )

    @rpc(expected_exceptions=ConcordatError)
    def get_share(self, request: GetShare, caller: Caller) -> ShareView:
        """One share, to the owner or to those whom it names."""
        today = self.directory.today()
        with self.looking(caller, "share.read", request.case_id) as looked:
            return self.reveal(looked, request.share_id, None, today)

    @command(expected_exceptions=ConcordatError)
    def change_share(self, request: ChangeShare, caller: Caller) -> ShareView:
        """The owner changes the terms; owner or recipient ends the share by saying `state: revoked`."""
        if ends(request.change):
            return self._hand_back(request, caller)
        act, today = Act("share.change", "share.changed"), self.directory.today()
        with self.looking(caller, act.action, request.case_id) as looked:
            changing = Changing(act, looked)

            def alter(session: Session, emit: Emit) -> ShareVersion:
                ownership, grant = self.matched(request, looked, today, session)
                if not owns(caller, ownership):
                    raise NotOwner
                protocol_id = request.change.protocol_id or grant.protocol_id
                facts = self.facts(ownership, protocol_id, request.change.members or (), today)
                after = amend(grant, request.change, facts)
                return self.commit_change(
                    changing, replace(ownership, after, facts.now), after, session, emit
                )

            told = self.commands.run(request, ShareVersion, alter)
            after, record = changing.counted(told)
            self.apply_at_once(after)
            return self.reveal(looked, told.share_id, record, today)

    def _hand_back(self, request: ChangeShare, caller: Caller) -> ShareView:
        reason = request.change.reason or "other"
        act = Act("share.revoke", "share.revoked", reason if reason in _CODES else "other")
        today = self.directory.today()
        with self.looking(caller, act.action, request.case_id) as looked:
            changing = Changing(act, looked)

            def finish(session: Session, emit: Emit) -> ShareVersion:
                ownership, grant = self.matched(request, looked, today, session)
                # A team of the owner's own agency is not given the case by another one: nobody hands it back.
                if grant.kind == "team" and not owns(caller, ownership):
                    raise NotOwner
                change = end(ownership, grant, ending_by(caller, reason))
                return self.commit_change(changing, change, grant, session, emit)

            told = self.commands.run(request, ShareVersion, finish)
            after, record = changing.counted(told)
            self.apply_at_once(after)
            return self.reveal_ended(looked, told.share_id, record, today)

    @command(expected_exceptions=ConcordatError)
    def revoke_share(self, request: RevokeShare, caller: Caller) -> Empty:
        """End a share. It is in effect when this is answered; one that is over already stays so."""
        act = Act("share.revoke", "share.revoked", request.reason)
        with self.looking(caller, act.action, request.case_id) as looked:
            changing = Changing(act, looked)

            def revoke(session: Session, emit: Emit) -> ShareVersion:
                ownership = self.judged(looked, "revoke_share", session)
                grant = ownership.grant(request.share_id)
                if grant is None:
                    past = self.ownerships.past(request.share_id)
                    if past is None or past.case_id != request.case_id:
                        raise NotVisible
                    return version_of(ownership, request.share_id)
                change = end(ownership, grant, ending_by(caller, request.reason))
                return self.commit_change(changing, change, grant, session, emit)

            told = self.commands.run(request, ShareVersion, revoke)
            self.apply_at_once(changing.counted(told)[0])
            return Empty()


class _Page(NamedTuple):
    grants: list[Grant]
    past: list[PastGrant]
    next: str | None


def _page(store: OwnershipStore, grants: Sequence[Grant], request: ListShares, *, with_past: bool) -> _Page:
    """Those in the list, then the past ones, each newest first. The cursor says in which of the two, and
    after which share."""
    over, after = (False, None) if request.cursor is None else read_cursor(request.cursor, _read_place)
    newest = sorted(grants, key=lambda one: one.id, reverse=True)
    part = [] if over else [one for one in newest if after is None or one.id < after][: request.limit + 1]
    if len(part) > request.limit:
        part = part[: request.limit]
        return _Page(part, [], cursor_of([False, part[-1].id]))
    room = request.limit - len(part)
    past = store.past_of(request.case_id, after if over else None, room + 1) if with_past else []
    if len(past) <= room:
        return _Page(part, past, None)
    last = past[room - 1].grant.id if room else _BEFORE_ALL
    return _Page(part, past[:room], cursor_of([True, last]))


_BEFORE_ALL = "~"
"""Sorts after every id, so that newest first begins with the newest."""


def _read_place(found: Any) -> tuple[bool, str]:
    over, last = found
    if not isinstance(over, bool) or not isinstance(last, str):
        raise ValueError
    return over, last
