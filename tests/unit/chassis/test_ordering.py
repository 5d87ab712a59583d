"""In which order events of one aggregate take effect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.ordering import RECALL, Position, Verdict, advanced, decide, missing_before, passed_over


def id_of(number: int) -> str:
    return f"event {number}"


def at(number: int) -> Position:
    """A position that every number up to `number` led to."""
    position = Position()
    for each in range(1, number + 1):
        position = advanced(position, each, id_of(each))
    return position


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        (1, Verdict.DUPLICATE),
        (3, Verdict.DUPLICATE),
        (4, Verdict.APPLY),
        (5, Verdict.EARLY),
        (900, Verdict.EARLY),
    ],
)
def test_only_the_next_number_is_applied(number: int, verdict: Verdict) -> None:
    assert decide(at(3), number, id_of(number)) is verdict


def test_the_first_number_is_one() -> None:
    assert decide(Position(), 1, "any") is Verdict.APPLY
    assert decide(Position(), 2, "any") is Verdict.EARLY


def test_another_event_under_a_number_already_applied_is_a_conflict() -> None:
    assert decide(at(3), 2, "another event") is Verdict.CONFLICT


def test_ids_are_recalled_for_the_last_few_numbers_only() -> None:
    position = at(RECALL + 5)
    assert len(position.recent) == RECALL
    assert decide(position, 5, "another event") is Verdict.DUPLICATE
    assert decide(position, 6, "another event") is Verdict.CONFLICT


def test_what_is_missing_is_what_lies_between() -> None:
    assert missing_before(at(3), 7) == (4, 6)
    assert missing_before(at(3), 4) is None
    assert missing_before(at(3), 2) is None


def test_a_skipped_number_that_comes_after_all_is_late_once() -> None:
    position = passed_over(at(3), 7)
    assert decide(position, 7, id_of(7)) is Verdict.APPLY
    assert decide(position, 5, id_of(5)) is Verdict.LATE
    position = advanced(position, 5, id_of(5))
    assert position.applied == 6
    assert position.skipped == ((4, 4), (6, 6))
    assert decide(position, 5, id_of(5)) is Verdict.DUPLICATE
    assert decide(position, 4, id_of(4)) is Verdict.LATE


def test_nothing_is_skipped_when_nothing_is_missing() -> None:
    assert passed_over(at(3), 4) == at(3)


@given(st.lists(st.integers(1, 12), max_size=80))
def test_whatever_comes_each_number_takes_effect_once_and_in_order(arrivals: list[int]) -> None:
    """Early ones are tried again until nothing moves, as the consumer does."""
    position, effects, waiting = Position(), list[int](), list[int]()
    for arrival in arrivals:
        waiting.append(arrival)
        moved = True
        while moved:
            moved = False
            for number in list(waiting):
                verdict = decide(position, number, id_of(number))
                if verdict is Verdict.APPLY:
                    effects.append(number)
                    position = advanced(position, number, id_of(number))
                if verdict is not Verdict.EARLY:
                    waiting.remove(number)
                    moved = True
    assert effects == list(range(1, len(effects) + 1))
    assert not any(number <= position.applied for number in waiting)


@given(st.permutations(range(1, 9)), st.integers(1, 8))
def test_with_a_gap_given_up_every_number_still_takes_effect_once(
    arrivals: list[int], impatience: int
) -> None:
    """Whoever waited for `impatience` others gives the gap up."""
    position, effects, waiting = Position(), list[int](), dict[int, int]()
    for arrival in [*arrivals, *[99] * 20]:
        if arrival != 99:
            waiting[arrival] = 0
        for number in sorted(waiting):
            waiting[number] += 1
            verdict = decide(position, number, id_of(number))
            if verdict is Verdict.EARLY and waiting[number] > impatience:
                position = passed_over(position, number)
                verdict = decide(position, number, id_of(number))
            if verdict in {Verdict.APPLY, Verdict.LATE}:
                effects.append(number)
                position = advanced(position, number, id_of(number))
                del waiting[number]
    assert sorted(effects) == list(range(1, 9))
    assert position.skipped == ()
