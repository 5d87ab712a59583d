"""The own account: who one is, password, authenticator.

sharing.me(GetMe) -> Me                                     query; GET /me
sharing.change_password(ChangePassword) -> Empty            command; PUT /me/password
sharing.start_totp(StartTotp) -> TotpStarted                command; POST /me/totp
sharing.confirm_totp(ConfirmTotp) -> RecoveryCodes          command; PUT /me/totp
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from ..messages import Request
from ..paging import Ref
from ..views import View
from ..vocabulary import Must
from .people import Password

SecondFactorKind = Literal["totp", "passkey"]


class GetMe(Request):
    pass


class Me(View):
    """`roles` are those in force now; a client has none. `uses`: those it is trained for. `second_factors`:
    what is asked for after the password, one of them."""

    user: Ref
    agency: Ref
    teams: tuple[Ref, ...]
    roles: tuple[str, ...]
    uses: tuple[str, ...]
    must: tuple[Must, ...]
    second_factors: tuple[SecondFactorKind, ...] = ()


class PasswordChange(Request):
    current: Password
    new: Password


class ChangePassword(Request):
    """Ends every other session. Raises Invalid: `/current` wrong_password, `/new` too_short, too_common,
    contains_username, same_as_before; RateLimited."""

    change: PasswordChange


class StartTotp(Request):
    """The secret counts once a code was confirmed. Raises InvalidTransition where one is enrolled already: a
    reset by the administrator removes it; StepUpRequired where there are passkeys and none was used in this
    session."""


class TotpCode(Request):
    code: Annotated[str, StringConstraints(pattern=r"^\d{6}$")]


class ConfirmTotp(Request):
    """Ends every other session. Raises Invalid `/code` wrong_code; InvalidTransition when none was started,
    or a passkey was added since."""

    confirmation: TotpCode


class TotpStarted(View):
    """`uri` is otpauth://…, for a QR code."""

    secret: str
    uri: str


class RecoveryCodes(View):
    """Ten, each good for one log-in instead of a code from the authenticator. Shown once."""

    recovery_codes: tuple[str, ...]
