"""What stands against a caller by itself: every combination, beside a second reckoning of the same rule."""

from __future__ import annotations

from datetime import date, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.bars import About, bar_on, require_export
from services.contracts.errors import DeviceNotPermitted, Invalid
from services.contracts.sharing.agencies import PlaceBody
from services.contracts.vocabulary import DeviceClass, Marking, Template
from services.sharing.domain.barring import of_place, of_training
from services.sharing.domain.places import PlaceRule, check_places
from services.sharing.domain.trainings import Training, check_training, current_uses, recorded
from tests.unit.sharing.people import NOW, TODAY

OFFICE, INSIDE, OUTSIDE = "10.1.0.0/16", "10.1.2.3", "192.0.2.7"
CITES = {
    "network_not_permitted": "4 Places",
    "device_not_permitted": "5 Devices",
    "training_required": "6 Training",
}
_RULES = st.builds(
    PlaceRule,
    marking=st.sampled_from(get_args(Marking)),
    networks=st.sets(st.sampled_from([OFFICE, "2001:db8::/32", "192.0.2.0/30"]), max_size=2).map(tuple),
    device_classes=st.sets(st.sampled_from(get_args(DeviceClass)), max_size=3).map(tuple),
    step_up=st.booleans(),
)


def naive(rules: Any, marking: str, address: str | None, device: str, code: str) -> tuple[str | None, bool]:
    """Written from the issue: what is told, and whether anything may be taken away."""
    chosen = [rule for rule in rules if rule.marking == marking]
    if not chosen:
        chosen = [rule for rule in rules if rule.marking == "official"]
    if not chosen:
        return None, True
    rule = chosen[-1]
    here = any(
        address is not None and ip_address(address) in ip_network(network) for network in rule.networks
    )
    problem = None
    if rule.networks and not here:
        problem = "network_not_permitted"
    elif rule.device_classes and device not in rule.device_classes:
        problem = "device_not_permitted"
    if problem is None:
        return None, True
    if rule.step_up and code == "given":
        return None, False
    if rule.step_up and code == "possible":
        return "step_up_required", False
    return problem, False


@given(
    rules=st.lists(_RULES, max_size=2, unique_by=lambda rule: rule.marking),
    address=st.sampled_from([INSIDE, OUTSIDE, "192.0.2.1", "2001:db8::1", None]),
    device=st.sampled_from(get_args(DeviceClass)),
    code=st.sampled_from(["nowhere", "possible", "given"]),
    marking=st.sampled_from(get_args(Marking)),
)
def test_a_place_bars_what_its_rule_says_and_nothing_else(
    rules: Any, address: str | None, device: Any, code: Any, marking: Any
) -> None:
    barred = of_place(rules, address, device, code, CITES)
    bar = bar_on(barred, About("iom", marking))
    told, away = naive(rules, marking, address, device, code)
    assert (bar.code if bar else None) == told
    assert (f"export:{marking}" not in barred) == away
    if bar is not None:
        assert bar.clause in CITES.values()


def test_a_code_cites_the_clause_of_what_it_would_lift() -> None:
    rule = PlaceRule("official", (OFFICE,), (), step_up=True)
    barred = of_place([rule], OUTSIDE, "managed", "possible", CITES)
    assert barred["marking:official"].clause == "4 Places"
    own = of_place([rule], OUTSIDE, "managed", "possible", {**CITES, "step_up_required": "7 Codes"})
    assert own["marking:official"].clause == "7 Codes"
    assert of_place([rule], OUTSIDE, "managed", "possible", {})["marking:official"].clause is None


def test_what_is_more_sensitive_is_not_open_wider_unless_a_rule_says_so() -> None:
    office_only = PlaceRule("official", (OFFICE,))
    assert "marking:official_sensitive" in of_place([office_only], OUTSIDE, "managed", "nowhere", {})
    anywhere = PlaceRule("official_sensitive")
    both = of_place([office_only, anywhere], OUTSIDE, "managed", "nowhere", {})
    assert set(both) == {"marking:official", "export:official"}


def test_an_address_of_version_six_that_holds_one_of_four_is_that_one() -> None:
    rule = PlaceRule("official", (OFFICE,))
    assert not of_place([rule], f"::ffff:{INSIDE}", "personal", "nowhere", {})


def test_a_code_opens_the_screen_and_nothing_that_leaves_it() -> None:
    rule = PlaceRule("official_sensitive", (), ("managed",), step_up=True)
    barred = of_place([rule], INSIDE, "personal", "given", CITES)
    assert bar_on(barred, About("iom", "official_sensitive")) is None
    with pytest.raises(DeviceNotPermitted) as refused:
        require_export(barred)
    assert refused.value.clause == "5 Devices"
    require_export(of_place([rule], INSIDE, "managed", "nowhere", CITES))


@given(
    required=st.sets(st.sampled_from(get_args(Template))),
    trained=st.sets(st.sampled_from(get_args(Template))),
)
def test_only_required_uses_without_training_are_barred(required: Any, trained: Any) -> None:
    barred = of_training(required, trained, CITES)
    assert set(barred) == {f"use:{one}" for one in required - trained}
    assert {bar.clause for bar in barred.values()} <= {"6 Training"}


def _training(use: Any, begins: date, ends: date, number: str = "1") -> Training:
    return Training(number, use, begins, ends, NOW)


@pytest.mark.parametrize(
    ("begins", "ends", "counts"),
    [(-1, 1, True), (0, 0, True), (-1, 0, True), (0, 1, True), (-2, -1, False), (1, 2, False)],
)
def test_training_counts_on_its_first_and_on_its_last_day(begins: int, ends: int, counts: bool) -> None:
    day = timedelta(days=1)
    held = [_training("vemt", TODAY + begins * day, TODAY + ends * day)]
    assert current_uses(held, TODAY) == (("vemt",) if counts else ())


def test_what_is_recorded_last_of_a_use_is_what_counts() -> None:
    day = timedelta(days=1)
    wrong, iom = _training("vemt", TODAY, TODAY + 900 * day), _training("iom", TODAY, TODAY)
    right = _training("vemt", TODAY - 9 * day, TODAY - day, "2")
    assert set(recorded((wrong, iom), right)) == {iom, right}


def test_training_is_not_recorded_before_it_was_done_nor_to_end_before_it_began() -> None:
    day = timedelta(days=1)
    check_training(TODAY, TODAY, TODAY)
    for begins, ends, pointer in (
        (TODAY + day, TODAY + day, "/completed_on"),
        (TODAY, TODAY - day, "/expires_on"),
    ):
        with pytest.raises(Invalid) as refused:
            check_training(begins, ends, TODAY)
        assert [error.pointer for error in refused.value.errors] == [pointer]


def test_a_rule_is_kept_in_canonical_form_and_once_for_each_marking() -> None:
    rule = PlaceBody(
        marking="official", networks=("10.1.0.0/16", "2001:DB8::/32"), device_classes=("mobile",) * 2
    )
    (kept,) = check_places([rule])
    assert kept == PlaceRule("official", ("10.1.0.0/16", "2001:db8::/32"), ("mobile",), step_up=False)
    wrong = PlaceBody(marking="official", networks=("10.1.0.0/16", "10.1.2.3/16", "here"))
    with pytest.raises(Invalid) as refused:
        check_places([rule, wrong])
    assert [error.pointer for error in refused.value.errors] == [
        "/places/1/networks/1",
        "/places/1/networks/2",
        "/places/1/marking",
    ]
