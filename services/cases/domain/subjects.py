"""A subject as it is kept: what was entered, by whom, at which version. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, get_args

from pydantic import ValidationError

from services.cases.domain.labels import label_of
from services.contracts.cases.subjects import (
    AnyBody,
    PersonBody,
    PremisesBody,
    SubjectChanges,
    SubjectSummary,
    SubjectView,
)
from services.contracts.errors import FieldError, Invalid
from services.contracts.parsing import refusal
from services.contracts.views import Disclosed
from services.contracts.vocabulary import SubjectKind

KIND_OF: Mapping[str, type[AnyBody]] = {
    get_args(body.model_fields["kind"].annotation)[0]: body for body in get_args(AnyBody)
}
_OPTIONAL = frozenset({"external_ref", "born", "identifiers", "uprn"})


@dataclass(frozen=True, slots=True)
class Subject:
    """One record of one agency. `version` counts its changes from 1."""

    id: str
    agency_id: str
    body: AnyBody
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime

    @property
    def kind(self) -> SubjectKind:
        return self.body.kind

    @property
    def team_id(self) -> str:
        return self.body.team_id

    @property
    def label(self) -> str:
        """What people know it by."""
        return label_of(self.body)

    @property
    def etag(self) -> str:
        """Every reader sees all of it, so it changes with the version alone."""
        return hashlib.sha256(f"subject {self.id} {self.version}".encode()).hexdigest()[:32]

    def kept_by(self, agency_id: str, team_ids: Collection[str]) -> bool:
        """Whether it is that of one of these teams (R56: a team is a wall, also inside its agency)."""
        return self.agency_id == agency_id and self.team_id in team_ids

    def changed(self, changes: SubjectChanges, now: datetime) -> Subject:
        """With what `changes` sets. Raises Invalid."""
        return replace(self, body=_merged(self.body, changes), version=self.version + 1, updated_at=now)

    def view(self, disclosed: Disclosed) -> SubjectView:
        """All of it; what was not entered is absent."""
        return SubjectView.model_validate(
            {
                "id": self.id,
                "agency_id": self.agency_id,
                **fields_of(self.body),
                "created_at": self.created_at,
                "updated_at": self.updated_at,
                "etag": self.etag,
                "disclosed": disclosed,
            }
        )

    def summary(self) -> SubjectSummary:
        """Its line in a list."""
        more: dict[str, Any] = {}
        if isinstance(self.body, PersonBody) and self.body.born is not None:
            more["born"] = self.body.born
        if isinstance(self.body, PremisesBody):
            more["postcode"] = self.body.address.postcode
        return SubjectSummary(
            id=self.id,
            name=self.label,
            kind=self.kind,
            agency_id=self.agency_id,
            team_id=self.team_id,
            updated_at=self.updated_at,
            **more,
        )


def fields_of(body: AnyBody) -> dict[str, Any]:
    """The fields that were entered, as JSON says them."""
    return body.model_dump(mode="json", exclude_unset=True, exclude_none=True)


def body_of(fields: Mapping[str, Any]) -> AnyBody:
    """What `fields_of` gave."""
    return KIND_OF[fields["kind"]].model_validate(fields)


def check_entered(body: AnyBody, team_ids: Collection[str], today: date) -> None:
    """What the contract alone cannot tell. Raises Invalid: not the caller's team, a birth to come."""
    errors = []
    if body.team_id not in team_ids:
        errors.append(FieldError("/team_id", "not_your_team", "This is not one of your teams."))
    if isinstance(body, PersonBody) and body.born is not None and body.born.date > today:
        errors.append(FieldError("/born/date", "out_of_range", "This date is in the future."))
    if errors:
        raise Invalid(errors=tuple(errors))


def _merged(body: AnyBody, changes: SubjectChanges) -> AnyBody:
    given = changes.model_dump(mode="json", exclude_unset=True)
    if strange := sorted(given.keys() - type(body).model_fields.keys()):
        raise Invalid(
            errors=tuple(
                FieldError(f"/{name}", "unknown_field", "A subject of this kind has no such field.")
                for name in strange
            )
        )
    merged = {**fields_of(body), **given}
    try:
        return body_of(
            {name: value for name, value in merged.items() if value is not None or name not in _OPTIONAL}
        )
    except ValidationError as error:
        raise refusal(error) from None
