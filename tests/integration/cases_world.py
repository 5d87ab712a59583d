"""People who ask `cases` as the gateway would, the lists that they are judged by, and what was recorded."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from services.chassis.mongo import connect
from services.contracts.access import AccessList, Share
from services.contracts.authority import AppliedLists, ApplyAccessLists
from services.contracts.cases import cases, entries, tasks
from services.contracts.envelope import Event
from services.contracts.parsing import parse
from services.contracts.records import Record
from tests.cell import Parts
from tests.integration.calling import Calling, Instance, instances
from tests.integration.cases_asker import Asker, secret_of
from tests.integration.overhearing import Overhearing

CASES = "services.cases.service:CasesService"
SHARING = "tests.integration.cases_sharing:CasesSharing"
SECTIONS = ("summary", "subjects", "timeline", "tasks")


class Person(Asker):
    """Who works on cases."""

    # --- cases ---

    def create(self, key: str | None = None, **more: Any) -> dict[str, Any]:
        body = {
            "template": "complex_asb",
            "title": "Noise at night",
            "priority": "medium",
            "marking": "official",
            "owner_team_id": None,
            "subjects": [],
            "summary": "Three neighbours and a dog",
            **more,
        }
        request = cases.CreateCase(case=parse(cases.CaseBody, body))
        created: dict[str, Any] = self.tell("create_case", request, key)
        return created

    def get(self, case_id: str, reason: Any = None, include: tuple[Any, ...] = ()) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(
            "get_case", cases.GetCase(case_id=case_id, access_reason=reason, include=include)
        )
        return found

    def list(self, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("list_cases", cases.ListCases(**more))
        return found

    def listed(self, **more: Any) -> list[str]:
        return [one["id"] for one in self.list(**more)["items"]]

    def search(self, text: str) -> list[str]:
        return [one["id"] for one in self.ask("search_cases", cases.SearchCases(text=text))["items"]]

    def patch(self, case_id: str, if_match: str | None, **changes: Any) -> dict[str, Any]:
        request = cases.PatchCase(
            case_id=case_id, if_match=if_match, changes=parse(cases.CaseChanges, changes)
        )
        patched: dict[str, Any] = self.tell("patch_case", request)
        return patched

    def move(self, case_id: str, to: Any) -> dict[str, Any]:
        request = cases.MoveCase(case_id=case_id, move=cases.CaseMove(to=to, reason="It is time"))
        moved: dict[str, Any] = self.tell("move_case", request)
        return moved

    # --- entries ---

    def note(self, case_id: str, text: str = "Quiet", key: str | None = None, **more: Any) -> dict[str, Any]:
        body = {"type": "note", "occurred_at": datetime.now(UTC), "text": text, **more}
        added: dict[str, Any] = self.tell(
            "add_entry", entries.AddEntry(case_id=case_id, entry=entries.EntryBody(**body)), key
        )
        return added

    def timeline(self, case_id: str, reason: Any = None, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(
            "list_entries", entries.ListEntries(case_id=case_id, access_reason=reason, **more)
        )
        return found

    def texts(self, case_id: str, **more: Any) -> list[str | None]:
        return [one.get("text") for one in self.timeline(case_id, **more)["items"]]

    def entry(self, case_id: str, entry_id: str, reason: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(
            "get_entry", entries.GetEntry(case_id=case_id, entry_id=entry_id, access_reason=reason)
        )
        return found

    def revise(self, case_id: str, entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
        request = entries.ReviseEntry(
            case_id=case_id,
            entry_id=entry["id"],
            if_match=entry["etag"],
            changes=parse(entries.EntryChanges, {"reason": "A slip", **changes}),
        )
        revised: dict[str, Any] = self.tell("revise_entry", request)
        return revised

    def withdraw(self, case_id: str, entry_id: str) -> dict[str, Any]:
        request = entries.WithdrawEntry(
            case_id=case_id, entry_id=entry_id, withdrawal=entries.WithdrawalBody(reason="Wrong case")
        )
        withdrawn: dict[str, Any] = self.tell("withdraw_entry", request)
        return withdrawn

    # --- tasks ---

    def task(self, case_id: str, *, days: int = 7, key: str | None = None, **assignee: str) -> dict[str, Any]:
        body = tasks.TaskBody(
            title="Call round",
            assignee=tasks.Assignee(**assignee),
            due_on=date(2027, 1, 1) + timedelta(days=days),
        )
        added: dict[str, Any] = self.tell("add_task", tasks.AddTask(case_id=case_id, task=body), key)
        return added

    def get_task(self, case_id: str, task_id: str, reason: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(
            "get_task", tasks.GetTask(case_id=case_id, task_id=task_id, access_reason=reason)
        )
        return found

    def move_task(self, task: dict[str, Any], **changes: Any) -> dict[str, Any]:
        request = tasks.ChangeTask(
            case_id=task["case_id"],
            task_id=task["id"],
            if_match=task["etag"],
            changes=tasks.TaskChanges(**changes),
        )
        moved: dict[str, Any] = self.tell("change_task", request)
        return moved

    def tasks_of(self, case_id: str, reason: Any = None) -> list[dict[str, Any]]:
        found = self.ask("list_tasks", tasks.ListTasks(case_id=case_id, access_reason=reason))
        return list(found["items"])

    def my_tasks(self, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("my_tasks", tasks.MyTasks(**more))
        return found


class World:
    """What the tests share: the clients, the keys, the databases, the records. `authority`: the process that
    answers as `sharing`."""

    def __init__(self, parts: Parts, calling: Calling, sharing: Calling, authority: Instance) -> None:
        self.calling, self.sharing, self.authority = calling, sharing, authority
        self.mongo_url = parts.mongo_url("cases")
        self.secret = secret_of(parts)
        self._clients = [connect(parts.mongo_url(name), app="test") for name in ("cases", "sharing")]
        self.cases, self.lists = self._clients[0]["cases"], self._clients[1]["sharing"]
        self._overhearing = Overhearing(parts)

    def close(self) -> None:
        self._overhearing.close()
        for client in self._clients:
            client.close()

    # --- who may see what ---

    def person(self, agency_id: str | None = None, *team_ids: str, **more: Any) -> Person:
        """Known to `sharing` as well, so that a task can be given to it."""
        person = Person(self, agency_id or uuid.uuid4().hex, team_ids, **more)
        self._principal(person.id, "user", person.agency_id, list(team_ids), list(person.roles))
        return person

    def team(self, agency_id: str) -> str:
        team_id = uuid.uuid4().hex
        self._principal(team_id, "team", agency_id, [], [])
        return team_id

    def disable(self, person: Person) -> None:
        self.lists["principals"].update_one({"_id": person.id}, {"$set": {"active": False}})

    def _principal(
        self, principal_id: str, kind: str, agency_id: str, team_ids: list[str], roles: list[str]
    ) -> None:
        self.lists["principals"].insert_one(
            {
                "_id": principal_id,
                "kind": kind,
                "name": f"Name of {principal_id[:4]}",
                "agency_id": agency_id,
                "team_ids": team_ids,
                "roles": roles,
                "active": True,
            }
        )

    def acl(self, case_id: str) -> AccessList:
        """As `sharing` has it."""
        row = self.lists["lists"].find_one({"_id": case_id})
        assert row is not None
        return AccessList.model_validate_json(row["body"])

    def decided(self, case_id: str, *shares: Share, excluded: tuple[str, ...] = ()) -> AccessList:
        """`sharing` has committed these shares and conflicts, and told nobody yet."""
        acl = self.acl(case_id)
        acl = acl.model_copy(update={"epoch": acl.epoch + 1, "shares": shares, "excluded": excluded})
        self.lists["lists"].update_one({"_id": case_id}, {"$set": {"body": acl.model_dump_json()}})
        return acl

    def share(self, case_id: str, *shares: Share, excluded: tuple[str, ...] = ()) -> AccessList:
        """From now on these shares are in force, and `cases` knows it."""
        acl = self.decided(case_id, *shares, excluded=excluded)
        self.apply(acl)
        return acl

    def apply(self, *lists: AccessList) -> AppliedLists:
        told: AppliedLists = self.sharing.ask(
            "cases.apply_acl", ApplyAccessLists(lists=lists), key=uuid.uuid4().hex, reply=AppliedLists
        )
        return told

    # --- what came of it ---

    def recorded(self) -> list[Record]:
        """Every record since the last look: each is in the queue before its answer is given."""
        return self._overhearing.new()

    def events(self, case_id: str) -> list[Event]:
        """What the outbox has about a case, in the order of its numbers."""
        rows = self.cases["commands"].find({"events.aggregate": f"cases/{case_id}"})
        found = [
            Event.from_json(one["body"])
            for row in rows
            for one in row["events"]
            if one["aggregate"] == f"cases/{case_id}"
        ]
        return sorted(found, key=lambda event: event.number)

    def version(self, case_id: str) -> int:
        row = self.cases["cases"].find_one({"_id": case_id})
        return 0 if row is None else int(row["version"])


@contextmanager
def working(parts: Parts, calling: Calling, folder: Path) -> Iterator[World]:
    """With `cases` at work, and as much of `sharing` as it asks for."""
    with instances(parts, folder, SHARING, CASES) as started, Calling(parts, "sharing") as sharing:
        world = World(parts, calling, sharing, started[0])
        yield world
        world.close()


def given(*people: Person, level: Any = "contribute", sections: Any = SECTIONS, **more: Any) -> Share:
    """A share that names these people, all of one agency."""
    return Share(
        id=uuid.uuid4().hex,
        agency_id=people[0].agency_id,
        user_ids=tuple(one.id for one in people if one.kind == "user"),
        client_ids=tuple(one.id for one in people if one.kind == "client"),
        level=level,
        sections=sections,
        expires_at=datetime.now(UTC) + timedelta(days=30),
        **more,
    )


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}
