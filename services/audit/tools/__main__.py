"""python -m services.audit.tools COMMAND: fsck, tiles DIR [--details DIR], check-tiles DIR KEY, restore DIR
--details DIR [--known NOTE], rewrap, retire, shred --subject ID or --case ID.

Exit code 1: the log, or the copy, is not sound; 2: it cannot be done here. Settings come from the
environment, as the service's do.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.audit.domain.lookups import Search
from services.audit.domain.merkle import Node
from services.audit.domain.notes import BadNote, Signer, Verifier
from services.audit.domain.vault import Vault
from services.audit.settings import AuditSettings
from services.audit.stores.days import DayStore
from services.audit.stores.restoring import NotEmpty, RestoredTree
from services.audit.stores.statements import StatementStore
from services.audit.stores.tree import OtherLog, TreeStore
from services.audit.stores.upkeep import EntryUpkeep
from services.audit.stores.writer import STEPS, LogWriter
from services.audit.tools import cold, fsck, restore, tiles
from services.chassis import logkeys
from services.chassis.migrations import migrate
from services.chassis.mongo import connect
from services.contracts.directory import RECORDER
from services.contracts.envelope import new_event_id
from services.contracts.records import Actor, Mark, Object, Record


class Tools:
    """The stores, opened with the service's settings."""

    def __init__(self, settings: AuditSettings) -> None:
        assert settings.mongo_url is not None
        self._client = connect(settings.mongo_url.get_secret_value(), app="audit-tools")
        database = self._database = self._client[settings.mongo_database]
        wrapping = self._wrapping = logkeys.read_wrapping(settings.keys_dir)
        self._keys = logkeys.read(settings.keys_dir, settings.log_origin)
        self._tree = TreeStore(database)
        self._entries = EntryUpkeep(database, lambda: wrapping)
        self._writer = LogWriter(database, lambda: wrapping)
        self._statements, self._days = StatementStore(database), DayStore(database)

    def close(self) -> None:
        self._client.close()

    def fsck(self) -> str:
        """Raises Broken."""
        origin = self._keys.origin
        keys = [
            fsck.KeyInTime(Verifier(origin, one.key.public_key().public_bytes_raw()), one.since, one.until)
            for one in self._keys.keys
        ]
        sound = fsck.check(self._tree, self._entries, origin, keys)
        return (
            f"sound: {sound.size} entries, {sound.checkpoints} checkpoints, "
            f"{sound.details} details, {sound.erased} erased"
        )

    def tiles(self, folder: Path) -> str:
        latest = self._tree.latest()
        if latest is None:
            return "there is no checkpoint yet"
        size, _, note = latest

        def leaves(begin: int, end: int) -> list[bytes]:
            return [leaf for _, leaf, _ in self._tree.leaves(begin, end)]

        def hashes(nodes: list[Node]) -> list[bytes]:
            found = self._tree.hashes(nodes)
            return [found[node] for node in nodes]

        written = tiles.write(folder, size, note, hashes, leaves)
        return f"{size} entries; {written} files written under {folder}"

    def cold(self, folder: Path) -> str:
        """Details, for who wants a copy from which the log can be restored."""
        latest = self._tree.latest()
        if latest is None:
            return "there is no checkpoint yet"
        written = cold.write(folder, latest[0], self._entries.stored, self._tree.history())
        return f"{written} files of details and keys new or changed under {folder}"

    def restore(self, folder: Path, details: Path, known: Path | None) -> str:
        """Raises BadTiles, Broken, NotEmpty, OtherLog."""
        migrate(self._database, STEPS, holder="audit-tools")
        verifiers = [
            Verifier(self._keys.origin, one.key.public_key().public_bytes_raw()) for one in self._keys.keys
        ]
        said = None if known is None else tiles.opened(known.read_text("utf-8"), verifiers)
        vault = Vault(self._wrapping.keys, self._wrapping.current()[0])
        copy = restore.Copy(folder, details, verifiers, vault, said)
        done = restore.restore(copy, RestoredTree(self._database), self._entries)
        return f"restored: {done.size} entries, {done.details} details, {done.erased} erased"

    def shred(self, kind: str, id_: str) -> str:
        """Record it, then destroy. The entry says that it was done, and to how little: the kind alone."""
        now = datetime.now(UTC)
        self._record(f"details-of-{kind}", now)
        word = f"{'s' if kind == 'subject' else 'c'}:{id_}"
        erased = self._entries.erase(Search(each=((word,),)), now)
        statements = self._statements.erase(id_) if kind == "subject" else 0
        more = f" and {statements} statements" if statements else ""
        return f"{erased} details{more} are destroyed; every proof stays"

    def retire(self, days: int) -> str:
        """Record it, then destroy what was kept as long as it is to be."""
        now = datetime.now(UTC)
        before = now - timedelta(days=days)
        self._record(f"details-before-{before.date()}", now)
        erased = self._entries.erase_before(before, now)
        statements = self._statements.erase_before(before)
        forgotten = self._days.forget_before(before.date().isoformat())
        return (
            f"{erased} details, {statements} statements, {forgotten} days and reviews of before "
            f"{before.date()} are destroyed; every proof stays"
        )

    def _record(self, what: str, now: datetime) -> None:
        newest, *older = self._keys.in_force()
        record = Record(
            id=new_event_id(),
            at=now,
            actor=Actor(kind="service", id=RECORDER, agency_id="operator"),
            action="log.shred",
            operation="erasure",
            objects=(Object(type="log", id=what),),
            outcome="done",
            request_id=uuid.uuid4().hex,
            service=RECORDER,
            publisher=uuid.uuid4().hex,
            number=1,
        )
        self._writer.append([record], Signer(self._keys.origin, newest, tuple(older)), again=False)
        self._writer.hear([Mark(service=RECORDER, publisher=record.publisher, last=1, ended=True)])

    def rewrap(self) -> str:
        sealed = self._entries.seal_old()
        note = f"; {sealed} details of an earlier version encrypted" if sealed else ""
        return f"{self._entries.rewrap()} keys wrapped anew{note}"


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    if given.command == "check-tiles":  # files need no database
        return _check_tiles(given.folder, given.key)
    settings = AuditSettings(service=RECORDER)
    if given.command == "retire" and settings.audit_keep_days is None:
        print("Set CONCORDAT_AUDIT_KEEP_DAYS first: details are kept for ever without.", file=sys.stderr)
        return 2
    tools = Tools(settings)
    try:
        for said in _done(tools, given, settings.audit_keep_days or 0):
            print(said)
    except (fsck.Broken, tiles.BadTiles) as problem:
        print(f"NOT sound: {problem}", file=sys.stderr)
        return 1
    except NotEmpty:
        print("Nothing is restored: there is a log in this database already.", file=sys.stderr)
        return 2
    except (OtherLog, OSError) as problem:
        print(f"It cannot be done: {problem}", file=sys.stderr)
        return 2
    finally:
        tools.close()
    return 0


