"""Which ID tokens are believed: real signatures, made by hand, most of them wrong in one thing."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from authlib.oidc.core.util import create_half_hash
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from joserfc.jws import JWSRegistry

from services.sharing.domain.id_tokens import ALGORITHMS, Expected, UnknownKey, keys_of, verify
from services.sharing.domain.sign_ins import NotBelieved, asserted, is_same
from services.sharing.domain.tokens import session_secret
from tests.unit.sharing.people import NOW

ISSUER, CLIENT = "https://id.police.example", "concordat-1"
RSA = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
KEYS = keys_of({"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]})
EXPECTED = Expected(ISSUER, CLIENT, "the-nonce", "the-access-token")
SECONDS = int(NOW.timestamp())


def claims(**more: Any) -> dict[str, Any]:
    given = {
        "iss": ISSUER,
        "sub": "subject-1",
        "aud": CLIENT,
        "exp": SECONDS + 300,
        "iat": SECONDS - 1,
        "nonce": "the-nonce",
    }
    return {name: value for name, value in {**given, **more}.items() if value is not None}


def token(body: dict[str, Any], key: Any = RSA, algorithm: str = "RS256", **header: Any) -> str:
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jwt.encode({"alg": algorithm, "kid": key.kid, **header}, body, key, registry=registry)


def plain(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    """By hand, as no library would make it."""
    parts = [json.dumps(header).encode(), json.dumps(body).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_a_token_that_is_right_is_believed() -> None:
    assert verify(token(claims()), KEYS, EXPECTED, NOW)["sub"] == "subject-1"
    assert verify(token(claims(), EC, "ES256"), KEYS, EXPECTED, NOW)["sub"] == "subject-1"
    assert verify(token(claims(), RSA, "PS256", x5t="abc"), KEYS, EXPECTED, NOW)
    several = claims(aud=[CLIENT, "another"], azp=CLIENT)
    assert verify(token(several), KEYS, EXPECTED, NOW)
    hashed = create_half_hash("the-access-token", "RS256").decode()
    assert verify(token(claims(at_hash=hashed)), KEYS, EXPECTED, NOW)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"iss": "https://id.evil.example"}, "claim_iss"),
        ({"iss": ISSUER + "/"}, "claim_iss"),
        ({"iss": None}, "claim_iss"),
        ({"aud": "another"}, "claim_aud"),
        ({"aud": ["another"]}, "claim_aud"),
        ({"aud": None}, "claim_aud"),
        ({"aud": [CLIENT, "another"]}, "claim_azp"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "claim_azp"),
        ({"azp": "another"}, "claim_azp"),
        ({"exp": SECONDS - 61}, "claim"),
        ({"exp": "never"}, "claim_exp"),
        ({"exp": None}, "claim_exp"),
        ({"iat": SECONDS + 120}, "claim"),
        ({"iat": SECONDS - 3600}, "claim_iat"),
        ({"iat": None}, "claim_iat"),
        ({"nbf": SECONDS + 120}, "claim_nbf"),
        ({"nonce": "another"}, "claim_nonce"),
        ({"nonce": None}, "claim_nonce"),
        ({"sub": None}, "claim_sub"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "claim_at_hash"),
    ],
)
def test_one_wrong_claim_is_enough(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotBelieved) as refused:
        verify(token(claims(**wrong)), KEYS, EXPECTED, NOW)
    assert refused.value.reason.startswith(reason)


def test_a_token_without_a_signature_is_nothing() -> None:
    for algorithm in ("none", "None", "NONE", ""):
        for made in (plain({"alg": algorithm}, claims()), plain({"alg": algorithm, "kid": "one"}, claims())):
            with pytest.raises(NotBelieved):
                verify(made, KEYS, EXPECTED, NOW)


def test_a_public_key_is_no_shared_secret() -> None:
    """The old confusion: HS256, keyed with what everybody can read."""
    for known in (RSA.as_pem(private=False), json.dumps(RSA.as_dict(private=False)).encode()):
        said = plain({"alg": "HS256", "kid": "one"}, claims()).rpartition(".")[0]
        signature = hmac.digest(known, said.encode(), "sha256")
        made = f"{said}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        with pytest.raises(NotBelieved):
            verify(made, KEYS, EXPECTED, NOW)


def test_no_algorithm_with_a_shared_secret_is_allowed_and_no_such_key_is_taken() -> None:
    assert not any(name.startswith("HS") or name == "none" for name in ALGORITHMS)
    shared = OctKey.import_key("client-secret-client-secret-client", {"kid": "three"})
    published = keys_of({"keys": [shared.as_dict(private=True), RSA.as_dict(private=False)]})
    assert [key.kid for key in published] == ["one"]
    with pytest.raises(NotBelieved):
        verify(token(claims(), shared, "HS256"), published, EXPECTED, NOW)


def test_another_key_of_the_same_name_signs_nothing() -> None:
    with pytest.raises(NotBelieved) as refused:
        verify(token(claims(), OTHER), KEYS, EXPECTED, NOW)
    assert not isinstance(refused.value, UnknownKey)


def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    with pytest.raises(NotBelieved):
        verify(token(claims(), OTHER, jwk=OTHER.as_dict(private=False)), KEYS, EXPECTED, NOW)
    with pytest.raises(NotBelieved):
        verify(token(claims(), OTHER, jku="https://id.evil.example/jwks"), KEYS, EXPECTED, NOW)


def test_a_key_that_is_not_known_is_told_apart_so_that_it_is_looked_for() -> None:
    new = RSAKey.generate_key(2048, {"kid": "new"})
    with pytest.raises(UnknownKey):
        verify(token(claims(), new), KEYS, EXPECTED, NOW)


def test_a_changed_body_is_not_what_was_signed() -> None:
    head, _, signature = token(claims()).split(".")
    other = plain({}, claims(sub="subject-2")).split(".")[1]
    with pytest.raises(NotBelieved):
        verify(f"{head}.{other}.{signature}", KEYS, EXPECTED, NOW)


@pytest.mark.parametrize("made", [None, 7, "", "a.b", "a.b.c", "....", "x" * 40_000, "é.é.é", "e30.e30.e30"])
def test_what_is_no_token_is_refused(made: object) -> None:
    with pytest.raises(NotBelieved):
        verify(made, KEYS, EXPECTED, NOW)


@pytest.mark.parametrize("published", [None, [], {}, {"keys": "x"}])
def test_what_is_no_set_of_keys_is_refused(published: object) -> None:
    with pytest.raises(NotBelieved):
        keys_of(published)


def test_keys_that_cannot_be_read_are_left_out() -> None:
    enc = {**RSA.as_dict(private=False), "use": "enc"}
    assert list(keys_of({"keys": [{"kty": "RSA"}, {"kty": "AKP"}, "x", enc]})) == []
    with pytest.raises(NotBelieved):
        verify(token(claims()), KeySet([]), EXPECTED, NOW)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ({"email": "a@b.example", "email_verified": True}, "a@b.example"),
        ({"email": "a@b.example", "email_verified": "true"}, None),
        ({"email": "a@b.example", "email_verified": False}, None),
        ({"email": "a@b.example"}, None),
        ({"email_verified": True}, None),
        ({"email": 7, "email_verified": True}, None),
    ],
)
def test_an_address_counts_only_when_it_is_said_to_be_verified(said: Any, value: str | None) -> None:
    assert asserted({"sub": "s", **said}, "email", ()).value == value


def test_a_second_factor_counts_where_the_agency_says_so() -> None:
    said = {"sub": "s", "preferred_username": "fiona", "amr": ["pwd", "mfa"], "acr": "gold"}
    assert asserted(said, "preferred_username", ()).strong is False
    assert asserted(said, "preferred_username", ("mfa",)).strong is True
    assert asserted(said, "preferred_username", ("gold",)).strong is True
    assert asserted(said, "preferred_username", ("otp",)).strong is False
    assert asserted({**said, "amr": "mfa", "acr": 1}, "preferred_username", ("mfa", "1")).strong is False


def test_a_subject_is_a_text_of_255_characters_at_most() -> None:
    for subject in ("", "s" * 256, 7, None):
        with pytest.raises(NotBelieved):
            asserted({"sub": subject}, "email", ())


def test_the_session_of_one_attempt_has_one_secret_and_no_other_has_it() -> None:
    first = session_secret("state", "a" * 64)
    assert first == session_secret("state", "a" * 64)
    assert len({first, session_secret("state", "b" * 64), session_secret("other", "a" * 64)}) == 3
    assert len(first) == 43


def test_what_is_nested_without_end_is_refused_like_everything_else() -> None:
    deep = b"[" * 20_000
    head = base64.urlsafe_b64encode(deep).rstrip(b"=").decode()
    signed = jws.serialize_compact({"alg": "RS256", "kid": "one"}, deep, RSA)
    for made in (f"{head}.e30.e30", signed):
        with pytest.raises(NotBelieved):
            verify(made, KEYS, EXPECTED, NOW)


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("kim@police.example", "Kim@Police.example", True),
        ("zoë@police.example", "zoë@police.example", True),
        ("zoë@police.example", "ZOË@police.example", False),
        ("kim@police.example", "\u212aim@police.example", False),  # Kelvin
        ("kim@police.example", "ｋim@police.example", False),  # noqa: RUF001
        ("kim@police.example", "k\u00adim@police.example", False),
        ("kim@police.example", "kím@police.example", False),
    ],
)
def test_what_only_looks_alike_is_another_address(ours: str, theirs: str, same: bool) -> None:
    assert is_same(ours, theirs) is same
