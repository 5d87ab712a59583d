"""The subjects of a case: each once, with one role. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.cases.domain.case import Case, Change, InCase, part_of, touched
from services.contracts.cases.cases import MOST_SUBJECTS
from services.contracts.errors import FieldError, Invalid
from services.contracts.vocabulary import CaseRole, Section


def find(case: Case, subject_id: str) -> InCase | None:
    return next((one for one in case.subjects if one.id == subject_id), None)


def put(case: Case, subject: InCase, now: datetime) -> Change | None:
    """With `subject` in the place of what was there under its id; None if nothing changes. Raises Invalid."""
    before = find(case, subject.id)
    if before == subject:
        return None
    if before is None and len(case.subjects) >= MOST_SUBJECTS:
        raise Invalid(errors=(FieldError("", "too_many", "There are too many items."),))
    rest = [one for one in case.subjects if one.id != subject.id]
    return _change([*rest, subject], [one for one in (before, subject) if one is not None], now)


def removed(case: Case, subject: InCase, now: datetime) -> Change:
    return _change([one for one in case.subjects if one.id != subject.id], [subject], now)


def _change(subjects: list[InCase], concerned: list[InCase], now: datetime) -> Change:
    sets: dict[str, Any] = {"subjects": [row_of(one) for one in subjects]}
    for one in concerned:
        sets |= touched(part_of(one.role), now)
    return Change(sets, exact=True)


def row_of(one: InCase) -> dict[str, str]:
    """As the case document has it."""
    return {"id": one.id, "name": one.name, "kind": one.kind, "role": one.role}


def section_of(case: Case, subject_id: str, role: CaseRole | None = None) -> Section:
    """What an event about this subject, which gets `role`, is about: who may be on the perpetrator's side is
    not told of victims."""
    before = find(case, subject_id)
    return "victim" if "victim" in (role, before.role if before is not None else None) else "subjects"
