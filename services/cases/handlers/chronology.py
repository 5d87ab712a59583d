"""The chronology of a subject across the cases that the viewer may see (R7)."""

from __future__ import annotations

from datetime import datetime

from services.cases.domain import cursors
from services.cases.domain.entries import Entry, entry_view
from services.cases.domain.fitting import fitting
from services.cases.domain.recording import Act, about, shown, thing
from services.cases.domain.showing import reads
from services.cases.domain.sights import Seen, Sight, sight_of, things
from services.cases.handlers.sights import Sights, distinct
from services.chassis.rpc import rpc
from services.contracts.caller import Caller
from services.contracts.cases.chronology import ChronologyItem, ChronologyPage, GetChronology
from services.contracts.errors import ConcordatError, NotVisible
from services.contracts.paging import Ref
from services.contracts.records import Object
from services.contracts.vocabulary import AccessReason

_GET = Act("get_chronology", "subject.chronology", section="timeline")


class ChronologyHandlers(Sights):
    """One method."""

    @rpc(expected_exceptions=ConcordatError)
    def get_chronology(self, request: GetChronology, caller: Caller) -> ChronologyPage:
        """Entries that name the subject, in cases whose subjects and timeline the caller may both see.

        Raises NotVisible, ReasonRequired.
        """
        self.require_role(caller, _GET)
        subject = self.subjects.find(request.subject_id)
        before = _readable(self._cases_of_subject(caller, request.subject_id))
        entries = self.sightings.entries_about(
            request.subject_id,
            before.keys(),
            caller.agency_id,
            _after(request.cursor),
            request.limit + 1,
            newest_first=request.order == "newest",
        )
        # Anew: what was read is judged by lists at least as new.
        seen = self._cases_of_subject(caller, request.subject_id)
        sight = sight_of(subject, request.subject_id, caller, seen)
        if subject is None or not sight:
            self.refuse_subject(_GET, caller, request.subject_id, NotVisible())
        readable = _readable(list(sight.cases))
        limit = min(request.limit, fitting([one.body for one in entries]))
        page = [(readable[one.case_id], one) for one in entries[:limit] if one.case_id in readable]
        reason = self._reasons_for(caller, request, sight, page)
        objects = [*things(subject, sight), *_told(page)]
        return ChronologyPage(
            items=tuple(
                ChronologyItem(
                    case=Ref(id=case.id, name=case.reference),
                    entry=entry_view(entry, case, caller, full=False),
                )
                for (case, _), entry in page
            ),
            next=_next(entries, limit),
            disclosed=self.tell(shown(_GET, caller, distinct(objects), reason=reason)),
        )

    def _cases_of_subject(self, caller: Caller, subject_id: str) -> list[Seen]:
        return self.seen(caller, (subject_id,))

    def _reasons_for(
        self, caller: Caller, request: GetChronology, sight: Sight, page: list[tuple[Seen, Entry]]
    ) -> AccessReason | None:
        """For each case that is opened by this. Raises ReasonRequired, recorded."""
        opened = {case.id: case for case, _ in sight.through} | {case.id: case for (case, _), _ in page}
        reasons = [self._reason(case, caller, _GET, request.access_reason) for case in opened.values()]
        return next((reason for reason in reasons if reason is not None), request.access_reason)


def _readable(seen: list[Seen]) -> dict[str, Seen]:
    return {case.id: (case, standing) for case, standing in seen if reads(standing, "timeline")}


def _told(page: list[tuple[Seen, Entry]]) -> list[Object]:
    """What is told to the log: each case once, each entry."""
    cases = [about(case, ("timeline",)) for (case, _), _ in page]
    return [*cases, *(thing("entry", entry.id, entry.agency.id, "timeline") for _, entry in page)]


def _next(entries: list[Entry], limit: int) -> str | None:
    if len(entries) <= limit:
        return None
    last = entries[limit - 1]
    return cursors.written(last.body["occurred_at"].isoformat(), last.id)


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    at, entry_id = cursors.read(cursor, 2)
    return cursors.moment(at), entry_id
