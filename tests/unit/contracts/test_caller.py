"""A signed caller is believed for exactly one request, and for no other."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.caller import Caller, SignedCaller, hash_arguments, sign, verify
from services.contracts.errors import Unauthenticated

KEY = bytes(range(32))
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ARGUMENTS = b'{"case_id":"c-1"}'
CALLER = Caller(
    kind="user",
    id="u-1",
    accountable_id="u-2",
    agency_id="a-1",
    team_ids=("t-1", "t-2"),
    roles=("practitioner",),
    uses=("case_work",),
    device_class="managed",
    procedure_version="p-3",
    inactive_agencies=("a-9",),
    fences={"c-1": 4},
    audience="cases",
    method="cases.get_case",
    args_hash=hash_arguments(ARGUMENTS),
    request_id="r-1",
    now=NOW,
    expires_at=NOW + timedelta(seconds=5),
)
SIGNED = sign(CALLER, KEY)


def check(signed: SignedCaller, key: bytes = KEY, **changes: Any) -> Caller:
    request = {
        "audience": "cases",
        "method": "cases.get_case",
        "args_hash": hash_arguments(ARGUMENTS),
        "request_id": "r-1",
        "now": NOW,
    }
    return verify(signed, key, **{**request, **changes})


def test_what_was_signed_comes_back() -> None:
    assert check(SIGNED) == CALLER


@pytest.mark.parametrize(
    "changes",
    [
        {"request_id": "r-2"},
        {"audience": "sharing"},
        {"audience": ""},
        {"method": "cases.list_cases"},
        {"args_hash": hash_arguments(b'{"case_id":"c-2"}')},
        {"args_hash": hash_arguments(ARGUMENTS + b" ")},
        {"args_hash": hash_arguments(ARGUMENTS, "a key")},
        {"now": CALLER.expires_at},
        {"now": CALLER.expires_at + timedelta(microseconds=1)},
        {"now": CALLER.expires_at + timedelta(days=1)},
        {"key": bytes(32)},
        {"key": KEY + b"x"},
    ],
)
def test_another_request_another_key_or_a_later_time_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        check(SIGNED, **changes)


def test_it_is_good_until_it_expires() -> None:
    assert check(SIGNED, now=CALLER.expires_at - timedelta(microseconds=1)) == CALLER


OTHER_VALUES: dict[str, Any] = {
    "kind": "service",
    "id": "u-9",
    "accountable_id": None,
    "agency_id": "a-2",
    "agency_type": "vcse",
    "scopes": ["cases:read"],
    "session_id": "s-2",
    "name": "Somebody Else",
    "agency_name": "Another",
    "inactive_protocols": ["p-1"],
    "team_ids": ["t-1"],
    "roles": ["practitioner", "supervisor"],
    "uses": [],
    "device_class": "private",
    "device_id": "d-2",
    "procedure_version": "p-4",
    "inactive_agencies": [],
    "fences": {"c-1": 3},
    "barred": {"use:vemt": {"code": "training_required", "clause": None}},
    "audience": "sharing",
    "method": "cases.list_cases",
    "args_hash": "0" * 64,
    "request_id": "r-2",
    "now": "2026-11-23T09:29:00Z",
    "expires_at": "2027-11-23T09:30:05Z",
}


@pytest.mark.parametrize("field", sorted(Caller.model_fields))
def test_no_field_can_be_changed(field: str) -> None:
    body = json.loads(SIGNED.body)
    forged = json.dumps({**body, field: OTHER_VALUES[field]}, separators=(",", ":")).encode()
    assert forged != SIGNED.body
    with pytest.raises(Unauthenticated):
        check(SignedCaller(forged, SIGNED.mac))


@pytest.mark.parametrize("place", range(len(SIGNED.body)))
def test_no_byte_can_be_changed(place: int) -> None:
    body = bytearray(SIGNED.body)
    body[place] ^= 1
    with pytest.raises(Unauthenticated):
        check(SignedCaller(bytes(body), SIGNED.mac))


@given(st.integers(0, len(SIGNED.mac) * 8 - 1))
def test_no_bit_of_the_mac_can_be_changed(bit: int) -> None:
    mac = bytearray(SIGNED.mac)
    mac[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Unauthenticated):
        check(SignedCaller(SIGNED.body, bytes(mac)))


@given(st.binary(max_size=400), st.binary(max_size=64))
def test_no_invented_caller_is_believed(body: bytes, mac: bytes) -> None:
    with pytest.raises(Unauthenticated):
        check(SignedCaller(body, mac))


def test_a_mac_of_something_else_with_the_same_key_is_refused() -> None:
    import hmac

    with pytest.raises(Unauthenticated):
        check(SignedCaller(SIGNED.body, hmac.digest(KEY, SIGNED.body, "sha256")))


def test_a_refusal_names_its_reason_in_private_only() -> None:
    with pytest.raises(Unauthenticated) as refused:
        check(SIGNED, method="cases.list_cases")
    assert refused.value.cause == "caller: other method"
    assert "method" not in json.dumps(refused.value.to_wire())


@pytest.mark.parametrize("key", [b"", b"short", bytes(31)])
def test_a_key_too_short_to_be_one_is_an_error_of_the_operator(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sign(CALLER, key)
    with pytest.raises(ValueError, match="32 bytes"):
        check(SIGNED, key=key)


tokens = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    st.lists(tokens, max_size=4),
    st.dictionaries(tokens, st.integers(0, 2**53), max_size=5) | st.just("all"),
    tokens,
)
def test_any_caller_survives_its_signing(teams: list[str], fences: Any, name: str) -> None:
    caller = CALLER.model_copy(update={"team_ids": tuple(teams), "fences": fences, "id": name})
    assert check(sign(caller, KEY)) == caller
