"""Training: which uses of the system somebody has been taught, and until when (R19)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from services.contracts.errors import FieldError, Invalid
from services.contracts.vocabulary import Template
from services.sharing.domain.london import covers


@dataclass(frozen=True, slots=True)
class Training:
    """The latest that was recorded of one use. Both days are included."""

    id: str
    use: Template
    completed_on: date
    expires_on: date
    recorded_at: datetime

    def current(self, today: date) -> bool:
        return covers(self.completed_on, self.expires_on, today)


def current_uses(trainings: Iterable[Training], today: date) -> tuple[Template, ...]:
    """The uses with training that counts today."""
    return tuple(sorted(one.use for one in trainings if one.current(today)))


def recorded(trainings: Iterable[Training], new: Training) -> tuple[Training, ...]:
    """With `new` in the place of what there was of its use: who recorded a wrong day records it again."""
    return (*(one for one in trainings if one.use != new.use), new)


def check_training(completed_on: date, expires_on: date, today: date) -> None:
    """Raises Invalid."""
    errors = []
    if completed_on > today:
        errors.append(FieldError("/completed_on", "in_the_future", "It is not completed yet."))
    if expires_on < completed_on:
        errors.append(FieldError("/expires_on", "before_completion", "It would end before it begins."))
    if errors:
        raise Invalid(errors=tuple(errors))
