"""python -m services.audit.tools COMMAND: fsck, tiles DIR, check-tiles DIR KEY, rewrap, shred --subject ID or
--case ID.

Exit code 1: the log is not sound. Settings come from the environment, as the service's do.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

from services.audit.domain.lookups import Search
from services.audit.domain.merkle import Node
from services.audit.domain.notes import BadNote, Signer, Verifier
from services.audit.stores.statements import StatementStore
from services.audit.stores.tree import TreeStore
from services.audit.stores.upkeep import EntryUpkeep
from services.audit.stores.writer import LogWriter
from services.audit.tools import fsck, tiles
from services.chassis import logkeys
from services.chassis.mongo import connect
from services.chassis.settings import ServiceSettings
from services.contracts.directory import RECORDER
from services.contracts.envelope import new_event_id
from services.contracts.records import Actor, Mark, Object, Record


class Tools:
    """The stores, opened with the service's settings."""

    def __init__(self, settings: ServiceSettings) -> None:
        assert settings.mongo_url is not None
        self._client = connect(settings.mongo_url.get_secret_value(), app="audit-tools")
        database = self._client[settings.mongo_database]
        wrapping = logkeys.read_wrapping(settings.keys_dir)
        self._keys = logkeys.read(settings.keys_dir, settings.log_origin)
        self._tree = TreeStore(database)
        self._entries = EntryUpkeep(database, lambda: wrapping)
        self._writer = LogWriter(database, lambda: wrapping)
        self._statements = StatementStore(database)

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

    def shred(self, kind: str, id_: str) -> str:
        """Record it, then destroy. The entry says that it was done, and to how little: the kind alone."""
        newest, *older = self._keys.in_force()
        now = datetime.now(UTC)
        record = Record(
            id=new_event_id(),
            at=now,
            actor=Actor(kind="service", id=RECORDER, agency_id="operator"),
            action="log.shred",
            operation="erasure",
            objects=(Object(type="log", id=f"details-of-{kind}"),),
            outcome="done",
            request_id=uuid.uuid4().hex,
            service=RECORDER,
            publisher=uuid.uuid4().hex,
            number=1,
        )
        self._writer.append([record], Signer(self._keys.origin, newest, tuple(older)), again=False)
        self._writer.hear([Mark(service=RECORDER, publisher=record.publisher, last=1, ended=True)])
        word = f"{'s' if kind == 'subject' else 'c'}:{id_}"
        erased = self._entries.erase(Search(each=((word,),)), now)
        statements = self._statements.erase(id_) if kind == "subject" else 0
        more = f" and {statements} statements" if statements else ""
        return f"{erased} details{more} are destroyed; every proof stays"

    def rewrap(self) -> str:
        sealed = self._entries.seal_old()
        note = f"; {sealed} details of an earlier version encrypted" if sealed else ""
        return f"{self._entries.rewrap()} keys wrapped anew{note}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="audit.tools")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fsck")
    commands.add_parser("rewrap")
    commands.add_parser("tiles").add_argument("folder", type=Path)
    checked = commands.add_parser("check-tiles")
    checked.add_argument("folder", type=Path)
    checked.add_argument("key")
    which = commands.add_parser("shred").add_mutually_exclusive_group(required=True)
    which.add_argument("--subject")
    which.add_argument("--case")
    given = parser.parse_args(arguments)
    if given.command == "check-tiles":  # files need no database
        return _check_tiles(given.folder, given.key)
    tools = Tools(ServiceSettings(service=RECORDER))
    try:
        if given.command == "tiles":
            print(tools.tiles(given.folder))
        elif given.command == "shred":
            kind = "subject" if given.subject else "case"
            print(tools.shred(kind, given.subject or given.case))
        else:
            print(tools.fsck() if given.command == "fsck" else tools.rewrap())
    except fsck.Broken as problem:
        print(f"NOT sound: {problem}", file=sys.stderr)
        return 1
    finally:
        tools.close()
    return 0


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
