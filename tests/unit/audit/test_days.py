"""What people's days come to, and what of it is to be looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.audit.domain.days import (
    KEPT,
    Act,
    Finding,
    Thresholds,
    act_of,
    named,
    opened_by,
    reckon,
    worked_on,
)
from services.audit.domain.leaves import leaf_of
from services.audit.settings import AuditSettings
from services.contracts.access import AccessList, Owner, Share
from services.contracts.paging import Ref
from services.contracts.records import Actor, Object
from tests.unit.audit.logs import record

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


USUAL = Thresholds()
MANY_CASES, MANY_STRANGE = USUAL.cases, USUAL.strange


def act(case: str = "c1", at: datetime = NOON, **fields: Any) -> Act:
    thing = Object(type="case", id=case, agency_id="police")
    given = {"objects": (thing,), "at": at, "use": "iom", **fields}
    return act_of(leaf_of(record(0, **given), b"s" * 32).detail)


def found(acts: list[Act], *related: str) -> dict[str, Finding]:
    return {one.kind: one for one in reckon(acts, {}, lambda pair: pair[0] in related, USUAL)[1]}


@pytest.mark.parametrize(
    ("at", "unusual"),
    [
        (datetime(2026, 11, 24, 5, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 24, 6, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 24, 21, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 24, 22, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 1, 21, 0, tzinfo=UTC), True),  # 22:00 in London
        (datetime(2026, 7, 1, 5, 30, tzinfo=UTC), False),
    ],
)
def test_hours_are_londons(at: datetime, unusual: bool) -> None:
    assert ("out_of_hours" in found([act(at=at)], "c1")) is unusual


def test_thresholds_are_set_by_the_operator() -> None:
    strict = Thresholds(first_hour=9, last_hour=17, cases=1, strange=0)
    evening = [act(f"c{n}", at=NOON.replace(hour=17)) for n in range(2)]
    assert {one.kind for one in reckon(evening, {}, lambda _: False, strict)[1]} == {
        *("out_of_hours", "volume", "no_relation")
    }
    assert not reckon(evening, {}, lambda _: False, USUAL)[1]


@pytest.mark.parametrize(
    "wrong", [{"first_hour": "22", "last_hour": "6"}, {"many_cases": "500"}, {"keep_days": "7"}]
)
def test_settings_that_would_find_nothing_or_destroy_too_much_are_refused(
    wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RABBITMQ_URL", "amqp://x")
    for name, value in wrong.items():
        monkeypatch.setenv(f"CONCORDAT_AUDIT_{name.upper()}", value)
    with pytest.raises(ValidationError):
        AuditSettings(service="audit")


def test_the_day_is_londons_too() -> None:
    days, unusual = reckon([act(at=datetime(2026, 7, 1, 23, 30, tzinfo=UTC))], {}, lambda _: True, USUAL)
    assert list(days) == [("2026-07-02", "user-1")]
    assert unusual[0].id == "out_of_hours.2026-07-02.user-1"


def test_refusals_lists_clients_and_services_are_not_unusual() -> None:
    night = NOON.replace(hour=2)
    assert not found([act(at=night, outcome="refused"), act(at=night, how="listed", action="case.list")])
    for kind in ("client", "service"):
        actor = Actor(kind=kind, id="x", agency_id="police")  # type: ignore[arg-type]
        assert not found([act(at=night, actor=actor)])


def test_different_cases_count_once_each() -> None:
    acts = [act(f"c{n}") for n in range(MANY_CASES)] * 2
    assert "volume" not in found(acts, *(f"c{n}" for n in range(MANY_CASES)))
    more = found([*acts, act("one more")], *(f"c{n}" for n in range(MANY_CASES)))
    assert more["volume"].total == MANY_CASES + 1
    assert len(more["volume"].entry_ids) == 1
    assert "no_relation" not in more  # one alone


def test_cases_without_a_personal_relation_count_beyond_the_threshold() -> None:
    acts = [act(f"c{n}") for n in range(MANY_STRANGE + 2)]
    assert "no_relation" not in found(acts, "c0", "c1")
    assert found(acts, "c0")["no_relation"].total == MANY_STRANGE + 1


def test_a_day_has_an_end() -> None:
    days, _ = reckon([act(f"c{n}") for n in range(KEPT + 5)], {}, lambda _: True, USUAL)
    (day,) = days.values()
    assert (day.opened, len(day.cases)) == (KEPT + 5, KEPT)


def test_a_day_goes_on_from_what_was_counted() -> None:
    first, _ = reckon([act(f"c{n}") for n in range(MANY_CASES)], {}, lambda _: True, USUAL)
    again, unusual = reckon([act("c0"), act("new")], first, lambda _: True, USUAL)
    (day,) = again.values()
    assert day.opened == MANY_CASES + 2
    assert day.uses == {"iom": {"opened": MANY_CASES + 2, "contributed": 0}}
    assert [one.total for one in unusual] == [MANY_CASES + 1]


def test_a_search_for_the_own_name_is_marked() -> None:
    flag = (Object(type="flag", id="own_name"),)
    one = found([act(action="subject.search", how="listed", objects=flag)])["own_name"]
    assert (one.total, one.more) == (None, 1)


def test_log_ins_and_work_are_counted() -> None:
    later = NOON + timedelta(minutes=5)
    log_in = {"action": "session.create", "operation": "administration", "how": None, "objects": ()}
    done = {"action": "entry.add", "operation": "collection", "how": None, "outcome": "done"}
    by_provider = {**log_in, "action": "session.sign_in"}
    acts = [act(at=later, outcome="done", **by_provider), act(outcome="done", **log_in), act(**done)]
    acts.append(act(at=later, outcome="refused", **log_in))
    (day,) = reckon(acts, {}, lambda _: True, USUAL)[0].values()
    assert (day.last_log_in, day.contributed, day.opened) == (later, 1, 0)
    assert worked_on(acts) == {("c1", "user-1")}
    assert opened_by([*acts, act("c2")]) == {("c2", "user-1")}


def test_a_share_names_people_and_teams_do_not_count() -> None:
    owner = Owner(user=Ref(id="ann", name="Ann"), agency=Ref(id="police", name="Police"))
    share = Share(id="s", agency_id="nhs", user_ids=("ben",), team_ids=("t1",), level="read", sections=())
    acl = AccessList(case_id="c1", term=1, epoch=1, owner=owner, shares=(share,))
    assert [named(acl, one) for one in ("ann", "ben", "t1", "cara")] == [True, True, False, False]
