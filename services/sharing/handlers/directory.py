"""The directory: whom one can name in a share or give a task. Names and jobs of staff, no case."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from services.chassis.rpc import rpc
from services.contracts.caller import Caller
from services.contracts.errors import ConcordatError, NotVisible
from services.contracts.paging import Ref
from services.contracts.records import Object
from services.contracts.sharing.directory import DirectoryItem, DirectoryPage, ListDirectory, SearchDirectory
from services.sharing.domain.entries import entry
from services.sharing.domain.known import Known, Today
from services.sharing.domain.pace import Pace
from services.sharing.handlers.grants import Grants


class DirectoryHandlers(Grants):
    # A person who looks for colleagues types a few words a minute; a harvest is slower than it is worth.
    _pace = Pace(burst=120, each_second=2)

    @rpc(expected_exceptions=ConcordatError)
    def list_directory(self, request: ListDirectory, caller: Caller) -> DirectoryPage:
        """Teams, people and clients of an agency, each by name; or the people of a team."""
        today, agency_id = self.directory.today(), request.agency_id or caller.agency_id
        if agency_id not in today.on.standing.agencies:
            raise NotVisible
        if request.team_id is None:
            found, after = self.directory.page(agency_id, request.limit, request.cursor, today)
        else:
            found, after = self.directory.page_of_team(request.team_id, request.limit, request.cursor, today)
            found = [one for one in found if request.agency_id in (None, one.agency.id)]
        self._record_found(caller, "directory.list", found)
        return self._found(found, after, today)

    @rpc(expected_exceptions=ConcordatError)
    def search_directory(self, request: SearchDirectory, caller: Caller) -> DirectoryPage:
        """By the beginnings of words in names. Raises RateLimited."""
        self._pace.step(caller.id, time.monotonic())
        today = self.directory.today()
        found, after = self.directory.search(
            request.text, request.agency_id, request.limit, request.cursor, today
        )
        self._record_found(caller, "directory.search", found)
        return self._found(found, after, today)

    def _record_found(self, caller: Caller, action: str, found: Sequence[Known]) -> None:
        objects = tuple(Object(type=one.kind, id=one.id, agency_id=one.agency.id) for one in found)
        self.records.keep(entry(caller, action, outcome="shown", objects=objects))

    def _found(self, found: Sequence[Known], after: str | None, today: Today) -> DirectoryPage:
        teams = self.directory.team_names(found)
        return DirectoryPage(items=tuple(_item(one, teams, today) for one in found), next=after)


def _item(one: Known, teams: dict[str, str], today: Today) -> DirectoryItem:
    shown: dict[str, Any] = {"kind": one.kind, "id": one.id, "name": one.name, "agency": one.agency}
    if one.job_title is not None:
        shown["job_title"] = one.job_title
    if one.team_ids and one.team_ids[0] in teams:
        shown["team"] = Ref(id=one.team_ids[0], name=teams[one.team_ids[0]])
    because = _because(one, today)
    shown["available"] = because is None
    if because is not None:
        shown["because"] = because
    return DirectoryItem(**shown)


def _because(one: Known, today: Today) -> str | None:
    """One code for an agency that is not in force: why it is not is told to its own people."""
    if one.agency.id in today.on.inactive_agencies:
        return "agency_not_active"
    agency = today.on.standing.agencies[one.agency.id]
    return "agency_not_active" if agency.type == "operator" else one.because
