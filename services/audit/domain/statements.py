"""Statements to people: which entries count, what each line says, what the log commits to. Pure.

An entry counts when something was shown (or given to another agency) and it names the subject, or names a
case that held the subject then with one of the sections that tell of subjects. Since when and until when a
case held somebody stands in the log itself: opening a case and changing its subjects name them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.audit.domain.leaves import canonical
from services.audit.domain.views import Names
from services.contracts.authority import GrantedPower
from services.contracts.paging import Ref
from services.contracts.records import Object, Record
from services.contracts.statements import Power, Said, Withholding

VERSION = 1
ACTION = "statement.issue"
PERSONAL = frozenset({"subjects", "victim", "safe_contact"})
"""Sections of a case that tell of its subjects as such."""
_GIVEN = frozenset({"share.create", "share.change"})
_SHOWS = frozenset({"consultation", "disclosure"})
_OF_A_CASE = frozenset({"entry", "task", "share", "link"})
PUT_IN = ("case.create", "case.put_subject")
TAKEN_OUT = "case.remove_subject"


@dataclass(frozen=True, slots=True)
class Span:
    """A case held the subject from `since` on, until `until` if that is known."""

    case_id: str
    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


def spans(named: Iterable[Record], now_in: Mapping[str, datetime]) -> list[Span]:
    """From the entries that name the subject, and the cases that hold it now with the time of their opening.

    Where the log does not say since when (a case opened before entries named subjects), it is from the
    opening of the case on.
    """
    begun, found = dict[str, datetime](), list[Span]()
    for record in sorted(named, key=lambda one: one.at):
        cases = [item.id for item in record.objects if item.type == "case"]
        if record.outcome != "done" or len(cases) != 1:
            continue
        if record.action in PUT_IN:
            begun.setdefault(cases[0], record.at)
        elif record.action == TAKEN_OUT:
            since = begun.pop(cases[0], None)
            found.append(Span(cases[0], since or datetime.min.replace(tzinfo=record.at.tzinfo), record.at))
    found += [Span(case, begun.get(case, opened)) for case, opened in now_in.items()]
    return found


@dataclass(frozen=True, slots=True)
class Counted:
    """An entry of the statement. `case_id`: in which case the subject was shown, if it was in one."""

    index: int
    record: Record
    case_id: str | None
    whole: bool
    """Everything that the entry names may be told to the subject."""


def counted(index: int, record: Record, subject_id: str, held: Collection[Span]) -> Counted | None:
    """None if the entry is none of somebody being shown what is held of the subject."""
    shown = record.operation in _SHOWS and record.outcome != "refused" and record.action != ACTION
    if not shown and not (record.action in _GIVEN and record.outcome == "done"):
        return None
    there = {one.case_id for one in held if one.covers(record.at)}
    cases = [item for item in record.objects if item.type == "case" and item.id in there]
    telling = next((item.id for item in cases if not PERSONAL.isdisjoint(item.sections)), None)
    named = any(item.type == "subject" and item.id == subject_id for item in record.objects)
    if telling is None and not named:
        return None
    case_id = telling or (cases[0].id if cases else None)
    return Counted(index, record, case_id, _whole(record, subject_id, case_id))


def _whole(record: Record, subject_id: str, case_id: str | None) -> bool:
    return all(
        (item.type == "subject" and item.id == subject_id)
        or (item.type == "case" and item.id == case_id)
        or (item.type in _OF_A_CASE and case_id is not None)
        for item in record.objects
    )


def power_of(one: Counted, powers: Iterable[GrantedPower]) -> Power | None:
    """The share under which another agency had the case then; None for the owner's own."""
    owner = next((item.agency_id for item in one.record.objects if item.id == one.case_id), None)
    agency = given_to(one.record) or one.record.actor.agency_id
    if owner == agency:
        return None
    at = one.record.at
    fitting = [
        power
        for power in powers
        if power.case_id == one.case_id
        and power.agency_id == agency
        and power.purpose is not None
        # What was given and what is read of it do not have one clock.
        and (power.since <= at or one.record.action in _GIVEN)
        and (power.until is None or at < power.until)
    ]
    if not fitting:
        return None
    best = max(fitting, key=lambda power: power.since)
    found = {
        "share_id": best.share_id,
        "purpose": best.purpose,
        "legal_gateway": best.legal_gateway,
        "protocol_id": best.protocol_id,
        "regime": best.regime,
    }
    return Power(**{name: value for name, value in found.items() if value is not None})


