"""Tokens, codes, networks, limits: the small parts of knowing somebody."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from services.contracts.errors import IfMatchRequired, Invalid, RateLimited, Stale
from services.contracts.sharing.sessions import Credentials
from services.sharing.domain import etags, limits, sessions, tokens, totp
from services.sharing.domain.clients import Secret, check_networks, from_here, rotated, usable
from services.sharing.domain.words import key_of, words_of
from services.sharing.fakes import FakeAttemptStore
from services.sharing.settings import SharingSettings
from tests.unit.sharing.people import DAY, NOW


def test_a_token_leads_to_its_principal_and_is_kept_hashed() -> None:
    token = tokens.make("u", "0199-abc")
    assert tokens.read(token.text) == token
    assert tokens.matches(token.secret, token.hash)
    assert token.secret not in token.hash
    assert len(token.secret) >= 43


@pytest.mark.parametrize("text", [None, "", "x", "u1", "u.secret", "z1.secret", "u1.", f"u{'1' * 70}.s"])
def test_what_is_no_token_is_nobody(text: str | None) -> None:
    assert tokens.read(text) is None


def test_codes_of_the_neighbouring_steps_are_taken() -> None:
    secret, present = totp.new_secret(), int(NOW.timestamp()) // 30
    for step in (present - 1, present, present + 1):
        assert totp.step_of(secret, pyotp.TOTP(secret).at(step * 30), NOW) == step
    for step in (present - 2, present + 2):
        assert totp.step_of(secret, pyotp.TOTP(secret).at(step * 30), NOW) is None


def test_the_code_of_rfc_6238_is_known() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # appendix B, SHA-1: 94287082 at 59 s
    assert pyotp.TOTP(secret).at(59) == "287082"


def test_recovery_codes_are_the_same_for_the_same_command_alone() -> None:
    codes = totp.recovery_codes("SECRET", "key")
    assert codes == totp.recovery_codes("SECRET", "key")
    assert len({*codes, *totp.recovery_codes("SECRET", "other"), *totp.recovery_codes("OTHER", "key")}) == 30
    assert totp.hash_recovery(codes[0]) == totp.hash_recovery(codes[0].lower().replace("-", ""))


def test_a_recovery_code_has_sixty_bits() -> None:
    for code in totp.recovery_codes(totp.new_secret(), "key"):
        assert re.fullmatch(r"[A-Z2-7]{6}-[A-Z2-7]{6}", code)


@pytest.mark.parametrize(
    ("networks", "address", "inside"),
    [
        ((), None, True),
        ((), "10.0.0.1", True),
        (("10.0.0.0/8",), "10.1.1.1", True),
        (("10.0.0.0/8",), "::ffff:10.1.1.1", True),
        (("10.0.0.0/8",), "11.1.1.1", False),
        (("10.0.0.0/8",), None, False),
        (("10.0.0.0/8",), "no address", False),
        (("2001:db8::/32", "192.0.2.7/32"), "2001:db8::1", True),
    ],
)
def test_a_client_comes_from_its_networks(networks: Any, address: str | None, inside: bool) -> None:
    assert from_here(networks, address) is inside


def test_networks_are_networks() -> None:
    assert check_networks(["10.0.0.0/8", "192.0.2.1"]) == ("10.0.0.0/8", "192.0.2.1/32")
    with pytest.raises(Invalid) as refused:
        check_networks(["10.0.0.0/8", "10.0.0.1/8", "x"])
    assert [one.pointer for one in refused.value.errors] == ["/networks/1", "/networks/2"]


def test_a_rotated_secret_works_for_the_overlap() -> None:
    after = rotated([Secret("one", None)], "two", NOW + DAY, NOW)
    assert after == (Secret("two", None), Secret("one", NOW + DAY))
    third = rotated(after, "three", NOW + 2 * DAY, NOW)
    assert third == (Secret("three", None), Secret("two", NOW + 2 * DAY), Secret("one", NOW + DAY))
    assert [one.hash for one in usable(third, NOW + DAY)] == ["three", "two"]
    assert rotated(after, "three", NOW, NOW) == (Secret("three", None),)


def test_names_are_found_without_case_and_accents() -> None:
    assert words_of("Zoë O'Brien-Łuc, Zoë") == ["zoe", "o", "brien", "łuc"]
    assert key_of(" Éva ") == "eva"


def test_failures_are_borne_for_a_quarter_of_an_hour() -> None:
    store, key = FakeAttemptStore(), limits.of_username("Fiona")
    assert key == limits.of_username("fiona")
    assert "fiona" not in key
    for minute in range(limits.PER_USERNAME):
        store.begin([key], NOW + timedelta(minutes=minute))
    with pytest.raises(RateLimited) as refused:
        store.begin([key], NOW + timedelta(minutes=10))
    assert refused.value.retry_after == 5 * 60 + 1
    store.begin([key], NOW + timedelta(minutes=15))


def test_a_success_is_no_failure() -> None:
    store, keys = FakeAttemptStore(), [limits.of_username("fiona"), limits.of_address("10.0.0.1")]
    for _ in range(3 * limits.PER_USERNAME):
        store.forgive(keys, store.begin(keys, NOW))


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        ({"username": "u", "password": "p"}, None),
        ({"username": "u", "password": "p", "totp": "123456"}, None),
        ({"client_id": "c", "client_secret": "s"}, None),
        ({}, ["/password", "/username"]),
        ({"username": "u"}, ["/password"]),
        ({"client_id": "c"}, ["/client_secret"]),
        ({"client_id": "c", "client_secret": "s", "totp": "1"}, ["/totp"]),
        ({"username": "u", "password": "p", "client_id": "c"}, ["/password", "/username", "/client_secret"]),
    ],
)
def test_credentials_are_of_one_kind(given: dict[str, str], pointers: list[str] | None) -> None:
    if pointers is None:
        assert sessions.is_client(Credentials(**given)) is ("client_id" in given)
    else:
        with pytest.raises(Invalid) as refused:
            sessions.is_client(Credentials(**given))
        assert [one.pointer for one in refused.value.errors] == pointers


def test_an_etag_is_asked_for_and_compared() -> None:
    etags.check('W/"other", "v3"', "v3")
    etags.check("v3", "v3")
    with pytest.raises(IfMatchRequired):
        etags.check(None, "v3")
    with pytest.raises(Stale) as refused:
        etags.check('"v2"', "v3")
    assert refused.value.etag == "v3"


def test_the_demonstration_is_on_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_URL", "amqp://localhost")
    assert SharingSettings(service="sharing", demo=True).limits.demo
    with pytest.raises(ValueError, match="CONCORDAT_DEMO"):
        SharingSettings(service="sharing", demo=True, http_host="0.0.0.0")
