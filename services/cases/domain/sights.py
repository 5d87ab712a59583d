"""Why a caller may see a subject: its own team's, or in a case whose subjects it may see. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.cases.domain.case import Case
from services.cases.domain.recording import Act, about, done
from services.cases.domain.showing import hidden_subjects, reads
from services.cases.domain.subjects import Subject
from services.contracts.access import Standing
from services.contracts.caller import Caller
from services.contracts.errors import ConcordatError
from services.contracts.records import Object, Record

Seen = tuple[Case, Standing]
"""A case that the caller may know of, and how it stands to it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """`own`: the caller's team's. `cases`: where else the caller sees it. Neither: it does not exist."""

    own: bool
    cases: tuple[Seen, ...] = ()

    def __bool__(self) -> bool:
        return self.own or bool(self.cases)

    @property
    def through(self) -> tuple[Seen, ...]:
        """The case by which it is seen, if the caller's team has it not itself."""
        return () if self.own else self.cases[:1]

    @property
    def may_add(self) -> bool:
        """Whether the caller may say something of it, and not only read."""
        return self.own or any(standing.reaches("contribute", "subjects") for _, standing in self.cases)


def shows(case: Case, caller: Caller, standing: Standing, subject_id: str) -> bool:
    """Whether the case shows this subject to the caller."""
    return subject_id in subjects_shown(case, caller, standing)


def subjects_shown(case: Case, caller: Caller, standing: Standing) -> set[str]:
    """The ids of the subjects that the case shows to the caller."""
    if not reads(standing, "subjects"):
        return set()
    return {one.id for one in case.subjects} - hidden_subjects(case, caller)


def sight_of(subject: Subject | None, subject_id: str, caller: Caller, seen: Iterable[Seen]) -> Sight:
    """`seen` are cases that hold the subject, of any number; one that is missing is in none."""
    own = subject is not None and subject.kept_by(caller.agency_id, caller.team_ids)
    if subject is None:
        return Sight(False)
    cases = [(case, standing) for case, standing in seen if shows(case, caller, standing, subject_id)]
    # The agency's own cases first: they ask for no reason.
    cases.sort(key=lambda one: (one[0].acl.owner.agency.id != caller.agency_id, one[0].id))
    return Sight(own, tuple(cases))


def things(subject: Subject, sight: Sight) -> Iterator[Object]:
    """What is told to the log of one subject shown: it, and the case by which it is seen."""
    yield Object(
        type="subject",
        id=subject.id,
        agency_id=subject.agency_id,
        sections=("subjects",),
        version=subject.version,
    )
    for case, _ in sight.through:
        yield about(case, ("subjects",))


def refused_subject(act: Act, caller: Caller, subject_id: str, problem: ConcordatError) -> Record:
    """Nothing leaves. Whose data it is, is not said: it may not be there."""
    record = done(act, caller, (Object(type="subject", id=subject_id),))
    return record.model_copy(update={"outcome": "refused", "code": problem.code})
