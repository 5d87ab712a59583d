"""Who asks is believed only when `sharing` signed it for exactly this request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import keys
from services.chassis.callers import AUTHORITY, PURPOSE, vouched
from services.chassis.deadline import Deadline
from services.chassis.formats import Incoming
from services.chassis.payload import Call, raw
from services.chassis.sealing import Keyring
from services.contracts.caller import Caller, SignedCaller, hash_arguments, sign
from services.contracts.errors import Unauthenticated
from tests.unit.chassis.keyrings import Clock, folder_of, rings

ARGUMENTS = b'{"text":"hello"}'
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Keyring]:
    return rings(folder_of(tmp_path_factory.mktemp("keys")))


def _caller(**change: Any) -> Caller:
    fields: dict[str, Any] = {
        "kind": "user",
        "id": "u1",
        "agency_id": "a1",
        "device_class": "managed",
        "audience": "echo",
        "method": "say",
        "args_hash": hash_arguments(ARGUMENTS),
        "request_id": "r1",
        "now": NOW,
        "expires_at": NOW + timedelta(hours=5),  # NOW is when the tests were collected
    }
    return Caller(**{**fields, **change})


def _signed(by: Keyring, caller: Caller | None = None, audience: str = "echo") -> SignedCaller:
    return sign(caller or _caller(), by.shared_secrets(audience, PURPOSE)[0])


def _incoming(route: str = "echo.say", call: Call | None = None) -> Incoming:
    call = call or Call(kwargs={"request": raw({"text": "hello"})}, request_id="r1")
    return Incoming(call, Deadline.after(4), "gateway", route, "rpc.reply-gateway-1", "c0ffee")


def _refused(signed: SignedCaller, keyring: Keyring, incoming: Incoming | None = None) -> bool:
    try:
        vouched(signed, keyring, incoming or _incoming())
    except Unauthenticated:
        return True
    return False


def test_a_caller_signed_for_this_request_is_believed(ring: dict[str, Keyring]) -> None:
    assert vouched(_signed(ring[AUTHORITY]), ring["echo"], _incoming()) == _caller()


@pytest.mark.parametrize("method", ["change_note", "say.more", ""])
def test_a_caller_signed_for_another_method_is_refused(ring: dict[str, Keyring], method: str) -> None:
    assert _refused(_signed(ring[AUTHORITY]), ring["echo"], _incoming(f"echo.{method}"))


def test_a_caller_signed_for_another_service_is_refused(ring: dict[str, Keyring]) -> None:
    for_mirror = _signed(ring[AUTHORITY], _caller(audience="mirror"), "mirror")
    assert _refused(for_mirror, ring["echo"])
    assert _refused(_signed(ring[AUTHORITY], _caller(audience="mirror")), ring["echo"])
    assert _refused(_signed(ring[AUTHORITY]), ring["mirror"])


@pytest.mark.parametrize(
    "call",
    [
        Call(kwargs={"request": raw({"text": "other"})}, request_id="r1"),
        Call(kwargs={"request": raw({"text": "hello"})}, request_id="r2"),
        Call(kwargs={"request": raw({"text": "hello"})}, request_id="r1", key="one nobody signed"),
        Call(request_id="r1"),
        Call(args=[raw({"text": "hello"})], request_id="r1"),
        Call(kwargs={"request": raw({"text": "hello"}), "more": raw(1)}, request_id="r1"),
        Call(args=[raw(1)], kwargs={"request": raw({"text": "hello"})}, request_id="r1"),
    ],
)
def test_arguments_that_nobody_signed_are_refused(ring: dict[str, Keyring], call: Call) -> None:
    assert _refused(_signed(ring[AUTHORITY]), ring["echo"], _incoming(call=call))


def test_a_caller_past_its_time_is_refused(ring: dict[str, Keyring]) -> None:
    assert _refused(_signed(ring[AUTHORITY], _caller(expires_at=NOW)), ring["echo"])


@pytest.mark.parametrize("forger", ["gateway", "mirror"])
def test_nobody_but_the_authority_can_vouch(ring: dict[str, Keyring], forger: str) -> None:
    assert _refused(_signed(ring[forger]), ring["echo"])
    assert _refused(sign(_caller(), ring[forger].shared_secrets(AUTHORITY, PURPOSE)[0]), ring["echo"])


def test_a_secret_for_another_purpose_does_not_vouch(ring: dict[str, Keyring]) -> None:
    secret = ring[AUTHORITY].shared_secrets("echo", "concordat something else")[0]
    assert _refused(sign(_caller(), secret), ring["echo"])


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_change_of_any_byte_is_refused(ring: dict[str, Keyring], place: int, difference: int) -> None:
    signed = _signed(ring[AUTHORITY])
    whole = bytearray(signed.body + signed.mac)
    whole[place % len(whole)] ^= difference
    assert _refused(SignedCaller(bytes(whole[:-32]), bytes(whole[-32:])), ring["echo"])


@given(st.binary(max_size=60), st.binary(max_size=40))
def test_anything_else_is_refused(ring: dict[str, Keyring], body: bytes, mac: bytes) -> None:
    assert _refused(SignedCaller(body, mac), ring["echo"])


def test_a_caller_is_believed_while_the_authoritys_keys_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    folder = folder_of(tmp_path, clock.now)
    ring = rings(folder)
    old = _signed(ring[AUTHORITY])
    keys.rotate(folder, AUTHORITY, clock.now, overlap=30, start_after=10)
    for _ in range(15):
        clock.pass_()
        assert not _refused(_signed(ring[AUTHORITY]), ring["echo"])
        assert not _refused(old, ring["echo"])
    clock.pass_(20)
    assert _refused(old, ring["echo"])
    assert not _refused(_signed(ring[AUTHORITY]), ring["echo"])


def test_without_a_key_of_the_authority_nobody_is_believed(tmp_path: Path) -> None:
    keys.make(tmp_path, ["echo", "gateway"], NOW.timestamp() - 1)
    assert _refused(SignedCaller(b"{}", b"\0" * 32), Keyring(tmp_path, "echo"))
