"""`/administration/users/{user_id}/trainings`: what somebody was taught, and until when it counts."""

from __future__ import annotations

from gateway.web import words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.page import FormPage, Gone, Outcome, Shown
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.sharing.people import GetUser
from services.contracts.sharing.trainings import ListTrainings, RecordTraining, TrainingBody

_DONE = {"saved": "Recorded. It counts from now on."}


class Trainings(FormPage):
    fields = (
        Field("use", "For cases of the kind", "select", missing="Choose the kind",
              options=(("", "Choose"), *words.choices("template"))),
        Field("completed_on", "Completed on", "day", missing="Say when it was completed"),
        Field("expires_on", "Last day on which it counts", "day", missing="Say until when it counts"),
    )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        user, found = await visit.together(
            visit.ask("sharing", "get_user", asked(GetUser, **ids)),
            visit.ask("sharing", "list_trainings", asked(ListTrainings, **ids)),
        )
        return Shown(
            "administration/trainings.html",
            {
                "section": "administration",
                "form": form,
                "user": user,
                "items": found["items"],
                "missing": found["missing"],
                "done": _DONE.get(visit.query("done")),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        days = {name: form.day(name) for name in ("completed_on", "expires_on")}
        training = form.request(TrainingBody, {"use": form.text("use"), **days})
        request = asked(RecordTraining, **ids, training=training)
        await visit.tell("sharing", "record_training", request, once=form.once)
        return Gone(f"/administration/users/{ids['user_id']}/trainings?done=saved")
