"""What an offer of a case is, exactly, and what one that comes after another tells whom."""

from __future__ import annotations

from datetime import timedelta

from services.contracts.access import Share
from services.contracts.paging import Ref
from services.sharing.domain.transfers import offered, ways_in
from tests.unit.sharing.grants import HOMES, OWNER, POLICE, ownership
from tests.unit.sharing.test_transfers import DUE, FIRE, JO, LEE, offer


def test_it_stands_until_the_instant_at_which_it_lapses() -> None:
    assert offer().stands(DUE - timedelta(microseconds=1))
    assert not offer().stands(DUE)


def test_in_the_list_it_is_a_share_of_nothing_but_that_the_case_is_there() -> None:
    assert offer().share() == Share(
        id="o-1",
        kind="offer",
        agency_id="a-homes",
        user_ids=("u-jo",),
        level="know",
        sections=(),
        protocol_id="p-1",
        purpose="crime_prevention",
        expires_at=DUE,
    )


def test_within_the_agency_it_rests_on_no_protocol() -> None:
    share = offer(to=LEE, agency=POLICE).share()
    assert (share.agency_id, share.protocol_id, share.purpose) == ("a-police", None, None)


def test_the_first_one_ends_nothing() -> None:
    change = offered(ownership(), offer())
    assert change.decided is None
    assert not change.narrowing
    assert change.agencies == {"a-police", "a-homes"}


def test_where_one_lapsed_before_its_agency_hears_of_the_new_one() -> None:
    before = offered(ownership(), offer(to=Ref(id="u-fay", name="Fay"), agency=FIRE, id="o-0")).after
    change = offered(before, offer())
    assert change.agencies == {"a-police", "a-homes", "a-fire"}
    assert change.decided is not None
    assert (change.decided.at, change.decided.by, change.decided.reason) == (DUE, None, None)
    assert (change.after.transfer, change.decided.offer.to.id) == (offer(), "u-fay")
    assert (JO.id, HOMES.id) == (change.after.transfer.to.id, change.after.transfer.agency.id)


def test_among_the_ways_in_it_stands_with_what_it_rests_on_and_who_offered() -> None:
    *_, way = ways_in(offered(ownership(), offer()).after)
    assert (way.id, way.kind, way.clause, way.legal_gateway) == ("o-1", "share", "Prevention", "cda_s115")
    assert (way.agency, way.granted_by, way.level) == (HOMES, OWNER.user, "know")
    by_dee = Ref(id="u-dee", name="Dee")
    *_, way = ways_in(offered(ownership(), offer(to=LEE, agency=POLICE, by=by_dee)).after)
    assert (way.clause, way.legal_gateway, way.granted_by) == (None, None, by_dee)
    *_, way = ways_in(offered(ownership(), offer(by=None)).after)
    assert way.granted_by == OWNER.user


def test_it_is_decided_on_the_epoch_that_was_read() -> None:
    assert offered(ownership(), offer()).before == 4
