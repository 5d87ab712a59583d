"""Log-in, step by step: what is told to whom, in which order, and what is written down of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher

from services.chassis import context, offload
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.contracts.errors import (
    AccountDisabled,
    AgencySuspended,
    BadCredentials,
    ProcedureUnsigned,
    ProtocolExpired,
    ProtocolNotActive,
    RateLimited,
    TotpRequired,
)
from services.contracts.records import Record
from services.contracts.sharing.sessions import Credentials, LogIn, SessionCreated
from services.sharing.domain import tokens, totp
from services.sharing.domain.clients import Secret
from services.sharing.domain.people import Appointment
from services.sharing.domain.sessions import Limits
from services.sharing.fakes import (
    FakeAttemptStore,
    FakeAuthorityStore,
    FakeIdentityProviderStore,
    FakePrincipalStore,
)
from services.sharing.handlers.sessions import _NOBODY, Sessions
from services.sharing.stores.principals import Locked
from tests.unit.sharing.people import DAY, NOW, POLICE, TODAY, client, protocol, provider, standing, user

PASSWORD = "quiet lanterns over the Tees"
HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
CODE = pyotp.TOTP(SECRET).at(int(NOW.timestamp()))


class Kept:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def keep(self, record: Record) -> None:
        self.records.append(record)


class Users:
    def __init__(self, *users: Any) -> None:
        self._users = {one.id: one for one in users}

    def known(self, ids: list[str]) -> dict[str, Any]:
        return {one: self._users[one] for one in ids if one in self._users}


class Desk(Sessions):
    """The handlers of sessions, on doubles and with a clock of ours."""

    def __init__(self, *, demo: bool = False, **how: Any) -> None:
        self.clock = NOW
        self.accounts = FakePrincipalStore()  # type: ignore[assignment]
        self.attempts = FakeAttemptStore()  # type: ignore[assignment]
        self.identity_providers = FakeIdentityProviderStore()  # type: ignore[assignment]
        self.authority = FakeAuthorityStore(standing(**how))  # type: ignore[assignment]
        self.records = Kept()  # type: ignore[assignment]
        self.users = Users(user())  # type: ignore[assignment]
        self.settings = type(  # type: ignore[assignment]
            "Settings", (), {"limits": Limits(timedelta(minutes=30), timedelta(hours=12), demo)}
        )()
        self.put()

    def put(self, **more: Any) -> None:
        recovery = more.pop("recovery", ())
        totp_secret = more.pop("totp_secret", SECRET)
        password = more.pop("password", PASSWORD)
        self.accounts.users["user-1"] = Locked(  # type: ignore[attr-defined]
            user=user(has_totp=totp_secret is not None, **more),
            password_hash=HASHER.hash(password) if password else None,
            totp_secret=totp_secret,
            totp_begun=None,
            recovery=recovery,
            activation_hash=None,
            activation_expires_at=None,
        )

    def now(self) -> datetime:
        return self.clock

    def try_(
        self, address: str | None = None, attempt: str | None = None, **credentials: str
    ) -> SessionCreated:
        return self.log_in(LogIn(credentials=Credentials(**credentials), address=address, attempt=attempt))

    @property
    def kept(self) -> list[tuple[str, str, str | None]]:
        return [(one.actor.id, one.outcome, one.code) for one in self.records.records]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def call(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Each log-in is a request of its own, unless a test says otherwise; hashing is done here and now."""
    monkeypatch.setattr(offload, "verify_password", offload._matches)
    monkeypatch.setattr(offload, "hash_password", HASHER.hash)
    monkeypatch.setattr(offload, "outdated", lambda stored: False)

    def another() -> None:
        context.enter(Context(uuid.uuid4().hex, Deadline.after(60)))

    another()
    yield another
    context._current.set(None)


