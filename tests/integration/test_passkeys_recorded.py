"""Passkeys after an agency's provider has vouched for somebody; and what the log and the inboxes have of
them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from services.contracts.errors import BadCredentials, Invalid, PasskeyRequired, SignInFailed
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.passkeys import (
    AddPasskey,
    BeginPasskey,
    BeginSignInChallenge,
    BeginStepUp,
    RemovePasskey,
)
from services.contracts.sharing.sessions import StepUp, StepUpBody
from tests.authenticator import Authenticator
from tests.cell import Parts
from tests.identity_provider import HostileProvider
from tests.integration.calling import Calling
from tests.integration.federation import Federation, federated, verified
from tests.integration.partnership import Person
from tests.integration.test_tied_by_a_provider import events

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federated(parts, calling, tmp_path_factory.mktemp("logs"), CONCORDAT_DEMO="true") as made:
        yield made


@pytest.fixture
def provider() -> Iterator[HostileProvider]:
    with HostileProvider() as made:
        yield made


def challenge(world: Federation, begun: dict[str, Any], **more: Any) -> Any:
    given = {"state": begun["state"], "binding": begun["binding"], **more}
    return world.calling.ask("sharing.begin_sign_in_challenge", BeginSignInChallenge(**given))


def add(person: Person, key: Authenticator) -> str:
    asked = person.tell("begin_passkey", BeginPasskey())
    return str(person.tell("add_passkey", AddPasskey(passkey=key.create(asked)))["id"])


def reminders(world: Federation, user_id: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.reminder, one.keys) for one in events(world) if one.object_id == user_id]


def test_a_passkey_is_asked_for_where_the_providers_word_does_not_do(
    world: Federation, provider: HostileProvider
) -> None:
    alias = world.set_provider(world.administrator(world.police), provider)
    user, key = world.invite(world.police), Authenticator()

    def come() -> dict[str, Any]:
        begun = world.begin(alias)
        came = provider.sign_in(begun["url"], f"s-{user.id}", **verified(user))
        return {**begun, "came": came}

    first = come()
    person = Person(world, user, world.finish(first, first["came"])["token"])
    add(person, key)
    begun = come()
    with pytest.raises(SignInFailed):  # before the provider has vouched for anybody
        challenge(world, begun)
    with pytest.raises(PasskeyRequired):
        world.finish(begun, begun["came"])
    asked = challenge(world, begun)
    with pytest.raises(SignInFailed):
        challenge(world, begun, binding="b" * 43)
    other = come()
    with pytest.raises(PasskeyRequired):
        world.finish(other, other["came"])
    with pytest.raises(BadCredentials):  # the answer to another sign-in's question
        world.finish(other, passkey=key.get(asked))
    session = world.finish(begun, passkey=key.get(challenge(world, begun)))
    assert Person(world, user, session["token"]).ask("me", GetMe())["second_factors"] == ["passkey"]


def test_what_becomes_of_passkeys_is_in_the_log_and_told(world: Federation) -> None:
    person, key = world.person(world.police, "Petra Passkey"), Authenticator()
    # As if the authenticator that she was made with had never been.
    world.database["users"].update_one({"_id": person.id}, {"$set": {"totp": None}})
    passkey_id = add(person, key)
    copied = replace(key)

    def step_up(with_: Authenticator) -> None:
        asked = person.tell("begin_step_up", BeginStepUp())
        person.tell("step_up", StepUp(step_up=StepUpBody(passkey=with_.get(asked))), key=uuid.uuid4().hex)

    step_up(key)
    step_up(key)
    with pytest.raises(Invalid):
        step_up(copied)
    person.tell("remove_passkey", RemovePasskey(passkey_id=passkey_id))
    told = [(one.action, one.outcome, one.code) for one in world.recorded(person)]
    assert told == [
        ("passkey.enrol", "done", None),
        ("session.step_up", "done", None),
        ("session.step_up", "done", None),
        ("passkey.refuse", "refused", "sign_count_back"),
        ("session.step_up", "refused", "invalid"),
        ("passkey.remove", "done", None),
    ]
    self_ = (f"u:{person.id}",)
    assert sorted(reminders(world, person.id)) == [
        ("passkey_added", self_),
        ("passkey_copied", self_),
        ("passkey_of_user_copied", (f"o:agency_dpo.{world.police.id}",)),
        ("passkey_removed", self_),
    ]
