"""How every handler comes to a subject: whose it is, or through which cases the caller sees it.

Subjects are read before the cases are, so that nothing shown is newer than the list that it is judged by.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn

from services.cases.domain.recording import Act, shown
from services.cases.domain.sights import Seen, Sight, refused_subject, sight_of, things
from services.cases.domain.subjects import Subject
from services.cases.handlers.casework import Casework
from services.cases.stores.sightings import STEPS as SIGHTING_STEPS
from services.cases.stores.sightings import SightingStore
from services.cases.stores.subjects import STEPS as SUBJECT_STEPS
from services.cases.stores.subjects import SubjectStore
from services.chassis.stored import Stored
from services.contracts.access import decide, keys_of
from services.contracts.caller import Caller
from services.contracts.errors import ConcordatError, NotVisible
from services.contracts.permissions.permit import Permit
from services.contracts.records import Object
from services.contracts.views import Disclosed
from services.contracts.vocabulary import AccessReason

_KNOWS = Permit(level="know")
"""Whether the caller may know of a case; what of it it sees is the sight's to judge."""
_AT_A_TIME = 200


class Sights(Casework):
    """What the handlers of subjects, links and chronologies share."""

    subjects: SubjectStore = Stored(SubjectStore, SUBJECT_STEPS)
    sightings: SightingStore = Stored(SightingStore, SIGHTING_STEPS)

    def seen(self, caller: Caller, subject_ids: Collection[str]) -> list[Seen]:
        """The cases that hold any of the subjects and that the caller may know of, under lists as new as its
        fences. Raises Unavailable."""
        self.prepare_lists(caller)
        found = self.sightings.holding(subject_ids, keys_of(caller))
        cases = [
            case
            for start in range(0, len(found), _AT_A_TIME)
            for case in self.trusted(found[start : start + _AT_A_TIME], caller)
        ]
        decided = [(case, decide(caller, case.acl, _KNOWS, about=case.about)) for case in cases]
        return [(case, decision.standing) for case, decision in decided if decision.standing is not None]

    def sights(
        self, caller: Caller, subject_ids: Collection[str], subjects: Mapping[str, Subject]
    ) -> dict[str, Sight]:
        """How the caller sees each of the subjects; a missing one costs as much, and is seen in nothing."""
        seen = self.seen(caller, subject_ids)
        return {one: sight_of(subjects.get(one), one, caller, seen) for one in subject_ids}

    def sight(self, caller: Caller, subject_id: str, subject: Subject | None) -> Sight:
        """As `sights`, of one; the caller's own team's needs no look at cases."""
        if subject is not None and subject.kept_by(caller.agency_id, caller.team_ids):
            return Sight(True)
        return sight_of(subject, subject_id, caller, self.seen(caller, (subject_id,)))

    def visible(
        self, act: Act, caller: Caller, subject_id: str, access_reason: AccessReason | None = None
    ) -> tuple[Subject, Sight, AccessReason | None]:
        """Raises NotVisible, ReasonRequired, each recorded."""
        subject = self.subjects.find(subject_id)
        sight = self.sight(caller, subject_id, subject)
        if subject is None or not sight:
            self.refuse_subject(act, caller, subject_id, NotVisible())
        return subject, sight, self.reason_for(act, caller, sight, access_reason)

    def reason_for(
        self, act: Act, caller: Caller, sight: Sight, access_reason: AccessReason | None
    ) -> AccessReason | None:
        """Why it is seen through another agency's case. Raises ReasonRequired, recorded."""
        reason = access_reason
        for case, _ in sight.through:
            reason = self._reason(case, caller, act, access_reason)
        return reason

    def refuse_subject(self, act: Act, caller: Caller, subject_id: str, problem: ConcordatError) -> NoReturn:
        """Record why, and raise it."""
        self.records.keep(refused_subject(act, caller, subject_id, problem))
        raise problem

    def tell_subject(
        self, act: Act, caller: Caller, subject: Subject, sight: Sight, reason: AccessReason | None
    ) -> Disclosed:
        return self.tell(shown(act, caller, things(subject, sight), reason=reason))


def distinct(objects: Sequence[Object]) -> list[Object]:
    """Each thing once, in its first place, with every section that was named of it."""
    found: dict[tuple[str, str], Object] = {}
    for one in objects:
        before = found.get((one.type, one.id))
        sections = (*(before.sections if before else ()), *one.sections)
        found[one.type, one.id] = (before or one).model_copy(
            update={"sections": tuple(dict.fromkeys(sections))}
        )
    return list(found.values())