def test_right_credentials_make_a_session() -> None:
    desk = Desk()
    told = desk.try_(username="FIONA", password=PASSWORD, totp=CODE)
    assert told.must == ()
    assert (told.expires_at, told.idle_expires_at) == (
        NOW + timedelta(hours=12),
        NOW + timedelta(minutes=30),
    )
    (session,) = desk.accounts.begun["user-1"]  # type: ignore[attr-defined]
    token = tokens.read(told.token)
    assert token is not None
    assert (token.principal_id, token.hash) == ("user-1", session.hash)
    assert desk.kept == [("user-1", "done", None)]


@pytest.mark.parametrize(
    ("given", "refusal", "actor"),
    [
        ({"username": "fiona", "password": "wrong"}, BadCredentials, "user-1"),
        ({"username": "nobody", "password": PASSWORD}, BadCredentials, "unknown"),
        ({"username": "fiona", "password": PASSWORD, "totp": "000000"}, BadCredentials, "user-1"),
        ({"username": "fiona", "password": "wrong", "totp": CODE}, BadCredentials, "user-1"),
    ],
)
def test_wrong_credentials_are_all_alike_and_written_down(given: Any, refusal: Any, actor: str) -> None:
    desk = Desk()
    with pytest.raises(refusal):
        desk.try_(**given)
    assert desk.kept == [(actor, "refused", "bad_credentials")]


