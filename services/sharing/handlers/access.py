"""Who can see a case and why (R35): for its owner."""

from __future__ import annotations

from typing import Any

from services.chassis.configured import Configured
from services.chassis.rpc import rpc
from services.contracts.caller import Caller
from services.contracts.errors import ConcordatError
from services.contracts.sharing.shares import AccessPage, ListAccess
from services.contracts.vocabulary import Template
from services.sharing.domain.audience import Way, item, ways
from services.sharing.domain.entries import disclosed
from services.sharing.domain.known import Today
from services.sharing.domain.ownership import Ownership
from services.sharing.domain.showing import keys_in
from services.sharing.domain.transfers import ways_in
from services.sharing.handlers.grants import Grants
from services.sharing.settings import SharingSettings
from services.sharing.stores.pages import cursor_of, read_cursor


class AccessHandlers(Grants):
    settings: SharingSettings = Configured()

    @rpc(expected_exceptions=ConcordatError)
    def list_access(self, request: ListAccess, caller: Caller) -> AccessPage:
        """Every way in, teams expanded to people, each with whether it is open now."""
        today = self.directory.today()
        with self.looking(caller, "access.list", request.case_id) as looked:
            ownership = self.judged(looked, "list_access")
            found = self._ways(ownership, today)
            after = None if request.cursor is None else read_cursor(request.cursor, _read_place)
            rest = [way for way in found if after is None or way.place > after]
            part = rest[: request.limit]
            taught = self._taught(request.case_id)
            record = self.seen(looked, "access.list", "listed")
            return AccessPage(
                items=tuple(item(way, ownership, today, taught) for way in part),
                next=cursor_of(part[-1].place) if len(rest) > len(part) else None,
                disclosed=disclosed(record),
            )

    def _taught(self, case_id: str) -> Template | None:
        """The use of the case, if training is required for it. `cases` is asked only where some use does."""
        about = self.about(case_id) if self.settings.trained_uses else None
        return about.use if about is not None and about.use in self.settings.trained_uses else None

    def _ways(self, ownership: Ownership, today: Today) -> list[Way]:
        wanted = keys_in(ways_in(ownership))
        wanted["users"] = wanted["users"] | {ownership.owner.user.id}
        known = self.directory.by_kind(today, **wanted)
        return ways(ownership, known, self.directory.members(wanted["teams"], today))


def _read_place(found: Any) -> tuple[str, str, str]:
    share_id, kind, who = found
    if not all(isinstance(one, str) for one in (share_id, kind, who)):
        raise ValueError
    return share_id, kind, who
