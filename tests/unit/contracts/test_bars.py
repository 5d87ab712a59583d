"""What stands against a caller by itself: looked up by use and marking, told with its clause."""

from __future__ import annotations

import pytest

from services.contracts.bars import (
    About,
    Bar,
    bar_on,
    for_export,
    for_marking,
    for_use,
    hangs_on_case,
    require_export,
    require_unbarred,
)
from services.contracts.errors import (
    DeviceNotPermitted,
    NetworkNotPermitted,
    Refused,
    StepUpRequired,
    TrainingRequired,
)

ABOUT = About("vemt", "official_sensitive")
UNTAUGHT, AWAY = Bar(code="training_required", clause="4 Training"), Bar(code="network_not_permitted")


def test_the_keys_are_those_that_callers_carry() -> None:
    assert for_use("vemt") == "use:vemt"
    assert for_marking("official") == "marking:official"
    assert for_export("official") == "export:official"


def test_training_is_looked_at_before_the_place() -> None:
    both = {for_use("vemt"): UNTAUGHT, for_marking("official_sensitive"): AWAY}
    assert bar_on(both, ABOUT) == UNTAUGHT
    assert bar_on({for_marking("official_sensitive"): AWAY}, ABOUT) == AWAY
    assert bar_on({for_use("complex_asb"): UNTAUGHT, for_marking("official"): AWAY}, ABOUT) is None


def test_no_training_is_asked_of_who_looks_after_a_case_and_does_not_work_in_it() -> None:
    both = {for_use("vemt"): UNTAUGHT, for_marking("official_sensitive"): AWAY}
    assert bar_on(both, ABOUT, working=False) == AWAY
    assert bar_on({for_use("vemt"): UNTAUGHT}, ABOUT, working=False) is None


def test_what_a_case_is_matters_to_all_bars_but_those_of_taking_away() -> None:
    assert not hangs_on_case({})
    assert not hangs_on_case({for_export("official_sensitive"): AWAY})
    for key in (for_use("vemt"), for_marking("official")):
        assert hangs_on_case({for_export("official"): AWAY, key: UNTAUGHT})


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("training_required", TrainingRequired),
        ("network_not_permitted", NetworkNotPermitted),
        ("device_not_permitted", DeviceNotPermitted),
        ("step_up_required", StepUpRequired),
    ],
)
def test_each_code_is_told_as_itself_with_its_clause(code: str, refusal: type[Refused]) -> None:
    told = Bar.model_validate({"code": code, "clause": "7 Places"}).refusal()
    assert type(told) is refusal
    assert told.to_problem("r")["clause"] == "7 Places"


def test_nobody_makes_a_case_into_what_it_could_not_open() -> None:
    with pytest.raises(TrainingRequired) as refused:
        require_unbarred({for_use("vemt"): UNTAUGHT}, ABOUT)
    assert refused.value.to_problem("r")["clause"] == "4 Training"
    require_unbarred({for_use("iom"): UNTAUGHT, for_export("official_sensitive"): AWAY}, ABOUT)
    require_unbarred({}, ABOUT)


def test_nothing_is_taken_away_where_the_most_sensitive_may_not_be() -> None:
    with pytest.raises(NetworkNotPermitted):
        require_export({for_export("official_sensitive"): AWAY})
    require_export({for_export("official"): AWAY, for_marking("official_sensitive"): AWAY})
