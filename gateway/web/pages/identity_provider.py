"""`/administration/agencies/{agency_id}/identity-provider`: by whom an agency's people sign in."""

from __future__ import annotations

from typing import Any

from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.sharing.identity_providers import (
    GetIdentityProvider,
    ProviderBody,
    PutIdentityProvider,
    RemoveIdentityProvider,
)

_CLAIMS = (
    ("email", "The e-mail address, which the provider must say is verified (claim email)"),
    ("preferred_username", "The user name (claim preferred_username)"),
)
_PASSWORDS = (
    ("refused", "No: only administrators, and people with roles beyond your agency"),
    ("allowed", "Yes, everybody who has one"),
)
_AS_IT_IS = ("alias", "issuer", "client_id", "claim", "passwords")
_DONE = {"saved": "Saved. It is in force with the next sign-in.", "gone": "Nobody signs in by it any more."}


class SingleSignOn(FormPage):
    fields = (
        Field("alias", "Your agency's short name", missing="Enter a short name", limit=31, width=20,
              hint="What your people type to sign in. Small letters, digits and hyphens"),
        Field("issuer", "Address of the provider (issuer)", missing="Enter the provider's address", limit=512,
              hint="As the provider itself writes it, like https://id.example.org"),
        Field("client_id", "Client id", missing="Enter the client id", limit=256),
        Field("client_secret", "Client secret", "password", autocomplete="off",
              hint="It is kept sealed and never shown. Leave it empty to keep the present one"),
        Field("claim", "At the first sign-in, an invited person is found by", "choice", options=_CLAIMS,
              missing="Choose how people are found"),
        Field("second_factors", "What the provider says when it has asked for a second factor", "area",
        rows=3, limit=2000, hint="Values of acr or amr, one a line, like mfa. Empty: people enrol an "
        "authenticator app here as well"),
        Field("passwords", "Can people log in here with a password as well?", "choice", options=_PASSWORDS,
              missing="Choose whether people can log in with a password",
              hint="Administrators always can, for when the provider is out of order"), )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        found = await visit.ask("sharing", "get_identity_provider", asked(GetIdentityProvider, **ids))
        if not form.sent:
            form.fill(
                {name: found.get(name) for name in ("alias", "issuer", "client_id", "claim", "passwords")}
            )
            form.fill({"second_factors": "\n".join(found.get("second_factors", ())), "claim": "email"})
            form.fill({"passwords": "refused"})
            form.fill({"etag": found.get("etag")})
        return Shown(
            "administration/identity_provider.html",
            {
                "section": "administration",
                "form": form,
                "provider": found,
                "agency_id": ids["agency_id"],
                "callback": f"{visit.callback}/{ids['agency_id']}",
                "link": visit.callback.removesuffix("callback"),
                "done": _DONE.get(visit.query("done")),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        lines = form.text("second_factors").split("\n")
        body: dict[str, Any] = {
            "alias": form.text("alias"),
            "issuer": form.text("issuer"),
            "client_id": form.text("client_id"),
            "claim": form.text("claim"),
            "passwords": form.text("passwords"),
            "second_factors": [line.strip() for line in lines if line.strip()],
        }
        if secret := form.raw("client_secret"):
            body["client_secret"] = secret
        provider = form.request(ProviderBody, body)
        request = asked(PutIdentityProvider, **ids, if_match=form.etag, provider=provider)
        await visit.tell("sharing", "put_identity_provider", request, once=form.once)
        return Gone(f"{_path(ids)}?done=saved")


class RemoveProvider(Page):
    """`…/remove`."""

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        request = asked(RemoveIdentityProvider, **ids)
        await visit.tell("sharing", "remove_identity_provider", request, once=visit.fresh())
        return Gone(f"{_path(ids)}?done=gone")


def _path(ids: dict[str, str]) -> str:
    return f"/administration/agencies/{ids['agency_id']}/identity-provider"
