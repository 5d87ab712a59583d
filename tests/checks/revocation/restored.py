"""An older copy of `sharing` is put back under a newer `cases`, and reconciled: nobody has what was taken
away since the copy was made.

Guests are let into every case, the copy is made, and each case is narrowed in another way. Their sessions end
with the restore; they log in anew, and ask for everything.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pymongo

from deploy.launcher.places import CHECKOUT
from tests.checks.acts import operator
from tests.checks.ground import Ground
from tests.checks.revocation.driver import Driver
from tests.checks.revocation.guests import Reader
from tests.checks.revocation.history import History
from tests.checks.revocation.scene import Scene
from tests.checks.revocation.seats import Seat
from tests.waiting import until

KIND = "restore"
SECONDS = 90.0
"""Within which it is reconciled."""
Copy = dict[str, list[Any]]


def restore(on: Ground, scene: Scene, history: History, drivers: Sequence[Driver]) -> None:
    """After everybody else has stopped. Raises CalledProcessError: it could not be reconciled."""
    shares = [driver.let_in(scene.guests) for driver in drivers]
    seats = [Seat(guest) for guest in scene.guests]
    readers = [Reader(on.url, scene, seat, history, number) for number, seat in enumerate(seats)]
    for reader in readers:
        reader.every()
    with operator(on.cell) as client:
        copy = _copied(client)
        _narrow(scene, drivers, shares)
        until(lambda: all(_held(client, one["id"]) for one in scene.cases), seconds=30)
        _put_back(client, copy)
    _reconcile(on)
    for seat, guest in zip(seats, scene.guests_anew(), strict=True):
        seat.guest = guest
    for reader in readers:
        reader.every()
        reader.close()


def _narrow(scene: Scene, drivers: Sequence[Driver], shares: Sequence[str]) -> None:
    """Each case in another way. Raises Lost."""
    (first, second, third, fourth), guests = drivers, scene.guests
    first.revoke(shares[0], guests, KIND)
    second.less(shares[1], guests, "know", KIND)
    third.less(shares[2], guests, "timeline", KIND)
    fourth.without(shares[3], guests, KIND)


def _copied(client: pymongo.MongoClient[Any]) -> Copy:
    database = client["sharing"]
    names = database.list_collection_names(filter={"type": "collection"})
    return {name: list(database[name].find()) for name in names}


def _put_back(client: pymongo.MongoClient[Any], copy: Copy) -> None:
    database = client["sharing"]
    for name in database.list_collection_names(filter={"type": "collection"}):
        database[name].delete_many({})
    for name, rows in copy.items():
        if rows:
            database[name].insert_many(rows)


def _held(client: pymongo.MongoClient[Any], case_id: str) -> bool:
    """Whether `cases` has heard of all that was decided: nothing else can be kept (deploy/README.md)."""
    decided = client["sharing"]["ownerships"].find_one({"_id": case_id}, {"epoch": True})
    held = client["cases"]["cases"].find_one({"_id": case_id}, {"acl.epoch": True})
    return bool(decided and held and held["acl"]["epoch"] >= decided["epoch"])


def _reconcile(on: Ground) -> None:
    """As `concordat reconcile --restored` does."""
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "services.sharing.reconcile", "--restored"],
        cwd=CHECKOUT,
        env={**os.environ, **on.cell.environment_of("sharing")},
        check=True,
        timeout=SECONDS,
        stdout=subprocess.DEVNULL,
    )