def given_to(record: Record) -> str | None:
    """The agency that was given a case."""
    if record.action not in _GIVEN:
        return None
    return next((item.agency_id for item in record.objects if item.type == "share"), None)


def said(one: Counted, names: Names, power: Power | None) -> Said:
    record = one.record
    sections = [
        name
        for item in record.objects
        if item.id == one.case_id or item.type != "case"
        for name in item.sections
    ]
    fields: dict[str, Any] = {
        "id": record.id,
        "at": record.at,
        "action": record.action,
        "how": record.how,
        "actor": Ref(id=record.actor.id, name=names.get(record.actor.id, record.actor.id)),
        "agency": Ref(
            id=record.actor.agency_id, name=names.get(record.actor.agency_id, record.actor.agency_id)
        ),
        "case_id": one.case_id,
        "sections": tuple(dict.fromkeys(sections)),
        "use": record.use,
        "reason": record.reason,
        "power": power,
    }
    if (to := given_to(record)) is not None:
        fields["to"] = Ref(id=to, name=names.get(to, to))
    if (accountable := record.actor.accountable_id) is not None:
        fields["accountable"] = Ref(id=accountable, name=names.get(accountable, accountable))
    return Said(**{name: value for name, value in fields.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text, which is hashed, the entry's index, and whether its detail may be told."""

    text: str
    index: int
    detailed: bool


def line(
    number: int, one: Counted, told: Said, leaf: tuple[bytes, bytes], withheld: Withholding | None
) -> Line:
    """Withheld: that there is an entry, and by which exemption no more is said. Without names: by whom is
    left out, the agency is not. `leaf` comes with its hash."""
    raw, hashed = leaf
    if withheld is not None and withheld.what == "entry":
        fields = {
            "n": number,
            "index": one.index,
            "hash": base64.b64encode(hashed).decode(),
            "withheld": withheld.exemption,
        }
        return Line(canonical(fields), one.index, False)
    fields = told.model_dump(mode="json", exclude_unset=True)
    if withheld is not None:
        fields["redacted"] = withheld.exemption
        fields.pop("actor")
        fields.pop("accountable", None)
    # The very text of the leaf: times are written in more than one way.
    at = re.search(rb'"at":"([^"]+)"', raw)
    if at is not None:
        fields["at"] = at[1].decode()
    fields |= {"n": number, "index": one.index, "leaf": base64.b64encode(raw).decode()}
    return Line(canonical(fields), one.index, one.whole and withheld is None)


def cases_in(lines: Iterable[Line]) -> list[str]:
    """The cases that a statement names, each once."""
    return sorted({case for one in lines if (case := json.loads(one.text).get("case_id")) is not None})


def head(**fields: Any) -> str:
    return canonical({"v": VERSION, **fields})


def digest(head: str, lines: Sequence[Line]) -> str:
    """What the log commits to: no line can be missing, new, changed or moved."""
    hashing = hashlib.sha256(f"{head}\n".encode())
    for one in lines:
        hashing.update(f"{one.text}\n".encode())
    return hashing.hexdigest()


def committing(statement_id: str, subject: Object, digest: str) -> tuple[Object, ...]:
    """What the entry of a statement names."""
    return subject, Object(type="statement", id=statement_id), Object(type="digest", id=digest)
