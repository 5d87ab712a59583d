"""Every error that may cross a boundary, each with a stable code. What they have in common is in
`error_base`, how they are read off the wire in `error_wire`.

    ConcordatError
    ├── Malformed 400 ── IdempotencyKeyRequired
    ├── Unauthenticated 401 ── BadCredentials, TotpRequired (PasskeyRequired), SignInFailed
    ├── Refused 403 ── AccountDisabled, ProtocolNotActive, ProtocolExpired, AgencySuspended,
    │     ProcedureUnsigned, ProcedureMissing, TotpNotEnrolled, PasswordChangeRequired, RoleRequired,
    │     NotOwner, LevelTooLow, ReasonRequired, TrainingRequired, NetworkNotPermitted,
    │     DeviceNotPermitted, StepUpRequired, OwnGlass, CsrfRequired
    ├── NotVisible 404
    ├── MethodNotAllowed 405
    ├── InvalidTransition 409 ── RequestInProgress, ProcedureSuperseded, CaseClosed, AlreadyExists,
    │     OwnerHasConflict, PasskeyNotEnrolled
    ├── Stale 412
    ├── TooLarge 413
    ├── UnsupportedType 415
    ├── Invalid 422 ── IdempotencyKeyReused, AgencyNotActive, PurposeNotInProtocol, GatewayNotForRecipient,
    │     MemberNotInAgency, CannotBeNamed, ExpiryBeyondProtocol, ConsentReasonRequired, SectionNotForSide,
    │     AssigneeWithoutAccess, UrlNotAllowed
    ├── IfMatchRequired 428
    ├── RateLimited 429
    ├── Internal 500
    ├── NotBuilt 501
    └── Unavailable 503 ── DeadlineExpired, Busy, UnknownService, UnknownMethod, LinkDown,
          ProviderAway, LogDamaged
"""

from __future__ import annotations

from collections.abc import Mapping

from .error_base import REGISTRY
from .error_base import ConcordatError as ConcordatError  # noqa: PLC0414 - to be had from here
from .error_base import FieldError as FieldError  # noqa: PLC0414


class Malformed(ConcordatError, code="malformed", status=400):
    """The request cannot be read."""


class IdempotencyKeyRequired(Malformed, code="idempotency_key_required"):
    """This request needs an idempotency key."""


class Unauthenticated(ConcordatError, code="unauthenticated", status=401):
    """The caller is not known."""


class BadCredentials(Unauthenticated, code="bad_credentials"):
    """The user name or the password is not right."""


class TotpRequired(Unauthenticated, code="totp_required"):
    """A code from the authenticator is needed."""


class PasskeyRequired(TotpRequired, code="passkey_required"):
    """A passkey is needed."""


class SignInFailed(Unauthenticated, code="sign_in_failed"):
    """Signing in with the agency's own provider did not succeed."""


class Refused(ConcordatError, code="refused", status=403):
    """The caller may not do this."""


class AccountDisabled(Refused, code="account_disabled"):
    """This account is disabled."""


class ProtocolNotActive(Refused, code="protocol_not_active"):
    """The agency has no information sharing protocol in force."""


class ProtocolExpired(Refused, code="protocol_expired"):
    """The agency's information sharing protocol has expired."""


class AgencySuspended(Refused, code="agency_suspended"):
    """The agency is suspended or has withdrawn."""


class ProcedureUnsigned(Refused, code="procedure_unsigned"):
    """The current Security Operating Procedure has to be signed first."""


class ProcedureMissing(Refused, code="procedure_missing"):
    """No Security Operating Procedure has been published yet."""


class TotpNotEnrolled(Refused, code="totp_not_enrolled"):
    """An authenticator has to be enrolled first."""


class PasswordChangeRequired(Refused, code="password_change_required"):
    """The password has to be changed first."""


class RoleRequired(Refused, code="role_required"):
    """The caller's role does not include this."""


class NotOwner(Refused, code="not_owner"):
    """Only the owner of the case may do this."""


class LevelTooLow(Refused, code="level_too_low"):
    """The caller's access to the case does not reach this far."""


class ReasonRequired(Refused, code="reason_required"):
    """A reason for the access is needed (Access-Reason)."""


class TrainingRequired(Refused, code="training_required"):
    """Current training for this use is required."""


class NetworkNotPermitted(Refused, code="network_not_permitted"):
    """Cases of this sensitivity may not be opened from this network."""


class DeviceNotPermitted(Refused, code="device_not_permitted"):
    """Cases of this sensitivity may not be opened on this device."""


