"""Until when a signature holds, and which versions may follow which."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest

from services.contracts.errors import Invalid
from services.contracts.sharing.procedures import ClauseBody
from services.sharing.domain.procedures import Signature, check_publication, cites_of, digest, holds
from tests.unit.sharing.people import DAY, NOW, published, standing

HOUR = timedelta(hours=1)


def signed(version: int) -> Signature:
    return Signature(version, "a" * 64, NOW - DAY)


def test_the_current_version_has_to_be_signed() -> None:
    assert holds(signed(1), [published(1)], NOW)
    assert not holds(None, [published(1)], NOW)
    assert not holds(signed(1), [], NOW)


def test_a_former_signature_holds_until_sign_by() -> None:
    both = [published(1, -5 * DAY, -4 * DAY), published(2, -DAY, HOUR)]
    assert holds(signed(1), both, NOW)
    assert not holds(signed(1), both, NOW + HOUR)
    assert holds(signed(2), both, NOW + HOUR)
    assert not holds(None, both, NOW)


def test_a_version_to_come_changes_nothing_yet() -> None:
    coming = [published(1), published(2, HOUR, 2 * HOUR)]
    assert holds(signed(1), coming, NOW)
    current = standing(procedures=tuple(coming)).on(NOW.date()).current_procedure(NOW)
    assert current is not None
    assert current.version == 1


def test_a_signature_that_lapsed_once_is_not_revived_by_the_next_version() -> None:
    three = [published(1, -5 * DAY, -4 * DAY), published(2, -2 * DAY, -DAY), published(3, -HOUR, DAY)]
    assert not holds(signed(1), three, NOW)
    assert holds(signed(2), three, NOW)


def test_a_signature_older_than_all_that_is_remembered_does_not_hold() -> None:
    assert not holds(signed(1), [published(5)], NOW)


def test_nothing_is_current_before_the_first_takes_effect() -> None:
    assert standing(procedures=()).on(NOW.date()).current_procedure(NOW) is None
    assert standing(procedures=(published(1, HOUR),)).on(NOW.date()).current_procedure(NOW) is None


def test_the_hash_is_over_title_and_clauses() -> None:
    clause = ClauseBody(no="1", heading="Devices", text="Lock it")
    assert digest("SyOP", [clause]) == digest("SyOP", [clause])
    others = [digest("Other", [clause]), digest("SyOP", [clause, clause]), digest("SyOP", [])]
    assert digest("SyOP", [clause]) not in others
    canonical = '{"clauses":[{"heading":"H","no":1,"text":"\u00e9"}],"title":"S"}'
    assert (
        digest("S", [ClauseBody(no=1, heading="H", text="\u00e9")]) == sha256(canonical.encode()).hexdigest()
    )


def test_versions_take_effect_in_their_order() -> None:
    check_publication(NOW, NOW, published(1, -DAY))
    with pytest.raises(Invalid) as refused:
        check_publication(NOW, NOW - HOUR, published(1, HOUR))
    assert [one.pointer for one in refused.value.errors] == ["/sign_by", "/effective_from"]


def test_a_refusal_cites_the_first_clause_that_covers_it_and_the_text_that_is_signed_stays() -> None:
    plain = ClauseBody(no=4, heading="Places", text="Only here.")
    covering = ClauseBody(
        no=4, heading="Places", text="Only here.", covers=("network_not_permitted", "device_not_permitted")
    )
    later = ClauseBody(no="5b", heading="Devices", text="Only these.", covers=("device_not_permitted",))
    assert cites_of([plain]) == {}
    assert cites_of([covering, later]) == {
        "network_not_permitted": "4 Places",
        "device_not_permitted": "4 Places",
    }
    assert digest("SyOP", [covering]) == digest("SyOP", [plain])
