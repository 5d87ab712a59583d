"""The states of agencies and protocols, and what the calendar does to them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest

from services.contracts.errors import (
    AgencySuspended,
    Invalid,
    InvalidTransition,
    ProtocolExpired,
    ProtocolNotActive,
)
from services.contracts.sharing.protocols import ProtocolState
from services.contracts.vocabulary import AgencyState
from services.sharing.domain import agencies, protocols
from services.sharing.domain.london import covers, day_of
from tests.unit.sharing.people import DAY, NOW, OPERATOR, POLICE, TODAY, protocol, standing

STATES = get_args(AgencyState)


@pytest.mark.parametrize("present", STATES)
@pytest.mark.parametrize("to", STATES)
def test_an_agency_moves_as_the_table_says(present: Any, to: Any) -> None:
    allowed = {
        ("proposed", "protocol_drafted"),
        ("protocol_drafted", "proposed"),
        ("protocol_drafted", "signed"),
        ("signed", "protocol_drafted"),
        ("signed", "active"),
        ("active", "suspended"),
        ("active", "expired"),
        ("suspended", "active"),
        ("suspended", "expired"),
        ("expired", "active"),
        ("expired", "protocol_drafted"),
        ("withdrawn", "proposed"),
        *((one, "withdrawn") for one in STATES if one != "withdrawn"),
    }
    if (present, to) in allowed:
        agencies.check_move("police", present, to)
    else:
        with pytest.raises(InvalidTransition):
            agencies.check_move("police", present, to)


def test_the_operator_needs_no_protocol_to_become_active() -> None:
    agencies.check_move("operator", "proposed", "active")


@pytest.mark.parametrize("to", ["suspended", "expired", "withdrawn"])
def test_the_operator_does_not_lock_itself_out(to: Any) -> None:
    with pytest.raises(InvalidTransition):
        agencies.check_move("operator", "active", to)


@pytest.mark.parametrize("present", get_args(ProtocolState))
@pytest.mark.parametrize("to", get_args(ProtocolState))
def test_a_protocol_moves_as_the_table_says(present: Any, to: Any) -> None:
    allowed = {
        ("draft", "signed"),
        ("draft", "ended"),
        ("signed", "active"),
        ("signed", "draft"),
        ("signed", "ended"),
        ("active", "expired"),
        ("active", "ended"),
        ("expired", "active"),
        ("expired", "ended"),
    }
    if (present, to) in allowed:
        protocols.check_move(present, to, TODAY, TODAY)
    else:
        with pytest.raises(InvalidTransition):
            protocols.check_move(present, to, TODAY, TODAY)


def test_what_has_expired_is_renewed_by_a_later_end_alone() -> None:
    with pytest.raises(InvalidTransition):
        protocols.check_move("expired", "active", TODAY - DAY, TODAY)
    assert protocols.renewed("expired", TODAY, TODAY) == "active"
    assert protocols.renewed("expired", TODAY - DAY, TODAY) == "expired"
    assert protocols.renewed("signed", TODAY, TODAY) == "signed"


def test_what_was_signed_stays_as_it_was_signed() -> None:
    protocols.check_changes("draft", {"title", "purposes"})
    protocols.check_changes("active", {"ends_on", "parties", "spoc"})
    for shown, changed in (("signed", "purposes"), ("active", "starts_on"), ("ended", "ends_on")):
        with pytest.raises(InvalidTransition):
            protocols.check_changes(shown, {changed})  # type: ignore[arg-type]
    protocols.check_parties("active", ["a"], ["a", "b"])
    with pytest.raises(Invalid):
        protocols.check_parties("active", ["a", "b"], ["a"])


def test_a_protocol_ends_with_its_last_day_in_london() -> None:
    assert protocol(POLICE, ends_on=TODAY).in_force(TODAY)
    assert protocol(POLICE, ends_on=TODAY).shown(TODAY + DAY) == "expired"
    assert not protocol(POLICE, starts_on=TODAY + DAY, ends_on=TODAY + DAY).in_force(TODAY)
    summer = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert day_of(summer) == date(2026, 7, 2)
    assert day_of(datetime(2026, 12, 1, 23, 30, tzinfo=UTC)) == date(2026, 12, 1)


def test_dates_include_both_ends() -> None:
    assert covers(TODAY, TODAY, TODAY)
    assert not covers(TODAY + DAY, None, TODAY)
    assert not covers(None, TODAY - DAY, TODAY)


@pytest.mark.parametrize(
    ("state", "held", "refusal"),
    [
        ("active", [protocol(POLICE)], None),
        ("active", [], ProtocolNotActive),
        ("active", [protocol("another")], ProtocolNotActive),
        ("active", [protocol(POLICE, state="signed")], ProtocolNotActive),
        ("active", [protocol(POLICE, ends_on=TODAY - DAY)], ProtocolExpired),
        ("active", [protocol(POLICE, ends_on=TODAY - DAY), protocol(POLICE)], None),
        ("active", [protocol(POLICE, ends_on=TODAY - DAY), protocol(POLICE, state="draft")], ProtocolExpired),
        ("active", [protocol(POLICE, state="expired", ends_on=TODAY + DAY)], ProtocolExpired),
        ("active", [protocol(POLICE, state="ended")], ProtocolNotActive),
        ("suspended", [protocol(POLICE)], AgencySuspended),
        ("suspended", [protocol(POLICE, ends_on=TODAY - DAY)], AgencySuspended),
        ("withdrawn", [protocol(POLICE)], AgencySuspended),
        ("expired", [protocol(POLICE)], ProtocolExpired),
        ("signed", [protocol(POLICE)], ProtocolNotActive),
        ("proposed", [], ProtocolNotActive),
    ],
)
def test_why_an_agency_is_shut_out(state: Any, held: list[Any], refusal: Any) -> None:
    on = standing(police=state, protocols={f"p{n}": one for n, one in enumerate(held)}).on(TODAY)
    assert type(on.refusal(POLICE)) is (refusal or type(None))
    assert (POLICE in on.inactive_agencies) is (refusal is not None)


def test_the_operator_needs_only_its_own_state() -> None:
    assert standing(protocols={}).on(TODAY).refusal(OPERATOR) is None
    assert type(standing(operator="suspended").on(TODAY).refusal(OPERATOR)) is AgencySuspended
    assert type(standing(operator="proposed").on(TODAY).refusal(OPERATOR)) is ProtocolNotActive


def test_an_agency_that_nobody_knows_is_shut_out() -> None:
    assert type(standing().on(TODAY).refusal("nobody")) is ProtocolNotActive


def test_protocols_not_in_force_are_named() -> None:
    held = {"on": protocol(POLICE), "off": protocol(POLICE, ends_on=TODAY - DAY)}
    assert standing(protocols=held).on(TODAY).inactive_protocols == ("off",)


def test_nothing_hangs_on_the_hour() -> None:
    assert standing().on(day_of(NOW)) == standing().on(day_of(NOW + timedelta(hours=3)))
