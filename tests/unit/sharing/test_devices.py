"""Who may make a registered device theirs, and the code that they do it with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.contracts.errors import Invalid, InvalidTransition
from services.sharing.domain.devices import Device, check_enrolment, check_move, hash_code, new_code
from tests.unit.sharing.people import HOUSING, NOW, POLICE

DEVICE = Device("d-1", POLICE, "user-1", "Laptop 7", "managed", "registered", None, 1, NOW, NOW)


def test_the_person_it_was_registered_for_enrols_it() -> None:
    assert check_enrolment(DEVICE, "user-1", POLICE) is DEVICE
    anybodys = replace(DEVICE, user_id=None)
    assert check_enrolment(anybodys, "user-2", POLICE) is anybodys


@pytest.mark.parametrize(
    ("device", "user", "agency"),
    [
        (None, "user-1", POLICE),
        (DEVICE, "user-2", POLICE),
        (DEVICE, "user-1", HOUSING),
        (replace(DEVICE, user_id=None), "user-1", HOUSING),
        (replace(DEVICE, state="enrolled"), "user-1", POLICE),
        (replace(DEVICE, state="revoked"), "user-1", POLICE),
    ],
)
def test_nobody_else_does_and_all_are_told_the_same(device: Device | None, user: str, agency: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_enrolment(device, user, agency)
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/code", "code_not_valid")]


def test_a_code_is_typed_as_people_type() -> None:
    code = new_code()
    assert hash_code(code.lower().replace("-", " ")) == hash_code(code)
    assert hash_code(code) != hash_code(new_code())
    assert len({new_code() for _ in range(100)}) == 100


def test_a_revoked_device_stays_so() -> None:
    check_move(replace(DEVICE, state="enrolled"))
    with pytest.raises(InvalidTransition):
        check_move(replace(DEVICE, state="revoked"))