class StepUpRequired(Refused, code="step_up_required"):
    """A fresh code of the authenticator, or a passkey, is needed for this."""


class OwnGlass(Refused, code="own_glass"):
    """Nobody reviews their own emergency access."""


class CsrfRequired(Refused, code="csrf_required"):
    """The request does not prove that it comes from this site's own pages."""


class NotVisible(ConcordatError, code="not_found", status=404):
    """There is nothing here that the caller may see."""


class MethodNotAllowed(ConcordatError, code="method_not_allowed", status=405):
    """This resource does not have this method."""


class InvalidTransition(ConcordatError, code="invalid_transition", status=409):
    """The present state does not allow this."""


class RequestInProgress(InvalidTransition, code="request_in_progress"):
    """The first request with this idempotency key is still running."""


class ProcedureSuperseded(InvalidTransition, code="procedure_superseded"):
    """This is not the current Security Operating Procedure."""


class CaseClosed(InvalidTransition, code="case_closed"):
    """The case is closed."""


class AlreadyExists(InvalidTransition, code="already_exists"):
    """There is one already."""


class OwnerHasConflict(InvalidTransition, code="owner_has_conflict"):
    """The owner has a conflict of interest: the case has to be transferred first."""


class PasskeyNotEnrolled(InvalidTransition, code="passkey_not_enrolled"):
    """There is no passkey for this account."""


class Stale(ConcordatError, code="stale", status=412):
    """The resource has changed since it was read."""


class TooLarge(ConcordatError, code="too_large", status=413):
    """The request is too large."""


class UnsupportedType(ConcordatError, code="unsupported_type", status=415):
    """This content type is not understood."""


class Invalid(ConcordatError, code="invalid", status=422):
    """The request can be read but is not right."""


class IdempotencyKeyReused(Invalid, code="idempotency_key_reused"):
    """This idempotency key was used for another request."""


class AgencyNotActive(Invalid, code="agency_not_active"):
    """The agency is not active."""


class PurposeNotInProtocol(Invalid, code="purpose_not_in_protocol"):
    """The protocol does not cover this purpose between these agencies."""


class GatewayNotForRecipient(Invalid, code="gateway_not_for_recipient"):
    """The legal gateway does not run to this kind of recipient."""


class MemberNotInAgency(Invalid, code="member_not_in_agency"):
    """A named person, team or client does not belong to the agency."""


class CannotBeNamed(Invalid, code="cannot_be_named"):
    """A named person has a conflict of interest in this case."""


class ExpiryBeyondProtocol(Invalid, code="expiry_beyond_protocol"):
    """The share would outlive the protocol that it rests on."""


class ConsentReasonRequired(Invalid, code="consent_reason_required"):
    """Sharing without given consent needs a reason."""


class SectionNotForSide(Invalid, code="section_not_for_side"):
    """This section is never shared with the perpetrator's side."""


class AssigneeWithoutAccess(Invalid, code="assignee_without_access"):
    """The assignee has no access to the case; a task never grants access."""


class UrlNotAllowed(Invalid, code="url_not_allowed"):
    """An address that is to be called is https and public."""


class IfMatchRequired(ConcordatError, code="if_match_required", status=428):
    """This request needs an If-Match header."""


class RateLimited(ConcordatError, code="rate_limited", status=429):
    """Too many requests."""

    default_retry_after = 1


class Internal(ConcordatError, code="internal", status=500):
    """Something went wrong here."""


class NotBuilt(ConcordatError, code="not_built", status=501):
    """This is not built."""


class Unavailable(ConcordatError, code="unavailable", status=503, public_code="unavailable"):
    """A part that is needed is not available."""

    default_retry_after = 1


class DeadlineExpired(Unavailable, code="deadline_expired"):
    """No answer in time."""


class Busy(Unavailable, code="busy"):
    """Too much work is waiting."""


class UnknownService(Unavailable, code="unknown_service"):
    """The service that should answer is not there."""


class UnknownMethod(Unavailable, code="unknown_method"):
    """The service that should answer does not know this request."""


class LinkDown(Unavailable, code="link_down"):
    """The connection to the other parts is down."""


class ProviderAway(Unavailable, code="provider_away"):
    """The agency's identity provider does not answer as it should."""


class LogDamaged(Unavailable, code="log_damaged"):
    """The log is not whole: nothing can be proved from it."""

    default_retry_after = 60  # people have to mend it first


def registered() -> Mapping[str, type[ConcordatError]]:
    """Every error class by its code."""
    return dict(REGISTRY)
