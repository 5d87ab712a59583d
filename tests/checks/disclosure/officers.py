"""Data protection officers: they read the log, and answer people who ask who had their data."""

from __future__ import annotations

import random
from collections import Counter

from tests.checks.disclosure.author import Case
from tests.checks.disclosure.listening import Worker

DEAR = 3
"""How often in one part each is asked for of what reads the whole log, or all of a subject's entries."""
_STATEMENTS = "/audit/statements"


class Officer(Worker):
    """Of the agency that owns the cases."""

    hat = " by an officer"

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._answered: Counter[str] = Counter()
        self._statement = self._entry = ""

    def begin(self) -> None:
        self._answered.clear()

    def look(self, case: Case, chance: random.Random) -> None:
        subject = case.subjects[0]
        if self.browser:
            dear = f"{_STATEMENTS}/new?subject_id={subject}"
            paths = [_STATEMENTS, "/audit"]
        else:
            dear = chance.choice((f"{_STATEMENTS}/preview?subject_id={subject}", "/audit/export"))
            paths = [f"/audit/entries?limit=10&case_id={case.id}", "/audit/entries?limit=10", _STATEMENTS]
            self._issue(subject)
        paths += [dear] if self._answered[dear] < DEAR else []
        paths += [f"{_STATEMENTS}/{self._statement}"] if self._statement else []
        paths += [f"/audit/entries/{self._entry}"] if self._entry else []
        path = chance.choice(paths)
        answer = self.ask("GET", path)
        self._answered[path] += answer.status == 200
        if answer.status == 200 and path.startswith(_STATEMENTS) and self.browser:
            found = self.told("/audit/statements", answer)
            self._statement = found[0] if found else self._statement
        elif answer.status == 200 and path.partition("?")[0] in ("/audit", "/audit/entries"):
            found = self.told(path, answer)
            self._entry = chance.choice(found) if found else self._entry

    def _issue(self, subject: str) -> None:
        if self._answered["issued"] < DEAR:
            answer = self.ask("POST", _STATEMENTS, {"subject_id": subject})
            if answer.status == 201:
                self._answered["issued"] += 1
                self._statement = answer.json()["id"]
