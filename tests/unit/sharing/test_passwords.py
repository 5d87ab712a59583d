"""Which passwords are good enough."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from services.chassis import offload
from services.contracts.errors import Invalid
from services.contracts.sharing.account import PasswordChange
from services.sharing.domain import passwords


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("quiet lanterns over the Tees", None),
        ("correct-horse-battery-staple", None),
        ("847264920184", None),
        ("eleven char", "too_short"),
        ("my fiona.smith 2026", "contains_username"),
        ("FIONA.SMITHfiona", "contains_username"),
        ("123456789012", "too_common"),
        ("1234567890123456", "too_common"),
        ("aaaaaaaaaaaaaaa", "too_common"),
        ("Password1234!", "too_common"),
        ("2026!!monkey!!2026", "too_common"),
        ("passwordpassword", "too_common"),
        ("Dragondragondragon99", "too_common"),
        ("qwertyuiop123", "too_common"),
    ],
)
def test_a_password_is_judged(password: str, code: str | None) -> None:
    assert passwords.fault(password, "fiona.smith@police.example") == code


def test_the_list_is_there_whole_and_has_long_ones_too() -> None:
    assert len(passwords.common()) > 19_000
    assert any(len(one) >= passwords.SHORTEST for one in passwords.common())


def test_it_is_the_same_however_it_was_typed() -> None:
    assert passwords.normal("cafe\u0301 au lait") == passwords.normal("caf\u00e9 au lait")


def test_a_long_one_counts_to_its_last_character() -> None:
    long = "Quiet lanterns over the Tees, " * 8 + "and so to bed."
    assert passwords.fault(long, "fiona") is None
    assert PasswordChange(current="x", new=long).new == long
    stored = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(passwords.normal(long))
    assert offload._matches(stored, passwords.normal(long))
    for other in (long[:-1], long + ".", long.lower(), long + " "):
        assert not offload._matches(stored, passwords.normal(other))


def test_a_refusal_points_to_its_field_and_repeats_nothing() -> None:
    with pytest.raises(Invalid) as refused:
        passwords.check("hunter2hunter2", "fiona", "/new")
    problem = str(refused.value.to_problem("r"))
    assert "'/new'" in problem
    assert "hunter2" not in problem
