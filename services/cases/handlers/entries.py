"""Entries: adding, reading, revising, withdrawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.cases.domain.case import Case, clock, entry_added, entry_changed
from services.cases.domain.entries import Entry, check_writer, entry_view, new_entry, revised, withdrawn
from services.cases.domain.recording import Act, about, disclosed, done, reading, thing, writing
from services.cases.domain.showing import reads
from services.cases.domain.statuses import check_open
from services.cases.handlers.casework import Opened, Work, check_match, there
from services.cases.handlers.contents import Contents
from services.cases.stores.cases import Moved
from services.chassis.rpc import command, rpc
from services.contracts.authority import CaseEvent
from services.contracts.caller import Caller
from services.contracts.cases.entries import (
    AddEntry,
    EntryPage,
    EntryView,
    GetEntry,
    ListEntries,
    ReviseEntry,
    WithdrawEntry,
)
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, NotVisible
from services.contracts.messages import Reply
from services.contracts.records import Object, Record
from services.contracts.vocabulary import EventName

ADD = writing("add_entry", "entry.add", "collection", "timeline")
REVISE = writing("revise_entry", "entry.revise", "alteration", "timeline")
WITHDRAW = writing("withdraw_entry", "entry.withdraw", "alteration", "timeline")
LIST = reading("list_entries", "entry.list")
GET = reading("get_entry", "entry.read")
AGAIN = replace(GET, reads=False)
"""What a repeated command shows: its first was a writing, and asked for no reason."""

Made = tuple[Entry, Case, Record]


class EntryMade(Reply):
    """What a command on an entry came to."""

    case_id: str
    entry_id: str


class Entries(Contents):
    @rpc(expected_exceptions=ConcordatError)
    def list_entries(self, request: ListEntries, caller: Caller) -> EntryPage:
        """The timeline, what happened last first; empty if it is not granted."""
        opened = self.open(request.case_id, caller, LIST, request.access_reason)
        opened, (page, after) = self.consistently(
            opened, caller, LIST, lambda opened: self.entries_of(opened, caller, request)
        )
        objects = [about(opened.case, ("timeline",) if page else ()), *map(_object, page)]
        shown = self.show(LIST, caller, opened, objects)
        items = tuple(entry_view(one, opened.case, caller, full=False) for one in page)
        return EntryPage(items=items, next=after, disclosed=shown)

    @rpc(expected_exceptions=ConcordatError)
    def get_entry(self, request: GetEntry, caller: Caller) -> EntryView:
        """One entry with its revisions."""
        return self._shown_entry(request, caller)

    @command(expected_exceptions=ConcordatError)
    def add_entry(self, request: AddEntry, caller: Caller) -> EntryView:
        """Write an entry into the timeline under the caller's name."""
        made: list[Made] = []

        def body(work: Work) -> EntryMade:
            check_open(work.case)
            now = clock()
            entry = new_entry(new_event_id(), work.case, request.entry, caller, now)
            change = entry_added(work.case, entry.withhold_from, now)
            # First what others may be at as well: where it clashes, nothing was done or recorded yet.
            case = self.cases.advance(work.case, change, work.session)
            self.entries.insert(entry, work.session)
            made.append(self._tell_entry(ADD, "entry.added", entry, case, work))
            return EntryMade(case_id=case.id, entry_id=entry.id)

        opened, told, mine = self.change(ADD, caller, request, EntryMade, body, last=lambda: self._keep(made))
        return self._answer_entry(opened, told, made[-1] if mine else None, caller)

    @command(expected_exceptions=ConcordatError)
    def revise_entry(self, request: ReviseEntry, caller: Caller) -> EntryView:
        """Correct an entry; what it said before stays readable."""
        made: list[Made] = []

        def body(work: Work) -> EntryMade:
            check_open(work.case)
            entry = self._entry(work, request.entry_id)
            check_writer(entry, caller)
            check_match(request.if_match, entry_view(entry, work.case, caller, full=True).etag)
            after = revised(entry, request.changes, caller, clock())
            made.append(self._replace_entry(REVISE, "entry.revised", entry, after, work))
            return EntryMade(case_id=request.case_id, entry_id=request.entry_id)

        opened, told, mine = self.change(
            REVISE, caller, request, EntryMade, body, last=lambda: self._keep(made)
        )
        return self._answer_entry(opened, told, made[-1] if mine else None, caller)

    @command(expected_exceptions=ConcordatError)
    def withdraw_entry(self, request: WithdrawEntry, caller: Caller) -> EntryView:
        """Take back what an entry said; that there was one stays."""
        made: list[Made] = []

        def body(work: Work) -> EntryMade:
            check_open(work.case)
            entry = self._entry(work, request.entry_id)
            after = withdrawn(entry, request.withdrawal.reason, caller, clock())
            made.append(self._replace_entry(WITHDRAW, "entry.withdrawn", entry, after, work))
            return EntryMade(case_id=request.case_id, entry_id=request.entry_id)

        opened, told, mine = self.change(
            WITHDRAW, caller, request, EntryMade, body, last=lambda: self._keep(made)
        )
        return self._answer_entry(opened, told, made[-1] if mine else None, caller)

    def _entry(self, work: Work, entry_id: str) -> Entry:
        return there(self.entries.find(work.case.id, entry_id, work.caller.agency_id))

    def _replace_entry(self, act: Act, event: EventName, before: Entry, after: Entry, work: Work) -> Made:
        change = entry_changed(work.case, after.withhold_from, after.updated_at)
        case = self.cases.advance(work.case, change, work.session)
        if not self.entries.replace(after, before.updated_at, work.session):
            raise Moved
        return self._tell_entry(act, event, after, case, work)

    def _tell_entry(self, act: Act, event: EventName, entry: Entry, case: Case, work: Work) -> Made:
        """The event of this version, and the record to be kept: the last thing before the commit."""
        data = CaseEvent(
            case_id=case.id,
            entry_id=entry.id,
            section="timeline",
            withheld_from=entry.withhold_from,
            actor_id=work.caller.id,
            agency_id=work.caller.agency_id,
        )
        work.emit(event, case.aggregate, case.version, data)
        objects = [about(case, ("timeline",)), _object(entry)]
        return entry, case, done(act, work.caller, objects, use=case.template)

    def _keep(self, made: Sequence[Made]) -> None:
        _, _, record = made[-1]
        self.records.keep(record)

    def _answer_entry(
        self,
        opened: Opened,
        told: EntryMade,
        made: Made | None,
        caller: Caller,
    ) -> EntryView:
        """What was just written, under the record of the writing; a repetition is a read of its own."""
        if made is None:
            again = GetEntry(case_id=told.case_id, entry_id=told.entry_id)
            return self._shown_entry(again, caller, AGAIN)
        entry, case, record = made
        self.followed(opened.case, case, caller, opened.standing)
        view = entry_view(entry, case, caller, full=True)
        return view.model_copy(update={"disclosed": disclosed(record)})

    def _shown_entry(self, request: GetEntry, caller: Caller, act: Act = GET) -> EntryView:
        # The entry first: the case document, which is judged, is read last.
        entry = self.entries.find(request.case_id, request.entry_id, caller.agency_id)
        opened = self.open(request.case_id, caller, act, request.access_reason)
        if entry is None or not reads(opened.standing, "timeline"):
            self.refuse_with(opened.case, caller, act, NotVisible())
        shown = self.show(act, caller, opened, [about(opened.case, ("timeline",)), _object(entry)])
        view = entry_view(entry, opened.case, caller, full=True)
        return view.model_copy(update={"disclosed": shown})


def _object(entry: Entry) -> Object:
    return thing("entry", entry.id, entry.agency.id, "timeline")
