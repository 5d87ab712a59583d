"""Signing in by an agency's own provider: a real one, one that lies, and everybody who must not come in."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pyotp
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.contracts.errors import (
    AccountDisabled,
    AgencySuspended,
    BadCredentials,
    ConcordatError,
    Invalid,
    NotVisible,
    ProviderAway,
    RateLimited,
    RoleRequired,
    SignInFailed,
    Stale,
    TotpRequired,
    UrlNotAllowed,
)
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.identity_providers import (
    GetIdentityProvider,
    ProviderBody,
    PutIdentityProvider,
    RemoveIdentityProvider,
)
from services.contracts.sharing.people import GetUser, ResetUser
from services.contracts.sharing.sessions import Credentials, LogIn
from services.sharing.domain.people import User
from tests.cell import Parts
from tests.identity_provider import CALLBACK, HostileProvider, RealProvider
from tests.integration.calling import Calling
from tests.integration.federation import Federation, federated, finishing, verified
from tests.integration.partnership import Person

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federated(parts, calling, tmp_path_factory.mktemp("logs"), CONCORDAT_DEMO="true") as made:
        yield made


@pytest.fixture(scope="module")
def admin(world: Federation) -> Person:
    return world.administrator(world.police)


@pytest.fixture(scope="module")
def real(world: Federation) -> Iterator[RealProvider]:
    with RealProvider(f"{CALLBACK}/{world.police.id}") as provider:
        yield provider


@pytest.fixture
def liar(world: Federation, admin: Person) -> Iterator[HostileProvider]:
    with HostileProvider() as provider:
        yield provider


@pytest.fixture
def alias(world: Federation, admin: Person, liar: HostileProvider) -> str:
    return world.set_provider(admin, liar)


def me(world: Federation, user: User, session: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = Person(world, user, session["token"]).ask("me", GetMe())
    return found


def test_an_invited_person_comes_in_by_a_real_provider_and_is_known_by_it_from_then_on(
    world: Federation, admin: Person, real: RealProvider
) -> None:
    alias = world.set_provider(admin, real)
    user = world.invite(world.police)
    real.person("subject-1", **verified(user))
    begun = world.begin(alias)
    assert begun["host"] == f"127.0.0.1:{real.port}"
    session = world.finish(begun, real.sign_in(begun["url"], "subject-1"))
    assert session["must"] == ["sign_procedure"]
    assert me(world, user, session)["user"]["id"] == user.id
    row = world.row(user)
    assert (row["state"], row["password"], row["activation"]) == ("active", None, None)
    assert row["identity"]["subject"] == "subject-1"
    # Another address now, at the provider: it is the subject that counts.
    real.person("subject-1", email="elsewhere@police.example", email_verified=False)
    begun = world.begin(alias)
    again = world.finish(begun, real.sign_in(begun["url"], "subject-1"))
    assert me(world, user, again)["user"]["id"] == user.id
    told = [(one.action, one.outcome) for one in world.recorded(Person(world, user, ""))]
    assert told == [("user.activate", "done"), ("session.sign_in", "done"), ("session.sign_in", "done")]


def test_a_code_that_the_provider_did_not_give_is_worth_nothing(
    world: Federation, admin: Person, real: RealProvider
) -> None:
    alias = world.set_provider(admin, real)
    begun = world.begin(alias)
    with pytest.raises(SignInFailed):
        world.finish(begun, {"code": "made-up", "state": begun["state"]})


def test_nobody_is_made_by_a_provider(world: Federation, alias: str, liar: HostileProvider) -> None:
    before = world.database["users"].count_documents({})
    begun = world.begin(alias)
    with pytest.raises(SignInFailed):
        world.finish(
            begun, liar.sign_in(begun["url"], "s-0", email="nobody@police.example", email_verified=True)
        )
    assert world.database["users"].count_documents({}) == before


def test_a_provider_speaks_for_its_own_agencys_people_alone(
    world: Federation, alias: str, liar: HostileProvider
) -> None:
    other = world.invite(world.homes)
    begun = world.begin(alias)
    with pytest.raises(SignInFailed):
        world.finish(begun, liar.sign_in(begun["url"], "s-1", **verified(other)))
    assert world.row(other)["state"] == "invited"


def test_a_subject_of_another_agency_is_nobody_here(
    world: Federation, alias: str, liar: HostileProvider
) -> None:
    """Two agencies with one provider: who is bound in the one is not let in by the other."""
    homes = world.set_provider(world.administrator(world.homes), liar)
    tenant = world.invite(world.homes)
    begun = world.begin(homes)
    world.finish(begun, liar.sign_in(begun["url"], "tenant", **verified(tenant)))
    begun = world.begin(alias)
    with pytest.raises(SignInFailed):
        world.finish(begun, liar.sign_in(begun["url"], "tenant", **verified(tenant)))
    # And a code for the one agency's sign-in is none for the other's.
    mine, theirs = world.begin(alias), world.begin(homes)
    came = liar.sign_in(theirs["url"], "tenant")
    with pytest.raises(SignInFailed):
        world.finish(mine, {**came, "state": mine["state"]})


def unsigned(given: dict[str, Any]) -> str:
    parts = [json.dumps({"alg": "none"}).encode(), json.dumps(given).encode(), b""]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def with_its_public_key(liar: HostileProvider) -> Callable[[dict[str, Any]], str]:
    def sign(given: dict[str, Any]) -> str:
        parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "one"}, given)]
        said = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        signature = hmac.digest(liar.key.as_pem(private=False), said.encode(), "sha256")
        return f"{said}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    return sign


def with_another_key(_: HostileProvider) -> Callable[[dict[str, Any]], str]:
    key = RSAKey.generate_key(2048, {"kid": "one"})
    return lambda given: jwt.encode({"alg": "RS256", "kid": "one"}, given, key)


@pytest.mark.parametrize(
    "sign", [lambda _: unsigned, with_its_public_key, with_another_key], ids=["none", "hs256", "other_key"]
)
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    world: Federation, alias: str, liar: HostileProvider, sign: Any
) -> None:
    user = world.invite(world.police)
    liar.sign = sign(liar)
    begun = world.begin(alias)
    with pytest.raises(SignInFailed):
        world.finish(begun, liar.sign_in(begun["url"], "s-2", **verified(user)))
    assert world.row(user)["sessions"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://id.other.example"},
        {"exp": 1_700_000_000},
        {"iat": 1_700_000_000},
        {"azp": "another"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": None},
        {"sub": ""},
    ],
    ids=str,
)
def test_a_token_with_one_thing_wrong_lets_nobody_in(
    world: Federation, alias: str, liar: HostileProvider, wrong: dict[str, Any]
) -> None:
    user = world.invite(world.police)
    begun = world.begin(alias)
    with pytest.raises(SignInFailed):
        world.finish(begun, liar.sign_in(begun["url"], "s-3", **{**verified(user), **wrong}))
    row = world.row(user)
    assert (row["state"], row["sessions"], row.get("identity")) == ("invited", [], None)


def test_an_address_is_bound_to_one_subject(world: Federation, alias: str, liar: HostileProvider) -> None:
    user = world.invite(world.police)
    for subject, fine in (("first", True), ("second", False), ("first", True)):
        begun = world.begin(alias)
        came = liar.sign_in(begun["url"], f"{subject}-{user.id}", **verified(user))
        if fine:
            assert me(world, user, world.finish(begun, came))["user"]["id"] == user.id
        else:
            with pytest.raises(SignInFailed):
                world.finish(begun, came)


def test_a_reset_lets_the_provider_name_its_user_anew(
    world: Federation, admin: Person, alias: str, liar: HostileProvider
) -> None:
    user = world.invite(world.police)
    begun = world.begin(alias)
    session = world.finish(begun, liar.sign_in(begun["url"], f"old-{user.id}", **verified(user)))
    admin.tell("reset_user", ResetUser(user_id=user.id))
    with pytest.raises(ConcordatError):
        me(world, user, session)
    begun = world.begin(alias)
    world.finish(begun, liar.sign_in(begun["url"], f"new-{user.id}", **verified(user)))
    assert world.row(user)["identity"]["subject"] == f"new-{user.id}"


def test_the_state_is_used_once_and_by_the_browser_that_began(
    world: Federation, alias: str, liar: HostileProvider
) -> None:
    user = world.invite(world.police)
    begun, other = world.begin(alias), world.begin(alias)
    came = liar.sign_in(begun["url"], f"once-{user.id}", **verified(user))
    # Another browser, which was led here with somebody else's code, or has only heard of the state.
    with pytest.raises(SignInFailed):
        world.finish(begun, came, binding=other["binding"])
    with pytest.raises(SignInFailed):
        world.finish(other, {**came, "state": other["state"]})  # the code of another sign-in: PKCE
    assert liar.refused == ["pkce"]
    begun = world.begin(alias)
    came = liar.sign_in(begun["url"], f"once-{user.id}", **verified(user))
    world.finish(begun, came)
    with pytest.raises(SignInFailed):
        world.finish(begun, came)


def test_what_is_delivered_twice_is_one_session(world: Federation, alias: str, liar: HostileProvider) -> None:
    user, going, go = world.invite(world.police), threading.Event(), threading.Event()

    def wait() -> None:
        going.set()
        go.wait(10)

    liar.before = wait
    begun = world.begin(alias)
    request = finishing(begun, liar.sign_in(begun["url"], f"twice-{user.id}", **verified(user)))
    first = world.calling.begin("sharing.finish_sign_in", request)
    assert going.wait(10)
    second = world.calling.begin("sharing.finish_sign_in", request)
    go.set()
    told = [first.result(20), second.result(20)]
    assert told[0]["token"] == told[1]["token"]
    assert told[0]["id"] == told[1]["id"]
    assert len(world.row(user)["sessions"]) == 1
    assert liar.asked.count("/token_endpoint") == 1
    assert me(world, user, told[0])["user"]["id"] == user.id


def test_who_may_not_log_in_is_told_why_only_by_its_provider(
    world: Federation, alias: str, liar: HostileProvider
) -> None:
    user = world.invite(world.police, state="disabled")
    begun = world.begin(alias)
    with pytest.raises(AccountDisabled):
        world.finish(begun, liar.sign_in(begun["url"], f"gone-{user.id}", **verified(user)))
    assert world.row(user).get("identity") is None
    user = world.invite(world.police)
    name = f"agencies.{world.police.id}.state"
    standing = world.database["standing"]
    standing.update_one({"_id": "standing"}, {"$set": {name: "suspended"}, "$inc": {"version": 1}})
    try:
        begun = world.begin(alias)
        with pytest.raises(AgencySuspended):
            world.finish(begun, liar.sign_in(begun["url"], f"shut-{user.id}", **verified(user)))
    finally:
        standing.update_one({"_id": "standing"}, {"$set": {name: "active"}, "$inc": {"version": 1}})
    assert world.row(user)["sessions"] == []


def test_nobody_with_a_role_beyond_the_agency_is_vouched_for_by_it(
    world: Federation, alias: str, liar: HostileProvider
) -> None:
    for role in ("security_manager", "partnership_dpo", "system_operator"):
        user = world.invite(world.police, role=role)
        begun = world.begin(alias)
        with pytest.raises(SignInFailed):
            world.finish(begun, liar.sign_in(begun["url"], f"{role}-{user.id}", **verified(user)))
        assert world.row(user)["state"] == "invited"


def test_an_authenticator_is_asked_for_unless_the_providers_word_counts(
    world: Federation, admin: Person, alias: str, liar: HostileProvider
) -> None:
    user, secret = world.invite(world.police, state="active"), pyotp.random_base32()
    totp = {"secret": secret, "last_step": 0, "last_request": None}
    world.database["users"].update_one({"_id": user.id}, {"$set": {"totp": totp}})
    said = {**verified(user), "amr": ["pwd", "mfa"]}
    begun = world.begin(alias)
    with pytest.raises(TotpRequired):
        world.finish(begun, liar.sign_in(begun["url"], f"code-{user.id}", **said))
    with pytest.raises(SignInFailed):
        world.finish(begun, {"code": "again", "state": begun["state"]})
    with pytest.raises(BadCredentials):
        world.finish(begun, totp="000000")
    with pytest.raises(SignInFailed):
        world.finish(begun, totp=pyotp.TOTP(secret).now(), binding="b" * 43)
    session = world.finish(begun, totp=pyotp.TOTP(secret).now())
    assert me(world, user, session)["user"]["id"] == user.id
    with pytest.raises(SignInFailed):
        world.finish(begun, totp=pyotp.TOTP(secret).at(int(time.time()) + 30))
    alias = world.set_provider(admin, liar, second_factors=["mfa"])
    begun = world.begin(alias)
    session = world.finish(begun, liar.sign_in(begun["url"], f"code-{user.id}", **said))
    assert world.row(user)["sessions"][-1]["strong"] is True


def test_a_provider_that_does_not_answer_as_it_should_is_away(
    world: Federation, admin: Person, alias: str, liar: HostileProvider
) -> None:
    for wrong in (
        {"issuer": "https://id.other.example"},
        {"token_endpoint": "https://10.0.0.1/token"},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
    ):
        liar.metadata = wrong
        with pytest.raises(ProviderAway):
            world.begin(alias)
    liar.metadata = {"authorization_response_iss_parameter_supported": True}
    begun = world.begin(alias)
    came = liar.sign_in(begun["url"], "s-4")
    with pytest.raises(SignInFailed):
        world.finish(begun, came)  # it always says who it is: here nobody did
    gone = world.set_provider(admin, liar, issuer="http://127.0.0.1:1025")
    with pytest.raises(ProviderAway):
        world.begin(gone)


def test_a_key_that_is_new_is_looked_for_but_not_again_and_again(
    world: Federation, alias: str, liar: HostileProvider
) -> None:
    user = world.invite(world.police)
    for kid, fine in (("one", True), ("two", True), ("three", False)):
        liar.key = RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}) if kid != "one" else liar.key
        begun = world.begin(alias)
        came = liar.sign_in(begun["url"], f"key-{user.id}", **verified(user))
        if fine:
            world.finish(begun, came)
        else:
            with pytest.raises(SignInFailed):
                world.finish(begun, came)
    assert liar.asked.count("/jwks_uri") == 2
    assert liar.asked.count("/.well-known/openid-configuration") == 1


def test_a_provider_that_is_changed_or_taken_away_finishes_nothing_that_was_begun(
    world: Federation, admin: Person, alias: str, liar: HostileProvider
) -> None:
    user = world.invite(world.police)
    begun = world.begin(alias)
    came = liar.sign_in(begun["url"], f"late-{user.id}", **verified(user))
    admin.tell("remove_identity_provider", RemoveIdentityProvider(agency_id=world.police.id))
    with pytest.raises(SignInFailed):
        world.finish(begun, came)
    with pytest.raises(NotVisible):
        world.begin(alias)
    assert (
        admin.ask("get_identity_provider", GetIdentityProvider(agency_id=world.police.id))["state"] == "off"
    )


def test_a_provider_is_the_agencys_own_administrators_to_set_and_its_secret_is_never_shown(
    world: Federation, admin: Person, alias: str, liar: HostileProvider
) -> None:
    police = GetIdentityProvider(agency_id=world.police.id)
    shown = admin.ask("get_identity_provider", police)
    assert (shown["alias"], shown["issuer"]) == (alias, liar.issuer)
    row = world.database["identity_providers"].find_one({"_id": world.police.id})
    assert liar.client_secret not in json.dumps([shown, {**row, "updated_at": ""}], default=repr)
    with pytest.raises(NotVisible):
        world.administrator(world.homes).ask("get_identity_provider", police)
    with pytest.raises(RoleRequired):
        world.person(world.police, "Pat Practitioner").ask("get_identity_provider", police)

    def put(if_match: str = "*", **more: Any) -> None:
        given = {"alias": alias, "issuer": liar.issuer, "client_id": liar.client_id, **more}
        body = PutIdentityProvider(
            agency_id=world.police.id, if_match=if_match, provider=ProviderBody(**given)
        )
        admin.tell("put_identity_provider", body)

    with pytest.raises(Stale):
        put('"v0"')
    present = f'"{shown["etag"]}"'
    for issuer in (
        "http://id.example.org",
        "https://10.0.0.1",
        "https://localhost",
        "https://a.example.org/?x",
    ):
        with pytest.raises(UrlNotAllowed):
            put(present, issuer=issuer, client_secret="x")
    with pytest.raises(Invalid) as refused:
        put(present, issuer="https://id.example.org")  # the kept secret goes to nobody else
    assert [one.pointer for one in refused.value.errors] == ["/client_secret"]
    taken = world.set_provider(world.administrator(world.charity), liar)
    with pytest.raises(Invalid) as refused:
        put(present, alias=taken)
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/alias", "alias_taken")]
    put(present, claim="preferred_username")  # without a secret: the present one stays


def test_a_user_name_may_be_what_counts(world: Federation, admin: Person, liar: HostileProvider) -> None:
    alias = world.set_provider(admin, liar, claim="preferred_username")
    user = world.invite(world.police)
    begun = world.begin(alias)
    came = liar.sign_in(begun["url"], f"name-{user.id}", preferred_username=user.username.upper())
    world.finish(begun, came)
    assert admin.ask("get_user", GetUser(user_id=user.id))["state"] == "active"


def test_two_people_with_one_address_are_both_nobody(
    world: Federation, alias: str, liar: HostileProvider
) -> None:
    first = world.invite(world.police)
    world.invite(world.police, email=first.email.upper())
    begun = world.begin(alias)
    with pytest.raises(SignInFailed):
        world.finish(begun, liar.sign_in(begun["url"], f"both-{first.id}", **verified(first)))


def test_sign_ins_that_come_to_nothing_are_counted_against_their_address(
    world: Federation, alias: str
) -> None:
    address = f"198.51.100.{uuid.uuid4().int % 250}"
    for _ in range(300):
        world.begin(alias, address)
    with pytest.raises(RateLimited):
        world.begin(alias, address)
    # Passwords are counted apart: a page that begins sign-ins in the browsers of an agency locks nobody out.
    given = Credentials(username="nobody.at.all", password="never was right")
    with pytest.raises(BadCredentials):
        world.calling.ask("sharing.log_in", LogIn(credentials=given, address=address))


def test_what_is_left_of_a_sign_in_goes_by_itself(world: Federation, alias: str) -> None:
    world.begin(alias)
    (index,) = [
        one for one in world.database["sign_ins"].list_indexes() if one.get("expireAfterSeconds") is not None
    ]
    assert (index["key"], index["expireAfterSeconds"]) == ({"ends_at": 1}, 60)
