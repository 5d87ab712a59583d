"""Versions of the Security Operating Procedure, and until when a signature of one holds (R29)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.contracts.errors import FieldError, Invalid
from services.contracts.sharing.procedures import ClauseBody


@dataclass(frozen=True, slots=True)
class Published:
    """What has to be known of a version to judge a signature. `cites`: by code of a refusal, its clause."""

    version: int
    sha256: str
    effective_from: datetime
    sign_by: datetime
    cites: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Procedure:
    """One version, with its text."""

    version: int
    title: str
    clauses: tuple[ClauseBody, ...]
    sha256: str
    effective_from: datetime
    sign_by: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Signature:
    version: int
    sha256: str
    signed_at: datetime


def cites_of(clauses: Sequence[ClauseBody]) -> dict[str, str]:
    """By code of a refusal, the clause that it cites, as `no heading`; the first that covers it."""
    found: dict[str, str] = {}
    for clause in clauses:
        for code in clause.covers:
            found.setdefault(code, f"{clause.no} {clause.heading}")
    return found


def digest(title: str, clauses: Sequence[ClauseBody]) -> str:
    """SHA-256 in hex of the canonical JSON of title, numbers, headings and texts: sorted keys, no spaces,
    UTF-8."""
    told = [clause.model_dump(mode="json", exclude={"covers"}) for clause in clauses]
    text = {"title": title, "clauses": told}
    canonical = json.dumps(text, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def holds(signature: Signature | None, procedures: Sequence[Published], now: datetime) -> bool:
    """Whether this signature lets one work at `now`.

    It does until the `sign_by` of any later version in effect; false while none is in effect.
    """
    in_effect = [one for one in procedures if one.effective_from <= now]
    if signature is None or not in_effect or signature.version < in_effect[0].version:
        return False
    return all(now < one.sign_by for one in in_effect if one.version > signature.version)


def check_publication(effective_from: datetime, sign_by: datetime, before: Published | None) -> None:
    """Raises Invalid: versions come into effect in their order, and can be signed before they must be."""
    errors = []
    if sign_by < effective_from:
        errors.append(FieldError("/sign_by", "before_effect", "It would be due before it is in effect."))
    if before is not None and effective_from < before.effective_from:
        errors.append(FieldError("/effective_from", "out_of_order", "The version before begins later."))
    if errors:
        raise Invalid(errors=tuple(errors))
