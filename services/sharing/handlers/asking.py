"""Asking for access to a case that one knows of; its owner answers."""

from __future__ import annotations

from datetime import UTC, datetime

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.chassis.stored import Stored
from services.contracts.alerts import ACCESS_ALERT, AccessAlert
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import AlreadyExists, ConcordatError, InvalidTransition, NotVisible
from services.contracts.messages import Reply
from services.contracts.paging import Ref
from services.contracts.sharing.asking import (
    AccessRequestPage,
    AccessRequestView,
    AnswerAccessRequest,
    ListAccessRequests,
    RequestAccess,
)
from services.sharing.domain.entries import case_object, disclosed, entry
from services.sharing.domain.ownership import Ownership
from services.sharing.handlers.grants import Looked
from services.sharing.handlers.share_acts import ShareActs, owns
from services.sharing.stores import asking
from services.sharing.stores.asking import AccessRequestStore


class Asked(Reply):
    """What a command on a request is remembered by."""

    id: str


class AskingForAccess(ShareActs):
    access_requests: AccessRequestStore = Stored(AccessRequestStore, asking.STEPS)

    @command(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def request_access(self, request: RequestAccess, caller: Caller) -> AccessRequestView:
        """By whoever may know of the case and does not own it; once until it is answered."""
        request_id, action = new_event_id(), "access.request"
        with self.looking(caller, action, request.case_id) as looked:

            def ask(session: Session, emit: Emit) -> Asked:
                ownership = self.judged(looked, "request_access", session)
                if owns(caller, ownership):
                    raise InvalidTransition(cause="owner asks itself")
                if self.access_requests.open_of(request.case_id, caller.id, session):
                    raise AlreadyExists
                asked = AccessRequestView(
                    id=request_id,
                    case_id=request.case_id,
                    user=_ref(caller),
                    agency=Ref(id=caller.agency_id, name=caller.agency_name or caller.agency_id),
                    reason=request.asked.reason,
                    state="open",
                    answer=None,
                    answered_by=None,
                    answered_at=None,
                    created_at=datetime.now(UTC),
                )
                self.access_requests.add(asked, session)
                number = self._counted(request.case_id, session)
                emit(*_alert(ownership, number, "access_requested", ownership.owner.user.id, caller))
                self._keep_asked(caller, action, ownership)
                return Asked(id=request_id)

            return self._request_shown(looked, self.commands.run(request, Asked, ask).id)

    @rpc(expected_exceptions=ConcordatError)
    def list_access_requests(self, request: ListAccessRequests, caller: Caller) -> AccessRequestPage:
        """To the owner all, to anybody else their own."""
        with self.looking(caller, "access.list_requests", request.case_id) as looked:
            ownership = self.judged(looked, "list_access_requests")
            whose = None if owns(caller, ownership) else caller.id
            found, after = self.access_requests.page(request.case_id, whose, request.limit, request.cursor)
            record = self.seen(looked, "access.list_requests", "listed")
            return AccessRequestPage(items=tuple(found), next=after, disclosed=disclosed(record))

    @command(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def answer_access_request(self, request: AnswerAccessRequest, caller: Caller) -> AccessRequestView:
        """By the owner, once."""
        with self.looking(caller, "access.answer", request.case_id) as looked:

            def answer(session: Session, emit: Emit) -> Asked:
                ownership = self.judged(looked, "answer_access_request", session)
                asked = self.access_requests.load(request.case_id, request.request_id, session)
                if asked.state != "open":
                    raise InvalidTransition(cause="request is answered")
                given = request.answer
                update = {"state": given.state, "answer": given.answer, "answered_by": _ref(caller)}
                answered = asked.model_copy(update={**update, "answered_at": datetime.now(UTC)})
                self.access_requests.answer(answered, session)
                number = self._counted(request.case_id, session)
                emit(*_alert(ownership, number, f"access_{given.state}", asked.user.id, caller))
                self._keep_asked(caller, "access.answer", ownership)
                return Asked(id=asked.id)

            return self._request_shown(looked, self.commands.run(request, Asked, answer).id)

    def _counted(self, case_id: str, session: Session) -> int:
        """The number of one more event about the case."""
        number = self.ownerships.count_event(case_id, session)
        if number is None:
            raise NotVisible
        return number

    def _keep_asked(self, caller: Caller, action: str, ownership: Ownership) -> None:
        objects = (case_object(ownership.case_id, ownership.owner.agency.id),)
        self.records.keep(entry(caller, action, outcome="done", objects=objects))

    def _request_shown(self, looked: Looked, request_id: str) -> AccessRequestView:
        """To its owner, or to who asked, as long as they may know of the case."""
        ownership = self.judged(looked, "list_access_requests")
        asked = self.access_requests.load(looked.case_id, request_id)
        if not owns(looked.caller, ownership) and asked.user.id != looked.caller.id:
            raise NotVisible
        record = self.seen(looked, "access.read_request", "opened")
        return asked.model_copy(update={"disclosed": disclosed(record)})


def _alert(
    ownership: Ownership, number: int, alert: str, user_id: str, by: Caller
) -> tuple[str, str, int, AccessAlert]:
    """The one whom it concerns is told."""
    case_id = ownership.case_id
    told = AccessAlert(case_id=case_id, alert=alert, keys=(f"u:{user_id}",), actor_id=by.id)
    return ACCESS_ALERT, f"cases/{case_id}", number, told


def _ref(caller: Caller) -> Ref:
    return Ref(id=caller.id, name=caller.name or caller.id)
