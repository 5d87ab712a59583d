"""Shares as one caller is shown them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from services.contracts.sharing.shares import (
    ConsentView,
    MemberView,
    Named,
    Revocation,
    ShareChecked,
    ShareView,
)
from services.contracts.vocabulary import ShareState
from services.sharing.domain.comparing import state_of
from services.sharing.domain.known import Known, Today
from services.sharing.domain.ownership import Grant, Ownership, PastGrant

_KINDS = {"u": "user", "t": "team", "c": "client"}


def show(
    ownership: Ownership, grant: Grant, known: Mapping[str, Known], today: Today, *, to_owner: bool
) -> ShareView:
    """A share in the list, with its ETag."""
    state = state_of(
        grant,
        ownership.owner,
        today.now,
        inactive_agencies=today.on.inactive_agencies,
        inactive_protocols=today.on.inactive_protocols_of(grant.agency.id),
    )
    return _with_etag(_view(ownership.case_id, grant, state, known, to_owner=to_owner))


def show_past(past: PastGrant, known: Mapping[str, Known], *, to_owner: bool = True) -> ShareView:
    """One that is no more. To another than the owner, who handed it back: without its members."""
    if past.ending is None:
        return _with_etag(_view(past.case_id, past.grant, "expired", known, to_owner=to_owner))
    revoked = Revocation(**past.ending.model_dump())
    shown = _set(_view(past.case_id, past.grant, "revoked", known, to_owner=to_owner))
    if not to_owner:
        shown |= {"members": (), "who": ()}
    return _with_etag(ShareView(**shown, revoked=revoked))


def show_proposal(grant: Grant, known: Mapping[str, Known]) -> ShareChecked:
    """What would be granted, to the owner."""
    return ShareChecked(**_terms(grant, known, to_owner=True))


def keys_in(grants: Sequence[Grant]) -> dict[str, set[str]]:
    """Whose names are needed: ids by kind."""
    return {
        "users": {one for grant in grants for one in grant.user_ids},
        "teams": {one for grant in grants for one in grant.team_ids},
        "clients": {one for grant in grants for one in grant.client_ids},
    }


def _view(
    case_id: str, grant: Grant, state: ShareState, known: Mapping[str, Known], *, to_owner: bool
) -> ShareView:
    return ShareView(
        **_terms(grant, known, to_owner=to_owner),
        id=grant.id,
        case_id=case_id,
        state=state,
        granted_by=grant.granted_by,
        granted_at=grant.granted_at,
        created_at=grant.granted_at,
        updated_at=grant.updated_at,
    )


def _terms(grant: Grant, known: Mapping[str, Known], *, to_owner: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "kind": grant.kind,
        "agency_id": grant.agency.id,
        "agency": grant.agency,
        "members": tuple(_member(key) for key in _keys(grant)),
        "who": tuple(_named(key, known) for key in _keys(grant)),
        "level": grant.level,
        "sections": grant.sections,
        "purpose": grant.purpose,
        "protocol_id": grant.protocol_id,
        "legal_gateway": grant.legal_gateway,
        "consent": _consent(grant, to_owner=to_owner),
        "expires_at": grant.expires_at,
        "regime": grant.regime,
    }
    if grant.side is not None:
        shown["side"] = grant.side
    if grant.note is not None:
        shown["note"] = grant.note
    return shown


def _consent(grant: Grant, *, to_owner: bool) -> ConsentView | None:
    if grant.consent is None:
        return None
    shown: dict[str, Any] = {"state": grant.consent.state}
    if to_owner and grant.consent.reason is not None:
        shown["reason"] = grant.consent.reason
    if grant.confirm_by is not None:
        shown["confirm_by"] = grant.confirm_by
    return ConsentView(**shown)


def _keys(grant: Grant) -> list[str]:
    return [
        *(f"u:{one}" for one in grant.user_ids),
        *(f"t:{one}" for one in grant.team_ids),
        *(f"c:{one}" for one in grant.client_ids),
    ]


def _member(key: str) -> MemberView:
    return MemberView(**{f"{_KINDS[key[0]]}_id": key[2:]})


def _named(key: str, known: Mapping[str, Known]) -> Named:
    one = known.get(key)
    shown: dict[str, Any] = {"kind": _KINDS[key[0]], "id": key[2:]}
    if one is None:
        return Named(**shown, name="", available=False, because="unknown")
    shown |= {"name": one.name, "available": one.because is None}
    return Named(**shown, because=one.because) if one.because else Named(**shown)


def _set(view: ShareView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.model_fields_set}


def _with_etag(view: ShareView) -> ShareView:
    """It changes exactly when what is seen does."""
    seen = view.model_dump_json(exclude_unset=True, exclude={"etag", "disclosed"})
    return view.model_copy(update={"etag": hashlib.sha256(seen.encode()).hexdigest()[:32]})
