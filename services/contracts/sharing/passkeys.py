"""Passkeys (WebAuthn): a person's second factor, beside the authenticator app.

sharing.begin_passkey(BeginPasskey) -> PasskeyEnrolment      command; POST /me/passkeys/challenges
sharing.add_passkey(AddPasskey) -> PasskeyView               command; POST /me/passkeys
sharing.list_passkeys(ListPasskeys) -> PasskeyPage           query; GET /me/passkeys
sharing.remove_passkey(RemovePasskey) -> Empty               command; DELETE /me/passkeys/{id}
sharing.begin_step_up(BeginStepUp) -> PasskeyChallenge       command; POST /sessions/current/challenges
sharing.begin_log_in(BeginLogIn) -> PasskeyChallenge         query, gateway only; POST /sessions/challenges
sharing.begin_sign_in_challenge(BeginSignInChallenge) -> PasskeyChallenge    query, gateway only

A challenge is good for one answer, to the act that it was made for, in the session in which it was asked, for
five minutes. Bytes are base64url without padding, as `PublicKeyCredential.toJSON()` has them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import Name

_BASE64URL = r"^[A-Za-z0-9_-]+$"
CredentialId = Annotated[str, StringConstraints(max_length=1364, pattern=_BASE64URL)]
Bytes = Annotated[str, StringConstraints(max_length=8192, pattern=_BASE64URL)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Assertion(Request):
    """What the authenticator has signed, of `navigator.credentials.get()`: `rawId`, `clientDataJSON`,
    `authenticatorData`, `signature`."""

    challenge_id: Id
    credential_id: CredentialId
    client_data: Bytes
    authenticator_data: Bytes
    signature: Bytes


class Attestation(Request):
    """What `navigator.credentials.create()` has made: `rawId`, `clientDataJSON`, `attestationObject`. `name`
    is the person's own word for it."""

    challenge_id: Id
    name: Name
    credential_id: CredentialId
    client_data: Bytes
    attestation: Bytes


class BeginPasskey(Request):
    """For `navigator.credentials.create()`. Raises StepUpRequired where there is a second factor already and
    none of them was given afresh in this session; Invalid, too_many_passkeys; NotBuilt where the operator has
    not said for which address passkeys are made."""


class AddPasskey(Request):
    """From now on it counts; every other session of the account ends. Raises Invalid, `/attestation`
    passkey_not_valid, whatever was wrong; and too_many_passkeys; StepUpRequired as BeginPasskey does."""

    passkey: Attestation


class ListPasskeys(PageRequest):
    """The caller's own, oldest first: so few that there is one page."""


class RemovePasskey(Request):
    """Every other session of the account ends. Raises StepUpRequired without a fresh code or passkey in this
    session; InvalidTransition for the last second factor where one has to be; NotVisible for what is not one
    of the caller's own."""

    passkey_id: Id


class BeginStepUp(Request):
    """Raises PasskeyNotEnrolled."""


class PasskeyCredentials(Request):
    username: Text
    password: Text


class BeginLogIn(Request):
    """`address` as in LogIn. Raises BadCredentials; with the right password PasskeyNotEnrolled; RateLimited:
    it counts as an attempt to log in."""

    credentials: PasskeyCredentials
    address: Annotated[str, StringConstraints(max_length=64)] | None = None


class BeginSignInChallenge(Request):
    """`state` and `binding` as in FinishSignIn, whose provider has vouched for somebody. Raises SignInFailed,
    PasskeyNotEnrolled."""

    state: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{32,86}$")]
    binding: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{32,86}$")]


class PasskeyChallenge(View):
    """For `navigator.credentials.get()`: `challenge`, `rpId`, `allowCredentials`; user verification is
    required."""

    id: str
    challenge: str
    rp_id: str
    credential_ids: tuple[str, ...]
    expires_at: Moment


class PasskeyUser(Reply):
    """`id` is the account's, as bytes: nothing personal reaches the authenticator but what it shows."""

    id: str
    name: str
    display_name: str


class PasskeyEnrolment(View):
    """For `navigator.credentials.create()`: `challenge`, `rp`, `user`, `pubKeyCredParams`,
    `excludeCredentials`; user verification is required, attestation none."""

    id: str
    challenge: str
    rp_id: str
    rp_name: str
    user: PasskeyUser
    algorithms: tuple[int, ...]
    credential_ids: tuple[str, ...]
    expires_at: Moment


class PasskeyView(View):
    id: str
    name: str
    created_at: Moment
    last_used_at: Moment | None


class PasskeyPage(View):
    items: tuple[PasskeyView, ...]
    next: str | None
