"""What stands against a caller by itself: what it was not taught, where it is, what it holds in its hand.

`sharing` works a caller's bars out when it signs it (R19, R31): per use (a template) and per marking. `cases`
alone knows a case's use and marking, and looks them up; `sharing` and `audit` ask it for these where any of a
caller's bars hangs on them. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from .errors import DeviceNotPermitted, NetworkNotPermitted, Refused, StepUpRequired, TrainingRequired
from .vocabulary import Marking, Template

BarCode = Literal["training_required", "network_not_permitted", "device_not_permitted", "step_up_required"]
_EXPORT = "export:"
_REFUSALS: dict[BarCode, type[Refused]] = {
    "training_required": TrainingRequired,
    "network_not_permitted": NetworkNotPermitted,
    "device_not_permitted": DeviceNotPermitted,
    "step_up_required": StepUpRequired,
}


class Bar(BaseModel):
    """Why, and the clause of the procedure that says so."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    code: BarCode
    clause: str | None = None

    def refusal(self) -> Refused:
        """What the caller is told, if it may know of the case."""
        return _REFUSALS[self.code](clause=self.clause)


@dataclass(frozen=True, slots=True)
class About:
    """What of a case its bars hang on."""

    use: Template
    marking: Marking


def for_use(use: Template) -> str:
    """The key in `Caller.barred`."""
    return f"use:{use}"


def for_marking(marking: Marking) -> str:
    """The key in `Caller.barred`."""
    return f"marking:{marking}"


def for_export(marking: Marking) -> str:
    """The key in `Caller.barred` of what takes something away from the screen: a file, paper. A code of the
    authenticator lifts no such bar: the place and the device are what they are."""
    return f"{_EXPORT}{marking}"


def bar_on(barred: Mapping[str, Bar], about: About, *, working: bool = True) -> Bar | None:
    """The first that stands against a caller in such a case: training, then place and device.

    `working` False: of somebody who looks after such cases and works in none (an officer, an administrator):
    no use asks training of them.
    """
    untaught = barred.get(for_use(about.use)) if working else None
    return untaught or barred.get(for_marking(about.marking))


def hangs_on_case(barred: Mapping[str, Bar]) -> bool:
    """Whether any of it hangs on what a case is: else nobody need be asked for use and marking."""
    return any(not key.startswith(_EXPORT) for key in barred)


def require_unbarred(barred: Mapping[str, Bar], about: About) -> None:
    """Raises what the bar says: nobody makes a case into what they could not open."""
    bar = bar_on(barred, about)
    if bar is not None:
        raise bar.refusal()


def require_export(barred: Mapping[str, Bar]) -> None:
    """Raises what stands against taking files away that name cases of any sensitivity."""
    bar = barred.get(for_export("official_sensitive"))
    if bar is not None:
        raise bar.refusal()
