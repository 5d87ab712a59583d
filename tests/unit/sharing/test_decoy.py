"""What stands in for a case that one may not know of: as large as a case, of nobody, and long over."""

from __future__ import annotations

from services.contracts.access import standing_of
from services.sharing.domain.known import caller_of
from services.sharing.domain.ownership import NOBODY, decoy
from tests.unit.sharing.grants import NOW, known, today


def test_it_has_a_share_of_a_team_and_one_of_a_person_as_cases_have() -> None:
    team, share = decoy().grants
    assert (team.kind, share.kind) == ("team", "share")
    assert (share.user_ids, share.protocol_id) == ((NOBODY,), NOBODY)
    assert share.purpose
    assert share.legal_gateway
    assert share.expires_at is not None
    assert share.expires_at < NOW


def test_its_copies_are_older_than_any_case() -> None:
    assert decoy().acl.version == (0, 1)


def test_it_is_open_to_nobody_not_even_to_whom_it_names() -> None:
    when = today()
    for who in (known(), known(id=NOBODY)):
        assert standing_of(caller_of(who, when.on, when.now), decoy().acl) is None
