"""A conflict of interest: what changes of the case, how many there can be, how one is shown."""

from __future__ import annotations

import pytest

from services.contracts.errors import Invalid, NotVisible
from services.contracts.paging import Ref
from services.contracts.sharing.conflicts import MOST_CONFLICTS, ConflictView
from services.sharing.domain.conflicts import declare, view, withdraw
from tests.unit.sharing.grants import NOW, grant, ownership
from tests.unit.sharing.test_glass import DECLARED_BY, conflict


def many(count: int) -> tuple[object, ...]:
    return tuple(conflict(f"u-{number}") for number in range(count))


def test_it_narrows_the_case_at_the_next_epoch_and_ends_no_share() -> None:
    before = ownership(grant(agency=Ref(id="a-fire", name="Fire")))
    change = declare(before, conflict())
    assert (change.before, change.after.epoch, change.after.events) == (4, 5, 3)
    assert (change.narrowing, change.past, change.after.grants) == (True, (), before.grants)
    assert change.agencies == {"a-police", "a-homes", "a-fire"}


def test_a_case_has_so_many_and_no_more() -> None:
    last = declare(ownership(conflicts=many(MOST_CONFLICTS - 1)), conflict()).after
    assert len(last.acl.excluded) == MOST_CONFLICTS
    with pytest.raises(Invalid) as refused:
        declare(ownership(conflicts=many(MOST_CONFLICTS)), conflict())
    (error,) = refused.value.errors
    assert (error.pointer, error.code) == ("", "too_many")
    assert error.detail == "This case has too many conflicts."


def test_taken_back_it_widens_and_the_others_stay() -> None:
    before = ownership(grant(), conflicts=(conflict(), conflict("u-mo").model_copy(update={"id": "c-2"})))
    change = withdraw(before, "c-1")
    assert (change.after.epoch, change.after.events, change.narrowing) == (5, 3, False)
    assert (change.after.acl.excluded, change.after.grants) == (("u-mo",), before.grants)
    # Decided on what was read, and nobody's share ends by it.
    assert (change.before, change.agencies, change.past) == (before.epoch, frozenset(), ())
    with pytest.raises(NotVisible):
        withdraw(before, "c-3")


def test_it_is_shown_with_who_said_so_when_and_why() -> None:
    assert view(ownership(), conflict()) == ConflictView(
        id="c-1",
        case_id="k-1",
        user=Ref(id="u-jo", name="Jo"),
        agency=conflict().agency,
        kind="neighbour",
        reason="Lives next door",
        declared_by=DECLARED_BY,
        created_at=NOW,
    )
