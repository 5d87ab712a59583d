"""Sends the rows of a table, a few at once, and keeps account of what became of each.

A row's idempotency key is made from its agency, its reference and its content: the same row sent twice is one
request, a corrected one another. What was made earlier answers `already_exists`, or with what it made then.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from deploy.importing.api import Answer, Api, NoAnswer
from deploy.importing.tables import ERROR_COLUMNS, Fault, Kind, Row, RowProblem, Table

AT_ONCE = 4
_NOT_SENT = Fault("not_sent", "", "The server stopped answering before this row's turn.")
_NO_ANSWER = Fault("no_answer", "", "The server did not answer. Import this row again.")
_LOGGED_OUT = frozenset({401, 403})


@dataclass
class Outcome:
    """`failed`: rows and what is wrong, in the order of the file. `tokens`: what invited users need first."""

    made: int = 0
    already: int = 0
    failed: list[tuple[Row, list[Fault]]] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)


def load(api: Api, agency_id: str, kind: Kind, table: Table, step: Callable[[], None]) -> Outcome:
    """Send every row; `step` is called as each is done. What cannot be sent is in `failed`, never raised."""
    outcome, stopped = Outcome(), Event()
    for row, answer in _answers(api, agency_id, kind, table, stopped):
        step()
        if isinstance(answer, list):
            outcome.failed.append((row, answer))
            if answer == [_NO_ANSWER]:
                stopped.set()
        elif answer.ok:
            _count(outcome, row, kind, answer, api.started)
        elif any(fault.code in kind.already for fault in (Fault(answer.code, "", ""), *answer.faults)):
            outcome.already += 1
        else:
            outcome.failed.append((row, answer.faults))
            if answer.status in _LOGGED_OUT:  # every other row would be told the same
                stopped.set()
    return outcome


def _answers(
    api: Api, agency_id: str, kind: Kind, table: Table, stopped: Event
) -> Iterator[tuple[Row, Answer | list[Fault]]]:
    """In the order of the file, while the next few are on their way."""
    waiting: deque[tuple[Row, Future[Answer | list[Fault]]]] = deque()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for row in table:
            waiting.append((row, pool.submit(_send, api, agency_id, kind, row, stopped)))
            if len(waiting) >= 2 * AT_ONCE:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()


def _send(api: Api, agency_id: str, kind: Kind, row: Row, stopped: Event) -> Answer | list[Fault]:
    if stopped.is_set():
        return [_NOT_SENT]
    try:
        fields = kind.fields(row)
        body = kind.body(fields)
        return api.post(kind.path, body, _key(agency_id, fields[kind.reference], body))
    except RowProblem as problem:
        return [problem.fault]
    except NoAnswer:
        return [_NO_ANSWER]


def _key(agency_id: str, reference: str, body: dict[str, Any]) -> str:
    content = json.dumps([agency_id, reference, body], sort_keys=True)
    return f"import-{hashlib.sha256(content.encode()).hexdigest()[:40]}"


def _count(outcome: Outcome, row: Row, kind: Kind, answer: Answer, started: datetime) -> None:
    """A repeated key is answered as it was the first time: what is older than this session was there."""
    made_at = answer.body.get("created_at")
    if isinstance(made_at, str) and datetime.fromisoformat(made_at) < started:
        outcome.already += 1
        return
    outcome.made += 1
    if token := answer.body.get("activation_token"):
        outcome.tokens.append((row.cells.get("username", ""), str(token)))


def write_errors(path: Path, table: Table, outcome: Outcome) -> None:
    """The rows that failed, one line for each fault, to be corrected and imported again: for the owner's
    eyes only."""
    columns = [name for name in table.columns if name not in ERROR_COLUMNS]
    rows = [
        [*(row.cells.get(name, "") for name in columns), row.line, fault.code, fault.pointer, fault.detail]
        for row, faults in outcome.failed
        for fault in (_joined(faults),)
    ]
    _write(path, [*columns, *ERROR_COLUMNS], rows)


def write_tokens(path: Path, outcome: Outcome) -> None:
    """What invited people activate their accounts with, where no mail is sent."""
    _write(path, ["username", "activation_token"], [list(pair) for pair in outcome.tokens])


def _joined(faults: list[Fault]) -> Fault:
    """One line a row, or importing it again would send the row twice."""
    return Fault(
        *(" | ".join(getattr(fault, name) for fault in faults) for name in ("code", "pointer", "detail"))
    )


def _write(path: Path, columns: list[str], rows: list[list[Any]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    # Anew, so that neither an old file's mode nor a link decides who may read it.
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text.getvalue())
