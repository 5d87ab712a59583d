"""What an agency's provider may not do with accounts: take them over, keep them, be somebody else's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest

from services.contracts.alerts import ACCESS_REMINDER, Reminder
from services.contracts.envelope import Event
from services.contracts.errors import Invalid, SignInFailed, TotpRequired, Unauthenticated
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.identity_providers import RemoveIdentityProvider
from services.contracts.sharing.people import Activate, ActivationBody, GetUser, ResetUser
from services.contracts.sharing.sessions import Credentials, LogIn
from services.sharing.domain.people import User
from tests.cell import Parts
from tests.identity_provider import HostileProvider
from tests.integration.calling import Calling
from tests.integration.federation import Federation, federated, verified
from tests.integration.partnership import Person

PASSWORD = "quiet lanterns over the Tees"
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federated(parts, calling, tmp_path_factory.mktemp("logs"), CONCORDAT_DEMO="true") as made:
        yield made


@pytest.fixture(scope="module")
def admin(world: Federation) -> Person:
    return world.administrator(world.police)


@pytest.fixture
def provider() -> Iterator[HostileProvider]:
    with HostileProvider() as made:
        yield made


def enrol(world: Federation, user: User) -> pyotp.TOTP:
    secret = pyotp.random_base32()
    totp = {"secret": secret, "last_step": 0, "last_request": None}
    world.database["users"].update_one({"_id": user.id}, {"$set": {"totp": totp}})
    return pyotp.TOTP(secret)


def signed_in(world: Federation, alias: str, provider: HostileProvider, user: User) -> Person:
    begun = world.begin(alias)
    session = world.finish(begun, provider.sign_in(begun["url"], f"s-{user.id}", **verified(user)))
    return Person(world, user, session["token"])


def test_a_code_of_one_agencys_provider_is_never_told_to_anothers(
    world: Federation, admin: Person, provider: HostileProvider
) -> None:
    """Mix-up: the sign-in was begun at one that lies, which sends the browser on to the honest one."""
    world.set_provider(admin, provider)
    with HostileProvider() as evil:
        begun = world.begin(world.set_provider(world.administrator(world.homes), evil))
        victim = world.invite(world.police)
        came = provider.sign_in(begun["url"], "victim", **verified(victim))
        with pytest.raises(SignInFailed):
            world.finish(begun, came, agency_id=world.police.id)  # where the honest one leads back to
        assert "/token_endpoint" not in evil.asked


def test_an_account_in_use_is_not_taken_on_the_providers_word_alone(
    world: Federation, admin: Person, provider: HostileProvider
) -> None:
    user = world.invite(world.police, state="active")
    totp = enrol(world, user)
    alias = world.set_provider(admin, provider, second_factors=["pwd"])
    said = {**verified(user), "amr": ["pwd"]}
    begun = world.begin(alias)
    with pytest.raises(TotpRequired):
        world.finish(begun, provider.sign_in(begun["url"], f"s-{user.id}", **said))
    assert world.row(user).get("identity") is None
    session = world.finish(begun, totp=totp.now())
    assert Person(world, user, session["token"]).ask("me", GetMe())["user"]["id"] == user.id
    assert world.row(user)["identity"]["subject"] == f"s-{user.id}"
    begun = world.begin(alias)
    world.finish(begun, provider.sign_in(begun["url"], f"s-{user.id}", **said))  # from now on it counts
    told = [(one.action, one.outcome) for one in world.recorded(Person(world, user, ""))]
    assert told == [("user.bind", "done"), ("session.sign_in", "done"), ("session.sign_in", "done")]
    # The user and the agency's officer find it in their inboxes.
    reminders = [one for one in events(world) if one.object_id == user.id]
    assert {one.reminder: one.keys for one in reminders} == {
        "account_tied": (f"u:{user.id}",),
        "account_of_user_tied": (f"o:agency_dpo.{world.police.id}",),
    }
    assert len(reminders) == 2


def events(world: Federation) -> list[Reminder]:
    rows = world.database["commands"].find({"events.type": ACCESS_REMINDER})
    return [Event.from_json(one["body"]).read(Reminder) for row in rows for one in row["events"]]


def test_who_is_tied_to_one_issuer_is_not_tied_to_another_without_a_reset(
    world: Federation, admin: Person, provider: HostileProvider
) -> None:
    user = world.invite(world.police)
    signed_in(world, world.set_provider(admin, provider), provider, user)
    with HostileProvider() as other:
        begun = world.begin(world.set_provider(admin, other))
        with pytest.raises(SignInFailed):
            world.finish(begun, other.sign_in(begun["url"], f"s-{user.id}", **verified(user)))
    assert world.row(user)["identity"]["issuer"] == provider.issuer


@pytest.mark.parametrize("what", ["authenticator gone", "provider gone", "role beyond"])
def test_a_code_comes_too_late_for_what_is_no_longer_so(
    world: Federation, admin: Person, provider: HostileProvider, what: str
) -> None:
    user, users = world.invite(world.police, state="active"), world.database["users"]
    totp = enrol(world, user)
    begun = world.begin(world.set_provider(admin, provider))
    with pytest.raises(TotpRequired):
        world.finish(begun, provider.sign_in(begun["url"], f"s-{user.id}", **verified(user)))
    if what == "authenticator gone":
        users.update_one({"_id": user.id}, {"$set": {"totp": None}})
    elif what == "provider gone":
        admin.tell("remove_identity_provider", RemoveIdentityProvider(agency_id=world.police.id))
    else:
        users.update_one({"_id": user.id}, {"$set": {"roles.0.role": "security_manager"}})
    with pytest.raises(SignInFailed):
        world.finish(begun, totp=totp.now())
    row = world.row(user)
    assert (row["sessions"], row.get("identity")) == ([], None)


def test_sessions_end_with_what_they_rest_on(
    world: Federation, admin: Person, provider: HostileProvider
) -> None:
    user, officer = world.invite(world.police), world.person(world.police, "Olive Officer")

    def alive(person: Person) -> bool:
        try:
            return bool(person.ask("me", GetMe()))
        except Unauthenticated:
            return False

    alias = world.set_provider(admin, provider)
    person = signed_in(world, alias, provider, user)
    alias = world.set_provider(admin, provider)  # another name: the same provider
    assert alive(person)
    alias = world.set_provider(admin, provider, second_factors=["mfa"])
    assert not alive(person)
    person = signed_in(world, alias, provider, user)
    assert alive(person)
    admin.tell("remove_identity_provider", RemoveIdentityProvider(agency_id=world.police.id))
    assert not alive(person)
    assert alive(officer)  # a password's


def test_a_name_that_was_given_up_is_nobody_elses(
    world: Federation, admin: Person, provider: HostileProvider
) -> None:
    first = world.set_provider(admin, provider)
    second = world.set_provider(admin, provider)
    admin.tell("remove_identity_provider", RemoveIdentityProvider(agency_id=world.police.id))
    others = world.administrator(world.homes)
    for alias in (first, second):
        with pytest.raises(Invalid) as refused:
            world.set_provider(others, provider, alias=alias)
        assert [(one.pointer, one.code) for one in refused.value.errors] == [("/alias", "alias_taken")]
    assert world.set_provider(admin, provider, alias=first) == first
    assert world.begin(first)["agency"] == world.police.name


def test_who_only_looks_alike_is_somebody_else(
    world: Federation, admin: Person, provider: HostileProvider
) -> None:
    name = f"kim.{uuid.uuid4().hex[:8]}"
    user = world.invite(world.police, username=name, email=f"{name}@police.example")
    for claim in ("email", "preferred_username"):
        alias = world.set_provider(admin, provider, claim=claim)
        for alike in ("\u212aim", "k\u00adim", "\uff4bim"):
            said = name.replace("kim", alike)
            begun = world.begin(alias)
            came = provider.sign_in(
                begun["url"],
                uuid.uuid4().hex,
                email=f"{said}@police.example",
                email_verified=True,
                preferred_username=said,
            )
            with pytest.raises(SignInFailed):
                world.finish(begun, came)
    assert world.row(user)["state"] == "invited"


def test_a_reset_hands_over_no_way_to_a_password_where_the_provider_signs_in(
    world: Federation, admin: Person, provider: HostileProvider
) -> None:
    """Until the agency allows passwords: then there is one, and it lets in. Administrators always may."""
    user, other = world.invite(world.police), world.invite(world.police, role="agency_admin")

    def reset(who: Any) -> Any:
        return admin.tell("reset_user", ResetUser(user_id=who.id))

    def log_in(who: Any) -> str:
        given = Credentials(username=who.username, password=PASSWORD)
        return world.calling.code("sharing.log_in", LogIn(credentials=given))

    def activate(token: str) -> str:
        body = ActivationBody(token=token, password=PASSWORD)
        return world.calling.code("sharing.activate", Activate(activation=body), key=uuid.uuid4().hex)

    world.set_provider(admin, provider, passwords="allowed")
    token = reset(user)["activation_token"]
    world.set_provider(admin, provider)
    assert activate(token) == "invalid"  # it was handed over before
    told = reset(user)
    assert (told["passwords"], told.get("activation_token")) == ("refused", None)
    assert admin.ask("get_user", GetUser(user_id=user.id))["passwords"] == "refused"
    assert activate(reset(other)["activation_token"]) == "ok"
    assert log_in(other) == "ok"
    world.set_provider(admin, provider, passwords="allowed")
    assert activate(reset(user)["activation_token"]) == "ok"
    assert log_in(user) == "ok"
    world.set_provider(admin, provider)
    assert log_in(user) == "bad_credentials"
    signed_in(world, world.set_provider(admin, provider), provider, user)
