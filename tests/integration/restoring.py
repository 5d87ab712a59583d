"""What the tests of a restore work with: a partnership, an operator's copy of `sharing`, its processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.contracts.cases.cases import CreateCase, GetCase, ListCases
from services.contracts.errors import ConcordatError, NotVisible
from services.contracts.messages import Request
from services.contracts.sharing.shares import RevokeShare, ShareBody, ShareCase
from services.sharing.domain import tokens
from tests.cell import Parts
from tests.integration.calling import Calling, Instance, instances
from tests.integration.notifying import NOTIFY, QUICK
from tests.integration.partnership import Partnership, Person, case_body, clock
from tests.integration.running_services import ROOT
from tests.integration.sharing_gate import SHARING

CASES = "services.cases.service:CasesService"
Copy = dict[str, list[Any]]


class Backup:
    """The database of `sharing`, as an operator copies it and puts it back."""

    def __init__(self, client: Any) -> None:
        self.sharing, self.cases, self.notify = (client[one] for one in ("sharing", "cases", "notify"))

    def copy(self) -> Copy:
        names = self.sharing.list_collection_names(filter={"type": "collection"})
        return {name: list(self.sharing[name].find()) for name in names}

    def put_back(self, copy: Copy) -> None:
        for name in self.sharing.list_collection_names(filter={"type": "collection"}):
            self.sharing[name].delete_many({})
        for name, rows in copy.items():
            if rows:
                self.sharing[name].insert_many(rows)

    def standing(self) -> Any:
        return self.sharing["standing"].find_one({"_id": "standing"})

    def held(self, case_id: str) -> tuple[int, int]:
        acl = self.cases["cases"].find_one({"_id": case_id})["acl"]
        return acl["term"], acl["epoch"]

    def witnessed(self) -> int:
        return int((self.cases["witnessed"].find_one({"_id": "sharing"}) or {}).get("beat", 0))

    def heard(self, case_id: str) -> int:
        row = self.notify["positions"].find_one({"_id": f"sharing/cases/{case_id}"})
        return 0 if row is None else int(row["applied"])


class World(Partnership):
    """Police and housing, whose people ask `sharing` and `cases`, each request identified anew."""

    def __init__(self, parts: Parts, calling: Calling, client: Any) -> None:
        super().__init__(parts, calling, client["sharing"])
        self.parts, self.backup = parts, Backup(client)
        self.asb = self.team(self.police, "ASB")
        self.owner = self.person(self.police, "Olive Owner", self.asb)
        self.colleague = self.person(self.police, "Colin Colleague", self.asb)
        self.neighbour = self.person(self.police, "Nell Neighbour", self.asb)
        self.jo, self.late = self.person(self.homes, "Jo Housing"), self.person(self.homes, "Lee Late")
        self.people = (self.owner, self.colleague, self.neighbour, self.jo, self.late)

    def log_in_anew(self) -> None:
        for person in self.people:
            token, now = tokens.make("u", person.id), clock()
            session = {
                "id": uuid.uuid4().hex,
                "hash": token.hash,
                "created_at": now,
                "seen_at": now,
                "expires_at": now + timedelta(hours=1),
            }
            self.database["users"].update_one({"_id": person.id}, {"$push": {"sessions": session}})
            person.token = token.text

    def ask(self, who: Person, method: str, request: Request, key: str | None = None) -> Any:
        signed, request_id = who.signed("cases", method, request, key)
        return self.calling.ask(
            f"cases.{method}", request, caller=signed, request_id=request_id, key=key, seconds=5
        )

    def open(self, team_id: str | None = None) -> str:
        made = self.ask(self.owner, "create_case", CreateCase(case=case_body(team_id)), uuid.uuid4().hex)
        return str(made["id"])

    def share(self, case_id: str, who: Person) -> str:
        share = ShareBody.model_validate(self.terms_for(who.agency_id, {"user_id": who.id}))
        return str(self.owner.tell("share_case", ShareCase(case_id=case_id, share=share))["id"])

    def revoke(self, case_id: str, share_id: str) -> None:
        request = RevokeShare(case_id=case_id, share_id=share_id, reason="no_longer_needed")
        self.owner.tell("revoke_share", request)

    def sees(self, who: Person, case_id: str) -> bool:
        listed = self.ask(who, "list_cases", ListCases(limit=100))["items"]
        try:
            self.ask(who, "get_case", GetCase(case_id=case_id, access_reason="task"))
            found = True
        except NotVisible:
            found = False
        assert (case_id in [one["id"] for one in listed]) is found
        return found

    def command(self, *options: str) -> subprocess.Popen[str]:
        """What `concordat reconcile` runs."""
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "services.sharing.reconcile", *options],
            cwd=ROOT,
            env={**os.environ, **self.parts.environment("sharing")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def reconcile(self, *options: str) -> tuple[int, str]:
        command = self.command(*options)
        told, _ = command.communicate(timeout=90)
        return command.returncode, told


def told_to(who: Person, case_id: str) -> str:
    """How it ends when somebody asks for a case."""
    try:
        who.caller("cases", "get_case", GetCase(case_id=case_id))
    except ConcordatError as problem:
        return problem.code
    return "ok"


def failing(process: Instance) -> list[str] | None:
    """The conditions that a process says do not hold; None: it does not say anything yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/readyz", timeout=2):
            return []
    except urllib.error.HTTPError as answer:
        return list(json.load(answer)["failing"])
    except OSError:
        return None


def differences(told: str) -> dict[tuple[str, str], str]:
    """What a table says: by case and id, what is otherwise."""
    rows = [line.split() for line in told.splitlines()]
    return {(row[0], row[2]): row[1] for row in rows if len(row) == 3 and row[0] != "case"}


class Running:
    """The services that the tests end and start."""

    def __init__(self, parts: Parts, folder: Path, stack: ExitStack) -> None:
        self._parts, self._folder, self._stack = parts, folder, stack
        self.cases, self.sharing = stack.enter_context(instances(parts, folder, CASES, SHARING))
        stack.enter_context(instances(parts, folder, NOTIFY, **QUICK))

    def another(self) -> Instance:
        """A process of `sharing`, which need not get ready."""
        name = f"sharing-{uuid.uuid4().hex[:6]}"
        log = self._folder / f"{name}.log"
        made = Instance(self._parts, "sharing", SHARING, log, CONCORDAT_INSTANCE=name)
        self._stack.callback(made.end)
        return made
