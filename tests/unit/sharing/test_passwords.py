"""Which passwords are good enough."""

from __future__ import annotations

import pytest

from services.contracts.errors import Invalid
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


def test_a_refusal_points_to_its_field_and_repeats_nothing() -> None:
    with pytest.raises(Invalid) as refused:
        passwords.check("hunter2hunter2", "fiona", "/new")
    problem = str(refused.value.to_problem("r"))
    assert "'/new'" in problem
    assert "hunter2" not in problem
