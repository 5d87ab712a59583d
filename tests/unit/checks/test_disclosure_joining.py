"""The join of V3 finds what is missing, doubled and mismatched, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.checks.disclosure.canaries import Aviary, Canary
from tests.checks.disclosure.joining import Joined, Logged, Received, join, logged

TITLE = Canary("KANARIaa-title-000001", "c-1", "title", None)
NOTE = Canary("KANARIaa-note-000002", "c-1", "note", "timeline")
ANSWER = Received("r-1", 200, 0.01, "e-1", True, (TITLE, NOTE))
ENTRY = Logged("e-1", "r-1", "shown", {"c-1": frozenset({"timeline"})}, {"c-1": 4})


def joined(*entries: Logged, answer: Received = ANSWER, **spans: Any) -> Joined:
    return join([answer], entries, spans.get("spans", {}))


def counts(found: Joined) -> tuple[int, int, int]:
    return len(found.missing), len(found.doubled), len(found.mismatched)


def test_an_answer_with_its_entry_is_good() -> None:
    found = joined(ENTRY)
    assert found.disclosures == 1
    assert counts(found) == (0, 0, 0)


def test_an_answer_without_an_entry_is_missing() -> None:
    assert counts(joined()) == (1, 0, 0)
    assert counts(joined(replace(ENTRY, id="e-2", request_id="r-2"))) == (1, 0, 0)


def test_a_part_of_an_answer_counts_like_the_whole() -> None:
    assert counts(joined(answer=replace(ANSWER, whole=False))) == (1, 0, 0)


def test_an_answer_without_content_needs_none() -> None:
    assert counts(joined(answer=replace(ANSWER, canaries=(), entry_id=None))) == (0, 0, 0)


def test_two_entries_for_one_attempt_are_doubled() -> None:
    assert counts(joined(ENTRY, replace(ENTRY, id="e-9"))) == (0, 1, 0)


def test_an_entry_more_may_stand_for_an_attempt_that_was_not_answered() -> None:
    assert counts(joined(ENTRY, replace(ENTRY, id="e-9"), answer=replace(ANSWER, seconds=2.0))) == (0, 0, 0)


def test_an_entry_that_names_another_case_or_too_few_sections_is_mismatched() -> None:
    assert counts(joined(replace(ENTRY, sections={"c-1": frozenset()}))) == (0, 0, 1)
    assert counts(joined(replace(ENTRY, sections={"c-2": frozenset({"timeline"})}))) == (0, 0, 2)


def test_an_entry_of_another_version_is_mismatched() -> None:
    for span, wrong in (((4, 5), 0), ((1, 4), 1), ((5, None), 1), ((1, None), 0)):
        assert len(joined(ENTRY, spans={TITLE.word: span}).mismatched) == wrong


def test_a_refusal_is_not_a_disclosure() -> None:
    assert counts(joined(replace(ENTRY, outcome="refused"))) == (0, 0, 1)


def test_an_export_line_becomes_an_entry() -> None:
    detail = {
        "id": "e-1",
        "request_id": "r-1",
        "outcome": "shown",
        "objects": [{"type": "case", "id": "c-1", "sections": ["timeline"], "version": 4}],
    }
    assert logged(detail) == ENTRY


def test_canaries_are_found_in_whatever_comes() -> None:
    aviary = Aviary()
    word, other = aviary.word("title"), aviary.word("note")
    aviary.seed(word, "title", case_id="c-1")
    found = aviary.found_in(f'{{"title": "x {word} y", "more": "{other}'.encode())
    assert [one.word for one in found] == [word]
