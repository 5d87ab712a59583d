"""Who writes the cases: a canary in every field that takes text."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.checks.disclosure.canaries import Home
from tests.checks.disclosure.listening import Worker
from tests.checks.wire import Answer

MOMENT = "2026-11-01T09:00:00Z"
_ROLES = {"person": "victim", "family": "family", "premises": "premises", "place": "place"}


@dataclass
class Case:
    """A case with what can be read in it. `words` are for searching: its title's, a subject's name."""

    id: str
    reference: str
    subjects: list[str]
    words: dict[str, str]
    entries: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    shares: list[str] = field(default_factory=list)


class Author(Worker):
    """The owner of the cases."""

    team = ""
    strange_log_ins = 20
    """So few that the limit of an address is not reached."""

    def open_case(self) -> Case:
        """Subjects of all kinds, a link, and a case about them."""
        made = [self._enter(kind) for kind in _ROLES]
        subjects = [subject for subject, _ in made]
        title, summary, system = (self.aviary.word(kind) for kind in ("title", "summary", "case_system"))
        answer = self._sure(
            "POST",
            "/cases",
            {
                "template": "complex_asb",
                "title": title,
                "summary": summary,
                "priority": "low",
                "marking": "official",
                "owner_team_id": self.team,
                "external_ref": {"system": "check", "id": system},
                "subjects": [
                    {"subject_id": one, "role": role}
                    for one, role in zip(subjects, _ROLES.values(), strict=True)
                ],
            },
        )
        case_id = answer.json()["id"]
        for word, section in ((title, None), (summary, "summary"), (system, None)):
            self.aviary.settle(word, (case_id, section))
        for word in (word for _, words in made for word in words):
            self.aviary.settle(word, (case_id, "subjects"))
        self.wrote(answer, case_id, "title", title)
        self.wrote(answer, case_id, "summary", summary)
        source = self.aviary.word("link_source", (subjects[0], "subjects"), (subjects[1], "subjects"))
        link = {"kind": "member_of_family", "to_subject_id": subjects[1], "source": source}
        self._sure("POST", f"/subjects/{subjects[0]}/links", link)
        words = {"title": title, "family": made[1][1][0]}
        return Case(case_id, answer.json()["reference"], subjects, words)

    def _enter(self, kind: str) -> tuple[str, list[str]]:
        body, words = self._described(kind)
        system = self.aviary.word("subject_system")
        body |= {"kind": kind, "team_id": self.team, "external_ref": {"system": "check", "id": system}}
        answer = self._sure("POST", "/subjects", body)
        subject_id = answer.json()["id"]
        for word in (*words, system):
            self.aviary.settle(word, (subject_id, "subjects"))
        self.wrote(answer, subject_id, "name", words[0])
        return subject_id, [*words, system]

    def _described(self, kind: str) -> tuple[dict[str, Any], list[str]]:
        """The fields of a subject of this kind, and the words in them, its name first."""
        word = self.aviary.word
        if kind == "person":
            family, given, alias, number = (word(one) for one in ("family", "given", "alias", "identifier"))
            names = [
                {"given": given, "family": family, "type": "legal"},
                {"given": "", "family": alias, "type": "alias"},
            ]
            identifiers = [{"scheme": "other", "value": number}]
            return {"names": names, "identifiers": identifiers}, [family, given, alias, number]
        if kind == "premises":
            line, town = word("address"), word("town")
            return {"address": {"lines": [line, town], "postcode": "TS18 2AA"}}, [line, town]
        name = word(f"{kind}_name")
        geometry = {"geometry": {"type": "Point", "coordinates": [-1.3, 54.5]}} if kind == "place" else {}
        return {"name": name, **geometry}, [name]

    def share(self, case: Case, body: dict[str, Any]) -> None:
        note, why = (self.aviary.word(kind, (case.id, None)) for kind in ("share_note", "consent_reason"))
        body = {**body, "note": note, "consent": {"state": "not_sought", "reason": why}}
        answer = self._sure("POST", f"/cases/{case.id}/shares", body)
        case.shares.append(answer.json()["id"])

    def act(self, case: Case, chance: random.Random, user_id: str) -> None:
        """Anything that may be changed."""
        acts = [self.write, self.write, self.rewrite, self.rewrite, self.rename, self.blunder, self.move]
        if case.entries:
            acts += [self.revise]
        if len(case.entries) > 3:
            acts += [self.withdraw]
        if len(case.tasks) < 12:
            acts += [lambda case: self.give_task(case, user_id)]
        if len(case.tasks) > 2:
            acts += [self.take_task_back]
        chance.choice(acts)(case)

    def write(self, case: Case) -> None:
        """One entry more."""
        text, kind, outcome, system = self._words(
            (case.id, "timeline"), "text", "intervention", "result", "entry_system"
        )
        body = {
            "type": "intervention",
            "occurred_at": MOMENT,
            "text": f"said: {text}",
            "subject_ids": case.subjects[:1],
            "intervention": {
                "kind": kind,
                "outcome": outcome,
                "responsible_user_id": None,
                "ended_at": None,
            },
            "external_ref": {"system": "check", "id": system},
        }
        answer = self.ask("POST", f"/cases/{case.id}/entries", body)
        for word in (text, kind, outcome, system):
            self.wrote(answer, case.id, word, word)
        if answer.status == 201:
            case.entries.append(answer.json()["id"])

    def revise(self, case: Case) -> None:
        path = f"/cases/{case.id}/entries/{case.entries[-1]}"
        text, reason = self._words((case.id, "timeline"), "text", "revision_reason")
        answer = self._patch(path, {"text": f"now: {text}", "reason": reason})
        for word in (text, reason):
            self.wrote(answer, case.id, word, word)

    def withdraw(self, case: Case) -> None:
        path = f"/cases/{case.id}/entries/{case.entries.pop(0)}/withdrawal"
        (reason,) = self._words((case.id, "timeline"), "withdrawal_reason")
        self.wrote(self.ask("POST", path, {"reason": reason}), case.id, reason, reason)

    def give_task(self, case: Case, user_id: str) -> None:
        title, detail = self._words((case.id, "tasks"), "task", "detail")
        body = {"title": title, "detail": detail, "assignee": {"user_id": user_id}, "due_on": "2027-12-24"}
        answer = self.ask("POST", f"/cases/{case.id}/tasks", body)
        for word in (title, detail):
            self.wrote(answer, case.id, word, word)
        if answer.status == 201:
            case.tasks.append(answer.json()["id"])

    def take_task_back(self, case: Case) -> None:
        path = f"/cases/{case.id}/tasks/{case.tasks.pop(0)}"
        reason, outcome = self._words((case.id, "tasks"), "cancel_reason", "task_outcome")
        answer = self._patch(path, {"state": "cancelled", "reason": reason, "outcome": outcome})
        for word in (reason, outcome):
            self.wrote(answer, case.id, word, word)

    def rewrite(self, case: Case) -> None:
        """Another title and summary; the log says in which version."""
        title, summary = (
            self.aviary.word("title", (case.id, None)),
            *self._words((case.id, "summary"), "summary"),
        )
        answer = self._patch(f"/cases/{case.id}", {"title": title, "summary": summary})
        self.wrote(answer, case.id, "title", title)
        self.wrote(answer, case.id, "summary", summary)
        if answer.status == 200:
            case.words["title"] = title

    def rename(self, case: Case) -> None:
        """A family gets another name, in the case as well."""
        family = case.subjects[1]
        word = self.aviary.word("family_name", (family, "subjects"), (case.id, "subjects"))
        answer = self._patch(f"/subjects/{family}", {"name": word})
        self.wrote(answer, family, "name", word)
        if answer.status == 200:
            case.words["family"] = word

    def move(self, case: Case) -> None:
        (reason,) = self._words((case.id, None), "move_reason")
        to = random.choice(("assessment", "plan", "action", "review"))
        self.ask("POST", f"/cases/{case.id}/transitions", {"to": to, "reason": reason})

    def blunder(self, case: Case) -> None:
        """What is refused is not said back."""
        (word,) = self._words((case.id, None), "blunder")
        entries = f"/cases/{case.id}/entries"
        self.ask("POST", entries, {"type": word, "occurred_at": word, "text": 7, word: word})
        self.ask("POST", entries, {"type": "note", "occurred_at": MOMENT, "text": f"{word} " * 1200})
        self.ask("POST", entries, {"type": "note", "occurred_at": MOMENT, "text": "x", "subject_ids": [word]})
        self.ask("PATCH", f"/cases/{case.id}", {"title": word}, If_Match='"stale"')
        self.ask("POST", "/searches", {"in": word, "text": word})
        if self.strange_log_ins:
            self.strange_log_ins -= 1
            self.ask("POST", "/sessions", {"username": word, "password": word})

    def _words(self, home: Home, *kinds: str) -> list[str]:
        return [self.aviary.word(kind, home) for kind in kinds]

    def _patch(self, path: str, changes: dict[str, Any]) -> Answer:
        there = self.ask("GET", path)
        return self.ask("PATCH", path, changes, If_Match=there.headers.get("etag", "*"))

    def _sure(self, method: str, path: str, body: Any) -> Answer:
        """Before anything goes wrong, nothing may."""
        answer = self.ask(method, path, body)
        assert answer.status == 201, (path, answer.status, answer.body[:400])
        return answer
