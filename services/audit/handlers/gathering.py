"""What a statement to a person has to say: every entry of somebody being shown what is held of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from services.audit.domain import statements
from services.audit.domain.lookups import Search
from services.audit.domain.sight import named_by, sight_of
from services.audit.domain.statements import Counted, Span
from services.audit.handlers.reading import Reading
from services.audit.stores.finding import Place
from services.contracts.authority import CasesOfSubject, GetCasesOfSubject, GetPowers, GrantedPower, Powers
from services.contracts.caller import Caller
from services.contracts.errors import FieldError, Invalid, NotVisible
from services.contracts.records import Object, Record
from services.contracts.statements import MOST_LINES, Period, Said

MOST_READ = 20_000
"""Entries looked at for one statement: whoever has more is given several, of shorter periods."""
_AT_ONCE = 500
_POWERS_OF = 50


class Content(NamedTuple):
    """What a statement has to say: entries in their order, and of each what is told."""

    owner: str
    scope: Literal["agency", "partnership"]
    entries: list[Counted]
    told: list[Said]


class Gathering(Reading):
    def content(self, caller: Caller, subject_id: str, period: Period) -> Content:
        """Raises NotVisible (recorded), Invalid."""
        held: CasesOfSubject = self.cases.call(
            "cases_of_subject", GetCasesOfSubject(subject_id=subject_id), reply=CasesOfSubject
        )
        all_ = "partnership_dpo" in caller.roles
        if held.agency_id is None or not (all_ or held.agency_id == caller.agency_id):
            problem = NotVisible()
            self.refused(caller, Object(type="statement_draft", id=subject_id), problem, how="listed")
            raise problem
        named = dict(self._read(Search(each=((f"s:{subject_id}",),)), MOST_READ))
        spans = statements.spans(named.values(), {one.case_id: one.since for one in held.items})
        found = {
            index: record
            for index, record in named.items()
            if (period.since is None or period.since <= record.at)
            and (period.until is None or record.at < period.until)
        }
        for span in spans:
            self._of_span(span, period, found)
        sight = sight_of(caller)
        sight = sight.without(self.shut_out(caller, named_by(found.values())))
        entries = [
            one
            for index, record in sorted(found.items(), key=lambda item: (item[1].at, item[0]))
            if sight.sees(record)
            and (one := statements.counted(index, sight.left(record), subject_id, spans)) is not None
        ]
        entries = [replace(one, whole=False) if sight.withholds(found[one.index]) else one for one in entries]
        if len(entries) > MOST_LINES:
            raise _too_many()
        names = self._names(entries)
        powers = self._powers(entries)
        told = [statements.said(one, names, statements.power_of(one, powers)) for one in entries]
        return Content(held.agency_id, "partnership" if all_ else "agency", entries, told)

    def _of_span(self, span: Span, period: Period, found: dict[int, Record]) -> None:
        since = max(span.since, period.since) if period.since else span.since
        untils = [one for one in (span.until, period.until) if one is not None]
        known = tuple(index for index, record in found.items() if _names(record, span.case_id))
        search = Search(
            each=((f"c:{span.case_id}",),), since=since, until=min(untils, default=None), but=known
        )
        for index, record in self._read(search, MOST_READ - len(found)):
            found[index] = record

    def _read(self, search: Search, most: int) -> Iterator[tuple[int, Record]]:
        """Raises Invalid when there are more."""
        after: Place | None = None
        while True:
            details = self.entries.newest(search, _AT_ONCE, after)
            most -= len(details)
            if most < 0:
                raise _too_many()
            for one in details:
                yield one.index, one.record
            if len(details) < _AT_ONCE:
                return
            after = Place(details[-1].at, details[-1].index)

    def _names(self, entries: Sequence[Counted]) -> Mapping[str, str]:
        names = dict(self.names(one.record for one in entries))
        receivers = {to for one in entries if (to := statements.given_to(one.record)) is not None}
        return {**self.describe(sorted(receivers - names.keys())), **names}

    def _powers(self, entries: Sequence[Counted]) -> list[GrantedPower]:
        cases = sorted({one.case_id for one in entries if one.case_id is not None})
        found: list[GrantedPower] = []
        for begin in range(0, len(cases), _POWERS_OF):
            asked = GetPowers(case_ids=tuple(cases[begin : begin + _POWERS_OF]))
            answer: Powers = self.sharing.call("powers", asked, reply=Powers)
            found += answer.items
        return found


def _names(record: Record, case_id: str) -> bool:
    return any(item.type == "case" and item.id == case_id for item in record.objects)


def _too_many() -> Invalid:
    return Invalid(errors=(FieldError("/from", "too_many", "There are too many entries in this period."),))
