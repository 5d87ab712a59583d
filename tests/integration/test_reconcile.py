"""An older copy of `sharing` is put back under a newer `cases`, with everything real: nothing is served until
it is reconciled, and afterwards nobody has what was taken away since the copy was made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from services.chassis.mongo import connect
from services.contracts.authority import GetAccessLists
from services.contracts.cases.cases import GetCase
from services.contracts.errors import Unauthenticated, Unavailable
from services.contracts.sharing.conflicts import ConflictBody, DeclareConflict
from tests.cell import Parts
from tests.integration.calling import Calling
from tests.integration.restoring import Running, World, differences, failing, told_to
from tests.integration.sharing_gate import begin_anew
from tests.waiting import until


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    begin_anew(parts)
    with ExitStack() as stack:
        client = stack.enter_context(connect(parts.mongo_url("operator"), app="test"))
        client.drop_database("cases")  # those of other tests are nobody's now: each would be a difference
        running = Running(parts, tmp_path_factory.mktemp("logs"), stack)
        world = World(parts, calling, client)
        stack.callback(world.close)
        world.running = running  # type: ignore[attr-defined]
        yield world


@pytest.fixture(scope="module")
def running(world: World) -> Running:
    found: Running = world.running  # type: ignore[attr-defined]
    return found


def test_before_there_was_a_restore_there_is_nothing_to_reconcile(world: World) -> None:
    case_id = world.open(world.asb.id)
    share_id = world.share(case_id, world.jo)
    world.revoke(case_id, share_id)
    code, told = world.reconcile("--check")
    assert (code, differences(told)) == (0, {})
    code, told = world.reconcile()
    assert code == 0
    assert told.startswith("Nothing to reconcile")
    assert world.backup.held(case_id)[0] == 1
    assert world.sees(world.owner, case_id)


def test_after_a_restore_nothing_is_served_until_it_is_reconciled_and_nothing_taken_away_comes_back(
    world: World, running: Running, parts: Parts
) -> None:
    backup = world.backup
    taken, kept, barred = (world.open(world.asb.id) for _ in range(3))
    to_jo = world.share(taken, world.jo)
    kept_share = world.share(kept, world.jo)
    assert world.sees(world.jo, taken)
    until(lambda: backup.standing().get("beat", 0) > 0)
    copy = backup.copy()
    of_the_copy = copy["standing"][0]["beat"]

    world.revoke(taken, to_jo)
    given_since = world.share(kept, world.late)
    conflict = ConflictBody(user_id=world.neighbour.id, kind="neighbour", reason="Lives there")
    world.owner.tell("declare_conflict", DeclareConflict(case_id=barred, conflict=conflict))
    opened_since = world.open(world.asb.id)
    assert world.sees(world.late, kept)
    assert not world.sees(world.neighbour, barred)
    until(lambda: backup.witnessed() > of_the_copy, seconds=20)
    until(lambda: backup.heard(taken) == 2)
    epochs = {one: backup.held(one)[1] for one in (taken, kept, barred, opened_since)}
    # The running process has counted a later beat than the copy has: it need not wait for the next.
    backup.put_back(copy)

    # Refused: at once by the process that was there, and by one that comes.
    with pytest.raises(Unavailable):
        world.jo.caller("cases", "get_case", GetCase(case_id=taken))
    with Calling(parts, "cases") as holder, pytest.raises(Unavailable):
        holder.ask("sharing.access_lists", GetAccessLists(case_ids=(taken,)))
    until(lambda: failing(running.sharing) == ["reconciled"], seconds=20)
    another = running.another()
    until(lambda: failing(another) == ["reconciled"], seconds=20)
    assert backup.standing()["restored"]["as_of"] == copy["standing"][0]["beat_at"]
    with pytest.raises(Unavailable):
        world.owner.caller("cases", "get_case", GetCase(case_id=taken))

    expected = {
        (taken, to_jo): "share_ended",
        (kept, given_since): "share_lost",
        (barred, world.neighbour.id): "conflict_kept",
        (opened_since, world.owner.id): "owner_regained",
    }
    code, told = world.reconcile("--check")
    assert (code, differences(told)) == (1, expected)
    assert backup.sharing["ownerships"].find_one({"_id": opened_since}) is None
    assert backup.standing()["term"] == 1

    # Interrupted: the holder freezes, the process that works on it dies, another goes on.
    running.cases.pause()
    command = world.command()
    until(lambda: backup.standing()["term"] == 2, seconds=20)
    running.sharing.kill()
    another.kill()
    running.cases.resume()
    fresh = running.another()
    told, _ = command.communicate(timeout=90)
    assert (command.returncode, differences(told)) == (0, expected)
    until(lambda: failing(fresh) == [], seconds=20)

    with pytest.raises(Unauthenticated):
        world.owner.caller("cases", "get_case", GetCase(case_id=taken))
    world.log_in_anew()
    assert not world.sees(world.jo, taken)
    assert world.sees(world.jo, kept)
    assert not world.sees(world.late, kept)
    assert not world.sees(world.neighbour, barred)
    assert world.sees(world.colleague, barred)
    assert world.sees(world.owner, opened_since)
    assert world.sees(world.colleague, opened_since)
    assert not world.sees(world.jo, opened_since)
    for case_id, before in epochs.items():
        assert backup.held(case_id) == (2, before + 1)

    # What is decided from now on takes effect: no epoch and no number of an event is used twice.
    world.revoke(kept, kept_share)
    assert not world.sees(world.jo, kept)
    assert backup.held(kept) == (2, epochs[kept] + 2)
    world.share(taken, world.jo)
    assert world.sees(world.jo, taken)
    until(lambda: backup.heard(taken) == 3)
    own = [one for one in world._overhearing.of("sharing") if one.action == "case.reconcile"]
    assert {one.objects[0].id for one in own} == {taken, kept, barred, opened_since}

    code, told = world.reconcile("--check")
    assert (code, differences(told)) == (0, {})
    assert world.reconcile()[1].startswith("Nothing to reconcile")
    assert backup.held(barred)[0] == 2


def test_an_operator_who_knows_of_a_restore_need_not_wait_for_it_to_be_noticed(world: World) -> None:
    backup, term = world.backup, world.backup.standing()["term"]
    case_id = world.open()
    code, told = world.reconcile("--restored")
    assert code == 0
    assert differences(told) == {}
    assert "The copy is of 20" in told
    until(lambda: "restored" not in backup.standing())
    assert backup.held(case_id)[0] == backup.standing()["term"] == term + 1
    until(lambda: told_to(world.owner, case_id) == "unauthenticated")


def test_a_damaged_list_keeps_nobody_from_the_other_cases_and_is_told(world: World, running: Running) -> None:
    """Nobody knows what was taken away: the case is its owner's alone, or shut where none is known."""
    backup = world.backup
    world.log_in_anew()
    broken, lost, sound = (world.open(world.asb.id) for _ in range(3))
    for case_id in (broken, sound):
        world.share(case_id, world.jo)
    until(lambda: backup.heard(sound) == 1)
    rows = backup.cases["cases"]
    rows.update_one({"_id": broken}, {"$set": {"acl.shares": "damaged"}})
    rows.update_one({"_id": lost}, {"$set": {"acl": {"term": "damaged"}}})
    backup.sharing["ownerships"].delete_one({"_id": lost})
    code, told = world.reconcile("--check")
    found = {case_id: what for (case_id, _), what in differences(told).items()}
    assert (code, found[broken], found[lost]) == (1, "share_ended", "list_unreadable")
    code, told = world.reconcile("--restored")
    assert code == 1
    assert (lost, lost) in differences(told)
    assert (broken, broken) in differences(told)
    assert "2 lists that cases holds are damaged" in told
    assert backup.sharing["ownerships"].find_one({"_id": lost}) is None
    rows.delete_one({"_id": lost})
    assert sound not in {case_id for case_id, _ in differences(told)}
    until(lambda: failing(running.sharing) == [] or failing(running.sharing) is None, seconds=20)
    world.log_in_anew()
    until(lambda: backup.held(broken)[0] == backup.standing()["term"], seconds=40)
    assert world.sees(world.owner, broken)
    assert not world.sees(world.jo, broken)
    assert not world.sees(world.colleague, broken)
    assert world.sees(world.jo, sound)
