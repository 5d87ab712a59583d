"""Which ends are looked at when, whom they are told, and that none is told twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sharing.domain.people import Appointment
from services.sharing.domain.reminders import DAYS, NAMES, Due, Look, Mark, addressed, looks, told_of

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def look_at(subject: str, days: int, now: datetime = NOW) -> Look:
    (found,) = [one for one in looks(now) if (one.subject, one.days) == (subject, days)]
    return found


def taken(look: Look, mark: Mark | None, at: object) -> bool:
    """As the store does it: behind the mark, and not behind what is looked at."""
    return look.after(mark).before(Mark(at, "k")) and not look.until.before(Mark(at, "k"))  # type: ignore[arg-type]


def test_each_subject_is_looked_at_for_its_days() -> None:
    assert [(one.subject, one.days) for one in looks(NOW)] == [
        *((subject, days) for subject in ("protocol", "role", "share") for days in (90, 30, 7)),
        *((subject, days) for subject in ("user", "grant") for days in (7, 0)),
    ]
    assert {one.name for one in looks(NOW)} == set(NAMES)
    assert list(DAYS) == ["protocol", "role", "share", "user", "grant"]


@pytest.mark.parametrize(("away", "told"), [(8, None), (7, 7), (1, 7), (0, 0), (-1, 0), (-900, 0)])
def test_what_is_to_be_confirmed_is_told_before_and_when_it_is_overdue(away: int, told: int | None) -> None:
    for subject in ("user", "grant"):
        at = NOW + timedelta(days=away)
        found = [one.days for one in looks(NOW) if one.subject == subject and taken(one, None, at)]
        assert found == ([] if told is None else [told])


@pytest.mark.parametrize(
    ("days", "told"),
    [(91, None), (90, 90), (31, 90), (30, 30), (8, 30), (7, 7), (1, 7), (0, 7), (-1, None)],
)
def test_what_was_never_looked_at_is_told_by_one_warning_only(days: int, told: int | None) -> None:
    for subject in ("protocol", "role"):
        day = (date(2026, 11, 1) + timedelta(days=days)).isoformat()
        found = [one.days for one in looks(NOW) if one.subject == subject and taken(one, None, day)]
        assert found == ([] if told is None else [told])


def test_days_are_londons() -> None:
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)  # half an hour into the second of July
    assert look_at("protocol", 7, late).until == Mark("2026-07-09")
    assert look_at("protocol", 7, late - timedelta(hours=1)).until == Mark("2026-07-08")


@given(
    ends=st.lists(st.integers(0, 200), min_size=1, max_size=20),
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=12),
)
def test_however_often_it_looks_each_end_is_told_once_a_warning_in_order(
    ends: list[int], steps: list[int]
) -> None:
    now, marks, told = NOW, dict[str, Mark](), list[tuple[int, int]]()
    for step in (0, *steps):
        now += timedelta(days=step)
        for look in looks(now):
            if look.subject != "share":
                continue
            for number, days in enumerate(ends):
                if taken(look, marks.get(look.name), NOW + timedelta(days=days, hours=1)):
                    told.append((number, look.days))
            marks[look.name] = look.until
    assert len(told) == len(set(told))
    for number in range(len(ends)):
        mine = [days for one, days in told if one == number]
        assert mine == sorted(mine, reverse=True)


@given(days=st.integers(8, 89))
def test_who_looks_every_day_misses_no_warning_that_is_still_to_come(days: int) -> None:
    end, told, marks = NOW + timedelta(days=days, hours=5), list[int](), dict[str, Mark]()
    for day in range(days + 1):
        for look in looks(NOW + timedelta(days=day)):
            if look.subject == "share":
                if taken(look, marks.get(look.name), end):
                    told.append(look.days)
                marks[look.name] = look.until
    first = min(one for one in (90, 30, 7) if one > days)
    assert told == [one for one in (90, 30, 7) if one <= first]


def test_an_end_that_is_put_off_is_told_anew() -> None:
    look = look_at("share", 7)
    assert taken(look, None, NOW + timedelta(days=5))
    later = look_at("share", 7, NOW + timedelta(days=30))
    assert taken(later, look.until, NOW + timedelta(days=36))


def test_a_mark_is_moved_now_and_then_only_when_nothing_was_found() -> None:
    share, protocol = look_at("share", 7), look_at("protocol", 7)
    assert share.worth_moving(None)
    assert not look_at("share", 7, NOW + timedelta(minutes=59)).worth_moving(share.until)
    assert look_at("share", 7, NOW + timedelta(minutes=60)).worth_moving(share.until)
    assert not look_at("protocol", 7, NOW + timedelta(hours=11)).worth_moving(protocol.until)
    assert look_at("protocol", 7, NOW + timedelta(hours=13)).worth_moving(protocol.until)


def test_whom_it_is_told() -> None:
    assert addressed("protocol", Due("2026-12-01", "p", "p", ("a1", "a2"))) == (
        ("o:agency_admin.a1", "o:agency_admin.a2", "o:system_operator"),
    )
    assert addressed("role", Due("2026-12-01", "u/r", "u", ("a1",))) == (("u:u",), ("o:agency_admin.a1",))
    assert addressed("share", Due(NOW, "c/s", "c", owner_id="u9")) == (("u:u9",),)


def test_a_role_that_somebody_keeps_does_not_end_and_one_case_is_told_once() -> None:
    ending = Appointment("supervisor", None, date(2026, 12, 1))

    def due(*roles: Appointment) -> Due:
        return Due("2026-12-01", "u/supervisor", "u", ("a",), role="supervisor", roles=(ending, *roles))

    kept = (
        Appointment("supervisor", date(2026, 12, 2), None),
        Appointment("supervisor", None, date(2026, 12, 2)),
    )
    for one in kept:
        assert told_of([due(one)]) == []
    for one in (
        Appointment("supervisor", date(2026, 12, 3), None),  # a day between
        Appointment("practitioner", None, None),
        Appointment("supervisor", None, date(2026, 11, 30)),
    ):
        assert told_of([due(one)]) == [due(one)]
    shares = [Due(NOW, "c/1", "c", owner_id="o"), Due(NOW, "c/2", "c", owner_id="o"), Due(NOW, "d/1", "d")]
    assert [one.key for one in told_of(shares)] == ["c/1", "d/1"]
    assert told_of([Due(NOW, "c/1", "c", owner_id="o", over=True)]) == []
    people = [Due(NOW, one, "a1", ("a1",)) for one in ("u1", "u2")]
    assert [addressed("user", one) for one in told_of(people)] == [(("o:agency_admin.a1",),)]
