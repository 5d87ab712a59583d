"""Checkpoints of the log in agencies' systems: a real audit, two instances of notify, real receivers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.cli_witness import _compare
from deploy.launcher.trouble import Trouble
from deploy.witness.judging import Alarm
from deploy.witness.keeping import Memory
from deploy.witness.notes import LogKey
from deploy.witness.signing import own_key
from deploy.witness.watching import Watch
from services.audit.domain.notes import Signer, Statement
from services.audit.stores.tree import append_only
from services.chassis import logkeys
from services.chassis.mongo import connect
from tests.cell import Parts
from tests.integration.asking import Asking
from tests.integration.audit_children import AUDIT, ORIGIN, Holder
from tests.integration.calling import Calling, Ear, instances
from tests.integration.notifying import NOTIFY, QUICK, STAND_IN, World, receiver, world
from tests.integration.test_audit_witnesses import OverRpc
from tests.unit.audit.logs import record
from tests.waiting import until

EVERY = 2.0


@pytest.fixture(scope="module")
def here(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, quick = (
        tmp_path_factory.mktemp("logs"),
        {**QUICK, "CONCORDAT_NOTIFY_CHECKPOINT_EVERY": str(EVERY)},
    )
    with instances(parts, folder, STAND_IN, AUDIT, NOTIFY, NOTIFY, **quick), world(parts) as made:
        yield made


@pytest.fixture
def log(parts: Parts) -> Iterator[Any]:
    with connect(parts.mongo_url("operator"), app="test") as client:
        yield append_only(client["audit"])


def newest(log: Any) -> int:
    """The size of the newest checkpoint."""
    found = log["checkpoints"].find_one(sort=[("_id", -1)])
    return -1 if found is None else int(found["_id"])


def grow(log: Any, holder: Holder) -> int:
    """One entry more under a checkpoint."""
    one = record()
    holder.keep(one)
    index = until(lambda: log["leaves"].find_one({"id": one.id}))["_id"]
    return int(until(lambda: newest(log) > index and newest(log)))


def test_who_asked_for_checkpoints_gets_each_new_one_signed_and_who_did_not_gets_none(
    here: World, parts: Parts, ear: Ear, log: Any
) -> None:
    signer = Signer(ORIGIN, logkeys.read(parts.keys_dir, ORIGIN).current())
    asked, other, holder = here.client(), here.client(), Holder(parts, ear)
    with receiver() as wanted, receiver() as everything:
        subscription = asked.subscribe(wanted.url, "checkpoint.signed")
        other.subscribe(everything.url, "*")
        size = grow(log, holder)
        until(lambda: wanted.pushes and wanted.pushes[-1].event["data"]["size"] >= size)
        later = grow(log, holder)
        until(lambda: wanted.pushes[-1].event["data"]["size"] >= later)
        case = here.case(here.user(), other)
        told = case.emit()
        until(lambda: told.id in everything.ids)

        for push in wanted.pushes:
            assert push.event["type"] == "checkpoint.signed"
            data = push.event["data"]
            said = Statement.read(signer.verifier.open(data["note"]))
            assert (said.origin, said.size) == (data["origin"], data["size"])
            assert push.event["subject"] == f"checkpoints/{said.size}"
        sizes = [push.event["data"]["size"] for push in wanted.pushes]
        assert sizes == sorted(set(sizes))  # two instances, and none of them twice
        assert wanted.sequences == list(range(1, len(sizes) + 1))
        assert everything.ids == [told.id]
        until(lambda: {one.state for one in asked.deliveries(subscription)} == {"delivered"})


def test_of_many_checkpoints_the_newest_is_given_and_no_more_often_than_was_set(
    here: World, parts: Parts, ear: Ear, log: Any
) -> None:
    client, holder = here.client(), Holder(parts, ear)
    with receiver() as other_end:
        client.subscribe(other_end.url, "checkpoint.signed")
        until(lambda: other_end.pushes)
        before = newest(log)
        for _ in range(30):
            size = grow(log, holder)
        until(lambda: other_end.pushes[-1].event["data"]["size"] >= size)
        # A delivery takes its time, so that two pushes may be a little closer than two turns.
        spent = other_end.pushes[-1].at - other_end.pushes[0].at
        assert len(other_end.pushes) <= 2 + spent / EVERY
        assert len(other_end.pushes) < size - before


def test_delivering_checkpoints_makes_no_entries_that_would_need_the_next_one(
    here: World, parts: Parts, ear: Ear, log: Any
) -> None:
    client, holder = here.client(), Holder(parts, ear)
    with receiver() as other_end:
        client.subscribe(other_end.url, "checkpoint.signed")
        size = grow(log, holder)
        until(lambda: other_end.pushes and other_end.pushes[-1].event["data"]["size"] >= size)
        delivered = list(here.notify["deliveries"].find({"client_id": client.id}))
        assert {one["type"] for one in delivered} == {"checkpoint.signed"}
        # Whatever were recorded of them would be in the log before what is recorded now.
        last = grow(log, holder)
        assert last == size + 1


def test_a_client_that_was_deactivated_gets_no_more_and_waits_for_nothing(
    here: World, parts: Parts, ear: Ear, log: Any
) -> None:
    client, holder = here.client(), Holder(parts, ear)
    with receiver() as other_end:
        subscription = client.subscribe(other_end.url, "checkpoint.signed")
        until(lambda: other_end.pushes)
        client.activate(False)
        rows = here.notify["subscriptions"]
        before, size = len(other_end.pushes), grow(log, holder)
        turn = rows.find_one({"_id": subscription.id})["fed_at"]
        until(lambda: rows.find_one({"_id": subscription.id})["fed_at"] > turn)
        client.activate(True)
        until(lambda: other_end.pushes[-1].event["data"]["size"] >= size)
        states = [one["state"] for one in here.notify["deliveries"].find({"client_id": client.id})]
        assert len(other_end.pushes) == len(states) == before + 1


def test_a_witness_compares_what_was_fed_with_what_it_was_shown(
    here: World, parts: Parts, ear: Ear, log: Any, calling: Calling, tmp_path: Path
) -> None:
    signer = Signer(ORIGIN, logkeys.read(parts.keys_dir, ORIGIN).current())
    keys, folder = [LogKey.read(str(signer.verifier))], tmp_path / "witness"
    officer = Asking(calling, parts, "dpo", "police", "agency_dpo")
    watch = Watch(OverRpc(officer), keys, own_key(folder, "witness.test/fed"), Memory(folder, keys))
    client, fed = here.client(), tmp_path / "event.json"
    with receiver() as other_end:
        client.subscribe(other_end.url, "checkpoint.signed")
        size = grow(log, Holder(parts, ear))
        until(lambda: other_end.pushes and other_end.pushes[-1].event["data"]["size"] >= size)
        watch.look()
        event = other_end.pushes[-1].event
    fed.write_text(json.dumps(event))
    _compare(watch, fed)
    event["data"]["note"] = signer.sign(str(Statement(ORIGIN, event["data"]["size"], bytes(32))))
    fed.write_text(json.dumps(event))
    with pytest.raises(Alarm, match=r"two roots|not a beginning|does not begin"):
        _compare(watch, fed)
    fed.write_text('{"data": {"size": 4}}')
    with pytest.raises(Trouble, match="holds no note"):
        _compare(watch, fed)
