"""How much the system is used: sums of days are the same as adding up the days."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.days import Day
from services.audit.domain.usage import Figures, Sum, count, cover, figures_of, sums_of, together

FIRST = date(2025, 11, 3)


def days_of(period: str) -> list[date]:
    """The days that a period's name says."""
    kind, _, name = period.partition(".")
    if kind == "d":
        return [date.fromisoformat(name)]
    month, _, third = name.partition(".")
    begin = date.fromisoformat(f"{month}-01")
    within = [begin + timedelta(days=n) for n in range(31)]
    found = [day for day in within if day.month == begin.month]
    return found if kind == "m" else [day for day in found if min(2, (day.day - 1) // 10) == int(third)]


@given(st.dates(date(2023, 1, 1), date(2026, 12, 31)), st.integers(0, 365))
def test_any_span_is_made_of_a_few_periods_and_of_each_day_once(since: date, more: int) -> None:
    until = since + timedelta(days=more)
    found = cover(since, until)
    days = [day for period in found for day in days_of(period)]
    assert days == [since + timedelta(days=n) for n in range(more + 1)]
    assert len(found) <= 11 + 2 * (2 + 10)


@given(st.dates(date(2023, 1, 1), date(2026, 12, 31)))
def test_a_day_is_counted_in_its_month_its_third_and_itself(day: date) -> None:
    found = sums_of(day.isoformat(), "police")
    assert [one.period[0] for one in found] == ["m", "t", "d"]
    for one in found:
        assert day in days_of(one.period)
        assert one.last == days_of(one.period)[-1].isoformat()


def year() -> list[Day]:
    """A year of some people in two agencies, and of a client."""
    made, chance = list[Day](), random.Random(7)
    for number in range(0, 366, 3):
        at = FIRST + timedelta(days=number)
        for person in range(8):
            if chance.random() < 0.5:
                continue
            agency, opened, contributed = f"a{person % 2}", chance.randrange(9), chance.randrange(3)
            made.append(
                Day(
                    day=at.isoformat(),
                    actor_id=f"u{person}",
                    agency_id=agency,
                    person=person != 7,
                    team_ids=[f"t{person % 3}"],
                    opened=opened,
                    contributed=contributed,
                    last_log_in=datetime(at.year, at.month, at.day, 9, tzinfo=UTC) if person % 2 else None,
                    uses={"iom": {"opened": opened, "contributed": contributed}} if opened else {},
                )
            )
    return made


@pytest.mark.parametrize(("since", "more"), [(0, 365), (5, 40), (99, 0), (28, 200)])
def test_sums_come_to_what_the_days_come_to(since: int, more: int) -> None:
    sums = dict[str, Sum]()
    days = year()
    for day in days:
        begun = Day(day.day, day.actor_id, day.agency_id, day.person, day.team_ids)
        count(sums, begun, Figures())  # first it logged in, then it did the rest
        count(sums, day, figures_of(begun))
    begin = FIRST + timedelta(days=since)
    end = begin + timedelta(days=more)
    periods = set(cover(begin, end))
    found = together(one for one in sums.values() if one.period in periods)
    within = [day for day in days if begin.isoformat() <= day.day <= end.isoformat()]
    assert within
    for agency, tally in found.agencies.items():
        theirs = [day for day in within if day.agency_id == agency]
        assert tally.users == {day.actor_id for day in theirs if day.person}
        assert (tally.opened, tally.contributed) == (
            sum(day.opened for day in theirs),
            sum(day.contributed for day in theirs),
        )
        assert tally.last_log_in == max((day.last_log_in for day in theirs if day.last_log_in), default=None)
    for (team, agency), tally in found.teams.items():
        theirs = [day for day in within if day.agency_id == agency and team in day.team_ids]
        assert tally.users == {day.actor_id for day in theirs if day.person}
        assert tally.opened == sum(day.opened for day in theirs)
    assert {day.agency_id for day in within} == set(found.agencies)
    of_use = [day for day in within if "iom" in day.uses]
    if of_use:
        assert found.uses["iom"].users == {day.actor_id for day in of_use if day.person}
        assert found.uses["iom"].contributed == sum(day.contributed for day in of_use)
