"""Why somebody may see a case or may not, now or then: for those who answer for it."""

from __future__ import annotations

from datetime import datetime

from services.chassis.configured import Configured
from services.chassis.rpc import rpc
from services.chassis.stored import Stored
from services.contracts.access import owns
from services.contracts.caller import Caller
from services.contracts.errors import ConcordatError, FieldError, Invalid, NotVisible
from services.contracts.sharing.explain import Explain, Explanation
from services.sharing.domain import explaining
from services.sharing.domain.entries import case_object, disclosed, entry, person_object
from services.sharing.domain.explaining import Asked, may_ask
from services.sharing.domain.known import Known
from services.sharing.domain.ownership import Ownership
from services.sharing.handlers.grants import Grants, Looked
from services.sharing.settings import SharingSettings
from services.sharing.stores import concerns
from services.sharing.stores.concerns import ConcernStore
from services.sharing.stores.history import HistoryStore
from services.sharing.stores.steps import STEPS


class ExplainHandlers(Grants):
    history: HistoryStore = Stored(HistoryStore, STEPS)
    concerns: ConcernStore = Stored(ConcernStore, concerns.STEPS)
    settings: SharingSettings = Configured()

    @rpc(expected_exceptions=ConcordatError)
    def explain(self, request: Explain, caller: Caller) -> Explanation:
        """Every step of the rule, as it stands or as it stood."""
        question, today = request.question, self.directory.today()
        if question.at is not None and question.at > today.now:
            raise Invalid(errors=(FieldError("/at", "in_the_future", "Nobody knows that yet."),))
        with self.looking(caller, "access.explain", question.case_id) as looked:
            # Who may ask is judged now, and by the same path for a case and a person that there are not.
            ownership, concerned = self._answerable(looked, question.at or today.now)
            known = self._one(self.directory.known([question.user_id], today))
            of_agency = known.agency.id if known else None
            allowed = may_ask(caller, ownership.acl, of_agency, concerned=concerned)
            if not looked.there or known is None or not allowed:
                raise NotVisible
            about = self.about(question.case_id)
            self.require_open(caller, about, working=owns(caller, ownership.acl))
            asked = Asked(question.action, known, ownership, about, today, self.settings.trained_uses)
            if question.at is not None:
                asked = self._then(asked, question.case_id, question.at)
            told = explaining.explain(asked)
            record = entry(
                caller,
                "access.explain",
                outcome="shown",
                operation="consultation",
                how="opened",
                objects=(
                    case_object(question.case_id, looked.agency_id),
                    person_object(known.kind, known.id, known.agency.id),
                ),
            )
            self.records.keep(record)
            return told.model_copy(update={"disclosed": disclosed(record)})

    def _answerable(self, looked: Looked, at: datetime) -> tuple[Ownership, bool]:
        """The ownership, whole for an officer who may answer for it, and whether it had to do with an agency
        officer's agency by then. What had not is not read: its size would show in the time."""
        caller = looked.caller
        if "partnership_dpo" in caller.roles:
            return self.whole(looked), True
        officer = "agency_dpo" in caller.roles
        concerned = officer and self.concerns.concerned(caller.agency_id, looked.case_id, at)
        return (self.whole if concerned else self.found)(looked), concerned

    def _then(self, now: Asked, case_id: str, at: datetime) -> Asked:
        """The same question at an instant of the past. Use and marking, and which uses
        require training, are today's: `cases` and the settings have them."""
        today = self.history.today(at)
        known = self._one(self.history.known([now.known.id], today))
        return Asked(
            now.action,
            known or explaining.not_there(now.known),
            self.history.ownership(case_id, at),
            now.about,
            today,
            now.trained,
        )

    def _one(self, found: dict[str, Known]) -> Known | None:
        """A team can open nothing."""
        return next((one for one in found.values() if one.kind != "team"), None)
