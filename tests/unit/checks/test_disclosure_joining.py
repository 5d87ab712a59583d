"""The join of V3 finds what is missing, doubled and mismatched, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from tests.checks.disclosure.canaries import Canary
from tests.checks.disclosure.joining import (
    Joined,
    Logged,
    Named,
    Pushed,
    Received,
    Span,
    Wrote,
    join,
    join_pushes,
    logged,
    spans,
)
from tests.checks.disclosure.lost_disk import uncovered

TITLE, NOTE = "KANARIaa-title-000001", "KANARIaa-note-000002"
HOMES = {TITLE: (("c-1", None),), NOTE: (("c-1", "timeline"), ("l-1", "subjects"))}
ANSWER = Received("r-1", 200, 0.01, "e-1", True, (TITLE, NOTE), "GET /cases/{id}", "c-1")
CASE = {"c-1": Named(frozenset({"timeline"}), 4)}
ENTRY = Logged("e-1", "r-1", "case.read", "shown", CASE)
REFUSED = Received("r-1", 404, 0.01, None, True, (), "GET /cases/{id}", "c-1")


def canary(word: str) -> Canary:
    return Canary(word, HOMES.get(word, ()))


def joined(*entries: Logged, answer: Received = ANSWER, stood: dict[str, Span] | None = None) -> Joined:
    return join([answer], entries, canary, stood or {})


def counts(found: Joined) -> tuple[int, int, int]:
    return len(found.missing), len(found.doubled), len(found.mismatched)


def test_an_answer_with_its_entry_is_good() -> None:
    found = joined(ENTRY)
    assert (found.disclosures, found.channels) == (1, {"GET /cases/{id}": 1})
    assert counts(found) == (0, 0, 0)


def test_an_answer_without_an_entry_is_missing() -> None:
    assert counts(joined()) == (1, 0, 0)
    assert counts(joined(replace(ENTRY, id="e-2", request_id="r-2"))) == (1, 0, 0)
    assert counts(joined(ENTRY, answer=replace(ANSWER, entry_id=None))) == (1, 0, 0)


def test_a_part_of_an_answer_counts_like_the_whole() -> None:
    assert counts(joined(answer=replace(ANSWER, whole=False))) == (1, 0, 0)


def test_an_answer_about_a_case_needs_one_without_canaries_too() -> None:
    for status, missing in ((200, 1), (304, 1), (412, 0), (503, 0)):
        assert counts(joined(answer=replace(ANSWER, words=(), status=status))) == (missing, 0, 0)
    assert counts(joined(answer=replace(ANSWER, words=(), about=None))) == (0, 0, 0)


def test_a_refusal_is_recorded_as_one() -> None:
    refusal = replace(ENTRY, outcome="refused")
    for entries, missing in (((), 1), ((refusal,), 0), ((ENTRY,), 1)):
        found = joined(*entries, answer=REFUSED)
        assert (found.disclosures, found.refusals, counts(found)) == (0, 1, (missing, 0, 0))


def test_two_entries_for_one_attempt_are_doubled() -> None:
    assert counts(joined(ENTRY, replace(ENTRY, id="e-9"))) == (0, 1, 0)
    assert counts(joined(ENTRY, replace(ENTRY, action="share.check", id="e-9"))) == (0, 0, 0)


def test_two_runs_that_a_log_tells_of_have_an_entry_each() -> None:
    entries = (ENTRY, replace(ENTRY, id="e-9"))
    assert counts(join([ANSWER], entries, canary, {}, {"r-1"})) == (0, 0, 0)
    assert counts(join([ANSWER], entries, canary, {}, {"r-2"})) == (0, 1, 0)
    assert counts(join([ANSWER], (), canary, {}, {"r-1"})) == (1, 0, 0)


def test_one_id_twice_is_doubled() -> None:
    done = replace(ENTRY, outcome="done")
    assert counts(joined(done, done)) == (0, 1, 0)


def test_a_command_that_ran_again_has_an_entry_for_each_run() -> None:
    done = replace(ENTRY, outcome="done")
    assert counts(joined(done, replace(done, id="e-9"))) == (0, 0, 0)


def test_that_an_answer_was_slow_excuses_no_second_entry() -> None:
    late = replace(ANSWER, seconds=2.0)
    assert counts(joined(ENTRY, replace(ENTRY, id="e-9"), answer=late)) == (0, 1, 0)


def test_an_entry_that_names_something_else_is_mismatched() -> None:
    assert counts(joined(replace(ENTRY, request_id="r-2"))) == (0, 0, 1)
    assert counts(joined(replace(ENTRY, named={"c-1": Named(frozenset(), 4)}))) == (0, 0, 1)
    assert counts(joined(replace(ENTRY, named={"c-2": CASE["c-1"]}))) == (0, 0, 3)


def test_any_of_the_places_where_a_word_stands_will_do() -> None:
    linked = {"c-1": Named(), "l-1": Named(frozenset({"subjects"}))}
    assert counts(joined(replace(ENTRY, named=linked))) == (0, 0, 0)


def test_the_replies_of_a_page_are_judged_together() -> None:
    entries = (replace(ENTRY, named={"c-1": Named()}), replace(ENTRY, id="e-2", action="entry.list"))
    assert counts(joined(*entries)) == (0, 0, 1)
    assert counts(joined(*entries, answer=replace(ANSWER, page=True))) == (0, 0, 0)


def test_an_entry_of_another_version_is_mismatched() -> None:
    for first, after, wrong in (
        (4, 5, 0),
        (1, 4, 1),
        (5, None, 1),
        (1, None, 0),
        (None, 4, 1),
        (None, None, 0),
    ):
        assert len(joined(ENTRY, stood={TITLE: Span("c-1", first, after)}).mismatched) == wrong


def test_a_version_of_something_else_says_nothing() -> None:
    assert counts(joined(ENTRY, stood={TITLE: Span("s-1", 9)})) == (0, 0, 0)


def test_a_refusal_is_not_a_disclosure() -> None:
    assert counts(joined(replace(ENTRY, outcome="refused"))) == (0, 0, 1)


def test_a_word_stands_from_its_change_to_the_next() -> None:
    changes = [
        Wrote("c-1", "title", word, entry)
        for word, entry in (("a", "e-1"), ("b", "e-2"), ("c", None), ("d", "e-4"))
    ]
    entries = [
        replace(ENTRY, id=f"e-{number}", named={"c-1": Named(version=version)})
        for number, version in ((1, 3), (2, 5), (4, 9))
    ]
    other = Wrote("c-1", "summary", "x", "e-2")
    assert spans([*changes, other], entries) == {
        "a": Span("c-1", 3, 5),
        "b": Span("c-1", 5, None),
        "c": Span("c-1", None, 9),
        "d": Span("c-1", 9, None),
        "x": Span("c-1", 5, None),
    }


def test_an_export_line_becomes_an_entry() -> None:
    detail = {
        "id": "e-1",
        "request_id": "r-1",
        "action": "case.read",
        "outcome": "shown",
        "at": "2026-11-25T04:00:00Z",
        "objects": [{"type": "case", "id": "c-1", "sections": ["timeline"], "version": 4}],
    }
    assert logged(detail) == replace(ENTRY, at="2026-11-25T04:00:00Z")


def test_whatever_is_told_of_is_named() -> None:
    told = replace(ANSWER, words=(), about=None, names=("c-1", "c-2"))
    assert counts(joined(ENTRY, answer=told)) == (0, 0, 1)
    both = replace(ENTRY, named={**CASE, "c-2": Named()})
    assert counts(joined(both, answer=told)) == (0, 0, 0)


def test_a_page_of_a_stream_is_recorded_under_its_streams_request() -> None:
    assert counts(joined(replace(ENTRY, request_id="r-1-12"))) == (0, 0, 0)
    assert counts(joined(replace(ENTRY, request_id="r-12"))) == (0, 0, 1)


def test_of_a_page_the_log_may_be_looked_at_twice_and_nothing_else() -> None:
    page = replace(ANSWER, page=True)
    for action, doubled in (("log.read", 0), ("case.read", 1)):
        entry = replace(ENTRY, action=action)
        assert counts(joined(entry, replace(entry, id="e-9"), answer=page)) == (0, doubled, 0)


def test_every_push_has_an_entry_of_its_own() -> None:
    entry = Logged("e-1", "d-1", "event.deliver", "shown", CASE)
    other = replace(entry, id="e-2")
    for entries, wanted in (
        ((), (2, 0, 0)),
        ((entry,), (1, 0, 0)),
        ((entry, other), (0, 0, 0)),
        ((entry, other, replace(entry, id="e-3")), (0, 0, 0)),
        ((entry, entry), (0, 1, 0)),
        ((entry, replace(other, named={})), (0, 0, 1)),
        ((entry, replace(other, action="case.read")), (1, 0, 0)),
    ):
        found = Joined()
        join_pushes([Pushed("d-1", 2, "c-1")], entries, found)
        assert (found.disclosures, counts(found)) == (2, wanted), entries


def test_what_is_gone_is_noticed_only_if_its_own_service_is_told_of() -> None:
    assert uncovered({"cases": 3, "any": 2}, {"cases": 5}) == 0
    assert uncovered({"cases": 3, "any": 2}, {"cases": 4}) == 1
    assert uncovered({"cases": 3}, {"sharing": 9, "cases": 1}) == 2
    assert uncovered({"any": 1}, {}) == 1
