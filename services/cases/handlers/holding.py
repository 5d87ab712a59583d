"""What the log asks, to tell people who looked: which cases somebody is in."""

from __future__ import annotations

from services.cases.handlers.sights import Sights
from services.chassis.rpc import rpc
from services.contracts.authority import CaseOfSubject, CasesOfSubject, GetCasesOfSubject


class CasesOfSubjects(Sights):
    @rpc(callers=("audit",))
    def cases_of_subject(self, request: GetCasesOfSubject) -> CasesOfSubject:
        """The cases that hold a subject now, whoever may see them."""
        subject = self.subjects.find(request.subject_id)
        if subject is None:
            return CasesOfSubject(agency_id=None, items=())
        held = self.sightings.with_subject(subject.id)
        return CasesOfSubject(
            agency_id=subject.agency_id,
            items=tuple(CaseOfSubject(case_id=case_id, since=since) for case_id, since in held),
        )
