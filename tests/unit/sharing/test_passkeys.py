"""What a passkey's answer proves, and what nothing proves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from services.contracts.sharing.passkeys import Assertion, Attestation
from services.sharing.domain import passkeys
from services.sharing.domain.passkeys import NotProved, Passkey, Site, within, write
from services.sharing.settings import SharingSettings
from tests.authenticator import ORIGIN, PRESENT, VERIFIED, Authenticator
from tests.unit.sharing.people import NOW

HERE, THERE = Site("localhost"), Site("concordat.example", ("https://concordat.example",))
CHALLENGE = b"c" * 32
ASKED = {"id": "asked-1", "challenge": write(CHALLENGE)}


def enrolled(key: Authenticator, site: Site = HERE, **statement: Any) -> Passkey:
    made = passkeys.enrolment(key.create(ASKED, **statement), CHALLENGE, site)
    return Passkey("p1", made.credential_id, made.public_key, made.sign_count, "Key", NOW)


def answer(given: Assertion, passkey: Passkey, site: Site = HERE) -> int:
    return passkeys.assertion(given, passkey, CHALLENGE, site)


def test_a_passkey_is_enrolled_and_answers() -> None:
    key = Authenticator(count=4)
    passkey = enrolled(key)
    assert (passkey.credential_id, passkey.sign_count) == (write(key.credential_id), 4)
    assert answer(key.get(ASKED), passkey) == 5


def test_an_authenticator_without_a_counter_answers_too() -> None:
    key = Authenticator(count=None)
    assert answer(key.get(ASKED), enrolled(key)) == 0


@pytest.mark.parametrize("statement", [{"fmt": "packed", "attStmt": {"alg": -7, "sig": b"?"}}, {"fmt": 7}])
def test_what_an_authenticator_says_of_its_make_is_not_read(statement: Any) -> None:
    assert enrolled(Authenticator(), **statement)


WRONG: dict[str, Callable[[Authenticator], Any]] = {
    "another origin": lambda key: setattr(key, "origin", "https://localhost.evil.example"),
    "an origin that only begins so": lambda key: setattr(key, "origin", "http://localhost:8000.evil.example"),
    "an origin with something behind": lambda key: setattr(key, "origin", f"{ORIGIN}/"),
    "an origin below": lambda key: setattr(key, "origin", "http://sub.localhost:8000"),
    "an origin that is none": lambda key: setattr(key, "origin", "http://localhost:x"),
    "no origin": lambda key: key.more.update(origin=None),
    "another site": lambda key: setattr(key, "rp_id", "evil.example"),
    "a page inside another's": lambda key: key.more.update(crossOrigin=True),
    "a page below another's": lambda key: key.more.update(topOrigin="https://evil.example"),
    "nobody verified": lambda key: setattr(key, "flags", PRESENT),
    "nobody present": lambda key: setattr(key, "flags", VERIFIED),
    "another challenge": lambda key: key.more.update(challenge=write(b"d" * 32)),
    "another act": lambda key: key.more.update(type="payment.get"),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_neither_enrolled_nor_answered_by(change: Callable[[Authenticator], Any]) -> None:
    key = Authenticator()
    passkey = enrolled(key)
    change(key)
    with pytest.raises(NotProved):
        answer(key.get(ASKED), passkey)
    with pytest.raises(NotProved):
        enrolled(key)


def test_another_key_signs_for_nobody() -> None:
    key = Authenticator()
    passkey = enrolled(key)
    key.key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(NotProved):
        answer(key.get(ASKED), passkey)


def test_an_enrolment_answers_no_log_in_and_the_other_way_round() -> None:
    key = Authenticator()
    passkey = enrolled(key)
    key.more["type"] = "webauthn.create"
    with pytest.raises(NotProved):
        answer(key.get(ASKED), passkey)
    key.more["type"] = "webauthn.get"
    with pytest.raises(NotProved):
        enrolled(key)


@pytest.mark.parametrize("part", ["client_data", "authenticator_data", "signature"])
def test_what_was_changed_on_the_way_is_not_believed(part: str) -> None:
    key = Authenticator()
    passkey, given = enrolled(key), key.get(ASKED)
    raw = bytearray(passkeys.read(getattr(given, part)))
    raw[-1] ^= 1
    with pytest.raises(NotProved):
        answer(given.model_copy(update={part: write(bytes(raw))}), passkey)


HOSTILE = {
    "nothing": b"",
    "no map": b"\x01",
    "deep": b"\x81" * 6000 + b"\x01",
    "cut off": b"\xa1hauthData",
    "itself": b"\xd8\x1c\x81\xd8\x1d\x00",
    "a pattern": b"\xd8\x23\x64(((( ",
    "a huge length": b"\xa1\x68authData\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    "short": b"\xa1\x68authData\x41\x00",
}


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_attestation_is_refused_like_anything_else(made: bytes) -> None:
    key = Authenticator()
    given = key.create(ASKED).model_copy(update={"attestation": write(made)})
    with pytest.raises(NotProved):
        passkeys.enrolment(given, CHALLENGE, HERE)


@pytest.mark.parametrize("said", [b"", b"[]", b"{", b"[" * 6000, b'{"origin": 1}', b"\xff"])
def test_client_data_that_is_none_is_refused_like_anything_else(said: bytes) -> None:
    key = Authenticator()
    passkey, given = enrolled(key), key.get(ASKED)
    with pytest.raises(NotProved):
        answer(given.model_copy(update={"client_data": write(said)}), passkey)


@pytest.mark.parametrize(
    "key",
    [
        {1: 2, 3: -7, -1: 1, -2: b"\x01" * 32, -3: b"\x01" * 32},  # no point of the curve
        {1: 2, 3: -8, -1: 1, -2: b"\x01" * 32, -3: b"\x01" * 32},
        {1: 3, 3: -257, -1: b"\xff" * 900, -2: b"\x01\x00\x01"},  # longer than anybody's
        {1: 3, 3: -65535, -1: b"\xff" * 256, -2: b"\x01\x00\x01"},  # SHA-1
        {},
    ],
)
def test_a_public_key_that_is_none_of_ours_is_not_kept(key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Authenticator, "cose", lambda _: key)
    with pytest.raises(NotProved):
        enrolled(Authenticator())


def test_the_credential_that_is_named_is_the_one_that_was_made() -> None:
    given = Authenticator().create(ASKED).model_copy(update={"credential_id": write(b"another")})
    with pytest.raises(NotProved):
        passkeys.enrolment(given, CHALLENGE, HERE)


@pytest.mark.parametrize(
    ("stored", "said", "back"),
    [(0, 0, False), (0, 1, False), (4, 5, False), (4, 4, True), (4, 3, True), (4, 0, True)],
)
def test_a_counter_goes_on(stored: int, said: int, back: bool) -> None:
    assert passkeys.went_back(stored, said) is back


def test_bytes_have_one_spelling() -> None:
    assert passkeys.read(write(b"\xfb\xff")) == b"\xfb\xff"
    for text in ("-_9", "A", "AB"):
        with pytest.raises(NotProved):
            passkeys.read(text)
    for text in ("AA==", "+/", "", "A A"):
        with pytest.raises(ValidationError):
            Attestation(challenge_id="c", name="n", credential_id=text, client_data="AA", attestation="AA")


def test_nobody_answers_with_what_is_somebody_elses() -> None:
    mine, theirs = enrolled(Authenticator()), enrolled(Authenticator())
    assert passkeys.of_credential([mine], mine.credential_id) is mine
    with pytest.raises(NotProved):
        passkeys.of_credential([mine], theirs.credential_id)


@pytest.mark.parametrize(
    ("site", "origin", "ours"),
    [
        (HERE, "http://localhost", True),
        (HERE, "http://localhost:8443", True),
        (HERE, "https://localhost:8443", True),
        (HERE, "http://127.0.0.1:8000", False),
        (HERE, "http://user@localhost", False),
        (THERE, "https://concordat.example", True),
        (THERE, "http://concordat.example", False),
        (THERE, "https://concordat.example:8443", False),
        (THERE, "http://localhost", False),
    ],
)
def test_our_own_pages_are_at_our_own_addresses(site: Site, origin: str, ours: bool) -> None:
    assert site.has(origin) is ours


@pytest.mark.parametrize(
    ("rp_id", "origin", "fits"),
    [
        ("concordat.example", "https://app.concordat.example", True),
        ("app.concordat.example", "https://concordat.example", False),
        ("concordat.example", "https://evilconcordat.example", False),
        ("concordat.example", "https://concordat.example/", False),
        ("concordat.example", "concordat.example", False),
        ("localhost", "http://localhost:8000", True),
    ],
)
def test_where_browsers_make_passkeys_for_a_site(rp_id: str, origin: str, fits: bool) -> None:
    assert within(rp_id, origin) is fits


def settings(**given: Any) -> SharingSettings:
    return SharingSettings(rabbitmq_url="amqp://localhost", **given)


def test_an_operator_says_for_which_address_passkeys_are_made() -> None:
    assert settings().passkey_site == HERE
    assert settings(http_host="0.0.0.0").passkey_site is None
    both = {"passkey_rp_id": "concordat.example", "passkey_origins": "https://concordat.example"}
    assert settings(http_host="0.0.0.0", **both).passkey_site == THERE
    for wrong in (
        {"passkey_rp_id": "concordat.example"},
        {"passkey_origins": "https://concordat.example"},
        {**both, "passkey_origins": "https://concordat.example,http://concordat.example"},
        {**both, "passkey_rp_id": "https://concordat.example"},
    ):
        with pytest.raises(ValidationError):
            settings(**wrong)
