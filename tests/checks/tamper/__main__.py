"""Change a log ten thousand times, once each, and count who notices. SHORT=1 is CI's form."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from deploy import verifier
from deploy.witness.judging import Alarm, Seen, judge, opened
from deploy.witness.notes import LogKey
from services.audit.domain.notes import Signer, Statement
from services.audit.tools import fsck, tiles
from tests.bench.figures import Report
from tests.checks.tamper import changes, hostile, world
from tests.unit.audit.logs import tree_of
from tests.unit.deploy.witnessed import consistency

SHORT = bool(os.environ.get("SHORT"))
SHARE = 10 if SHORT else 1
EXPORTS, ROWS, SIGNED, FILES, WITNESSED = (count // SHARE for count in (4000, 3500, 500, 1500, 1500))
HOSTILE = 12_000 // SHARE
HONEST = 2_000 // SHARE
ENTRIES = 72
LARGE = 100_000
SEED = 62

Findings = Iterator[tuple[str, bool]]
"""What was done, and whether it was noticed."""

KEY = verifier.Key.read(str(world.NEW.verifier))
LOG_KEYS = [LogKey.read(str(one.verifier)) for one in (world.OLD, world.NEW)]


def in_exports(dice: random.Random) -> Findings:
    raw = world.filled(ENTRIES).export()
    assert not export_wrong(raw)
    kinds = [*changes.EXPORT.items(), *[("a bit", changes.export_flip)] * 6]
    for _ in range(EXPORTS):
        name, change = dice.choice(kinds)
        changed = change(raw, dice)
        if changed != raw:
            yield f"export: {name}", export_wrong(changed)


def export_wrong(raw: bytes) -> bool:
    try:
        verifier.verify_export(raw.splitlines(keepends=True), KEY)
    except verifier.Wrong:
        return True
    return False


def in_rows(dice: random.Random) -> Findings:
    log = world.filled(ENTRIES)
    assert not rows_wrong(log)
    kinds = [*changes.STORED.items(), *[("a bit", changes.stored_flip)] * 5]
    for _ in range(ROWS):
        changed = log.copy()
        name, change = dice.choice(kinds)
        try:
            change(changed, dice)
        except changes.NoChange:
            continue
        if changed != log:
            yield f"rows: {name}", rows_wrong(changed)
    for _ in range(SIGNED):
        changed = changes.signed_anew(log, dice)
        yield "rows: signed anew with a key that is not", rows_wrong(changed)
        yield "export: signed anew with a key that is not", export_wrong(changed.export())


def rows_wrong(log: world.Stored) -> bool:
    try:
        fsck.check(log, log, world.ORIGIN, world.KEYS)  # type: ignore[arg-type]
    except fsck.Broken:
        return True
    return False


def in_files(dice: random.Random) -> Findings:
    log = world.filled(600)
    leaves = log.raw_leaves()
    _, read = tree_of(leaves)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        note = log.checkpoints[len(leaves)]["note"]
        tiles.write(
            folder, len(leaves), note, lambda nodes: [read(one) for one in nodes], lambda b, e: leaves[b:e]
        )
        assert not files_wrong(folder)
        for _ in range(FILES):
            file, raw = changes.file_change(folder, dice)
            if not file.exists() or file.read_bytes() != raw:
                yield "files: a change", files_wrong(folder)
            file.write_bytes(raw)


def files_wrong(folder: Path) -> bool:
    try:
        tiles.check(folder, world.NEW.verifier)
    except tiles.BadTiles:
        return True
    return False


class Shown:
    """What a log shows of itself: leaves, and the key that it signs with."""

    def __init__(self, leaves: list[bytes], signer: Signer = world.NEW) -> None:
        self.leaves = leaves
        tree, _ = tree_of(leaves)
        self.seen: Seen = opened(signer.sign(str(Statement(world.ORIGIN, tree.size, tree.root))), LOG_KEYS)

    def proof(self, since: int, until: int) -> list[bytes]:
        return consistency(self.leaves, since, until) if until <= len(self.leaves) else []


def alarmed(before: Seen, now: Shown) -> bool:
    """Going back is alarmed too: `watching.py` waits for a slow copy before it does."""
    try:
        return judge(before, now.seen, now.proof) == "behind"
    except Alarm:
        return True


def by_witnesses(dice: random.Random) -> Findings:
    leaves = [f"leaf {number}".encode() for number in range(90)]
    for number in range(WITNESSED):
        first = dice.randrange(2, 60)
        before = Shown(leaves[:first])
        fork = list(leaves)
        fork[dice.randrange(first)] = b"another"
        kind = number % 5
        if kind == 0:
            yield "witness: forked", alarmed(before.seen, Shown(fork[: dice.randrange(first, 90)]))
        elif kind == 1:
            yield "witness: gone back", alarmed(before.seen, Shown(leaves[: dice.randrange(first)]))
        elif kind == 2:
            back = leaves[: dice.randrange(first)]
            again = [*back, *(f"anew {at}".encode() for at in range(dice.randrange(1, 60)))]
            yield "witness: gone back and grown", alarmed(before.seen, Shown(again))
        elif kind == 3:
            yield "witness: signed with an old key", alarmed(before.seen, Shown(leaves, world.OLD))
        else:
            yield "two witnesses, two histories", _split(dice, leaves, fork, first)


def _split(dice: random.Random, leaves: list[bytes], fork: list[bytes], first: int) -> bool:
    """Each goes on with what it was shown, without alarm; together they find out."""
    one, two = dice.randrange(first, 90), dice.randrange(first, 90)
    common = Shown([])
    mine, theirs = Shown(leaves[:one]), Shown(fork[:two])
    if alarmed(common.seen, mine) or alarmed(common.seen, theirs):
        return False  # neither can know alone: an alarm here would be a false one
    # The log proves to whoever compares from either history: neither proof helps it.
    for leaves_of in (leaves, fork):
        whole = Shown(leaves_of)
        try:
            judge(mine.seen, theirs.seen, whole.proof)
        except Alarm:
            continue
        return False
    return True


def honestly(dice: random.Random) -> Iterator[bool]:
    """Whether anybody alarms at what is right."""
    leaves = [f"leaf {number}".encode() for number in range(90)]
    for number in range(HONEST):
        kind = number % 4
        if kind == 0:
            one, two = sorted((dice.randrange(90), dice.randrange(90)))
            now = Shown(leaves[:two])
            try:
                judge(Shown(leaves[:one]).seen, now.seen, now.proof)
                yield False
            except Alarm:
                yield True
        elif number % 20 in (1, 2, 3):
            log = world.filled(dice.randrange(16, 100), salt=number % 256)
            yield rows_wrong(log) or export_wrong(log.export())
        else:
            yield not next(hostile.honest(dice, 1))


def large(report: Report) -> None:
    """The time that a whole export of 100,000 entries takes."""
    count = LARGE // SHARE
    raw = world.filled(count).export()
    lines = raw.splitlines(keepends=True)
    wall, cpu = time.perf_counter(), time.process_time()
    verifier.verify_export(lines, KEY)
    report.add(f"verifying {count:,} entries", time.perf_counter() - wall, "s")
    report.add("CPU of verifying an entry", (time.process_time() - cpu) * 1e6 / count, "us")


def main() -> int:
    report, dice = Report("check-tamper"), random.Random(SEED)
    made, missed = Counter[str](), Counter[str]()
    for part in (in_exports, in_rows, in_files, by_witnesses):
        for name, noticed in part(dice):
            made[name] += 1
            missed[name] += not noticed
    for name, count in sorted(made.items()):
        print(f"{name:45} {count:6,} changed, {missed[name]:4} not noticed")
    report.add("single changes", made.total(), "", f">= {10_000 // SHARE}")
    report.add("not noticed", missed.total(), "", "== 0")
    report.add("false alarms in honest histories", sum(honestly(dice)), "", "== 0")
    report.add("hostile proofs and notes", HOSTILE, "", f">= {10_000 // SHARE}")
    report.add("hostile accepted", sum(hostile.accepted(dice, HOSTILE)), "", "== 0")
    large(report)
    for found in report.figures:
        print(f"{found.name:45} {found.value:10,.2f} {found.unit} {found.target or ''}")
    print(report.write())
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
