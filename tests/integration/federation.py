"""A partnership whose agencies sign in by providers of their own, and are told of leavers by systems of their
own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.chassis.mongo import connect
from services.contracts.sharing.identity_providers import (
    BeginSignIn,
    FinishSignIn,
    ProviderBody,
    PutIdentityProvider,
)
from services.sharing.domain import tokens
from services.sharing.domain.agencies import Agency
from services.sharing.domain.people import User
from services.sharing.stores.people import UserStore
from tests.cell import Parts
from tests.identity_provider import CALLBACK, query
from tests.integration.calling import Calling, instances
from tests.integration.partnership import Partnership, Person, user_of
from tests.integration.sharing_gate import CASES, SHARING


class Federation(Partnership):
    """The partnership, with administrators and what they set up."""

    def administrator(self, agency: Agency) -> Person:
        return self.person(agency, "Adam Administrator", role="agency_admin")

    def set_provider(self, admin: Person, provider: Any, **more: Any) -> str:
        """The agency's from now on; its alias."""
        given = {
            "alias": f"agency-{uuid.uuid4().hex[:8]}",
            "issuer": provider.issuer,
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
            **more,
        }
        row = self.database["identity_providers"].find_one({"_id": admin.agency_id}) or {"version": 0}
        request = PutIdentityProvider(
            agency_id=admin.agency_id, if_match=f'"v{row["version"]}"', provider=ProviderBody(**given)
        )
        assert admin.tell("put_identity_provider", request)["state"] == "on"
        return str(given["alias"])

    def invite(self, agency: Agency, state: Any = "invited", role: Any = "practitioner", **more: Any) -> User:
        """Somebody without a password."""
        name = uuid.uuid4().hex[:10]
        given = {"username": f"u.{name}", "email": f"{name}@Police.example", "name": "Ida Invited", **more}
        user = user_of(
            agency,
            role,
            job_title=None,
            team_ids=(),
            state=state,
            has_password=False,
            has_totp=False,
            **given,
        )
        activation = {"hash": "0" * 64, "expires_at": user.created_at + timedelta(days=1)}
        UserStore(self.database).add(user, activation)
        return user

    def row(self, user: User) -> dict[str, Any]:
        found: dict[str, Any] = self.database["users"].find_one({"_id": user.id})
        return found

    def begin(self, alias: str, address: str | None = None) -> dict[str, Any]:
        request = BeginSignIn(alias=alias, redirect_uri=CALLBACK, address=address)
        found: dict[str, Any] = self.calling.ask("sharing.begin_sign_in", request)
        # The provider leads the browser back to its agency's own address.
        return {**found, "agency_id": query(found["url"])["redirect_uri"].removeprefix(f"{CALLBACK}/")}

    def finish(
        self, begun: dict[str, Any], came: dict[str, str] | None = None, **more: Any
    ) -> dict[str, Any]:
        """A session. `came`: what the provider sent the browser back with."""
        found: dict[str, Any] = self.calling.ask("sharing.finish_sign_in", finishing(begun, came, **more))
        return found

    def provisioner(self, agency: Agency, accountable: Person) -> Person:
        """The agency's identity system: asks as a person does, by its own token."""
        secret = uuid.uuid4().hex * 2
        client = self.client(agency, "Identity system", accountable, scopes=("provisioning",), secret=secret)
        return Person(self, client, tokens.Token("p", client.id, secret).text)  # type: ignore[arg-type]


@contextmanager
def federated(parts: Parts, calling: Calling, folder: Path, **environment: str) -> Iterator[Federation]:
    """With `sharing` and `cases` at work."""
    with (
        instances(parts, folder, SHARING, CASES, **environment),
        connect(parts.mongo_url("sharing"), app="test") as client,
    ):
        made = Federation(parts, calling, client["sharing"])
        yield made
        made.close()


def verified(user: User) -> dict[str, Any]:
    """What an honest provider says of somebody whose address it has seen."""
    return {"email": user.email.lower(), "email_verified": True}


def finishing(begun: dict[str, Any], came: dict[str, str] | None = None, **more: Any) -> FinishSignIn:
    given = {"state": begun["state"], "binding": begun["binding"], "attempt": uuid.uuid4().hex * 2}
    if came is not None:
        given |= {"agency_id": begun["agency_id"], "code": came["code"], "state": came["state"]}
    return FinishSignIn(**{**given, **more})
