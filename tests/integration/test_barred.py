"""Training, places and devices on what `sharing` shows of a case: it is refused where `cases` refuses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.contracts.cases.cases import CaseChanges, PatchCase
from services.contracts.errors import (
    DeviceNotPermitted,
    InvalidTransition,
    TrainingRequired,
    Unavailable,
)
from services.contracts.permissions import PERMITS
from services.contracts.sharing.agencies import PlaceBody
from services.contracts.sharing.asking import (
    AccessRequestBody,
    RequestAccess,
)
from services.contracts.sharing.certifying import ListSharesToCertify
from services.contracts.sharing.explain import Explain, ExplainBody
from services.contracts.sharing.glass import GlassReview, ListGlasses, ReviewGlass
from services.contracts.sharing.shares import (
    ChangeShare,
    GetShare,
    ListShares,
    ShareChange,
)
from services.contracts.sharing.transfers import (
    ListTransfers,
    OfferTransfer,
    TransferBody,
)
from services.sharing.handlers.grants import UNBARRED
from tests.cell import Parts
from tests.integration.barring import MANAGED, Barring, answered, asked
from tests.integration.calling import Calling, instances
from tests.integration.partnership import Person
from tests.integration.transferring import CASES, SHARING
from tests.waiting import until


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Barring]:
    logs = tmp_path_factory.mktemp("logs")
    with (
        instances(parts, logs, SHARING, CASES, CONCORDAT_TRAINED_USES="vemt") as started,
        connect(parts.mongo_url("sharing"), app="test") as client,
    ):
        made = Barring(parts, calling, client["sharing"])
        made.holder = started[1]
        yield made
        made.close()


@pytest.fixture(autouse=True)
def _anywhere(world: Barring) -> Iterator[None]:
    yield
    world.places()
    world.places(by=world.hugh)


def test_every_method_about_a_case_is_refused_where_cases_refuses_it_with_the_clause_and_an_entry(
    world: Barring,
) -> None:
    case_id = world.case()
    share = world.share(case_id)
    questions = asked(world, case_id, share)
    about_a_case = {name for name, permit in PERMITS["sharing"].items() if permit.level is not None}
    assert questions.keys() == about_a_case - UNBARRED | {"explain"}
    world.places(MANAGED)
    for method, request in questions.items():
        refusals = len([one for one in world.recorded(world.owner) if one.code == "device_not_permitted"])
        with pytest.raises(DeviceNotPermitted) as refused:
            world.owner.ask(method, request, key=uuid.uuid4().hex)
        assert refused.value.to_problem("r")["clause"] == "7 Devices", method
        entries = [one for one in world.recorded(world.owner) if one.code == "device_not_permitted"]
        assert len(entries) == refusals + 1, method
        assert (entries[-1].outcome, entries[-1].objects[0].id) == ("refused", case_id)
    with pytest.raises(DeviceNotPermitted):
        world.get(world.owner, case_id)
    world.places()
    assert world.owner.ask("get_share", questions["get_share"])["etag"] == share["etag"]
    assert len(world.owner.ask("list_shares", ListShares(case_id=case_id))["items"]) == 1
    assert world.transfers(case_id, world.owner) == []


def test_who_may_not_know_of_a_case_is_told_of_no_rule(world: Barring) -> None:
    case_id = world.case()
    share = world.share(case_id)
    world.places(MANAGED, by=world.hugh)
    for method, request in asked(world, case_id, share).items():
        assert answered(world.stranger, method, request) == "not_found", method


def test_a_case_that_is_marked_higher_is_shut_from_then_on(world: Barring) -> None:
    case_id = world.case("official")
    world.share(case_id, level="manage", members=[{"user_id": world.jo.id}])
    world.places(MANAGED)
    assert len(world.owner.ask("list_shares", ListShares(case_id=case_id))["items"]) == 1
    patch = PatchCase(
        case_id=case_id,
        if_match=world.get(world.jo, case_id)["etag"],
        changes=CaseChanges(marking="official_sensitive"),
    )
    world.ask(world.jo, "cases", "patch_case", patch, uuid.uuid4().hex)
    assert answered(world.owner, "list_shares", ListShares(case_id=case_id)) == "device_not_permitted"


def test_without_training_nobody_takes_over_a_case_and_who_looks_after_it_needs_none(world: Barring) -> None:
    world.trained(world.owner, now=True)
    case_id = world.case("official", use="vemt")
    offer = world.offer(case_id, world.colleague)
    with pytest.raises(TrainingRequired):
        world.decide(offer, world.colleague, "accepted")
    world.trained(world.owner, now=False)
    assert answered(world.owner, "list_shares", ListShares(case_id=case_id)) == "training_required"
    world.break_glass(world.jo, case_id)
    (glass,) = world.dpo.ask("list_glasses", ListGlasses(case_id=case_id))["items"]
    question = Explain(question=ExplainBody(user_id=world.jo.id, case_id=case_id, action="read"))
    assert world.dpo.ask("explain", question)["steps"]
    world.trained(world.colleague, now=True)
    assert world.decide(offer, world.colleague, "accepted")["state"] == "accepted"
    assert glass["review"] == "open"


def test_an_officer_reviews_from_a_permitted_device_alone(world: Barring) -> None:
    case_id = world.case()
    world.break_glass(world.jo, case_id)
    (glass,) = world.dpo.ask("list_glasses", ListGlasses(case_id=case_id))["items"]
    review = ReviewGlass(
        case_id=case_id, glass_id=glass["id"], review=GlassReview(decision="justified", reason="It was")
    )
    question = Explain(question=ExplainBody(user_id=world.jo.id, case_id=case_id, action="read"))
    world.places(MANAGED)
    for method, request in (
        ("list_glasses", ListGlasses(case_id=case_id)),
        ("review_glass", review),
        ("explain", question),
    ):
        assert answered(world.dpo, method, request) == "device_not_permitted", method


def test_broken_glass_opens_no_way_around_the_rule_and_is_broken_all_the_same(world: Barring) -> None:
    case_id = world.case()
    world.places(MANAGED, by=world.hugh)
    assert world.break_glass(world.jo, case_id)["case_id"] == case_id
    with pytest.raises(DeviceNotPermitted):
        world.get(world.jo, case_id)
    assert answered(world.jo, "list_shares", ListShares(case_id=case_id)) == "device_not_permitted"
    world.places(by=world.hugh)
    assert world.get(world.jo, case_id)["title"] == "Noise"


def test_an_act_is_not_told_again_to_another_device(world: Barring) -> None:
    case_id, key = world.case(), uuid.uuid4().hex
    transfer = TransferBody(to_user_id=world.jo.id, reason="They moved")
    request = OfferTransfer(case_id=case_id, transfer=transfer)
    first = world.owner.tell("offer_transfer", request, key)
    world.places(MANAGED)
    with pytest.raises(DeviceNotPermitted):
        world.owner.tell("offer_transfer", request, key)
    world.places()
    assert world.owner.tell("offer_transfer", request, key)["id"] == first["id"]


def test_nobody_hands_back_or_declines_from_a_device_that_is_not_permitted(world: Barring) -> None:
    case_id = world.case()
    share = world.share(case_id, members=[{"user_id": world.jo.id}])
    etag = world.jo.ask("get_share", GetShare(case_id=case_id, share_id=share["id"]))["etag"]
    change = ShareChange(state="revoked", reason="Not ours")
    back = ChangeShare(case_id=case_id, share_id=share["id"], if_match=etag, change=change)
    offer = world.offer(case_id, world.warden)
    world.places(MANAGED, by=world.hugh)
    assert answered(world.jo, "change_share", back) == "device_not_permitted"
    with pytest.raises(DeviceNotPermitted):
        world.decide(offer, world.warden, "declined", reason="Not ours")
    world.places(by=world.hugh)
    assert world.jo.tell("change_share", back)["state"] == "revoked"
    assert world.decide(offer, world.warden, "declined", reason="Not ours")["state"] == "declined"


def test_an_administrator_appoints_from_a_permitted_device_alone(world: Barring) -> None:
    gone = world.person(world.police, "Olga Out")
    case_id = world.case(by=gone)
    world.patch(gone, state="disabled")
    until(lambda: case_id in [one["case_id"] for one in world.ownerless()["items"]], 30)
    world.places(MANAGED)
    transfer = TransferBody(to_user_id=world.colleague.id, reason="They left")
    request = OfferTransfer(case_id=case_id, transfer=transfer)
    assert answered(world.admin, "list_transfers", ListTransfers(case_id=case_id)) == "device_not_permitted"
    assert answered(world.admin, "offer_transfer", request) == "device_not_permitted"
    # This tells no more than that there is such a case.
    assert case_id in [one["case_id"] for one in world.ownerless()["items"]]
    world.places()
    assert world.admin.tell("offer_transfer", request)["state"] == "offered"


def test_shares_of_barred_cases_are_not_among_those_to_confirm(world: Barring) -> None:
    world.database["ownerships"].delete_many({})
    shut, open_ = world.case(), world.case("official")
    for case_id in (shut, open_):
        world.share(case_id)

    def listed(who: Person, **more: Any) -> list[str]:
        found, cursor = [], None
        while True:
            page = who.ask("list_shares_to_certify", ListSharesToCertify(limit=1, cursor=cursor, **more))
            found += [one["case_id"] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return found

    assert sorted(listed(world.owner)) == sorted([shut, open_])
    world.places(MANAGED)
    assert listed(world.owner) == [open_]
    entries = [one for one in world.recorded(world.owner) if one.action == "share.list_to_certify"]
    assert [[case.id for case in one.objects] for one in entries[-2:]] in ([[], [open_]], [[open_], []])
    overdue = {"$set": {"grants.0.certify_by": datetime.now(UTC) - timedelta(days=1)}}
    world.database["ownerships"].update_many({}, overdue)
    assert listed(world.dpo, of="agency") == [open_]


def test_a_request_from_a_permitted_place_is_judged_as_ever(world: Barring) -> None:
    world.places(PlaceBody(marking="official", device_classes=("personal",)), MANAGED)
    case_id = world.case("official")
    assert world.owner.ask("list_shares", ListShares(case_id=case_id))["items"] == []
    with pytest.raises(InvalidTransition):
        world.owner.tell(
            "request_access", RequestAccess(case_id=case_id, asked=AccessRequestBody(reason="x"))
        )


def test_while_cases_does_not_answer_the_case_is_shut_to_those_alone_whom_something_may_bar(
    world: Barring,
) -> None:
    world.trained(world.owner, now=True)
    case_id = world.case("official")
    world.share(case_id, members=[{"user_id": world.jo.id}])
    listed = ListShares(case_id=case_id)
    world.holder.pause()
    try:
        assert len(world.owner.ask("list_shares", listed)["items"]) == 1
        with pytest.raises(Unavailable):  # without training for some use
            world.jo.ask("list_shares", listed)
    finally:
        world.holder.resume()
    assert len(world.jo.ask("list_shares", listed)["items"]) == 1
