"""What every reading of the log does: who may see, what is recorded, what things are called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.audit.domain import cursors
from services.audit.domain.sight import Sight, cases_of, named_by, sight_of, statements_in
from services.audit.domain.views import Names, askable, ids_of, read_of_log
from services.audit.stores.entries import Detail, EntryStore
from services.audit.stores.finding import Place
from services.audit.stores.statements import StatementStore
from services.audit.stores.tree import TreeStore
from services.chassis.client import Peer
from services.chassis.recording import Keeper
from services.contracts.access import decide
from services.contracts.authority import (
    AccessLists,
    Describe,
    Described,
    Exclusions,
    GetAccessLists,
    GetExclusions,
    GetTeamMembers,
    TeamMembers,
)
from services.contracts.bars import bar_on, hangs_on_case, require_export
from services.contracts.caller import Caller
from services.contracts.cases.about import AboutCases, GetAbout
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, NotVisible, Refused
from services.contracts.permissions import PERMITS
from services.contracts.records import PROMISE, How, Object, Record
from services.contracts.views import Disclosed

OWNER = PERMITS["audit"]["list_case_consultations"]
ENOUGH = 400_000
"""Characters of details in a page; a reply has a megabyte at most."""
_MOST_IDS = 200
_MOST_ASKED = 2000


class Seen(NamedTuple):
    """An entry that its reader may see."""

    detail: Detail
    leaf: bytes
    sight: Sight


class Reading:
    """Shared by the handlers. The service gives the dependencies."""

    tree: TreeStore
    entries: EntryStore
    statements: StatementStore
    records: Keeper
    sharing: Peer
    cases: Peer

    def may_take_away(self, caller: Caller, what: Object) -> None:
        """Raises what stands against it, recorded: a file or a paper of the log names cases of every
        sensitivity, and is out of reach once it is made."""
        try:
            require_export(caller.barred)
        except Refused as problem:
            self.refused(caller, what, problem, how="exported")
            raise

    def judged(self, caller: Caller, case_ids: Sequence[str]) -> Sight:
        """What the caller may see, as owner of these cases too, but of those that something stands before by
        the caller itself. `sharing` is asked now: nothing is remembered."""
        sight = sight_of(caller, team=self.supervised(caller))
        if sight.everything or not case_ids or OWNER.roles is None or OWNER.roles.isdisjoint(caller.roles):
            return sight
        wanted = GetAccessLists(case_ids=tuple(case for case in case_ids if askable(case))[:_MOST_IDS])
        lists: AccessLists = self.sharing.call("access_lists", wanted, reply=AccessLists)
        owned = [one.case_id for one in lists.items if decide(caller, one, OWNER).allowed]
        bars = self.bars(caller, owned)
        return sight_of(caller, [one for one in owned if bars[one] is None], sight.team)

    def bars(self, caller: Caller, case_ids: Sequence[str]) -> dict[str, ConcordatError | None]:
        """What stands before each of these cases, which the caller may know of. `cases` is asked now, and
        only where something may."""
        if not case_ids or not hangs_on_case(caller.barred):
            return dict.fromkeys(case_ids)
        told: AboutCases = self.cases.call(
            "about_cases", GetAbout(case_ids=tuple(case_ids)), reply=AboutCases
        )
        found: dict[str, ConcordatError | None] = {one: NotVisible() for one in case_ids}
        for case_id, about in told.by_case().items():
            bar = bar_on(caller.barred, about)
            found[case_id] = None if bar is None else bar.refusal()
        return found

    def supervised(self, caller: Caller) -> tuple[str, ...]:
        """Whose log the caller may read as their supervisor. `sharing` is asked now."""
        if "supervisor" not in caller.roles or not caller.team_ids:
            return ()
        asked = GetTeamMembers(team_ids=caller.team_ids)
        members: TeamMembers = self.sharing.call("team_members", asked, reply=TeamMembers)
        return members.user_ids

    def shut_out(self, caller: Caller, case_ids: Collection[str]) -> frozenset[str]:
        """Those of these cases that do not exist for the caller, by a conflict of interest. MUST be asked
        after what names them was read: `sharing` is asked now, and of what was declared meanwhile nothing is
        shown. Raises Unavailable: whoever cannot be asked about is shown nothing.

        One call for nearly everybody, however many cases: it says whether there are any at all.
        """
        ids, found = [one for one in case_ids if askable(one)], set[str]()
        for begin in range(0, len(ids), _MOST_ASKED):
            answer = self._exclusions(caller, ids[begin : begin + _MOST_ASKED])
            if not answer.some:
                break
            found.update(answer.case_ids)
        return frozenset(found)

    def kept_from(self, caller: Caller, records: Sequence[Record]) -> frozenset[str]:
        """What these entries name and the caller may not know of: such cases, and the statements that tell of
        one. The entry of a statement names no case, but whom it is about; that there is one which cannot be
        had would tell the rest. Raises Unavailable."""
        told = self.statements.cases_of(statements_in(records))
        named = (case for cases in told.values() for case in cases)
        excluded = self.shut_out(caller, list(dict.fromkeys((*named_by(records), *named))))
        return excluded | {one for one, cases in told.items() if not excluded.isdisjoint(cases)}

    def conflicted(self, caller: Caller) -> bool:
        """Whether there is a case at all that does not exist for the caller, by a conflict of interest."""
        return self._exclusions(caller, ()).some

    def _exclusions(self, caller: Caller, case_ids: Sequence[str]) -> Exclusions:
        who = (caller.id,) if caller.accountable_id is None else (caller.id, caller.accountable_id)
        asked = GetExclusions(user_ids=who, case_ids=tuple(case_ids))
        answer: Exclusions = self.sharing.call("exclusions", asked, reply=Exclusions)
        return answer

    def visible(self, caller: Caller, entry_id: str, *, how: How = "opened") -> Seen:
        """An entry that the caller may see. Raises NotVisible, once that is recorded."""
        found = self.tree.find(entry_id)
        detail = None if found is None else self.entries.find(found[0])
        record = None if detail is None else detail.record
        sight = sight_of(caller)
        if record is None or not sight.sees_whole(record):
            sight = self.judged(caller, [entry_id] if record is None else cases_of(record))
        # One that is not there asks as much: it takes as long as one that must not be.
        sight = sight.without(
            self.shut_out(caller, [entry_id]) if record is None else self.kept_from(caller, [record])
        )
        if found is not None and detail is not None and sight.sees(detail.record):
            return Seen(detail, found[1], sight)
        problem = NotVisible()
        self.refused(caller, Object(type="log_entry", id=entry_id), problem, how=how)
        raise problem

    def recorded(
        self, caller: Caller, objects: Iterable[Object], *, how: How = "listed", action: str = "log.read"
    ) -> Disclosed:
        """Keep the record of a look at the log. MUST come before the reply is made."""
        now = datetime.now(UTC)
        record = read_of_log(caller, new_event_id(), now, objects, how=how, action=action)
        self.records.keep(record)
        return Disclosed(entry_id=record.id, by=now + PROMISE)

    def refused(self, caller: Caller, item: Object, problem: ConcordatError, *, how: How) -> None:
        """Keep the record of a refusal."""
        now = datetime.now(UTC)
        self.records.keep(
            read_of_log(caller, new_event_id(), now, [item], how=how, refusal=problem.public_code)
        )

    def names(self, records: Iterable[Record]) -> Names:
        """What everybody in these records is called: one look-up for a page of usual size."""
        return self.describe(ids_of(records))

    def describe(self, ids: Sequence[str]) -> Names:
        """What these are called; without those that nobody knows."""
        found: dict[str, str] = {}
        for begin in range(0, len(ids), _MOST_IDS):
            asked = Describe(ids=tuple(ids[begin : begin + _MOST_IDS]))
            described: Described = self.sharing.call("describe", asked, reply=Described)
            found.update(described.names)
        return found


def place_behind(detail: Detail) -> Place:
    return Place(detail.at, detail.index)


def cursor_of(place: Place) -> str:
    return cursors.write(cursors.millis(place.at), place.index)


def place_of(cursor: str | None) -> Place | None:
    """Raises Malformed."""
    if cursor is None:
        return None
    at, index = cursors.read(cursor, 2)
    return Place(cursors.moment(at), index)


def page(found: list[Detail], limit: int) -> tuple[list[Detail], str | None]:
    """From one more than asked for: the page, and the cursor of the next if there is one.

    A page is shorter than asked for where its entries are about very many things: a reply has its limit.
    """
    length, count = 0, 0
    for detail in found[:limit]:
        length += len(detail.text)
        if count and length > ENOUGH:
            break
        count += 1
    if len(found) <= count:
        return found, None
    return found[:count], cursor_of(place_behind(found[count - 1]))
