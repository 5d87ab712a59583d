"""Who owns a case and to whom it is given: one document a case, changed one epoch at a time.

Pure. A change is made from what was read, and says what follows from it: the new document, whether anybody
loses by it, which agencies are concerned, what is put among the past shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from services.contracts.access import AccessList, Owner, Share, ShareKind
from services.contracts.messages import Moment
from services.contracts.paging import Ref
from services.contracts.sharing.shares import Consent, Regime
from services.contracts.vocabulary import SECTIONS, ConflictKind, Section, ShareLevel, Side
from services.sharing.domain.comparing import narrows
from services.sharing.domain.offers import Offer, Transfer

NOBODY = "-" * 36
"""The id of whoever is named in a decoy."""
KEPT_AFTER_EXPIRY = timedelta(days=7)
"""How long a share that has expired stays beside those in force; then it is among the past ones."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Grant(_Kept):
    """One share with all that was agreed: what `access.Share` says, and why. `confirm_by`: the case has a new
    owner, to whom consent has to be confirmed by then; the share is suspended from then until it is.
    `certify_by`: by then its owner confirms that it is still needed; nothing ends by it."""

    id: str
    kind: ShareKind
    agency: Ref
    user_ids: tuple[str, ...] = ()
    team_ids: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    level: ShareLevel
    sections: tuple[Section, ...]
    side: Side | None = None
    protocol_id: str | None = None
    purpose: str | None = None
    clause: str | None = None
    legal_gateway: str | None = None
    consent: Consent | None = None
    expires_at: Moment | None = None
    confirm_by: Moment | None = None
    certify_by: Moment | None = None
    note: str | None = None
    regime: Regime
    granted_by: Ref
    granted_at: Moment
    updated_at: Moment

    def share(self) -> Share:
        """As the holders see it: the date that they judge by is the one from which it gives nothing."""
        shared = {name: getattr(self, name) for name in _SHARED}
        return Share(agency_id=self.agency.id, **{**shared, "expires_at": self.ends_at})

    @property
    def ends_at(self) -> datetime | None:
        return min((one for one in (self.expires_at, self.confirm_by) if one is not None), default=None)

    def unconfirmed(self, now: datetime) -> bool:
        """Whether it gives nothing because consent was not confirmed to the new owner in time."""
        return self.confirm_by is not None and self.confirm_by <= now

    def members(self) -> frozenset[str]:
        """Everyone named, as index keys."""
        return frozenset(
            f"{kind}:{one}"
            for kind, ids in (("u", self.user_ids), ("t", self.team_ids), ("c", self.client_ids))
            for one in ids
        )

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


_SHARED = tuple(name for name in Share.model_fields if name != "agency_id")


class Ending(_Kept):
    """How a share ended, and by whom."""

    at: Moment
    by: Ref
    agency: Ref
    reason: str


class PastGrant(_Kept):
    """A share that is no more. `ending` None: it ran out."""

    case_id: str
    grant: Grant
    ending: Ending | None = None
    ended_at: Moment


class Conflict(_Kept):
    """A user who must not know of the case: it is about them, their household or their neighbours."""

    id: str
    user: Ref
    agency: Ref
    kind: ConflictKind
    reason: str
    declared_by: Ref
    declared_at: Moment


