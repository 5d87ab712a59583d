"""Times on pages: whatever moment somebody typed, the page of a case can still be read."""

from __future__ import annotations

from gateway.web import times


def test_a_moment_is_told_as_it_is_in_london() -> None:
    assert times.when("2026-07-24T18:05:00Z") == "24 July 2026, 7:05pm"


def test_the_first_and_the_last_moment_can_be_shown() -> None:
    assert times.when("0001-01-01T00:00:00Z").startswith("1 January 1")
    assert times.when("9999-12-31T23:59:59Z").startswith("31 December 9999")
