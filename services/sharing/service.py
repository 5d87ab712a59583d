"""Who may see what: agencies, protocols, people, procedures, sessions, ownership and grants.

The handlers of each topic are in `handlers/`; this is where they become one service.
"""

from __future__ import annotations

from services.sharing.handlers.access import AccessHandlers
from services.sharing.handlers.account import Account
from services.sharing.handlers.agencies import Agencies
from services.sharing.handlers.asking import AskingForAccess
from services.sharing.handlers.authority import AuthorityHandlers
from services.sharing.handlers.certifying import CertifyingShares, CertifyingUsers
from services.sharing.handlers.clients import Clients
from services.sharing.handlers.conflicts import ConflictHandlers
from services.sharing.handlers.devices import Devices
from services.sharing.handlers.directory import DirectoryHandlers
from services.sharing.handlers.explain import ExplainHandlers
from services.sharing.handlers.glass_reviews import GlassReviews
from services.sharing.handlers.identify import Identification
from services.sharing.handlers.identity_providers import IdentityProviders
from services.sharing.handlers.ownership import OwnershipHandlers
from services.sharing.handlers.passkeys import Passkeys
from services.sharing.handlers.people import People
from services.sharing.handlers.procedures import Procedures
from services.sharing.handlers.protocols import Protocols
from services.sharing.handlers.provisioning import Provisioning
from services.sharing.handlers.reconciling import Reconciling
from services.sharing.handlers.reminders import Reminders
from services.sharing.handlers.shares import ShareHandlers
from services.sharing.handlers.signing_in import SigningIn
from services.sharing.handlers.stepping_up import StepUps
from services.sharing.handlers.succession import SuccessionHandlers
from services.sharing.handlers.teams import Teams
from services.sharing.handlers.trainings import Trainings
from services.sharing.handlers.transfers import TransferHandlers
from services.sharing.settings import SharingSettings


class _Identity(Identification, Agencies, Protocols, People, Teams, Clients, Procedures, Account):
    """Who takes part and who one is. (`Account` has the handlers of sessions with it.)"""


class _Federation(IdentityProviders, Passkeys, SigningIn, Provisioning):
    """Who one is to an agency's own systems."""


class _Means(Trainings, Devices, StepUps):
    """What somebody has been taught, and what they hold in their hands."""


class _Granting(
    ShareHandlers, OwnershipHandlers, AccessHandlers, DirectoryHandlers, AuthorityHandlers, Reconciling
):
    """Who owns a case, and to whom it is given; and that nothing older is served than what was."""


class _Exceptions(ConflictHandlers, GlassReviews, AskingForAccess):
    """Who must not know of a case whatever names it, and who may see one though nothing does."""


class _Passing(TransferHandlers, SuccessionHandlers):
    """Who owns a case next."""


class _Renewing(Reminders, CertifyingUsers, CertifyingShares):
    """What ends or is to be confirmed, and who is told before."""


class SharingService(
    _Identity, _Federation, _Means, _Granting, _Exceptions, _Passing, ExplainHandlers, _Renewing
):
    """Who may see what."""

    name = "sharing"
    settings_model = SharingSettings
