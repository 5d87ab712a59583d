"""A witness signs one history, and alarms any other; proofs that prove nothing are never believed."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.witness.judging import Alarm, judge, opened
from deploy.witness.keeping import Memory
from deploy.witness.notes import LogKey, Unusable, Wrong
from deploy.witness.proofs import extends, includes
from deploy.witness.signing import own_key
from deploy.witness.watching import Unreachable, Watch
from services.audit.domain.cosignatures import WitnessKey
from services.audit.domain.notes import BadNote, Statement
from tests.unit.audit.logs import ORIGIN, signer, tree_of
from tests.unit.deploy.witnessed import ShownLog, consistency, inclusion, keys, other_signer

NAME = "witness.test/1"


def watch(folder: Path, log: ShownLog, *known: LogKey, behind: float = 0.0) -> Watch:
    return Watch(log, known or keys(), own_key(folder, NAME), Memory(folder, known or keys()), behind)


def alarm(watched: Watch) -> str:
    with pytest.raises(Alarm) as found:
        watched.look()
    return found.value.code


def evidence(folder: Path) -> dict[str, str]:
    (file,) = (folder / "evidence").iterdir()
    found: dict[str, str] = json.loads(file.read_text())
    return found


def test_an_honest_log_is_cosigned_as_it_grows_and_never_alarmed(tmp_path: Path) -> None:
    log = ShownLog()
    for size in range(40):
        assert watch(tmp_path, log).look()[0] == "grown"  # a new process each time
        assert watch(tmp_path, log).look()[0] == "same"
        assert (tmp_path / "cosigned" / f"{size}.note").read_text() == log.published[-1]
        log.grow(1)
    assert len(log.published) == 40
    assert not list((tmp_path / "evidence").iterdir())


def test_the_service_reads_a_cosignature_and_refuses_one_of_another_text(tmp_path: Path) -> None:
    log = ShownLog([b"a"])
    watched = watch(tmp_path, log)
    watched.look()
    key = WitnessKey.read(str(watched.key))
    assert key.name == NAME
    assert key.find(log.published[0]).line in log.published[0]
    with pytest.raises(BadNote):
        key.find(log.published[0].replace("\n1\n", "\n2\n"))
    with pytest.raises(BadNote):
        WitnessKey.read(str(signer().verifier))  # a log's key is of another type


def test_a_fork_is_alarmed_with_both_sides_kept(tmp_path: Path) -> None:
    log = ShownLog([b"a", b"b", b"c"])
    watch(tmp_path, log).look()
    seen = log.latest()
    other = ShownLog([b"a", b"b", b"x", b"y"])
    assert alarm(watch(tmp_path, other)) == "fork"
    found = evidence(tmp_path)
    assert (found["seen"], found["shown"]) == (seen, other.latest())
    assert other.published == [seen]  # what it signed before is sent to it: an honest service alarms as well
    assert not list((tmp_path / "cosigned").glob("4.note"))


def test_two_roots_of_one_size_are_a_fork(tmp_path: Path) -> None:
    watch(tmp_path, ShownLog([b"a"])).look()
    assert alarm(watch(tmp_path, ShownLog([b"b"]))) == "fork"


def test_a_log_that_went_back_is_alarmed_and_one_that_is_slow_is_not(tmp_path: Path) -> None:
    log = ShownLog([b"a", b"b", b"c"])
    watch(tmp_path, log).look()
    assert alarm(watch(tmp_path, ShownLog([b"a", b"b"]))) == "unproved"
    log.note = ShownLog([b"a", b"b"]).latest()
    assert alarm(watch(tmp_path, log)) == "rollback"

    slow = watch(tmp_path, log, behind=60)

    def catch_up(_: float) -> None:
        log.note = None
        log.grow(1)

    slow.pause = catch_up
    assert slow.look()[0] == "grown"


def test_a_log_that_went_back_and_grew_anew_is_a_fork(tmp_path: Path) -> None:
    watch(tmp_path, ShownLog([b"a", b"b", b"c"])).look()
    again = ShownLog([b"a", b"b"])
    again.grow(9, "anew ")
    assert alarm(watch(tmp_path, again)) == "fork"


def test_a_key_that_was_replaced_signs_no_more(tmp_path: Path) -> None:
    old, new = signer(), other_signer()
    both = keys(old, new)
    log = ShownLog([b"a"])
    watch(tmp_path, log, *both).look()
    log.grow(1)
    log.signer = other_signer(old.key)  # the overlap: signed with both
    watch(tmp_path, log, *both).look()
    log.grow(1)
    log.signer = new
    watch(tmp_path, log, *both).look()
    log.grow(1)
    log.signer = old
    assert alarm(watch(tmp_path, log, *both)) == "old_key"


def test_a_note_that_is_not_the_logs_is_not_looked_at(tmp_path: Path) -> None:
    log = ShownLog([b"a"], other_signer())
    with pytest.raises(Wrong):
        watch(tmp_path, log).look()
    assert not log.published


def test_two_witnesses_that_are_shown_two_histories_find_out(tmp_path: Path) -> None:
    one, two = ShownLog([b"a", b"b"]), ShownLog([b"a", b"c", b"d"])
    watch(tmp_path / "1", one).look()
    watch(tmp_path / "2", two).look()
    mine = Memory(tmp_path / "1", keys()).last()
    theirs = opened((tmp_path / "2" / "cosigned" / "3.note").read_text(), keys())
    one.grow(1)
    with pytest.raises(Alarm):
        judge(mine, theirs, lambda since, until: consistency(one.leaves, since, until))


def test_a_witness_that_cannot_know_what_it_saw_signs_nothing(tmp_path: Path) -> None:
    log = ShownLog([b"a"])
    watch(tmp_path, log).look()
    (tmp_path / "seen.json").write_text("{}")
    with pytest.raises(Unusable):
        watch(tmp_path, log).look()
    with pytest.raises(Unusable):
        own_key(tmp_path, "another")


def test_what_could_not_be_published_is_published_at_the_next_look(tmp_path: Path) -> None:
    log = ShownLog([b"a"])
    watched, publish = watch(tmp_path, log), log.publish

    def refuse(note: str, verifier_key: str) -> None:
        raise Unreachable

    log.publish = refuse  # type: ignore[method-assign]
    with pytest.raises(Unreachable):
        watched.look()
    log.publish = publish  # type: ignore[method-assign]
    assert watched.look()[0] == "same"
    assert len(log.published) == 1


SIZES = st.integers(1, 70)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_true_proofs_hold_and_no_changed_one_does(data: st.DataObject) -> None:
    size = data.draw(SIZES)
    leaves = [bytes([number]) for number in range(size)]
    tree, _ = tree_of(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion(leaves, index)
    assert includes(tree.root, size, index, leaves[index], proof)
    first = data.draw(st.integers(0, size))
    before, _ = tree_of(leaves[:first])
    path = consistency(leaves, first, size)
    assert extends((first, before.root), (size, tree.root), path)
    for changed in (proof[:-1] if proof else [bytes(32)], [*proof, bytes(32)], [*proof[::-1], tree.root]):
        assert not includes(tree.root, size, index, leaves[index], changed)
    assert not includes(tree.root, size, index, b"other", proof)
    assert not includes(tree.root, size, size, leaves[index], proof)
    assert not extends((first, before.root), (size, tree.root), [*path, bytes(32)])
    if path:
        assert not extends((first, before.root), (size, tree.root), path[:-1])
    assert not extends((first, bytes(32)), (size, tree.root), path)


def test_a_note_has_one_form() -> None:
    note = ShownLog([b"a"]).latest()
    (key,) = keys()
    assert key.open(note).size == 1
    line = note.rpartition("\n\n")[2]
    raw = bytearray(base64.b64decode(line.split(" ")[2]))
    raw[-1] ^= 1
    forged = line.replace(line.split(" ")[2].strip(), base64.b64encode(bytes(raw)).decode())
    for bad in (
        note[:-1],
        f"{note}\n",
        f"{note}x",
        f"{note}— {ORIGIN} AAAA\n",
        note.replace("\n\n", "\n"),
        note.replace("\n1\n", "\n01\n"),
        note.replace("\n1\n", "\n\uff11\n"),
        note.replace("— ", "- "),
        note + forged,
        f"{ORIGIN}\r\n" + note.partition("\n")[2],
        note.replace(ORIGIN, f"{ORIGIN}\u200b"),
        signer().sign(str(Statement("other", 1, bytes(32)))),
        "",
    ):
        with pytest.raises(Wrong):
            key.open(bad)