class Ownership(_Kept):
    """`events` counts what was told of this case; `confirmed`: `cases` has been seen to know it. `transfer`:
    to whom it is offered. `ownerless_since`: its owner cannot act, and nobody could be given it."""

    case_id: str
    term: int
    epoch: int
    events: int = 0
    owner: Owner
    grants: tuple[Grant, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    transfer: Offer | None = None
    ownerless_since: Moment | None = None
    registered_at: Moment
    confirmed: bool = False

    @property
    def acl(self) -> AccessList:
        return AccessList(
            case_id=self.case_id,
            term=self.term,
            epoch=self.epoch,
            owner=self.owner,
            shares=(
                *(grant.share() for grant in self.grants),
                *((self.transfer.share(),) if self.transfer else ()),
            ),
            excluded=tuple(one.user.id for one in self.conflicts),
        )

    def grant(self, share_id: str) -> Grant | None:
        return next((grant for grant in self.grants if grant.id == share_id), None)


@dataclass(frozen=True, slots=True)
class Change:
    """What one change makes. `before`: the epoch that it was decided on. `decided`: the offer it ends."""

    before: int
    after: Ownership
    narrowing: bool
    agencies: frozenset[str]
    past: tuple[PastGrant, ...]
    decided: Transfer | None = None


def register(
    case_id: str, owner: Owner, *, client: Ref | None, regime: Regime, term: int, share_id: str, now: datetime
) -> Ownership:
    """A new case's: epoch 1. The owner's team, and the client that opened the case, get a share of theirs."""
    grants: tuple[Grant, ...] = ()
    if owner.team is not None or client is not None:
        grants = (
            Grant(
                id=share_id,
                kind="team",
                agency=owner.agency,
                team_ids=(owner.team.id,) if owner.team else (),
                client_ids=(client.id,) if client else (),
                level="contribute",
                sections=SECTIONS,
                regime=regime,
                granted_by=owner.user,
                granted_at=now,
                updated_at=now,
            ),
        )
    return Ownership(case_id=case_id, term=term, epoch=1, owner=owner, grants=grants, registered_at=now)


def decoy() -> Ownership:
    """Stands in for a case that one may not know of or that does not exist, so that judging it costs what
    judging a case does. It has as many shares as most cases have, and names nobody."""
    now, nobody = datetime(2026, 1, 1, tzinfo=UTC), Ref(id=NOBODY, name="-" * 24)
    owner = Owner(user=nobody, agency=nobody, team=nobody)
    made = register(nobody.id, owner, client=None, regime="uk_gdpr", term=0, share_id=nobody.id, now=now)
    more = {"kind": "share", "user_ids": (nobody.id,), "protocol_id": nobody.id, "purpose": nobody.name}
    share = made.grants[0].model_copy(update={**more, "legal_gateway": nobody.name, "expires_at": now})
    return made.model_copy(update={"grants": (*made.grants, share)})


def give(ownership: Ownership, grant: Grant, now: datetime) -> Change:
    """Add a share."""
    return _change(ownership, (*ownership.grants, grant), grant, now, narrowing=narrows(None, grant))


def replace(ownership: Ownership, grant: Grant, now: datetime) -> Change:
    """Put other terms in the place of the share with the same id."""
    before = ownership.grant(grant.id)
    grants = tuple(grant if one.id == grant.id else one for one in ownership.grants)
    return _change(ownership, grants, grant, now, narrowing=narrows(before, grant))


def end(ownership: Ownership, grant: Grant, ending: Ending) -> Change:
    """Take a share away."""
    grants = tuple(one for one in ownership.grants if one.id != grant.id)
    past = PastGrant(case_id=ownership.case_id, grant=grant, ending=ending, ended_at=ending.at)
    return _change(ownership, grants, grant, ending.at, narrowing=True, past=(past,))


def _change(
    ownership: Ownership,
    grants: tuple[Grant, ...],
    touched: Grant,
    now: datetime,
    *,
    narrowing: bool,
    past: tuple[PastGrant, ...] = (),
) -> Change:
    """What expired long ago goes too, so that the document stays small."""
    kept = tuple(one for one in grants if not _long_gone(one, now))
    past += tuple(
        PastGrant(case_id=ownership.case_id, grant=one, ended_at=one.expires_at)
        for one in grants
        if one.expires_at is not None and _long_gone(one, now)
    )
    after = ownership.model_copy(
        update={"epoch": ownership.epoch + 1, "events": ownership.events + 1, "grants": kept}
    )
    agencies = frozenset({touched.agency.id, ownership.owner.agency.id})
    return Change(ownership.epoch, after, narrowing, agencies, past)


def _long_gone(grant: Grant, now: datetime) -> bool:
    return grant.expires_at is not None and grant.expires_at + KEPT_AFTER_EXPIRY <= now
