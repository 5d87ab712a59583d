"""Subjects: people, families, premises, places. Requests to `cases`, and what it shows.

cases.create_subject(CreateSubject) -> SubjectView       command, users and clients
cases.get_subject(GetSubject) -> SubjectView             query
cases.patch_subject(PatchSubject) -> SubjectView         command
cases.list_subjects(ListSubjects) -> SubjectPage         query: those of the caller's own teams
cases.search_subjects(SearchSubjects) -> SubjectPage     query

A subject belongs to the agency and team that entered it (`domain.md`, section 3). It is readable by that
team, and through a case that the reader may see; otherwise it does not exist.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    StringConstraints,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import AccessReason, Name, SubjectKind
from .geometry import GEOMETRIES, AnyGeometry
from .identifiers import CANONICAL, IdentifierScheme, Postcode, Uprn

_OneName = Annotated[str, StringConstraints(max_length=120, strip_whitespace=True)]
_Line = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
_Value = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
"""What is searched for. It never stands in a URL."""


class PersonName(Request):
    """One of the two may be empty: some people have a single name, of some only one is known."""

    given: _OneName
    family: _OneName
    type: Literal["legal", "alias"]

    @model_validator(mode="after")
    def _somebody(self) -> PersonName:
        if not self.given and not self.family:
            raise PydanticCustomError("string_too_short", "no name")
        return self


class Born(Request):
    """`precision` says how much of the date is known: with `year` its month and day mean nothing."""

    date: Annotated[datetime.date, Field(ge=datetime.date(1850, 1, 1), le=datetime.date(2199, 12, 31))]
    precision: Literal["day", "month", "year"]


class Identifier(Request):
    """A number in the canonical form of its scheme; `wrong_form` if its check does not hold."""

    scheme: IdentifierScheme
    value: _Value

    @field_validator("value")
    @classmethod
    def _canonical(cls, value: str, so_far: ValidationInfo) -> str:
        """On the value, so that a problem's pointer names it; a wrong scheme is told by itself."""
        scheme = so_far.data.get("scheme")
        return value if scheme is None else CANONICAL[scheme](value)


class Address(Request):
    lines: Annotated[tuple[_Line, ...], Field(min_length=1, max_length=6)]
    postcode: Postcode


class ExternalRef(Request):
    """What another system calls it: at most one thing of a kind in an agency has it."""

    system: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
    id: Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]


def _geometry(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    """By its type, so that a problem's pointer is the path in the body and nothing else."""
    if isinstance(value, tuple(GEOMETRIES.values())):
        return value
    return GEOMETRIES[_GeometryType.model_validate(value).type].model_validate(value)


class _GeometryType(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)
    type: Literal["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"]


Geometry = Annotated[AnyGeometry, Field(discriminator="type"), WrapValidator(_geometry)]


class _Entered(Request):
    """What every kind has. `team_id` is one of the caller's own teams."""

    team_id: Id
    external_ref: ExternalRef | None = None


class PersonBody(_Entered):
    kind: Literal["person"]
    names: Annotated[tuple[PersonName, ...], Field(min_length=1, max_length=20)]
    born: Born | None = None
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()


class FamilyBody(_Entered):
    kind: Literal["family"]
    name: Name


class PremisesBody(_Entered):
    kind: Literal["premises"]
    address: Address
    uprn: Uprn | None = None


class PlaceBody(_Entered):
    kind: Literal["place"]
    name: Name
    geometry: Geometry


AnyBody = PersonBody | FamilyBody | PremisesBody | PlaceBody
_BODIES: dict[str, type[_Entered]] = {
    "person": PersonBody,
    "family": FamilyBody,
    "premises": PremisesBody,
    "place": PlaceBody,
}


class _Kind(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)
    kind: SubjectKind


def _by_kind(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    """By its kind, so that a problem's pointer is the path in the body and nothing else."""
    if isinstance(value, tuple(_BODIES.values())):
        return value
    return _BODIES[_Kind.model_validate(value).kind].model_validate(value)


class SubjectBody(RootModel[Annotated[AnyBody, Field(discriminator="kind"), WrapValidator(_by_kind)]]):
    """The body of `POST /subjects`: one of the four, by `kind`. Each refuses the fields of the others."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class SubjectChanges(Request):
    """The body of `PATCH /subjects/{id}`: what is absent stays; null takes an optional field away.

    A field that the subject's kind has not is refused as `unknown_field`.
    """

    team_id: Id | None = None
    external_ref: ExternalRef | None = None
    names: Annotated[tuple[PersonName, ...], Field(min_length=1, max_length=20)] | None = None
    born: Born | None = None
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=20)] | None = None
    name: Name | None = None
    address: Address | None = None
    uprn: Uprn | None = None
    geometry: Geometry | None = None


class CreateSubject(Request):
    subject: SubjectBody


class GetSubject(Request):
    """`access_reason`: asked for when the only way to the subject is another agency's case."""

    subject_id: Id
    access_reason: AccessReason | None = None


class PatchSubject(Request):
    subject_id: Id
    if_match: str | None = None
    changes: SubjectChanges


class ListSubjects(PageRequest):
    """The latest entered first."""

    kind: SubjectKind | None = None


class SearchSubjects(PageRequest):
    """Every word of `text` MUST begin a word of the subject's names, address, postcode or identifiers.

    `agency_id`: only those that this agency entered.
    """

    text: Text
    agency_id: Id | None = None
    kind: SubjectKind | None = None


class SubjectView(View):
    """The body as it was entered, and who keeps it."""

    id: str
    kind: SubjectKind
    agency_id: str
    team_id: str
    external_ref: ExternalRef | None = None
    names: tuple[PersonName, ...] = ()
    born: Born | None = None
    identifiers: tuple[Identifier, ...] = ()
    name: str = ""
    address: Address | None = None
    uprn: str | None = None
    geometry: AnyGeometry | None = None
    created_at: Moment
    updated_at: Moment


class SubjectSummary(Reply):
    """One line of a list. `name` is what people know it by: name, family's name, address, place's name."""

    id: str
    name: str
    kind: SubjectKind
    agency_id: str
    team_id: str
    born: Born | None = None
    postcode: str | None = None
    updated_at: Moment


class SubjectPage(View):
    items: tuple[SubjectSummary, ...]
    next: str | None
