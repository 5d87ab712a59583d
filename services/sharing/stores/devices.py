"""Where devices are kept: what an agency lets its people use, and by which secret each proves itself.

devices  {_id, agency_id, user_id | null, name, key, class, state, version, created_at, updated_at,
          enrolled_at | null, code: {hash, expires_at} | absent, secret_hash | null}

What a person's own device proves itself by stands in the user document too (`principals.py`), written in the
same transactions: a request then needs no further read.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.authority import DeviceProof
from services.contracts.errors import NotVisible
from services.sharing.domain.devices import Device, Proved
from services.sharing.domain.words import key_of
from services.sharing.stores.pages import page_by_name

_SHOWN: Document = {"code": False, "secret_hash": False}


class DeviceStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._users = database["devices"], database["users"]

    def proved(self, proof: DeviceProof, agency_id: str) -> Proved | None:
        """The device that anybody of the agency may use and whose secret this is, read anew."""
        wanted = {
            "_id": proof.id,
            "secret_hash": proof.hash,
            "agency_id": agency_id,
            "user_id": None,
            "state": "enrolled",
        }
        with in_time():
            row = self._rows.find_one(wanted, {"class": True})
        return None if row is None else Proved(row["_id"], row["class"])

    def add(self, device: Device, code_hash: str, until: datetime, session: Session) -> None:
        row = {
            "_id": device.id,
            "agency_id": device.agency_id,
            "user_id": device.user_id,
            "name": device.name,
            "key": key_of(device.name),
            "class": device.device_class,
            "state": device.state,
            "version": device.version,
            "created_at": device.created_at,
            "updated_at": device.updated_at,
            "enrolled_at": None,
            "code": {"hash": code_hash, "expires_at": until},
            "secret_hash": None,
        }
        self._rows.insert_one(row, session=session)

    def load(self, device_id: str, session: Session | None = None) -> Device:
        """Raises NotVisible."""
        with in_time():
            row = self._rows.find_one({"_id": device_id}, _SHOWN, session=session)
        if row is None:
            raise NotVisible
        return _device(row)

    def by_code(self, code_hash: str, now: datetime, session: Session) -> Device | None:
        """The one that is enrolled by this code, while it lasts."""
        wanted = {"code.hash": code_hash, "code.expires_at": {"$gt": now}}
        row = self._rows.find_one(wanted, _SHOWN, session=session)
        return None if row is None else _device(row)

    def count_of(self, user_id: str, session: Session) -> int:
        """Those of a person that are not revoked."""
        wanted = {"user_id": user_id, "state": {"$ne": "revoked"}}
        return self._rows.count_documents(wanted, session=session, limit=100)

    def page(
        self, agency_id: str, wanted: Document, limit: int, cursor: str | None
    ) -> tuple[list[Device], str | None]:
        """Of one agency, by name."""
        return page_by_name(
            self._rows,
            {"agency_id": agency_id, **wanted},
            "key",
            limit=limit,
            cursor=cursor,
            make=_device,
            projection=_SHOWN,
        )

    def enrol(self, before: Device, secret_hash: str, now: datetime, session: Session) -> Device:
        """The code is used up."""
        if before.user_id is not None:
            own = {"id": before.id, "hash": secret_hash, "class": before.device_class}
            self._users.update_one({"_id": before.user_id}, {"$push": {"devices": own}}, session=session)
        values = {"state": "enrolled", "enrolled_at": now, "secret_hash": secret_hash}
        return self._update(before, values, now, session, gone={"code": ""})

    def change(self, before: Device, values: Document, now: datetime, session: Session) -> Device:
        """Set `name`; or `state` revoked, which leaves nothing to prove it by."""
        row = {**values, **({"key": key_of(values["name"])} if "name" in values else {})}
        if values.get("state") == "revoked":
            if before.user_id is not None:
                gone = {"devices": {"id": before.id}}
                self._users.update_one({"_id": before.user_id}, {"$pull": gone}, session=session)
            return self._update(before, {**row, "secret_hash": None}, now, session, gone={"code": ""})
        return self._update(before, row, now, session)

    def _update(
        self,
        before: Device,
        values: Document,
        now: datetime,
        session: Session,
        gone: Document | None = None,
    ) -> Device:
        change: Document = {"$set": {**values, "updated_at": now}, "$inc": {"version": 1}}
        if gone is not None:
            change["$unset"] = gone
        self._rows.update_one({"_id": before.id}, change, session=session)
        shown: dict[str, Any] = {
            name: value for name, value in values.items() if name in ("name", "state", "enrolled_at")
        }
        return replace(before, **shown, version=before.version + 1, updated_at=now)


def _device(row: Document) -> Device:
    return Device(
        id=row["_id"],
        agency_id=row["agency_id"],
        user_id=row["user_id"],
        name=row["name"],
        device_class=row["class"],
        state=row["state"],
        enrolled_at=row["enrolled_at"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def make_indexes(database: Database[Document]) -> None:
    rows = database["devices"]
    rows.create_index([("agency_id", ASCENDING), ("key", ASCENDING), ("_id", ASCENDING)], name="by_name")
    rows.create_index([("user_id", ASCENDING), ("state", ASCENDING)], name="by_user")
    rows.create_index([("code.hash", ASCENDING)], name="by_code", sparse=True)


STEPS = (Step("devices_indexes", make_indexes),)
