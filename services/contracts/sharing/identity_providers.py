"""Single sign-on: an agency's own identity provider (OpenID Connect), and signing in by it.

sharing.get_identity_provider(GetIdentityProvider) -> IdentityProviderView    query
sharing.put_identity_provider(PutIdentityProvider) -> IdentityProviderView    command; PUT with If-Match
sharing.remove_identity_provider(RemoveIdentityProvider) -> Empty             command; DELETE
sharing.begin_sign_in(BeginSignIn) -> SignInBegun          query (no key), peer gateway only; a page
sharing.finish_sign_in(FinishSignIn) -> SessionCreated     query (no key), peer gateway only; a page

`docs/access-in-full.md`, Single sign-on, has the rules.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ..messages import Id, Moment, Reply, Request
from ..views import View
from .agencies import IfMatch
from .passkeys import Assertion

Alias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,30}$")]
"""What the agency's people type, or have in a link, to be sent to their provider. It is no secret."""
Url = Annotated[str, StringConstraints(min_length=8, max_length=512)]
Opaque = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=r"^[!-~]+$")]
"""Somebody else's code, in printable ASCII."""
Claim = Literal["email", "preferred_username"]
"""By what an account is found at its first sign-in: `email` is compared with its e-mail address, and MUST be
said to be verified; `preferred_username` with its user name. From then on the provider's own `sub` counts."""
Passwords = Literal["refused", "allowed"]
"""Whether people whom the provider signs in may log in with a password as well. Administrators always may."""
SecondFactor = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[!-~]+$")]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{32,86}$")]
"""Random text of ours."""


class ProviderBody(Request):
    """`client_secret`: write-only. Absent: the present one stays, where issuer and client_id do.

    `second_factors`: values of `acr` or `amr` by which the provider says that it has asked for a second
    factor; with one of them nobody is held up to enrol an authenticator here. None: the provider's word never
    counts.

    `passwords`: refused, unless the agency says otherwise, to everybody but its administrators, who have to
    get in when the provider is out of order, and those whom it never signs in (roles beyond the agency).
    """

    alias: Alias
    issuer: Url
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[ -~]+$")]
    client_secret: (
        Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[!-~]+$")] | None
    ) = None
    claim: Claim = "email"
    second_factors: Annotated[tuple[SecondFactor, ...], Field(max_length=20)] = ()
    passwords: Passwords = "refused"


class GetIdentityProvider(Request):
    """There always is one to be read; `state` off: none is set."""

    agency_id: Id


class PutIdentityProvider(Request):
    """In force with the next sign-in and the next log-in by password; another issuer, client or second factor
    ends the sessions that the provider has vouched for. An alias that was the agency's stays so. Raises
    Invalid: `/alias` alias_taken, `/client_secret` required, `/issuer` wrong_form; UrlNotAllowed
    (`/issuer`)."""

    agency_id: Id
    if_match: IfMatch | None = None
    provider: ProviderBody


class RemoveIdentityProvider(Request):
    """Nobody signs in by it any more, and whoever has is logged out; who has no password is let in again by a
    reset. The alias stays the agency's."""

    agency_id: Id


class IdentityProviderView(View):
    """Everything but `state` is null where none is set."""

    state: Literal["on", "off"]
    alias: str | None = None
    issuer: str | None = None
    client_id: str | None = None
    claim: Claim | None = None
    second_factors: tuple[str, ...] = ()
    passwords: Passwords | None = None
    updated_at: Moment | None = None


class BeginSignIn(Request):
    """`redirect_uri`: the gateway's own, where browsers reach it; each agency's provider is told one of its
    own, with the agency's id behind it. Raises NotVisible for an alias that nobody has; RateLimited;
    ProviderAway."""

    alias: Annotated[str, StringConstraints(max_length=64)]
    redirect_uri: Url
    address: Annotated[str, StringConstraints(max_length=64)] | None = None


class SignInBegun(Reply):
    """`url`: where the browser goes, at `host`, for the people of `agency`. `state` is in it, and comes back;
    `binding` is for this browser's cookie alone: the two together are the sign-in, for ten minutes."""

    url: str
    host: str
    agency: str
    state: str
    binding: str


class FinishSignIn(Request):
    """What came back, with what the browser's cookie has. `code` first; `totp` or `passkey` where
    TotpRequired was raised. `agency_id`: at whose address it came back. `attempt` as in LogIn, but of 256
    random bits: the session's token is made from it, so that what is delivered twice is one session.

    Raises SignInFailed, whatever was wrong; TotpRequired, BadCredentials for a code of the authenticator that
    is not right; AccountDisabled and what stands against the agency only to whom the provider has vouched
    for; ProviderAway; RateLimited.
    """

    state: Token
    binding: Token
    agency_id: Id | None = None
    code: Opaque | None = None
    issuer: Opaque | None = None
    totp: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None = None
    passkey: Assertion | None = None
    address: Annotated[str, StringConstraints(max_length=64)] | None = None
    attempt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
