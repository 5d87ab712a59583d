"""What a trial computes from what it saw."""

from __future__ import annotations

from tests.faults.checker import Violation
from tests.faults.history import Exchange, History, Kind
from tests.faults.trial import Outcome, Window, stale_reads
from tests.faults.verdict import figures, reasons


def outcome(
    *exchanges: Exchange, windows: tuple[Window, ...] = (), violations: tuple[Violation, ...] = ()
) -> Outcome:
    return Outcome("a fault", History(exchanges), violations, windows, 0, 0.5, 0.0, 10.0)


def answered(began: float, seconds: float = 0.1, status: int = 200, kind: Kind = "say") -> Exchange:
    return Exchange(1, kind, began, began + seconds, status)


def test_success_counts_what_was_asked_while_the_fault_lasted_and_until_it_healed() -> None:
    found = outcome(
        answered(1.0, status=503),
        answered(5.0, status=503),
        answered(6.0),
        answered(7.0),
        answered(9.0, status=503),
        windows=(Window(5.0, 6.5, 8.0),),
    )
    assert found.success == 2 / 3
    assert found.healed == 1.5


def test_what_is_asked_five_seconds_after_the_mending_counts_as_afterwards() -> None:
    window = Window(1.0, 2.0, 2.5)
    found = outcome(answered(6.9, status=503), answered(7.0), answered(8.0, status=503), windows=(window,))
    assert found.afterwards == 0.5
    assert any(each.name.endswith("success afterwards") and not each.holds for each in figures(found, None))


def test_the_slowest_answer_is_endless_when_one_never_came() -> None:
    assert outcome(answered(1.0, 2.5), answered(2.0)).slowest == 2.5
    assert outcome(Exchange(1, "say", 1.0, None)).slowest == float("inf")


def test_the_worst_healing_counts_and_none_is_endless() -> None:
    windows = (Window(1.0, 2.0, 2.5), Window(5.0, 6.0, 9.0))
    assert outcome(windows=windows).healed == 3.0
    assert outcome(windows=(*windows, Window(10.0, 11.0, None))).healed == float("inf")


def test_a_read_that_shows_less_than_was_acknowledged_before_is_stale() -> None:
    change = Exchange(1, "change", 1.0, 2.0, 201, "n", "k", version=3)

    def read(began: float, version: int | None) -> Exchange:
        return Exchange(1, "get", began, began + 1, 200 if version else 404, "n", version=version)

    assert stale_reads([change, read(2.5, 3), read(1.5, 2)]) == 0
    assert stale_reads([change, read(2.5, 2)]) == 1
    assert stale_reads([change, read(2.5, None)]) == 1


def test_every_target_that_is_missed_is_said() -> None:
    violation = Violation("V1", "lost", "n version 1 was acknowledged")
    missed = outcome(answered(1.0, 6.0), windows=(Window(0.0, 1.0, None),), violations=(violation,))
    judged = figures(missed, 0.99)
    assert [each.name.partition(": ")[2] for each in judged if each.holds is False] == [
        "slowest answer",
        "lost",
        "healed",
    ]
    assert any("n version 1" in line for line in reasons(missed, judged))


def test_a_trial_in_which_all_went_well_holds() -> None:
    fine = outcome(answered(1.0), windows=(Window(0.5, 1.0, 1.5),))
    assert all(each.holds is not False for each in figures(fine, 0.99))
    assert not reasons(fine, figures(fine, 0.99))
