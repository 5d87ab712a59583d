"""What stands against a caller in a case, as `sharing` asks it: of `cases`, and only where it must."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.contracts.bars import Bar
from services.contracts.caller import Caller
from services.contracts.cases.about import AboutCase, AboutCases, GetAbout
from services.contracts.errors import DeviceNotPermitted, NotVisible, TrainingRequired
from services.sharing.handlers.grants import Grants, Looked

AWAY, UNTAUGHT = Bar(code="device_not_permitted", clause="7 Devices"), Bar(code="training_required")
SENSITIVE, USE = "marking:official_sensitive", "use:vemt"


class Here(Grants):
    """With a `cases` that knows of case 7, and counts how often it was asked."""

    def __init__(self, *known: str) -> None:
        self.asked = 0
        self.cases = cast(Any, SimpleNamespace(call=self._told))
        self._known = known

    def _told(self, method: str, asked: GetAbout, reply: Any) -> AboutCases:
        assert method == "about_cases"
        self.asked += 1
        return AboutCases(
            items=tuple(
                AboutCase(case_id=one, use="vemt", marking="official_sensitive")
                for one in asked.case_ids
                if one in self._known
            )
        )


def looked(barred: dict[str, Bar]) -> Looked:
    told: dict[str, Any] = {"kind": "user", "id": "u", "agency_id": "a", "barred": barred}
    return Looked(Caller.model_construct(**told, now=datetime.now(UTC)), "7")


@pytest.mark.parametrize("barred", [{}, {"export:official_sensitive": AWAY}])
def test_cases_is_not_asked_for_whoever_nothing_can_stand_against(barred: dict[str, Bar]) -> None:
    here = Here()
    here.unbarred(looked(barred))
    here.require_open(looked(barred).caller, None)
    assert here.asked == 0


def test_what_stands_against_the_caller_is_told_with_its_clause() -> None:
    here = Here("7")
    with pytest.raises(DeviceNotPermitted) as refused:
        here.unbarred(looked({SENSITIVE: AWAY}))
    assert refused.value.to_problem("r")["clause"] == "7 Devices"
    here.unbarred(looked({"marking:official": AWAY, "use:iom": UNTAUGHT}))
    assert here.asked == 2


def test_no_training_is_asked_of_who_looks_after_the_case() -> None:
    here = Here("7")
    with pytest.raises(TrainingRequired):
        here.unbarred(looked({USE: UNTAUGHT}))
    here.unbarred(looked({USE: UNTAUGHT}), working=False)
    with pytest.raises(DeviceNotPermitted):
        here.unbarred(looked({USE: UNTAUGHT, SENSITIVE: AWAY}), working=False)


def test_a_case_that_cases_does_not_know_of_is_shut_and_not_open() -> None:
    with pytest.raises(NotVisible):
        Here().unbarred(looked({SENSITIVE: AWAY}))
