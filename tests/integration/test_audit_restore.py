"""The log on files and back: what was changed on the way is refused, named, and nothing of it is stored."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.audit.domain.lookups import Search
from services.audit.domain.notes import Signer, Statement
from services.audit.domain.vault import Vault
from services.audit.stores.restoring import NotEmpty, RestoredTree
from services.audit.stores.tree import OtherLog, append_only
from services.audit.stores.upkeep import EntryUpkeep
from services.audit.stores.writer import STEPS, LogWriter
from services.audit.tools import __main__ as tools
from services.audit.tools import cold, fsck, restore, tiles
from services.audit.tools.restore import Copy, Restored
from services.audit.tools.tiles import BadTiles
from services.chassis import logkeys
from services.chassis.migrations import migrate
from services.chassis.mongo import connect
from services.contracts.records import Object
from tests.cell import Parts
from tests.integration.test_audit_storage import Log, about, log, sound
from tests.unit.audit.logs import NOW, ORIGIN, record, signer, wrapping

__all__ = ["log"]
ANNA, BEN = Object(type="subject", id="anna"), Object(type="subject", id="ben")
SIZE = 300


@pytest.fixture
def empty(parts: Parts, tag: str) -> Iterator[Log]:
    with connect(parts.mongo_url("operator"), app="test") as client:
        database = client[f"empty_{tag}"]
        migrate(database, STEPS, holder="test")
        yield Log(database)
        client.drop_database(append_only(database).name)
        client.drop_database(database.name)


def fill(log: Log) -> None:
    for begin in range(0, SIZE, 100):
        log.append(*(about(number, BEN if number % 3 else ANNA) for number in range(begin, begin + 100)))


def written(log: Log, folder: Path) -> Copy:
    """As `tiles` with details writes it."""
    size, _, note = log.tree.latest() or (0, b"", "")

    def hashes(nodes: list[Any]) -> list[bytes]:
        found = log.tree.hashes(nodes)
        return [found[node] for node in nodes]

    def leaves(begin: int, end: int) -> list[bytes]:
        return [leaf for _, leaf, _ in log.tree.leaves(begin, end)]

    tiles.write(folder / "tiles", size, note, hashes, leaves)
    cold.write(folder / "cold", size, log.entries.stored, log.tree.history())
    vault = Vault(wrapping().keys, "k1")
    return Copy(folder / "tiles", folder / "cold", [signer().verifier], vault)


def restored(copy: Copy, into: Log) -> Restored:
    return restore.restore(copy, RestoredTree(into.database), into.entries)


def test_a_log_comes_back_as_it_was_and_grows_on(log: Log, empty: Log, tmp_path: Path) -> None:
    fill(log)
    log.entries.erase(Search(each=(("s:anna",),)), NOW)
    assert restored(written(log, tmp_path), empty) == Restored(SIZE, 200, 100)
    assert sound(empty) == sound(log) == fsck.Sound(SIZE, 3, 200, 100)
    assert empty.exported() == log.exported()
    assert list(empty.tree.history()) == list(log.tree.history())
    for name in ("entries", "detail_keys"):
        assert list(empty.database[name].find().sort("_id", 1)) == list(
            log.database[name].find().sort("_id", 1)
        )
    assert len(empty.entries.newest(Search(each=(("s:ben",),)), 50, None)) == 50
    empty.append(record(SIZE))
    assert sound(empty) == fsck.Sound(SIZE + 1, 4, 201, 100)


def test_an_empty_log_and_one_that_has_signed_only_that_it_is_empty_are_the_same(
    log: Log, empty: Log, tmp_path: Path
) -> None:
    for one in (log, empty):
        LogWriter(one.database, wrapping).seal(signer())
    fill(log)
    assert restored(written(log, tmp_path), empty).size == SIZE
    assert sound(empty).checkpoints == 4


def test_nothing_is_mixed_with_a_log_that_there_is(log: Log, empty: Log, tmp_path: Path) -> None:
    fill(log)
    copy = written(log, tmp_path)
    empty.append(record(1))
    with pytest.raises(NotEmpty):
        restored(copy, empty)
    assert sound(empty).size == 1
    with pytest.raises(NotEmpty):  # also its own
        restored(copy, log)
    other = Log(empty.database.client[f"{empty.database.name}_2"])
    try:
        LogWriter(other.database, wrapping).seal(Signer("another/log", signer().key))
        with pytest.raises(OtherLog):
            restored(copy, other)
    finally:
        empty.database.client.drop_database(other.database.name)
        empty.database.client.drop_database(append_only(other.database).name)


@dataclass(frozen=True)
class Change:
    """To one file of a copy; `named`: what the refusal says."""

    file: str
    change: Callable[[bytes], bytes]
    named: str


def flipped(at: int) -> Callable[[bytes], bytes]:
    return lambda raw: raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def of_line(
    index: int, change: Callable[[dict[str, Any]], dict[str, Any] | None]
) -> Callable[[bytes], bytes]:
    """Of the line about an entry; None takes it away."""

    def changed(raw: bytes) -> bytes:
        rows = [json.loads(line) for line in raw.splitlines()]
        kept = [change(row) if row.get("index") == index else row for row in rows]
        return "".join(f"{json.dumps(row)}\n" for row in kept if row is not None).encode()

    return changed


def other_byte(row: dict[str, Any], name: str) -> dict[str, Any]:
    raw = bytearray(base64.b64decode(row[name]))
    raw[-1] ^= 1
    return {**row, name: base64.b64encode(raw).decode()}


@pytest.mark.parametrize(
    "wrong",
    [
        Change("tiles/checkpoint", flipped(30), r"^checkpoint: it is not signed"),
        Change("tiles/tile/entries/000", flipped(700), r"^tile/0/000: these are not the hashes"),
        Change("tiles/tile/entries/001.p/44", flipped(700), r"^tile/0/001.p/44: these are not the hashes"),
        Change("tiles/tile/entries/000", lambda raw: raw[:-1], r"^tile/entries/000: it ends within an entry"),
        Change("tiles/tile/0/000", flipped(40), r"^tile/0/000: these are not the hashes"),
        Change("tiles/tile/1/000.p/1", flipped(0), r"^tile/1/000.p/1: these are not the hashes"),
        Change(
            "cold/details/000", of_line(7, lambda row: other_byte(row, "sealed")), r"^index 7: .*decrypted"
        ),
        Change("cold/keys/001", of_line(256, lambda row: other_byte(row, "key")), r"^index 256: .*decrypted"),
        Change("cold/details/000", of_line(7, lambda _: None), r"^details/000: index 7 is not there"),
        Change("cold/keys/000", of_line(7, lambda _: None), r"^keys/000: there is nothing of index 7"),
        Change("cold/details/000", lambda raw: raw + raw[:200], r"^details/000: a line cannot be read"),
        Change("cold/details/000", lambda raw: raw + raw.splitlines()[3] + b"\n", r"^details/000: .* twice"),
        Change("cold/checkpoints", lambda raw: raw.partition(b"\n")[2], ""),
        Change(
            "cold/checkpoints", lambda raw: raw[: raw[:-1].rfind(b"\n") + 1], r"^checkpoints: these are not"
        ),
        Change(
            "cold/checkpoints", lambda raw: raw.replace(b"\\n100\\n", b"\\n101\\n"), r"^checkpoint: it is not"
        ),
    ],
    ids=lambda wrong: wrong.file,
)
def test_one_change_to_a_copy_is_refused_and_named_and_nothing_is_stored(
    log: Log, empty: Log, tmp_path: Path, wrong: Change
) -> None:
    fill(log)
    copy = written(log, tmp_path)
    file = tmp_path / wrong.file
    before = file.read_bytes()
    file.write_bytes(wrong.change(before))
    assert file.read_bytes() != before
    if not wrong.named:  # an old checkpoint is not needed for what is signed now
        assert restored(copy, empty).size == SIZE
        return
    with pytest.raises((BadTiles, fsck.Broken), match=wrong.named):
        restored(copy, empty)
    assert empty.tree.size() == 0
    for name in ("leaves", "checkpoints"):
        assert append_only(empty.database)[name].find_one() is None
    assert empty.database["entries"].find_one() is None


def test_two_details_that_changed_places_are_refused(log: Log, empty: Log, tmp_path: Path) -> None:
    fill(log)
    copy = written(log, tmp_path)
    for name in ("details", "keys"):
        file = tmp_path / "cold" / name / "000"
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        rows[4]["index"], rows[5]["index"] = 5, 4
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(fsck.Broken, match=r"^index 4: "):
        restored(copy, empty)


def test_a_copy_that_does_not_follow_what_is_known_is_refused(log: Log, empty: Log, tmp_path: Path) -> None:
    fill(log)
    copy = written(log, tmp_path)
    roots = {one.size: one.root for one in log.tree.history()}

    def known(size: int, root: bytes) -> Copy:
        return Copy(copy.tiles, copy.details, copy.keys, copy.vault, Statement(ORIGIN, size, root))

    with pytest.raises(BadTiles, match="400 entries are known to be signed, and 300 are here"):
        restored(known(400, bytes(32)), empty)
    for size in (200, 300):
        with pytest.raises(BadTiles, match=f"^index {size}: the checkpoint that is known"):
            restored(known(size, bytes(32)), empty)
    assert empty.tree.size() == 0
    assert restored(known(200, roots[200]), empty).size == SIZE


def test_a_copy_is_brought_up_to_date_and_holds_nothing_of_what_was_destroyed(
    log: Log, empty: Log, tmp_path: Path
) -> None:
    fill(log)
    written(log, tmp_path)
    log.append(*(about(number, BEN) for number in range(SIZE, SIZE + 20)))
    log.entries.erase(Search(each=(("s:anna",),)), NOW)
    copy = written(log, tmp_path)
    size = SIZE + 20
    assert cold.write(copy.details, size, log.entries.stored, log.tree.history()) == 0
    keys = "".join(file.read_text() for file in (copy.details / "keys").iterdir())
    assert sum("key" in json.loads(line) for line in keys.splitlines()) == 220
    assert restored(copy, empty) == Restored(size, 220, 100)


def test_what_is_older_than_it_is_to_be_kept_is_destroyed_and_every_proof_holds(
    log: Log,
    parts: Parts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in parts.environment("audit").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MONGO_URL", parts.mongo_url("operator"))
    monkeypatch.setenv("CONCORDAT_MONGO_DATABASE", log.database.name)

    def told(*arguments: str) -> tuple[int, str]:
        code = tools.main(list(arguments))
        said = capsys.readouterr()
        return code, said.out + said.err

    keys = logkeys.read(parts.keys_dir, "concordat.local/log")
    by = Signer("concordat.local/log", keys.current())
    writer = LogWriter(log.database, lambda: logkeys.read_wrapping(parts.keys_dir))
    now = datetime.now(UTC)
    old = [record(at=now - timedelta(days=400, minutes=number)) for number in range(1100)]
    new = [record(at=now - timedelta(days=2, minutes=number)) for number in range(10)]
    writer.append([*old[:600], *new, *old[600:]], by, again=False)
    log.database["days"].insert_many([{"_id": day, "day": day} for day in ("2020-01-01", f"{now.date()}")])

    assert told("retire")[0] == 2  # nobody said how long
    assert sound_with(log, by, parts).details == 1110
    monkeypatch.setenv("CONCORDAT_AUDIT_KEEP_DAYS", "365")
    code, text = told("retire")
    assert (code, text.partition(",")[0]) == (0, "1100 details")
    assert sound_with(log, by, parts) == fsck.Sound(1111, 2, 11, 1100)
    assert log.database["days"].count_documents({}) == 1
    assert told("retire")[1].startswith("0 details")
    folder = str(tmp_path / "tiles")
    assert told("tiles", folder, "--details", str(tmp_path / "cold"))[0] == 0
    assert told("check-tiles", folder, str(by.verifier)) == (0, "sound: 1112 entries\n")
    assert told("restore", folder, "--details", str(tmp_path / "cold"))[0] == 2  # there is a log
    monkeypatch.setenv("CONCORDAT_MONGO_DATABASE", f"{log.database.name}_2")
    try:
        code, text = told("restore", folder, "--details", str(tmp_path / "cold"))
        assert (code, text) == (0, "restored: 1112 entries, 12 details, 1100 erased\n")
        assert told("fsck")[0] == 0
    finally:
        for name in (f"{log.database.name}_2", f"{log.database.name}_2_log"):
            log.database.client.drop_database(name)


def sound_with(log: Log, by: Signer, parts: Parts) -> fsck.Sound:
    entries = EntryUpkeep(log.database, lambda: logkeys.read_wrapping(parts.keys_dir))
    keys = [fsck.KeyInTime(by.verifier, 0.0, None)]
    return fsck.check(log.tree, entries, by.name, keys)
