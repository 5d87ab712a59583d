"""Entries: lists and single ones."""

from __future__ import annotations

from services.audit.domain.lookups import search
from services.audit.domain.views import entry_view
from services.audit.handlers.reading import Reading, page, place_of
from services.chassis.rpc import rpc
from services.contracts.audit import EntryList, EntryView, GetEntry, ListEntries
from services.contracts.caller import Caller
from services.contracts.errors import Malformed, NotVisible
from services.contracts.records import Object


class EntryHandlers(Reading):
    """The log, entry by entry."""

    @rpc(expected_exceptions=Malformed)
    def list_entries(self, request: ListEntries, caller: Caller) -> EntryList:
        """A page of the entries that the caller may see, the newest first."""
        after = place_of(request.cursor)
        sight = self.judged(caller, [] if request.case_id is None else [request.case_id])
        details = self.entries.newest(search(request, sight.words), request.limit + 1, after)
        shown, next_ = page(details, request.limit)
        records = [(detail.index, detail.record) for detail in shown]
        names = self.names(record for _, record in records)
        objects = [Object(type="log_entry", id=record.id) for _, record in records]
        disclosed = self.recorded(caller, objects or [Object(type="log", id="entries")])
        items = tuple(entry_view(index, record, sight.part(record), names) for index, record in records)
        return EntryList(items=items, next=next_, disclosed=disclosed)

    @rpc(expected_exceptions=NotVisible)
    def get_entry(self, request: GetEntry, caller: Caller) -> EntryView:
        """One entry. Raises NotVisible."""
        detail, _, sight = self.visible(caller, request.entry_id)
        record = detail.record
        names = self.names([record])
        disclosed = self.recorded(caller, [Object(type="log_entry", id=record.id)], how="opened")
        view = entry_view(detail.index, record, sight.part(record), names)
        return view.model_copy(update={"disclosed": disclosed})
