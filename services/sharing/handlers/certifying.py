"""Confirming that people and shares are still needed (recertification). Nothing is cut off by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.chassis.stored import Stored
from services.contracts.bars import bar_on, hangs_on_case
from services.contracts.caller import Caller
from services.contracts.errors import ConcordatError, InvalidTransition, NotVisible, RoleRequired
from services.contracts.messages import Moment, Reply
from services.contracts.records import Object
from services.contracts.sharing.certifying import (
    CertifyShare,
    CertifyUser,
    ListSharesToCertify,
    ListUsersToCertify,
    ShareCertified,
    SharesToCertify,
    ShareToCertify,
    UserCertified,
    UsersToCertify,
    UserToCertify,
)
from services.sharing.domain.certifying import ShareDue, UserDue, certified, due_in
from services.sharing.domain.entries import case_object, disclosed, entry, share_object
from services.sharing.domain.london import day_of
from services.sharing.handlers.identity import Identity
from services.sharing.handlers.share_acts import ShareActs
from services.sharing.stores import certifying
from services.sharing.stores.certifying import CertificationStore, of_agency, of_owner
from services.sharing.stores.pages import cursor_of, read_cursor


class Certified(Reply):
    """What a confirmation is remembered by."""

    id: str
    certify_by: Moment


class CertifyingUsers(Identity):
    certifications: CertificationStore = Stored(CertificationStore, certifying.STEPS)

    @rpc(expected_exceptions=ConcordatError)
    def list_users_to_certify(self, request: ListUsersToCertify, caller: Caller) -> UsersToCertify:
        """Of the own agency."""
        now = self.now()
        found = self.certifications.users(
            caller.agency_id,
            _after(request.cursor),
            now if request.overdue else None,
            day_of(now),
            request.limit + 1,
        )
        shown = found[: request.limit]
        return UsersToCertify(
            items=tuple(_user(one, now) for one in shown),
            next=_next(shown[-1], found, shown) if shown else None,
        )

    @command(expected_exceptions=ConcordatError)
    def certify_user(self, request: CertifyUser, caller: Caller) -> UserCertified:
        """By the administrator of the own agency."""
        until = due_in(self.settings.certify_days, self.now())

        def body(session: Session, _emit: Emit) -> Certified:
            user = self.users.load(request.user_id, session)
            if user.agency_id != caller.agency_id:
                raise NotVisible
            if user.state == "disabled":
                raise InvalidTransition(cause="user is disabled")
            self.certifications.put_user(user.id, until, session)
            self.keep(caller, "user.certify", Object(type="user", id=user.id, agency_id=user.agency_id))
            return Certified(id=user.id, certify_by=until)

        told = self.commands.run(request, Certified, body)
        return UserCertified(user_id=told.id, certify_by=told.certify_by)


class CertifyingShares(ShareActs):
    certifications: CertificationStore = Stored(CertificationStore, certifying.STEPS)

    @rpc(expected_exceptions=ConcordatError)
    def list_shares_to_certify(self, request: ListSharesToCertify, caller: Caller) -> SharesToCertify:
        """The owner's; or, to an agency's data protection officer, those that its owners left overdue. Those
        of cases that are barred to the caller are passed over: a part may have fewer, or none."""
        mine = request.of == "mine"
        if not mine and "agency_dpo" not in caller.roles:
            raise RoleRequired
        now = self.directory.today().now
        cases = of_owner(caller.id, caller.agency_id) if mine else of_agency(caller.agency_id)
        found = self.certifications.shares(
            cases,
            _after(request.cursor),
            now if request.overdue or not mine else None,
            now,
            limit=request.limit + 1,
            reader=caller.id,
        )
        part = found[: request.limit]
        shown = self._open_ones(caller, part, working=mine)
        record = entry(
            caller,
            "share.list_to_certify",
            outcome="shown",
            operation="consultation",
            how="listed",
            objects=tuple(
                case_object(one, caller.agency_id) for one in dict.fromkeys(due.case_id for due in shown)
            ),
        )
        self.records.keep(record)
        return SharesToCertify(
            items=tuple(_share(one, now) for one in shown),
            next=_next(part[-1], found, part) if part else None,
            disclosed=disclosed(record),
        )

    @command(expected_exceptions=ConcordatError)
    def certify_share(self, request: CertifyShare, caller: Caller) -> ShareCertified:
        """By the owner."""
        until = due_in(self.settings.certify_days, self.directory.today().now)
        action = "share.certify"
        with self.looking(caller, action, request.case_id) as looked:

            def confirm(session: Session, _emit: Emit) -> Certified:
                ownership = self.judged(looked, "certify_share", session)
                grant = ownership.grant(request.share_id)
                if grant is None or grant.kind != "share":
                    past = self.ownerships.past(request.share_id)
                    if past is not None and past.case_id == request.case_id:
                        raise InvalidTransition(cause="share is over")
                    raise NotVisible
                self.ownerships.save(certified(ownership, grant, until), session)
                objects = (
                    case_object(request.case_id, ownership.owner.agency.id),
                    share_object(grant.id, grant.agency.id),
                )
                self.records.keep(entry(caller, action, outcome="done", objects=objects))
                return Certified(id=grant.id, certify_by=until)

            told = self.commands.run(request, Certified, confirm)
            self.judged(looked, "certify_share")
            record = self.seen(looked, "share.read", "opened")
            return ShareCertified(
                case_id=request.case_id,
                share_id=told.id,
                certify_by=told.certify_by,
                disclosed=disclosed(record),
            )

    def _open_ones(self, caller: Caller, part: list[ShareDue], *, working: bool) -> list[ShareDue]:
        """Those of cases that nothing stands before. `working`: they are the caller's own."""
        if not part or not hangs_on_case(caller.barred):
            return part
        told = self.about_all({one.case_id for one in part})
        opens = {one for one, about in told.items() if not bar_on(caller.barred, about, working=working)}
        return [one for one in part if one.case_id in opens]


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    return None if cursor is None else read_cursor(cursor, _read_place)


def _read_place(found: Any) -> tuple[datetime, str]:
    at, which = found
    if not isinstance(which, str):
        raise ValueError
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError
    return moment, which


def _next(last: UserDue | ShareDue, found: list[Any], shown: list[Any]) -> str | None:
    at, which = last.place
    return cursor_of((at.isoformat(), which)) if len(found) > len(shown) else None


def _user(due: UserDue, now: datetime) -> UserToCertify:
    return UserToCertify(
        user=due.user,
        job_title=due.job_title,
        roles=due.roles,
        state=due.state,
        last_log_in_at=due.last_log_in_at,
        certify_by=due.certify_by,
        overdue=due.certify_by <= now,
    )


def _share(due: ShareDue, now: datetime) -> ShareToCertify:
    grant = due.grant
    return ShareToCertify(
        case_id=due.case_id,
        share_id=grant.id,
        owner=due.owner,
        agency=grant.agency,
        level=grant.level,
        granted_at=grant.granted_at,
        expires_at=grant.expires_at,
        certify_by=due.certify_by,
        overdue=due.certify_by <= now,
    )
