"""References, cursors, statuses, words."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cases.domain import cursors
from services.cases.domain.finding import found_by
from services.cases.domain.references import new_reference, reference_in
from services.cases.domain.statuses import check_move, check_open, event_of, needs_owner
from services.cases.handlers.sights import distinct
from services.contracts.access import standing_of
from services.contracts.errors import CaseClosed, InvalidTransition, Malformed
from services.contracts.paging import PageRequest
from services.contracts.records import Object
from services.contracts.vocabulary import CaseStatus
from tests.unit.cases.making import caller, case, share


def test_a_reference_is_found_however_it_is_typed() -> None:
    for _ in range(50):
        reference = new_reference()
        for typed in (reference, reference.lower(), reference.replace("-", ""), f" {reference} "):
            assert reference_in(typed) == reference
    assert reference_in("C-AAAA-BBBB") is None
    assert reference_in("noise") is None


@given(st.lists(st.text(max_size=30), min_size=1, max_size=3))
def test_a_cursor_is_what_was_written(parts: list[str]) -> None:
    assert cursors.read(cursors.written(*parts), len(parts)) == tuple(parts)


def test_a_cursor_fits_its_contract_and_nothing_else_is_one() -> None:
    written = cursors.written("2026-11-24T12:00:00.123000+00:00", "01a20eef-a2ab-717b-8bc9-1f7c9981b29e")
    assert PageRequest(cursor=written).cursor == written
    half = cursors.written("\ud800", "x")  # of a character: the database cannot be asked for it
    for wrong in ("x", "bm9uc2Vuc2U=", cursors.written("one"), "=", "W10=", half):
        with pytest.raises(Malformed):
            cursors.read(wrong, 2)
    for wrong in ("yesterday", "2026-11-24T12:00:00"):
        with pytest.raises(Malformed):
            cursors.moment(wrong)


STATUSES: tuple[CaseStatus, ...] = get_args(CaseStatus)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("to", STATUSES)
def test_a_closed_case_can_only_be_opened(status: CaseStatus, to: CaseStatus) -> None:
    one = case(status=status)
    allowed = status != to and (status != "closed" or to == "open")
    if allowed:
        check_move(one, to)
    else:
        with pytest.raises(InvalidTransition):
            check_move(one, to)
    assert needs_owner(one, to) is ("closed" in (status, to))


def test_events_of_moves() -> None:
    assert event_of(case(), "closed") == "case.closed"
    assert event_of(case(status="closed"), "open") == "case.reopened"
    assert event_of(case(), "plan") == "case.updated"
    with pytest.raises(CaseClosed):
        check_open(case(status="closed"))


def test_words_are_found_where_they_may_be_read() -> None:
    one = case(share("bob", "housing", sections=("timeline",)), share("eve", "housing", level="know"))

    def finds(who: str, agency: str, *words: str) -> bool:
        standing = standing_of(caller(who, agency), one.acl)
        assert standing is not None
        return found_by(one, words, standing)

    assert finds("ann", "police", "dog", "nois")
    assert finds("bob", "housing", "nois")
    assert not finds("bob", "housing", "dog")
    assert not finds("eve", "housing", "nois")


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_cursors_moment_is_within_what_dates_reach(edge: str) -> None:
    with pytest.raises(Malformed):
        cursors.moment(edge)


def test_a_thing_named_twice_is_told_once_with_all_its_sections() -> None:
    first, subject = (
        Object(type="case", id="c", sections=("subjects",), version=3),
        Object(type="subject", id="s"),
    )
    again = first.model_copy(update={"sections": ("timeline", "subjects")})
    both = first.model_copy(update={"sections": ("subjects", "timeline")})
    assert distinct([first, subject, again, subject]) == [both, subject]
