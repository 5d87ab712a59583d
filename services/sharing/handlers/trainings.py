"""Training: recorded by an agency's administrator, seen by whom it is about."""

from __future__ import annotations

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import FieldError, Invalid, NotVisible
from services.contracts.records import Object
from services.contracts.sharing.trainings import ListTrainings, RecordTraining, TrainingPage, TrainingView
from services.sharing.domain.london import day_of
from services.sharing.domain.trainings import Training, check_training, current_uses, recorded
from services.sharing.handlers.identity import REFUSALS, Identity, Made, own_agency

_OWN = FieldError("/user_id", "own_account", "Another administrator has to record your training.")


class Trainings(Identity):
    @command(expected_exceptions=REFUSALS)
    def record_training(self, request: RecordTraining, caller: Caller) -> TrainingView:
        """In the place of what there was of this use; in effect with the next request."""
        given, now = request.training, self.now()
        check_training(given.completed_on, given.expires_on, day_of(now))
        new = Training(new_event_id(), given.use, given.completed_on, given.expires_on, now)

        def body(session: Session, _emit: Emit) -> Made:
            user = self.users.load(request.user_id, session)
            own_agency(caller, user.agency_id)
            if user.id == caller.id:  # R39: it would open cases to who administers
                raise Invalid(errors=(_OWN,))
            after = recorded(user.trainings, new)
            self.users.train(user.id, after, by=caller.id, now=now, session=session)
            self.keep(caller, "user.train", Object(type="user", id=user.id, agency_id=user.agency_id))
            return Made(id=new.id)

        made = self.commands.run(request, Made, body)
        kept = self.users.load(request.user_id).trainings
        found = [one for one in kept if one.id == made.id] or [one for one in kept if one.use == given.use]
        return TrainingView(**self._training(found[0]))

    @rpc(expected_exceptions=REFUSALS)
    def list_trainings(self, request: ListTrainings, caller: Caller) -> TrainingPage:
        """One of each use at most: there is one page."""
        user = self.users.load(request.user_id)
        if user.id != caller.id:
            own_agency(caller, user.agency_id)
            if "agency_admin" not in caller.roles:
                raise NotVisible
        uses = current_uses(user.trainings, day_of(self.now()))
        return TrainingPage(
            items=tuple(TrainingView(**self._training(one)) for one in user.trainings),
            missing=tuple(one for one in self.settings.trained_uses if one not in uses),
            next=None,
        )

    def _training(self, one: Training) -> dict[str, object]:
        return {
            "id": one.id,
            "use": one.use,
            "completed_on": one.completed_on,
            "expires_on": one.expires_on,
            "current": one.current(day_of(self.now())),
            "required": one.use in self.settings.trained_uses,
            "created_at": one.recorded_at,
            "updated_at": one.recorded_at,
        }
