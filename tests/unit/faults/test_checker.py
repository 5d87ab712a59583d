"""The checker finds each sort of violation where one is planted, and none where there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.checker import What, check
from tests.faults.history import Applied, Change, Emitted, Exchange, History
from tests.unit.faults.histories import clean, clean_histories


def sorts(history: History) -> set[What]:
    return {violation.what for violation in check(history)}


@given(clean_histories())
def test_a_clean_history_passes(history: History) -> None:
    assert check(history) == []


def test_an_empty_history_passes() -> None:
    assert check(History()) == []


@given(clean_histories(), st.data())
def test_a_lost_write_is_found(history: History, data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from(history.changes))
    assert "lost" in sorts(replace(history, changes=tuple(c for c in history.changes if c != lost)))


@given(clean_histories(), st.data())
def test_a_write_lost_with_everything_that_came_of_it_is_found(history: History, data: st.DataObject) -> None:
    last = data.draw(st.sampled_from([Change(n, v, "") for n, v in history.notes]))
    assert "lost" in sorts(_without_version(history, last.note, last.version))


@given(clean_histories(), st.data())
def test_a_command_that_took_effect_twice_is_found(history: History, data: st.DataObject) -> None:
    twice = data.draw(st.sampled_from(history.changes))
    version = dict(history.notes)[twice.note] + 1
    doubled = replace(
        history,
        changes=(*history.changes, Change(twice.note, version, twice.key)),
        notes=tuple((n, version if n == twice.note else v) for n, v in history.notes),
        emitted=(*history.emitted, Emitted(twice.note, version, "e-again", True)),
        applied=(*history.applied, Applied(twice.note, version, "e-again", version)),
    )
    assert sorts(doubled) == {"doubled"}


def test_two_commands_that_made_the_same_version_are_found() -> None:
    history = clean()
    first = history.changes[0]
    same = replace(history, changes=(*history.changes, Change(first.note, first.version, "key-1")))
    assert "doubled" in sorts(same)


def test_a_command_that_was_told_two_versions_is_found() -> None:
    history = clean()
    told = next(e for e in history.exchanges if e.good)
    assert "doubled" in sorts(replace(history, exchanges=(*history.exchanges, replace(told, version=2))))


@given(clean_histories(), st.data())
def test_a_lost_event_is_found(history: History, data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from(history.applied))
    assert "lost" in sorts(replace(history, applied=tuple(a for a in history.applied if a != lost)))


@given(clean_histories(), st.data())
def test_a_doubled_event_is_found(history: History, data: st.DataObject) -> None:
    twice = data.draw(st.sampled_from(history.applied))
    again = replace(twice, turn=1 + max(a.turn for a in history.applied))
    assert "doubled" in sorts(replace(history, applied=(*history.applied, again)))


@given(clean_histories().filter(lambda history: any(version > 1 for _, version in history.notes)), st.data())
def test_events_out_of_order_are_found(history: History, data: st.DataObject) -> None:
    later = data.draw(st.sampled_from([a for a in history.applied if a.turn > 1]))
    swapped = tuple(
        replace(a, turn=later.turn if a.turn == later.turn - 1 else later.turn - 1)
        if a.note == later.note and a.turn in (later.turn, later.turn - 1)
        else a
        for a in history.applied
    )
    assert sorts(replace(history, applied=swapped)) == {"out of order"}


@pytest.mark.parametrize("note", ["n0", "nobody-asked"])
def test_an_applied_event_without_a_change_is_found(note: str) -> None:
    history = clean()
    foreign = Applied(note, 77, "e-foreign", 77)
    assert sorts(replace(history, applied=(*history.applied, foreign))) == {"foreign"}


def test_an_applied_event_that_was_never_emitted_is_found() -> None:
    history = clean()
    false = replace(history.applied[0], event="e-false")
    assert sorts(replace(history, applied=(false, *history.applied[1:]))) == {"foreign"}
    assert not check(replace(history, applied=(false, *history.applied[1:]), emitted=(), boxed=False))


def test_a_change_that_nobody_asked_for_is_found() -> None:
    history = clean()
    exchanges = tuple(e for e in history.exchanges if e.key != "key-2")
    assert sorts(replace(history, exchanges=exchanges)) == {"foreign"}


def test_a_refused_command_that_took_effect_is_found() -> None:
    history = clean()
    exchanges = tuple(
        replace(e, status=422, version=None) if e.key == "key-2" else e for e in history.exchanges
    )
    assert sorts(replace(history, exchanges=exchanges)) == {"foreign"}


def test_a_command_that_was_never_told_its_outcome_is_found() -> None:
    history = clean()
    exchanges = tuple(
        replace(e, status=503, version=None) if e.key == "key-2" else e for e in history.exchanges
    )
    assert sorts(replace(history, exchanges=exchanges)) == {"unfinished"}


def test_an_event_that_stays_in_the_outbox_is_found() -> None:
    history = clean()
    waiting = replace(history.emitted[0], sent=False)
    assert sorts(replace(history, emitted=(waiting, *history.emitted[1:]))) == {"lost"}


def test_a_change_without_an_event_and_one_with_two_are_found() -> None:
    history = clean()
    assert "lost" in sorts(replace(history, emitted=history.emitted[1:]))
    again = replace(history.emitted[0], event="e-again")
    assert sorts(replace(history, emitted=(*history.emitted, again))) == {"doubled"}


@pytest.mark.parametrize(("ended", "late"), [(5.0, False), (5.01, True), (None, True)])
def test_a_late_answer_and_none_at_all_are_found(ended: float | None, late: bool) -> None:
    assert ("late" in sorts(History((Exchange(1, "say", 0.0, ended, 200),)))) is late


def test_an_answer_to_another_question_is_found() -> None:
    assert sorts(History((Exchange(1, "say", 0.0, 0.1, 200, crossed=True),))) == {"foreign"}


@pytest.mark.parametrize(("applied", "what"), [(2, "lost"), (4, "doubled"), (3, None)])
def test_a_mirror_that_counts_wrongly_is_found(applied: int, what: str | None) -> None:
    told = Exchange(1, "mirror", 0.0, 0.1, 200, "n0", version=3, applied=applied)
    assert sorts(History((told,))) == ({what} if what else set())


def test_a_broken_connection_is_an_answer_and_a_bad_one() -> None:
    broken = Exchange(1, "say", 0.0, 0.1)
    assert not check(History((broken,)))
    assert not broken.good


def test_a_history_survives_its_own_json() -> None:
    assert History.from_json(clean().to_json()) == clean()


def _without_version(history: History, note: str, version: int) -> History:
    """The newest version of a note was rolled back, and its event with it."""

    def other(row: Change | Emitted | Applied) -> bool:
        number = row.version if isinstance(row, Change) else row.number
        return (row.note, number) != (note, version)

    return replace(
        history,
        changes=tuple(filter(other, history.changes)),
        emitted=tuple(filter(other, history.emitted)),
        applied=tuple(filter(other, history.applied)),
        notes=tuple((n, v - 1 if n == note else v) for n, v in history.notes if (n, v) != (note, 1)),
    )
