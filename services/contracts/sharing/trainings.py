"""Training: who was taught what, until when it counts (R19).

sharing.record_training(RecordTraining) -> TrainingView    command; POST /users/{id}/trainings
sharing.list_trainings(ListTrainings) -> TrainingPage      query; GET /users/{id}/trainings
"""

from __future__ import annotations

from datetime import date

from ..messages import Id, Moment, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import Template


class TrainingBody(Request):
    """From `completed_on` to `expires_on`, both days included (Europe/London)."""

    use: Template
    completed_on: date
    expires_on: date


class RecordTraining(Request):
    """Of somebody of the own agency; in the place of what was recorded for this use before. Raises
    NotVisible, Invalid: `/expires_on` before_completion, `/completed_on` in_the_future."""

    user_id: Id
    training: TrainingBody


class ListTrainings(PageRequest):
    """The latest of each use. Everybody sees their own, an administrator those of the own agency."""

    user_id: Id


class TrainingView(View):
    """`current`: it counts today. `required`: cases of this use cannot be opened without it."""

    id: str
    use: Template
    completed_on: date
    expires_on: date
    current: bool
    required: bool
    created_at: Moment
    updated_at: Moment


class TrainingPage(View):
    """`missing`: uses that require training which this person has not, or not any more."""

    items: tuple[TrainingView, ...]
    missing: tuple[Template, ...]
    next: str | None
