"""Why somebody may do something with a case or may not: now, or at an instant of the past.

sharing.explain(Explain) -> Explanation     query; POST /access/explain

For the owner of the case, the partnership's DPO, and an agency's: of anybody in its own cases, of its own
people in those that have, or had, to do with it. To all others, as of what there is not, NotVisible.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from ..messages import Id, Moment, Reply, Request
from ..permissions.actions import ACTIONS
from ..steps import StepName
from ..views import View
from .shares import Clause


def _known(action: str) -> str:
    if action not in ACTIONS:
        raise ValueError("no action on a case")
    return action


ActionName = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known)]


class ExplainBody(Request):
    """`user_id`: a person's, or a client's. `action`: a method about a case as `may` names it, a level, or a
    section, which stands for reading it. `at`: not after now; without it, now."""

    user_id: Id
    case_id: Id
    action: ActionName
    at: Moment | None = None


class Explain(Request):
    """Raises NotVisible; Invalid, `/at` in the future."""

    question: ExplainBody


class Cites(Reply):
    """What a step rests on, as far as it rests on something. `code`: what stands against it, as whoever is
    refused by it is told. `protocols`: with the purpose in them."""

    code: str | None = None
    protocols: tuple[Clause, ...] = ()
    legal_gateways: tuple[str, ...] = ()
    procedure_version: int | None = None
    clause: str | None = None
    use: str | None = None
    marking: str | None = None
    share_ids: tuple[str, ...] = ()


class StepView(Reply):
    """`holds` null: it is not known until it is asked (a device, a reason), and stands against nobody."""

    step: StepName
    holds: bool | None
    cites: Cites | None = None


class Explanation(View):
    """Allowed exactly when no step is false. All of them are evaluated, in the order of the rule."""

    allowed: bool
    steps: tuple[StepView, ...]
