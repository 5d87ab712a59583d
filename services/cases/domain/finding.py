"""By which words a case is found, and by whom. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.cases.domain.case import Case
from services.cases.domain.labels import words_in
from services.cases.domain.showing import reads
from services.contracts.access import Standing


def words_of(title: str, summary: str | None) -> list[str]:
    return words_in(title, summary or "")


def found_by(case: Case, words: Sequence[str], standing: Standing) -> bool:
    """Whether each word begins a word of what this reader may read: a hit elsewhere would tell of it."""
    if not standing.reaches("read"):
        return False
    readable = words_in(case.title, (case.summary or "") if reads(standing, "summary") else "")
    return all(any(one.startswith(word) for one in readable) for word in words)
