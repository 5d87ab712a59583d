"""Entries: lists and single ones."""

from __future__ import annotations

from services.audit.domain.lookups import search
from services.audit.domain.sight import Sight
from services.audit.domain.views import entry_view
from services.audit.handlers.filling import fill
from services.audit.handlers.reading import Reading, cursor_of, page, place_behind, place_of
from services.audit.stores.entries import Detail
from services.audit.stores.finding import Place
from services.chassis.rpc import rpc
from services.contracts.audit import EntryList, EntryView, GetEntry, ListEntries
from services.contracts.caller import Caller
from services.contracts.errors import Malformed, NotVisible
from services.contracts.records import Object, Record

Read = tuple[Detail, Record]


class EntryHandlers(Reading):
    """The log, entry by entry."""

    @rpc(expected_exceptions=Malformed)
    def list_entries(self, request: ListEntries, caller: Caller) -> EntryList:
        """A page of the entries that the caller may see, the newest first."""
        after = place_of(request.cursor)
        cases = [] if request.case_id is None else [request.case_id]
        sight = self.judged(caller, cases).without(self.shut_out(caller, cases))
        # A case that does not exist for the reader is looked for as one that there is not: nothing but what
        # the reader asked for itself is read.
        asked = search(request, sight.own_words if request.case_id in sight.excluded else sight.words)

        def read(place: Place | None, limit: int) -> list[Read]:
            return [(one, one.record) for one in self.entries.newest(asked, limit, place)]

        def keep(found: list[Read]) -> list[Read]:
            nonlocal sight
            sight = sight.without(self.kept_from(caller, [record for _, record in found]))
            return [one for one in found if _may_be_found(one[1], request, sight)]

        found, left = fill(read, keep, lambda one: place_behind(one[0]), request.limit, after)
        shown, next_ = page([detail for detail, _ in found], request.limit)
        if next_ is None and left is not None:
            next_ = cursor_of(left)
        records = [record for _, record in found[: len(shown)]]
        names = self.names(records)
        objects = [Object(type="log_entry", id=record.id) for record in records]
        disclosed = self.recorded(caller, objects or [Object(type="log", id="entries")])
        items = tuple(
            entry_view(detail.index, sight.known(record), names)
            for detail, record in zip(shown, records, strict=True)
        )
        return EntryList(items=items, next=next_, disclosed=disclosed)

    @rpc(expected_exceptions=NotVisible)
    def get_entry(self, request: GetEntry, caller: Caller) -> EntryView:
        """One entry. Raises NotVisible."""
        detail, _, sight = self.visible(caller, request.entry_id)
        record = detail.record
        names = self.names([record])
        disclosed = self.recorded(caller, [Object(type="log_entry", id=record.id)], how="opened")
        view = entry_view(detail.index, sight.known(record), names)
        return view.model_copy(update={"disclosed": disclosed})


def _may_be_found(record: Record, request: ListEntries, sight: Sight) -> bool:
    """What an entry is found by has to be among what is shown of it, where a case is kept from the reader."""
    if not sight.withholds(record):
        return True
    shown = {(item.type, item.id) for item in sight.part(record)}
    asked = {("case", request.case_id), ("subject", request.subject_id)}
    return sight.sees(record) and {one for one in asked if one[1] is not None} <= shown
