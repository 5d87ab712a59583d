"""Links between two subjects (R4): which kinds there may be between which, and how one changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.cases.domain.subjects import Subject
from services.contracts.cases.links import LinkBody, LinkChanges, LinkView
from services.contracts.errors import FieldError, Invalid
from services.contracts.paging import Ref
from services.contracts.views import Disclosed
from services.contracts.vocabulary import LinkKind, SubjectKind

MOST_LINKS = 500
"""Of one subject: a list of them judges every one."""

_PEOPLE: frozenset[SubjectKind] = frozenset({"person", "family"})
_SITES: frozenset[SubjectKind] = frozenset({"premises", "place"})
_HARMED: frozenset[SubjectKind] = _PEOPLE | {"premises"}
_BETWEEN: Mapping[LinkKind, tuple[frozenset[SubjectKind], frozenset[SubjectKind]]] = {
    "member_of_family": (frozenset({"person"}), frozenset({"family"})),
    "resides_at": (_PEOPLE, _SITES),
    "associate_of": (_PEOPLE, _PEOPLE),
    "victim_of": (_HARMED, _PEOPLE),
    "perpetrator_against": (_PEOPLE, _HARMED | _SITES),
    "occurred_at": (_PEOPLE | _SITES, _SITES),
}


@dataclass(frozen=True, slots=True)
class Link:
    """`until` is the last day. `agency_id`: who says so, and may change it."""

    id: str
    kind: LinkKind
    from_id: str
    to_id: str
    since: date | None
    until: date | None
    source: str
    agency_id: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int = 1

    def other(self, subject_id: str) -> str:
        """The end that is not `subject_id`."""
        return self.to_id if self.from_id == subject_id else self.from_id

    def changed(self, changes: LinkChanges, now: datetime) -> Link:
        """With what `changes` sets. Raises Invalid."""
        given = {name: getattr(changes, name) for name in changes.model_fields_set}
        if given.get("source", "") is None:
            raise Invalid(errors=(FieldError("/source", "required", "This field is required."),))
        link = replace(self, **given, version=self.version + 1, updated_at=now)
        _check_dates(link.since, link.until)
        return link

    def view(self, subject_id: str, other: Subject, disclosed: Disclosed | None = None) -> LinkView:
        """As seen from `subject_id`. Dates that are not known are absent."""
        more = {name: day for name in ("since", "until") if (day := getattr(self, name)) is not None}
        if disclosed is not None:
            more["disclosed"] = disclosed
        return LinkView(
            id=self.id,
            kind=self.kind,
            from_subject_id=self.from_id,
            to_subject_id=self.to_id,
            source=self.source,
            agency_id=self.agency_id,
            other=Ref(id=other.id, name=other.label),
            other_kind=other.kind,
            created_at=self.created_at,
            updated_at=self.updated_at,
            **more,
        )


def check_link(body: LinkBody, start: Subject, end: Subject) -> None:
    """Raises Invalid: to itself, between kinds that it does not join, or ending before it begins."""
    if start.id == end.id:
        raise Invalid(errors=(FieldError("/to_subject_id", "same_subject", "This is the subject itself."),))
    starts, ends = _BETWEEN[body.kind]
    if start.kind not in starts or end.kind not in ends:
        raise Invalid(
            errors=(FieldError("/kind", "not_between_these", "A link of this kind does not join these two."),)
        )
    _check_dates(body.since, body.until)


def _check_dates(since: date | None, until: date | None) -> None:
    if since is not None and until is not None and until < since:
        raise Invalid(errors=(FieldError("/until", "out_of_range", "This date is before the first."),))
