"""The questions that the log answers, at its full size: CPU of a first page, ours and the database's, and
what the database looked at for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from services.audit.domain.lookups import Search
from services.audit.domain.statements import Line
from services.audit.handlers.following import FollowingHandlers
from services.audit.handlers.gathering import Gathering
from services.audit.settings import AuditSettings
from services.audit.stores import days as day_steps
from services.audit.stores import finding
from services.audit.stores import statements as statement_steps
from services.audit.stores.days import DayStore, Wanted
from services.audit.stores.statements import Statement, StatementStore
from services.chassis.client import Peer
from services.chassis.migrations import migrate
from services.contracts.access import AccessList
from services.contracts.authority import (
    AccessLists,
    CaseOfSubject,
    CasesOfSubject,
    Described,
    Exclusions,
    Powers,
    Principal,
    Principals,
)
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.paging import Ref
from services.contracts.statements import Period
from tests.bench.auditing.log import AGENCIES, BEGIN, DAYS, Filled
from tests.bench.cpu import seconds_used
from tests.bench.figures import Report

PAGES, PAGE = 50, 25
STATEMENTS = 2_000


def questions() -> Iterator[tuple[str, Search]]:
    yield "by case", Search(each=(("c:case-77",),))
    yield "by subject", Search(each=(("s:subject-77",),))
    yield "by user", Search(each=(("p:user-77",),))
    yield "by agency", Search(each=(("d:agency-7",),))
    yield "by time", Search(since=BEGIN + timedelta(days=100), until=BEGIN + timedelta(days=101))
    yield "by action", Search(each=(("x:case.read",),))
    yield "refused, by agency", Search(each=(("a:agency-7|refused",), ("o:refused",)))
    since = BEGIN + timedelta(days=200)
    yield "who looked at this case since", Search(each=(("c:case-77",),), since=since, looks=True)


class Others:
    """What `sharing` and `cases` say, at no cost: everybody is in one team of five, and owns nothing."""

    def call(self, method: str, request: Any, *, reply: type[Any]) -> Any:
        if method == "access_lists":
            return AccessLists(items=cast(tuple[AccessList, ...], ()))
        if method == "exclusions":
            return Exclusions(some=False, case_ids=())
        if method == "principals":
            return Principals(items=tuple(map(_principal, request.ids)), now=datetime.now(UTC))
        if method == "cases_of_subject":
            case = CaseOfSubject(case_id=request.subject_id.replace("subject", "case"), since=BEGIN)
            return CasesOfSubject(agency_id="agency-7", items=(case,))
        return Powers(items=()) if method == "powers" else Described(names={}, agencies={})


def _principal(id_: str) -> Principal:
    number = int(id_.partition("-")[2])
    agency = f"agency-{number % AGENCIES}"
    team = f"team-{number % AGENCIES}-{number // AGENCIES % 5}"
    return Principal(
        kind="user", id=id_, name=id_, agency=Ref(id=agency, name=agency), team_ids=(team,), active=True
    )


class Working(FollowingHandlers, Gathering):
    """The part of audit that works things out of the log."""

    def __init__(self, filled: Filled) -> None:
        self.tree, self.entries, self.days = filled.tree, filled.entries, DayStore(filled.database)
        self.statements = StatementStore(filled.database)
        # A year's records of 600 people are a few a day each: so that there are reviews of every kind.
        self.settings = AuditSettings.model_construct(audit_many_cases=0, audit_many_unrelated=0)
        self.sharing = self.cases = cast(Peer, Others())
        migrate(filled.database, (*day_steps.STEPS, *statement_steps.STEPS), holder="bench")

    def work_out(self) -> None:
        while self.count_some():
            pass

    def issue(self) -> None:
        """Statements of many people, so that there is something to page through."""
        with self.entries._client.start_session() as session:
            for number in range(STATEMENTS):
                kept = Statement(
                    id=new_event_id(),
                    subject_id=f"subject-{number % 700}",
                    agency_id=f"agency-{number % AGENCIES}",
                    scope="agency",
                    created_at=BEGIN,
                    issued_by="dpo",
                    since=None,
                    until=BEGIN,
                    lines=1,
                    withheld=0,
                    redacted=0,
                    head="{}",
                    cases=[],
                    entry_id=new_event_id(),
                )
                self.statements.add(kept, [Line("{}", number, detailed=True)], session)


@dataclass(frozen=True)
class Question:
    """`ask` answers it and says how many things the answer has."""

    name: str
    ask: Callable[[], int]


def worked_out(working: Working) -> Iterator[Question]:
    def reviews(**wanted: Any) -> Callable[[], int]:
        asked = Wanted(**{"agency_id": "agency-7", **wanted})
        return lambda: len(working.days.reviews(asked, None, PAGE + 1))

    yield Question("reviews of an agency", reviews())
    yield Question("reviews of all, open", reviews(agency_id=None, state="open"))
    yield Question("reviews of an agency, volume", reviews(kind="volume"))
    yield Question("reviews of an agency, one person", reviews(actor_id="user-7"))

    def usage(agency_id: str | None, first: date, last: date) -> Callable[[], int]:
        def ask() -> int:
            found = working.days.usage(first, last, agency_id)
            return len(found.agencies) + len(found.teams) + len(found.uses)

        return ask

    year = BEGIN.date(), BEGIN.date() + timedelta(days=DAYS)
    odd = year[0] + timedelta(days=14), year[1] - timedelta(days=17)
    yield Question("usage of an agency, a year", usage("agency-7", *year))
    yield Question("usage of all, a year", usage(None, *year))
    yield Question("usage of all, from a 15th on", usage(None, *odd))
    yield Question("usage of all, one day", usage(None, year[0], year[0]))

    def statements(agency_id: str | None) -> Callable[[], int]:
        return lambda: len(working.statements.newest(agency_id, None, PAGE + 1))

    yield Question("statements of an agency", statements("agency-7"))
    yield Question("statements of all", statements(None))
    now = datetime.now(UTC)
    officer = Caller(
        kind="user",
        id="dpo",
        agency_id="agency-7",
        roles=("partnership_dpo",),
        device_class="managed",
        audience="audit",
        method="preview_statement",
        args_hash="0" * 64,
        request_id="r-1",
        now=now,
        expires_at=now + timedelta(seconds=10),
    )
    yield Question(
        "what a statement says", lambda: len(working.content(officer, "subject-77", Period()).entries)
    )


def examined(database: Any, ask: Callable[[], int]) -> int:
    """Documents that the database looked at, of `audit`'s working collections, as its profiler tells.

    Keys of details, which come with each entry by their id, are not counted: what is read is read once.
    """
    database.command("profile", 2)
    begun = datetime.now(UTC) - timedelta(milliseconds=1)
    ask()
    database.command("profile", 0)
    told = database["system.profile"].find(
        {"ts": {"$gte": begun}, "op": {"$in": ["query", "getmore", "command"]}}
    )
    return sum(
        int(one.get("docsExamined", 0)) for one in told if not one["ns"].endswith((".detail_keys", ".$cmd"))
    )


def explained(filled: Filled, search: Search) -> tuple[int, int]:
    """(documents examined, returned) of a first page, as the database explains it."""
    command = {
        "find": "entries",
        "filter": finding.filter_of(search, None),
        "sort": dict(finding.NEWEST),
        "limit": PAGE + 1,
        "hint": "found" if search.each else "time",
    }
    told = filled.database.command("explain", command, verbosity="executionStats")["executionStats"]
    return int(told["totalDocsExamined"]), int(told["nReturned"])


def ask(report: Report, filled: Filled, looking: Any, mongod: Sequence[int]) -> None:
    """`looking`: the same database, as the operator opens it."""
    for name, search in questions():
        _measured(report, name, mongod, lambda search=search: filled.entries.newest(search, PAGE + 1, None))
        looked, found = explained(filled, search)
        report.add(f"{name}: documents examined per returned", looked / max(1, found), "", "<= 3")
    working = Working(filled)
    begin, own, theirs = time.monotonic(), time.process_time(), seconds_used(mongod)
    working.work_out()
    each = 1e6 / filled.size
    report.add("working out days: entries/s", filled.size / (time.monotonic() - begin), "/s")
    report.add("working out days: own CPU an entry", (time.process_time() - own) * each, "us")
    report.add("working out days: mongod's CPU an entry", (seconds_used(mongod) - theirs) * each, "us")
    working.issue()
    for one in worked_out(working):
        found = one.ask()
        if not found:
            raise AssertionError(f"{one.name}: there is nothing to be found")
        _measured(report, one.name, mongod, one.ask)
        looked = examined(looking, one.ask)
        report.add(f"{one.name}: documents examined per returned", looked / found, "", "<= 3")


def _measured(report: Report, name: str, mongod: Sequence[int], do: Callable[[], object]) -> None:
    do()
    begin, own, theirs = time.perf_counter(), time.process_time(), seconds_used(mongod)
    for _ in range(PAGES):
        do()
    ours = (time.process_time() - own) * 1000 / PAGES
    of_database = (seconds_used(mongod) - theirs) * 1000 / PAGES
    report.add(f"{name}: first page, CPU", ours, "ms", "<= 50")
    report.add(f"{name}: first page, the database's CPU", of_database, "ms")
    report.add(f"{name}: first page, time", (time.perf_counter() - begin) * 1000 / PAGES, "ms")