@pytest.mark.parametrize(
    ("role", "passwords", "let_in"),
    [
        ("practitioner", "refused", False),
        ("practitioner", "allowed", True),
        ("agency_admin", "refused", True),
        ("security_manager", "refused", True),
    ],
)
def test_where_the_agencys_provider_signs_in_a_right_password_is_a_wrong_one(
    role: Any, passwords: Any, let_in: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not an administrator's, nor of those whom the provider never signs in."""
    desk, compared = Desk(), []
    monkeypatch.setattr(
        offload, "verify_password", lambda stored, given: not compared.append(stored) and given == PASSWORD
    )
    desk.put(roles=(Appointment(role),))
    desk.identity_providers.providers[POLICE] = provider(passwords=passwords)  # type: ignore[attr-defined]
    if let_in:
        assert desk.try_(username="fiona", password=PASSWORD, totp=CODE)
        return
    for code in (None, CODE):  # no code is asked for, which would say that the password was right
        with pytest.raises(BadCredentials):
            desk.try_(username="fiona", password=PASSWORD, **({"totp": code} if code else {}))
    assert compared == [_NOBODY, _NOBODY]
    assert desk.kept == [("user-1", "refused", "bad_credentials")] * 2
    assert not desk.accounts.begun  # type: ignore[attr-defined]


def test_an_administrators_appointment_that_is_over_lets_no_password_in() -> None:
    desk = Desk()
    desk.put(roles=(Appointment("agency_admin", None, TODAY - DAY), Appointment("practitioner")))
    desk.identity_providers.providers[POLICE] = provider()  # type: ignore[attr-defined]
    with pytest.raises(BadCredentials):
        desk.try_(username="fiona", password=PASSWORD, totp=CODE)


def test_an_unknown_name_costs_a_comparison_too(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def verify(stored: str, password: str) -> bool:
        compared.append(stored)
        return False

    monkeypatch.setattr(offload, "verify_password", verify)
    desk = Desk()
    desk.put(password=None, state="invited")
    for username in ("nobody", "fiona"):
        with pytest.raises(BadCredentials):
            desk.try_(username=username, password="anything")
    assert compared == [_NOBODY, _NOBODY]
    assert not PasswordHasher().check_needs_rehash(_NOBODY)
    assert offload._matches(_NOBODY, "anything") is False


def test_the_code_is_asked_for_before_anything_is_said_of_the_account() -> None:
    desk = Desk(police="suspended")
    desk.put(state="disabled")
    with pytest.raises(TotpRequired):
        desk.try_(username="fiona", password=PASSWORD)
    assert desk.kept == []


@pytest.mark.parametrize(
    ("who", "how", "refusal"),
    [
        ({"state": "disabled"}, {"police": "suspended"}, AccountDisabled),
        ({}, {"police": "suspended"}, AgencySuspended),
        ({}, {"police": "withdrawn"}, AgencySuspended),
        ({}, {"protocols": {"p": protocol(POLICE, ends_on=TODAY - DAY)}}, ProtocolExpired),
        ({}, {"protocols": {}}, ProtocolNotActive),
    ],
)
def test_the_reason_is_for_who_has_the_credentials(who: Any, how: Any, refusal: Any) -> None:
    desk = Desk(**how)
    desk.put(**who)
    with pytest.raises(BadCredentials):
        desk.try_(username="fiona", password="wrong", totp=CODE)
    with pytest.raises(refusal) as refused:
        desk.try_(username="fiona", password=PASSWORD, totp=CODE)
    assert desk.kept[-1] == ("user-1", "refused", refused.value.code)
    assert not desk.accounts.begun  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("who", "demo", "must"),
    [
        ({"totp_secret": None}, False, ("enrol_totp",)),
        ({"totp_secret": None}, True, ()),
        ({"totp_secret": None, "signature": None}, False, ("enrol_totp", "sign_procedure")),
        (
            {"totp_secret": None, "signature": None, "password": "password1234"},
            False,
            ("change_password", "enrol_totp", "sign_procedure"),
        ),
    ],
)
def test_what_is_still_to_do_is_said_in_order(who: Any, demo: bool, must: tuple[str, ...]) -> None:
    desk = Desk(demo=demo)
    desk.put(**who)
    told = desk.try_(username="fiona", password=who.get("password", PASSWORD))
    assert told.must == must
    locked = desk.accounts.users["user-1"]  # type: ignore[attr-defined]
    assert locked.user.must_change is ("change_password" in must)


def test_a_code_is_good_for_one_log_in_and_for_the_same_attempt_again() -> None:
    desk = Desk()
    for _ in range(2):
        desk.try_(attempt="one", username="fiona", password=PASSWORD, totp=CODE)
    with pytest.raises(BadCredentials):
        desk.try_(attempt="another", username="fiona", password=PASSWORD, totp=CODE)


def test_one_attempt_delivered_twice_is_one_session_whichever_answer_arrives() -> None:
    desk = Desk()
    first, second = [
        desk.try_(attempt="one", username="fiona", password=PASSWORD, totp=CODE) for _ in range(2)
    ]
    assert (first.id, first.token) == (second.id, second.token)
    (session,) = desk.accounts.begun["user-1"]  # type: ignore[attr-defined]
    token = tokens.read(first.token)
    assert token is not None
    assert (session.id, session.hash) == (first.id, token.hash)
    assert {attempt for _, attempt in desk.accounts.attempts} == {tokens.hashed("one")}  # type: ignore[attr-defined]


def test_every_entry_of_a_log_in_that_was_delivered_twice_names_the_session_that_there_is() -> None:
    desk = Desk()
    told = [desk.try_(attempt="one", username="fiona", password=PASSWORD, totp=CODE) for _ in range(2)]
    named = [one.objects[0].id for one in desk.records.records]  # type: ignore[attr-defined]
    assert named == [told[0].id] * 2
    desk.clock = NOW + timedelta(minutes=1)
    fresh = pyotp.TOTP(SECRET).at(int(desk.clock.timestamp()))
    other = desk.try_(attempt="two", username="fiona", password=PASSWORD, totp=fresh)
    assert other.id != told[0].id
    assert tokens.session_id("uuser-1", "one") != tokens.session_id("uuser-2", "one")


@pytest.mark.parametrize("code", [CODE, "ABCDEF-GHIJKL"])
def test_a_request_id_which_clients_choose_makes_no_code_good_again(code: str) -> None:
    desk = Desk()
    desk.put(recovery=(totp.hash_recovery(code),))
    desk.try_(username="fiona", password=PASSWORD, totp=code)
    with pytest.raises(BadCredentials):  # in the same call: under the same request id
        desk.try_(username="fiona", password=PASSWORD, totp=code)


def test_a_recovery_code_is_good_once(call: Callable[[], None]) -> None:
    desk, code = Desk(), "ABCDEF-GHIJKL"
    desk.put(recovery=(totp.hash_recovery(code),))
    assert desk.try_(username="fiona", password=PASSWORD, totp=code.lower())
    call()
    with pytest.raises(BadCredentials):
        desk.try_(username="fiona", password=PASSWORD, totp=code)


def test_who_gave_the_password_alone_is_asked_again_where_a_second_factor_was_enrolled_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    desk.put(totp_secret=None)

    def matches(stored: str, password: str) -> bool:
        desk.put()
        return offload._matches(stored, password)

    monkeypatch.setattr(offload, "verify_password", matches)
    with pytest.raises(TotpRequired):
        desk.try_(username="fiona", password=PASSWORD)
    assert not desk.accounts.begun  # type: ignore[attr-defined]


def test_ten_failures_shut_out_even_who_knows_the_password() -> None:
    desk = Desk()
    for _ in range(10):
        with pytest.raises(BadCredentials):
            desk.try_(username="fiona", password="wrong")
    with pytest.raises(RateLimited) as refused:
        desk.try_(username="Fiona", password=PASSWORD, totp=CODE)
    assert refused.value.retry_after == 15 * 60 + 1
    assert len(desk.kept) == 10
    desk.clock = NOW + timedelta(minutes=15)
    fresh = pyotp.TOTP(SECRET).at(int(desk.clock.timestamp()))
    assert desk.try_(username="fiona", password=PASSWORD, totp=fresh)


def test_three_hundred_failures_shut_out_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    monkeypatch.setattr(offload, "verify_password", lambda _stored, password: password == PASSWORD)
    for number in range(300):
        with pytest.raises(BadCredentials):
            desk.try_("192.0.2.1", username=f"nobody{number}", password="wrong")
    with pytest.raises(RateLimited):
        desk.try_("192.0.2.1", username="fiona", password=PASSWORD, totp=CODE)
    assert desk.try_("192.0.2.2", username="fiona", password=PASSWORD, totp=CODE)


class TestClients:
    @pytest.fixture
    def desk(self) -> Desk:
        desk = Desk()
        self.put(desk)
        return desk

    def put(self, desk: Desk, **more: Any) -> None:
        secrets = (
            Secret(tokens.hashed("present"), None),
            Secret(tokens.hashed("former"), NOW + DAY),
            Secret(tokens.hashed("over"), NOW),
        )
        desk.accounts.clients["client-1"] = client(**more), secrets  # type: ignore[attr-defined]

    @pytest.mark.parametrize("secret", ["present", "former"])
    def test_a_client_logs_in_with_a_secret_in_force(self, desk: Desk, secret: str) -> None:
        told = desk.try_(client_id="client-1", client_secret=secret)
        assert (told.must, told.token[:9]) == ((), "cclient-1")
        assert desk.kept == [("client-1", "done", None)]

    @pytest.mark.parametrize(
        ("client_id", "secret", "actor"),
        [("client-1", "over", "client-1"), ("client-1", "x", "client-1"), ("client-2", "present", "unknown")],
    )
    def test_anything_else_is_refused(self, desk: Desk, client_id: str, secret: str, actor: str) -> None:
        with pytest.raises(BadCredentials):
            desk.try_(client_id=client_id, client_secret=secret)
        assert desk.kept == [(actor, "refused", "bad_credentials")]

    def test_it_comes_from_its_networks(self, desk: Desk) -> None:
        self.put(desk, networks=("10.0.0.0/8",))
        with pytest.raises(BadCredentials):
            desk.try_("192.0.2.1", client_id="client-1", client_secret="present")
        assert desk.try_("10.0.0.1", client_id="client-1", client_secret="present")

    def test_it_expires(self, desk: Desk) -> None:
        self.put(desk, expires_at=NOW)
        with pytest.raises(AccountDisabled):
            desk.try_(client_id="client-1", client_secret="present")

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [({"state": "disabled"}, AccountDisabled), ({"signature": None}, ProcedureUnsigned)],
    )
    def test_its_accountable_person_is_in_order(self, desk: Desk, change: Any, refusal: Any) -> None:
        desk.users = Users(replace(user(), **change))  # type: ignore[assignment]
        with pytest.raises(refusal):
            desk.try_(client_id="client-1", client_secret="present")
