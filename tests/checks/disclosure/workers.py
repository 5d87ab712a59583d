"""Who works in the cases: writes canaries into every field, and reads them back through every path."""

from __future__ import annotations

import random
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from deploy.demo import story
from tests.checks.disclosure.canaries import Aviary
from tests.checks.disclosure.joining import Received
from tests.checks.ground import Ground
from tests.checks.wire import Answer, Line
from tests.journey.steps import HOUSING, POLICE

MOMENT = "2026-11-01T09:00:00Z"


@dataclass
class Kept:
    """What all workers found, and the requests whose log entries tell versions."""

    received: list[Received] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    summaries: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By case: (word, entry id of the change that wrote it), in order."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, received: Received) -> None:
        with self._lock:
            self.received.append(received)

    @property
    def disclosures(self) -> int:
        return sum(bool(one.canaries) for one in self.received)


@dataclass
class Case:
    """A case with what can be read in it."""

    id: str
    reference: str
    subject_id: str
    entries: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)


class Worker:
    """One principal on one gateway; its every answer is searched for canaries."""

    def __init__(self, url: str, token: str, aviary: Aviary, kept: Kept, *, person: bool = True) -> None:
        self.line, self.aviary, self.kept, self.person = Line(url, token), aviary, kept, person

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        request_id = f"check-{uuid.uuid4().hex}"
        if self.person:
            headers["Access_Reason"] = "investigation"
        answer = self.line.ask(method, path, body, X_Request_Id=request_id, **headers)
        found = self.aviary.found_in(answer.body)
        route = "/".join("{id}" if len(part) > 30 else part for part in path.partition("?")[0].split("/"))
        if found and answer.status >= 400:
            self.kept.leaks.append(f"{method} {route}: {found[0].kind} in a problem document")
        self.kept.add(
            Received(
                request_id,
                answer.status,
                answer.seconds,
                answer.headers.get("consultation"),
                answer.status != 0,
                tuple(found),
                f"{method} {route}",
            )
        )
        return answer


class Author(Worker):
    """The owner of the cases."""

    def open_case(self, team: str) -> Case | None:
        """A person, a case about it, an entry and a task, each field with its own word."""
        names = {kind: self.aviary.word(kind) for kind in ("given", "family", "title", "summary")}
        person = {
            "kind": "person",
            "names": [{"given": names["given"], "family": names["family"], "type": "legal"}],
            "team_id": team,
        }
        for kind in ("given", "family"):
            self.aviary.seed(names[kind], kind)
        subject = self.ask("POST", "/subjects", person)
        if subject.status != 201:
            return None
        body = {
            "template": "complex_asb",
            "title": names["title"],
            "summary": names["summary"],
            "priority": "low",
            "marking": "official",
            "owner_team_id": team,
            "subjects": [{"subject_id": subject.json()["id"], "role": "victim"}],
        }
        answer = self.ask("POST", "/cases", body)
        if answer.status != 201:
            return None
        made = answer.json()
        self.aviary.seed(names["title"], "title", case_id=made["id"])
        self.aviary.seed(names["summary"], "summary", case_id=made["id"], section="summary")
        return Case(made["id"], made["reference"], subject.json()["id"])

    def write(self, case: Case) -> None:
        """One entry more."""
        word = self.aviary.word("note")
        self.aviary.seed(word, "note", case_id=case.id, section="timeline")
        body = {
            "type": "note",
            "occurred_at": MOMENT,
            "text": f"said: {word}",
            "subject_ids": [case.subject_id],
        }
        answer = self.ask("POST", f"/cases/{case.id}/entries", body)
        if answer.status == 201:
            case.entries.append(answer.json()["id"])

    def give_task(self, case: Case, user_id: str) -> None:
        word = self.aviary.word("task")
        self.aviary.seed(word, "task", case_id=case.id, section="tasks")
        body = {"title": word, "assignee": {"user_id": user_id}, "due_on": "2026-12-24"}
        answer = self.ask("POST", f"/cases/{case.id}/tasks", body)
        if answer.status == 201:
            case.tasks.append(answer.json()["id"])

    def rewrite(self, case: Case) -> None:
        """Another summary; the log says in which version."""
        there = self.ask("GET", f"/cases/{case.id}")
        word = self.aviary.word("summary")
        self.aviary.seed(word, "summary", case_id=case.id, section="summary")
        tag = there.headers.get("etag", "")
        answer = self.ask("PATCH", f"/cases/{case.id}", {"summary": word}, If_Match=tag)
        known = self.kept.summaries.setdefault(case.id, [])
        # One that was not answered may have taken effect: no span ends or begins with certainty there.
        known.append((word, answer.headers.get("consultation", "") if answer.status == 200 else ""))


class Looker(Worker):
    """Reads whatever there is, at random."""

    def look(self, case: Case, chance: random.Random) -> None:
        path = f"/cases/{case.id}"
        paths = [path, path, f"{path}/entries", f"{path}/tasks", "/cases?limit=10"]
        paths += [f"{path}/entries/{one}" for one in case.entries[-1:]]
        paths += [f"{path}/tasks/{one}" for one in case.tasks[-1:]]
        if self.person:
            paths += [f"/subjects/{case.subject_id}", f"/subjects/{case.subject_id}/chronology", "/tasks"]
        chosen = chance.choice([*paths, "search", "304"])
        if chosen == "search" and self.person:
            self.ask("POST", "/searches", {"in": "cases", "text": case.reference})
        elif chosen == "304":
            tag = self.ask("GET", path).headers.get("etag", "")
            self.ask("GET", path, If_None_Match=tag)
        elif chosen != "search":
            self.ask("GET", chosen)


@dataclass(frozen=True)
class Cast:
    """The author, those who look, and whom the cases are shared with."""

    author: Author
    lookers: list[Looker]
    team: str
    guest_id: str
    share: dict[str, Any]


def cast(on: Ground, aviary: Aviary, kept: Kept) -> Cast:
    owner = on.sign_in(POLICE, "practitioner")
    colleague = on.sign_in(POLICE, "supervisor")
    guest = on.sign_in(HOUSING, "practitioner")
    client = on.cast.clients[0]
    system = owner.sign_in_client(client["id"], client["client_secret"])
    me = guest.get("/me")
    protocol = next(one for one in owner.all("/protocols") if one["state"] == "active")
    members = [{"user_id": me["user"]["id"]}, {"client_id": client["id"]}]
    share = story.share_body(me["agency"]["id"], protocol["id"], members)
    tokens = [(owner, True), (colleague, True), (guest, True), (system, False)]
    lookers = [
        Looker(on.urls[n % len(on.urls)], str(api.token), aviary, kept, person=person)
        for n, (api, person) in enumerate(tokens)
    ]
    author = Author(on.urls[0], str(owner.token), aviary, kept)
    return Cast(author, lookers, owner.get("/me")["teams"][0]["id"], me["user"]["id"], share)
