"""The judge of V2: it sees what should not have been, and nothing else."""

from __future__ import annotations

import time

from tests.checks.revocation.history import EVERY, Asked, Facet, History, Pair, Sighting, Turn
from tests.checks.revocation.judge import narrowed, shut_out, violations, violations_so_far
from tests.checks.revocation.planted import PLANTED, by_fault

PAIR, OTHER = Pair("u:1", "c-1"), Pair("u:2", "c-1")


def given(began: float, ended: float, *facets: Facet, pair: Pair = PAIR, kind: str = "grant") -> Turn:
    return Turn(pair, True, frozenset(facets or ("case",)), began, ended, True, kind)


def taken(
    began: float,
    ended: float,
    *facets: Facet,
    acknowledged: bool = True,
    pair: Pair = PAIR,
    kind: str = "revoke",
) -> Turn:
    return Turn(pair, False, frozenset(facets or ("case",)), began, ended, acknowledged, kind)


def seen(began: float, ended: float, facet: Facet = "case", made: float | None = None) -> Sighting:
    return Sighting(PAIR, "get", facet, began, ended, made)


def judged(*events: Turn | Sighting) -> int:
    history = History(
        turns=[one for one in events if isinstance(one, Turn)],
        sightings=[one for one in events if isinstance(one, Sighting)],
    )
    return len(violations(history))


def test_what_is_given_may_be_seen() -> None:
    assert judged(given(0, 1), seen(2, 3)) == 0


def test_a_read_that_begins_after_the_narrowing_is_a_violation() -> None:
    assert judged(given(0, 1), taken(2, 3), seen(3.001, 4)) == 1


def test_a_read_that_had_begun_before_the_answer_is_none() -> None:
    assert judged(given(0, 1), taken(2, 3), seen(2.9, 4)) == 0


def test_a_narrowing_that_was_not_acknowledged_forbids_nothing() -> None:
    assert judged(given(0, 1), taken(2, 3, acknowledged=False), seen(4, 5)) == 0


def test_a_giving_under_way_while_the_read_runs_excuses_it() -> None:
    assert judged(given(0, 1), taken(2, 3), given(3.5, 9), seen(4, 5)) == 0


def test_what_a_giving_may_still_excuse_is_not_found_before_its_answer() -> None:
    now = time.monotonic()
    history = History(turns=[given(now - 9, now - 8), taken(now - 7, now - 6)])
    history.saw(seen(now - 5, now - 4))
    with history.under_way():
        history.saw(seen(time.monotonic(), time.monotonic()))
        assert (len(violations_so_far(history)), len(violations(history))) == (1, 2)
    assert len(violations_so_far(history)) == 2


def test_a_giving_that_begins_after_the_read_has_ended_does_not() -> None:
    assert judged(given(0, 1), taken(2, 3), seen(4, 5), given(6, 7)) == 1


def test_the_narrowing_of_somebody_else_or_of_another_facet_forbids_nothing() -> None:
    assert judged(given(0, 1), taken(2, 3, pair=OTHER), seen(4, 5)) == 0
    assert judged(given(0, 1, "case", "timeline"), taken(2, 3, "timeline"), seen(4, 5)) == 0
    assert judged(given(0, 1, "case", "timeline"), taken(2, 3, "timeline"), seen(4, 5, "timeline")) == 1


def test_what_was_written_after_the_narrowing_is_not_seen_even_in_a_read_already_running() -> None:
    assert judged(given(0, 1), taken(2, 3), seen(1.5, 5, made=3.5)) == 1
    assert judged(given(0, 1), taken(2, 3), seen(1.5, 5, made=1.2)) == 0


def test_who_asks_is_looked_at_when_a_read_begins() -> None:
    assert judged(taken(2, 3, kind="account"), seen(1.5, 5, made=3.5)) == 0
    assert judged(taken(2, 3, kind="account"), seen(3.1, 5, made=3.5)) == 1
    assert judged(taken(2, 3, kind="conflict"), seen(1.5, 5, made=3.5)) == 1


def test_a_second_narrowing_does_not_depend_on_the_first() -> None:
    assert judged(given(0, 1), taken(2, 3), given(4, 5), taken(6, 7), seen(8, 9)) == 1
    assert judged(given(0, 1), taken(2, 3), given(4, 5), seen(6, 7)) == 0


def test_a_giving_that_was_refused_may_have_taken_effect() -> None:
    refused = Turn(PAIR, True, frozenset({"case"}), 3.5, 4, acknowledged=False)
    assert judged(given(0, 1), taken(2, 3), refused, seen(6, 7)) == 0


def test_an_old_giving_answered_after_a_later_one_still_counts() -> None:
    assert judged(given(0, 9), given(1, 2), taken(4, 5), seen(6, 7)) == 0
    assert judged(given(0, 3), given(1, 2), taken(4, 5), seen(6, 7)) == 1


def test_what_would_have_been_a_violation_is_counted_where_nothing_was_seen() -> None:
    history = History(turns=[given(0, 1), taken(2, 3), given(8, 9)])
    for began, ended in ((1.5, 1.6), (2.5, 4), (4, 5), (6, 7), (7, 8.5), (10, 11)):
        history.saw_nothing(Asked(PAIR, "list", "case", began, ended))
    channels, kinds = shut_out(history)
    assert channels == {"list": 2}
    assert kinds == {"revoke": 2}


def test_what_is_given_of_one_thing_makes_up_for_no_other_that_was_taken() -> None:
    disabled = taken(2, 3, kind="account")
    assert judged(given(0, 1), disabled, taken(4, 5), given(6, 7), seen(8, 9)) == 1
    assert judged(disabled, given(4, 5, kind="account"), seen(6, 7)) == 0
    assert judged(taken(2, 3), disabled, seen(6, 7)) == 2


def test_what_is_taken_of_every_case_is_taken_of_each_and_from_nobody_else() -> None:
    assert judged(taken(2, 3, pair=Pair("u:1", EVERY), kind="agency"), seen(4, 5)) == 1
    assert judged(taken(2, 3, pair=Pair("u:2", EVERY), kind="agency"), seen(4, 5)) == 0


def test_a_narrowing_of_many_is_one() -> None:
    history = History(turns=[taken(2, 3), taken(2, 3, pair=OTHER), taken(4, 5, acknowledged=False)])
    assert narrowed(history) == {"revoke": 1}


def test_a_planted_fault_is_found_by_the_channels_and_the_narrowings_that_show_no_other() -> None:
    history = History(turns=[taken(2, 3, kind="account")], sightings=[seen(4, 5)])
    found = by_fault(PLANTED.faults, violations(history))
    assert {name for name, number in found.items() if number} == {"a 1-second cache of who somebody is"}
