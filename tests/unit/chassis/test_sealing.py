"""Only the two services that talk can read or make a sealed body."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis import keys, sealing
from services.chassis.sealing import Keyring
from services.contracts.errors import Unauthenticated, UnknownService
from tests.unit.chassis.keyrings import Clock, folder_of, rings

CONTEXT = b"echo.say|c0ffee|rpc.reply-gateway-1"
BODY = b'{"kwargs":{"request":{"text":"hello"}}}'
DEADLINE = 1_800_000_000_123
# 1 version, 1 length, "gateway", two kids, salt: the counter begins here.
COUNTER = slice(2 + len("gateway") + 8 + 16, 2 + len("gateway") + 8 + 16 + 8)
SALT = slice(COUNTER.start - 16, COUNTER.start)

Rings = dict[str, Keyring]


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Rings:
    return rings(folder_of(tmp_path_factory.mktemp("keys")))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def _sealed(ring: Rings, body: bytes = BODY) -> bytes:
    return ring["gateway"].seal("echo", body, DEADLINE, CONTEXT)


def _refused(ring: Keyring, sealed: Any, context: bytes = CONTEXT) -> bool:
    """Anything but Unauthenticated escapes, and fails the test."""
    try:
        ring.open(sealed, context)
    except Unauthenticated:
        return True
    return False


def _count_derivations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    derived: list[str] = []
    cipher = sealing._cipher

    def counting(private: Any, public: Any, sender: str, *rest: Any) -> Any:
        derived.append(sender)
        return cipher(private, public, sender, *rest)

    monkeypatch.setattr(sealing, "_cipher", counting)
    return derived


@given(st.binary(max_size=300), st.integers(0, 2**64 - 1), st.binary(max_size=60))
def test_what_is_sealed_opens_to_the_same(ring: Rings, body: bytes, deadline: int, context: bytes) -> None:
    sealed = ring["gateway"].seal("echo", body, deadline, context)
    opened = ring["echo"].open(sealed, context)
    assert (opened.sender, opened.deadline, opened.body) == ("gateway", deadline, body)


def test_the_body_cannot_be_read_on_the_way(ring: Rings) -> None:
    assert b"hello" not in _sealed(ring)
    assert _sealed(ring) != _sealed(ring)


@settings(max_examples=10)
@given(st.integers(1, 255))
def test_a_change_of_any_one_byte_is_refused(ring: Rings, difference: int) -> None:
    sealed = _sealed(ring)
    for place, byte in enumerate(sealed):
        changed = sealed[:place] + bytes((byte ^ difference,)) + sealed[place + 1 :]
        assert _refused(ring["echo"], changed), place


def test_a_body_cut_short_anywhere_is_refused(ring: Rings) -> None:
    sealed = _sealed(ring)
    assert all(_refused(ring["echo"], sealed[:length]) for length in range(len(sealed)))


@given(st.binary(min_size=1, max_size=40))
def test_a_body_with_more_behind_it_is_refused(ring: Rings, more: bytes) -> None:
    assert _refused(ring["echo"], _sealed(ring) + more)


@pytest.mark.parametrize(
    "other",
    [
        b"echo.change_note|c0ffee|rpc.reply-gateway-1",
        b"echo.say|c0ffed|rpc.reply-gateway-1",
        b"echo.say|c0ffee|rpc.reply-mirror-1",
        b"echo.say|c0ffee|reply",
        b"",
    ],
)
def test_a_body_moved_to_another_message_is_refused(ring: Rings, other: bytes) -> None:
    sealed = _sealed(ring)
    assert _refused(ring["echo"], sealed, other)
    assert not _refused(ring["echo"], sealed)


def test_a_later_deadline_is_refused(ring: Rings) -> None:
    sealed = _sealed(ring)
    later = sealed.replace(DEADLINE.to_bytes(8, "big"), (DEADLINE + 60_000).to_bytes(8, "big"))
    assert later != sealed
    assert _refused(ring["echo"], later)


def test_nobody_but_the_receiver_can_open(ring: Rings) -> None:
    sealed = _sealed(ring)
    assert all(_refused(ring[name], sealed) for name in ("mirror", "sharing", "gateway"))


def test_a_body_sent_back_to_its_sender_is_refused(ring: Rings, tmp_path: Path) -> None:
    """The two directions have a key each, even where both kids would fit."""
    folder = folder_of(tmp_path)
    same = (folder / "gateway" / "private.json").read_text()
    (folder / "echo" / "private.json").write_text(same)
    keys.make(folder, (), 0)
    gateway, echo = Keyring(folder, "gateway"), Keyring(folder, "echo")
    sealed = gateway.seal("echo", BODY, DEADLINE, CONTEXT)
    as_from_echo = sealed.replace(b"\x07gateway", b"\x04echo")
    assert echo.open(sealed, CONTEXT).body == BODY
    assert _refused(gateway, as_from_echo)


def test_who_has_a_key_cannot_speak_in_another_name(ring: Rings) -> None:
    sealed = ring["mirror"].seal("echo", BODY, DEADLINE, CONTEXT)
    genuine = _sealed(ring)
    kids = genuine[9:17]
    assert sealed.startswith(b"\x01\x06mirror")
    assert _refused(ring["echo"], b"\x01\x07gateway" + sealed[8:])
    assert _refused(ring["echo"], b"\x01\x07gateway" + kids + sealed[16:])


@given(st.binary(max_size=200))
def test_bytes_that_nobody_sealed_are_refused(ring: Rings, hostile: bytes) -> None:
    assert _refused(ring["echo"], hostile)


@given(st.integers(0, 255), st.binary(max_size=260), st.binary(max_size=80))
def test_hostile_senders_and_lengths_are_refused(ring: Rings, length: int, name: bytes, rest: bytes) -> None:
    assert _refused(ring["echo"], bytes((1, length)) + name + rest)
    assert _refused(ring["echo"], bytes((1, len(name) % 256)) + name + _sealed(ring)[9:] + rest)


@pytest.mark.parametrize("hostile", ["", "text", None, 7, [1, 2]])
def test_what_is_not_even_bytes_is_refused(ring: Rings, hostile: Any) -> None:
    assert _refused(ring["echo"], hostile)


def test_a_nonce_is_never_used_twice_with_one_key(ring: Rings, tmp_path: Path, clock: Clock) -> None:
    """Also not over several peers, nor when the keys change: the counter runs on."""
    folder = folder_of(tmp_path, clock.now)
    gateway = Keyring(folder, "gateway")
    sealed = []
    for _ in range(3):
        for peer in ("echo", "mirror") * 100:
            sealed.append(gateway.seal(peer, BODY, DEADLINE, CONTEXT))
        keys.rotate(folder, "gateway", clock.now, start_after=0)
        clock.pass_()
    assert len({body[COUNTER] for body in sealed}) == len(sealed)


def test_two_processes_of_a_service_use_different_keys(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    first, second, echo = Keyring(folder, "gateway"), Keyring(folder, "gateway"), Keyring(folder, "echo")
    one, two = (ring.seal("echo", BODY, DEADLINE, CONTEXT) for ring in (first, second))
    assert one[COUNTER] == two[COUNTER]
    assert one[SALT] != two[SALT]
    assert echo.open(one, CONTEXT).body == echo.open(two, CONTEXT).body == BODY


def test_a_service_without_a_key_cannot_be_spoken_to(ring: Rings) -> None:
    with pytest.raises(UnknownService):
        ring["gateway"].seal("stranger", BODY, DEADLINE, CONTEXT)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.booleans())
def test_keys_rotate_without_a_gap_in_both_directions(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, sender_rotates: bool
) -> None:
    """A body sealed at any second opens in the next one, before, while and after the keys change."""
    clock = Clock(monkeypatch)
    folder = folder_of(tmp_path_factory.mktemp("rotated"), clock.now)
    gateway, echo = Keyring(folder, "gateway"), Keyring(folder, "echo")
    keys.rotate(folder, "gateway" if sender_rotates else "echo", clock.now, overlap=30, start_after=10)
    seen = set()
    for _ in range(60):
        there = gateway.seal("echo", BODY, DEADLINE, CONTEXT)
        back = echo.seal("gateway", BODY, DEADLINE, CONTEXT)
        seen.add(there[9:17])
        clock.pass_(1)
        assert echo.open(there, CONTEXT).body == gateway.open(back, CONTEXT).body == BODY
    assert len(seen) == 2


@pytest.mark.parametrize("rotated", ["gateway", "echo"])
def test_a_key_past_its_time_opens_nothing_even_when_it_was_used_before(
    tmp_path: Path, clock: Clock, rotated: str
) -> None:
    folder = folder_of(tmp_path, clock.now)
    gateway, echo = Keyring(folder, "gateway"), Keyring(folder, "echo")
    old = gateway.seal("echo", BODY, DEADLINE, CONTEXT)
    keys.rotate(folder, rotated, clock.now, overlap=30, start_after=10)
    clock.pass_(39)
    assert echo.open(old, CONTEXT).body == BODY
    clock.pass_(1.5)  # before the next look at the files: the end of a key does not wait for it
    assert _refused(echo, old)


def test_forged_messages_do_not_displace_keys_in_use(
    ring: Rings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ring = rings(folder_of(tmp_path))
    assert not _refused(ring["echo"], _sealed(ring))
    monkeypatch.setattr(sealing, "SENDERS_KEPT", 4)
    derived = _count_derivations(monkeypatch)
    sealed = _sealed(ring)
    for number in range(20):
        forged = sealed[: SALT.start] + number.to_bytes(16, "big") + sealed[SALT.stop :]
        assert _refused(ring["echo"], forged)
    assert len(derived) == 20
    assert not _refused(ring["echo"], sealed)
    assert len(derived) == 20


def test_many_processes_of_one_peer_do_not_displace_another_peers_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sealing, "SENDERS_KEPT", 4)
    folder = folder_of(tmp_path)
    ring = rings(folder)
    assert not _refused(ring["echo"], _sealed(ring))
    for _ in range(10):
        other = Keyring(folder, "mirror").seal("echo", BODY, DEADLINE, CONTEXT)
        assert not _refused(ring["echo"], other)
    derived = _count_derivations(monkeypatch)
    assert not _refused(ring["echo"], _sealed(ring))
    assert derived == []


def test_both_ends_share_the_same_secret_and_nobody_else_does(ring: Rings) -> None:
    one, same = (
        ring[name].shared_secrets(peer, "p") for name, peer in (("echo", "sharing"), ("sharing", "echo"))
    )
    other_purpose = ring["echo"].shared_secrets("sharing", "q")
    other_peer = ring["mirror"].shared_secrets("sharing", "p")
    assert one == same
    assert len({*one, *other_purpose, *other_peer}) == 3
    assert ring["echo"].shared_secrets("stranger", "p") == []


def test_a_shared_secret_outlives_a_rotation_by_its_overlap(tmp_path: Path, clock: Clock) -> None:
    folder = folder_of(tmp_path, clock.now)
    echo, sharing = Keyring(folder, "echo"), Keyring(folder, "sharing")
    old = sharing.shared_secrets("echo", "p")
    keys.rotate(folder, "sharing", clock.now, overlap=30, start_after=10)
    clock.pass_(11)
    during = echo.shared_secrets("sharing", "p")
    assert during == sharing.shared_secrets("echo", "p")
    assert during[0] not in old
    assert during[1:] == old
    clock.pass_(31)
    assert echo.shared_secrets("sharing", "p") == during[:1]


def test_secrets_are_worked_out_once(ring: Rings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ring["echo"].shared_secrets("sharing", "once")
    monkeypatch.setattr(sealing, "_derive", None)
    assert ring["echo"].shared_secrets("sharing", "once") == before


def test_a_forked_child_never_uses_its_parents_keys_and_counts(ring: Rings) -> None:
    parent = ring["echo"]
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.write(writes, parent._salt)
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reads, 64) not in (b"", parent._salt)
    os.close(reads)
    os.close(writes)
