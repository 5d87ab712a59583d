"""`concordat witness`: watch the log for an agency, cosign what is one history, alarm what is not."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.launcher.trouble import Trouble
from deploy.options import secret
from deploy.witness.judging import Alarm, judge, opened
from deploy.witness.keeping import Memory
from deploy.witness.notes import LogKey, Unusable, Wrong
from deploy.witness.signing import own_key
from deploy.witness.watching import Log, Unproved, Unreachable, Watch

ALARMED = 3
"""The exit code when the log is not one history. 1: it could not be looked at; 2: not asked properly."""


def witness(
    *,
    url: Annotated[str, typer.Option(help="The gateway, such as https://concordat.example.")],
    key: Annotated[
        list[str],
        typer.Option(
            "--key", help="The log's public key, or a file with it; each of them, the oldest first."
        ),
    ],
    state: Annotated[Path, typer.Option(help="The witness's own folder.", file_okay=False)],
    name: Annotated[str, typer.Option(help="The witness's name, such as witness.police.example/1.")],
    client: Annotated[str | None, typer.Option(help="The client that it signs in as.")] = None,
    secret_file: Annotated[Path | None, typer.Option(help="File with the client's secret.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="Instead: file with a session's token.")] = None,
    every: Annotated[float, typer.Option(help="Seconds between looks.", min=1)] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    compare: Annotated[
        Path | None,
        typer.Option(
            help="A note that another witness cosigned, or a `checkpoint.signed` event: is it of one history?"
        ),
    ] = None,
) -> None:
    """Check that each checkpoint of the log goes on with the last one seen, cosign it, send it to the log.

    Exits with 3, and keeps both sides under STATE/evidence, when the log has forked or gone back.
    """
    try:
        keys = [LogKey.read(Path(one).read_text("utf-8") if "+" not in one else one) for one in key]
        own = own_key(state, name)
        watch = Watch(_log(url, client, secret_file, token_file), keys, own, Memory(state, keys))
        if compare is not None:
            _compare(watch, compare)
            return
        print(f"witness {own}", flush=True)
        while _look(watch, once=once):
            time.sleep(every)
    except Alarm as alarm:
        _say(event="witness_alarm", code=alarm.code, text=str(alarm))
        print(f"ALARM: {alarm}. Evidence is in {state / 'evidence'}.", file=sys.stderr)
        raise typer.Exit(ALARMED) from None
    except (Unusable, OSError) as problem:
        raise Trouble(str(problem)) from None


def _look(watch: Watch, *, once: bool) -> bool:
    """Whether to go on. Raises Alarm, Unusable."""
    try:
        found, seen = watch.look()
        _say(event="witness_looked", found=found, size=seen.tree[0])
    except Wrong as problem:
        _say(event="witness_alarm", code="not_signed", text=str(problem))
        print(f"ALARM: what the log shows is not its own: {problem}.", file=sys.stderr)
        raise typer.Exit(ALARMED) from None
    except Unreachable as problem:
        _say(event="witness_waits", text=str(problem))
        if once:
            raise Trouble(f"The log cannot be looked at: {problem}.") from None
    return not once


def _compare(watch: Watch, file: Path) -> None:
    """Two witnesses that were shown two histories find out here. Raises Alarm."""
    mine = watch.memory.last()
    if mine is None:
        raise Trouble("This witness has seen nothing yet. Let it look first.")
    try:
        note = _note(file.read_text("utf-8"))
        theirs = opened(note, watch.keys)
        found = judge(mine, theirs, watch.fetch)
    except Wrong as problem:
        raise Trouble(f"{file} is no checkpoint of this log: {problem}.") from None
    except Alarm as alarm:
        if alarm.code == "fork":
            now = datetime.now(UTC).isoformat(timespec="seconds")
            watch.memory.accuse(alarm, now, mine, note, ())
        raise
    except (Unproved, Unreachable) as problem:
        raise Trouble(f"The log cannot be asked for a proof: {problem}.") from None
    print(f"one history: {theirs.tree[0]} and {mine.tree[0]} entries ({found})")


def _note(text: str) -> str:
    """The note by itself, or as an agency's webhook was given it. Raises Wrong."""
    if not text.startswith("{"):
        return text
    try:
        note = json.loads(text)["data"]["note"]
    except (ValueError, TypeError, LookupError):
        note = None
    if not isinstance(note, str):
        raise Wrong("the event holds no note")
    return note


def _log(url: str, client: str | None, secret_file: Path | None, token_file: Path | None) -> Log:
    from deploy.demo.api import Api  # httpx takes 0.1 s to import, which no other command should wait for
    from deploy.witness.api import HttpLog

    if token_file is not None:
        return HttpLog(lambda: Api(url, secret(token_file)))
    if client is None or secret_file is None:
        raise Trouble("Name a client and the file with its secret, or the file with a token.")
    return HttpLog(lambda: Api(url).sign_in_client(client, secret(secret_file)))


def _say(**fields: object) -> None:
    """One line of JSON, as the services log."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(json.dumps({"timestamp": at, **fields}), flush=True)
