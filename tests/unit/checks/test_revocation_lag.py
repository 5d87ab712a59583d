"""How late the check itself was: taken off what it says of others."""

from __future__ import annotations

from tests.checks.revocation.lag import Lag


def test_the_longest_delay_shortly_before_counts_and_an_older_one_does_not() -> None:
    lag = Lag()
    lag._found = [(10.0, 0.9), (12.0, 0.1), (12.5, 0.3), (13.5, 0.7)]
    assert lag.before(13.0) == 0.3
    assert lag.before(9.0) == 0.0
