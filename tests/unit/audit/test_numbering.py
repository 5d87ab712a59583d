"""A number that never arrives is noticed, unless its publisher says that it was never safe."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.numbering import GRACE, Count, Gap
from services.audit.domain.sequencing import counted
from services.chassis.recording import MOST_RANGES, ranges
from tests.unit.audit.logs import NOW, record


def arrive(*numbers: int, count: Count | None = None) -> Count:
    count = count or Count()
    for number in numbers:
        count = count.arrived(number, (), NOW)
    return count


def test_in_order_nothing_is_missing() -> None:
    assert arrive(1, 2, 3) == Count(3)


def test_what_was_jumped_over_is_missing_until_it_comes() -> None:
    count = arrive(1, 5)
    assert count.missing == (Gap(2, 4, NOW),)
    assert arrive(3, count=count).missing == (Gap(2, 2, NOW), Gap(4, 4, NOW))
    assert arrive(3, 2, 4, count=count).missing == ()


def test_a_first_record_with_a_later_number_has_lost_its_predecessors() -> None:
    assert arrive(3).missing == (Gap(1, 2, NOW),)


def test_what_its_publisher_calls_doubtful_is_not_missed() -> None:
    assert arrive(1).arrived(6, [(2, 3), (5, 5)], NOW).missing == (Gap(4, 4, NOW),)
    later = arrive(1, 4).arrived(5, [(2, 3)], NOW)
    assert later == Count(5)


def test_a_gap_is_alarmed_after_a_while() -> None:
    count = arrive(1, 3)
    assert count.overdue(NOW + GRACE - timedelta(seconds=1)) == ()
    assert count.overdue(NOW + GRACE) == (Gap(2, 2, NOW),)


def test_a_record_that_comes_again_changes_nothing() -> None:
    count = arrive(1, 2, 3)
    assert arrive(2, count=count) == count


@given(st.permutations(range(1, 12)))
def test_in_whatever_order_all_arrive_nothing_is_missing_in_the_end(numbers: list[int]) -> None:
    assert arrive(*numbers) == Count(11)


@given(st.sets(st.integers(1, 40)), st.permutations(range(1, 41)))
def test_exactly_what_did_not_arrive_is_missing(lost: set[int], numbers: list[int]) -> None:
    came = [number for number in numbers if number not in lost]
    count = arrive(*came)
    missing = {number for gap in count.missing for number in range(gap.first, gap.last + 1)}
    assert missing == {number for number in lost if number < max(came, default=0)}


def test_each_process_counts_for_itself() -> None:
    found = counted({}, [record(0), record(0, publisher="p2"), record(1)], NOW)
    assert found == {("cases", "p1"): Count(2), ("cases", "p2"): Count(1)}


def test_doubtful_numbers_are_told_as_ranges() -> None:
    assert ranges([]) == ()
    assert ranges([5, 1, 2, 3, 9]) == ((1, 3), (5, 5), (9, 9))


@given(st.sets(st.integers(1, 500)))
def test_few_ranges_are_told_and_all_numbers_are_in_them(numbers: set[int]) -> None:
    found = ranges(numbers)
    assert len(found) <= MOST_RANGES
    assert numbers <= {number for first, last in found for number in range(first, last + 1)}


def test_what_a_mark_tells_of_and_did_not_come_is_missing_until_it_comes() -> None:
    count = Count(2).announced(5, [(4, 4)], NOW)
    assert [(gap.first, gap.last) for gap in count.missing] == [(3, 3), (5, 5)]
    assert count.arrived(3, (), NOW).arrived(5, (), NOW) == Count(5)
    assert Count(7).announced(5, (), NOW) == Count(7)  # it was overtaken