def _done(tools: Tools, given: argparse.Namespace, days: int) -> Iterator[str]:
    match given.command:
        case "fsck":
            yield tools.fsck()
        case "tiles":
            yield tools.tiles(given.folder)
            if given.details is not None:
                yield tools.cold(given.details)
        case "restore":
            yield tools.restore(given.folder, given.details, given.known)
        case "shred":
            yield tools.shred("subject" if given.subject else "case", given.subject or given.case)
        case "retire":
            yield tools.retire(days)
        case _:
            yield tools.rewrap()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="audit.tools")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("fsck", "rewrap", "retire"):
        commands.add_parser(name)
    written = commands.add_parser("tiles")
    written.add_argument("folder", type=Path)
    written.add_argument("--details", type=Path)
    checked = commands.add_parser("check-tiles")
    checked.add_argument("folder", type=Path)
    checked.add_argument("key")
    restored = commands.add_parser("restore")
    restored.add_argument("folder", type=Path)
    restored.add_argument("--details", type=Path, required=True)
    restored.add_argument("--known", type=Path)
    which = commands.add_parser("shred").add_mutually_exclusive_group(required=True)
    which.add_argument("--subject")
    which.add_argument("--case")
    return parser


def _check_tiles(folder: Path, key: str) -> int:
    try:
        said = tiles.check(folder, Verifier.read(key))
    except (tiles.BadTiles, BadNote) as problem:
        print(f"NOT sound: {problem}", file=sys.stderr)
        return 1
    print(f"sound: {said.size} entries")
    return 0


if __name__ == "__main__":
    sys.exit(main())
