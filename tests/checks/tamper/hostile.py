"""Proofs and notes that prove nothing: wrong sizes, other leaves, forged notes, old keys, tricky text."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from deploy.witness.notes import LogKey, Wrong
from deploy.witness.proofs import extends, includes
from services.audit.domain.notes import Statement
from tests.checks.tamper.changes import flipped
from tests.checks.tamper.world import NEW, OLD, ORIGIN, STRANGER
from tests.unit.audit.logs import tree_of
from tests.unit.deploy.witnessed import consistency, inclusion

KEY = LogKey.read(str(NEW.verifier))


def accepted(dice: random.Random, count: int) -> Iterator[bool]:
    """Whether each of `count` hostile things was believed."""
    leaves = [f"leaf {number}".encode() for number in range(97)]
    for number in range(count):
        yield (_inclusion, _consistency, _note)[number % 3](dice, leaves)


def honest(dice: random.Random, count: int) -> Iterator[bool]:
    """Whether each of `count` true ones was."""
    leaves = [f"leaf {number}".encode() for number in range(97)]
    for _ in range(count):
        size = dice.randrange(1, len(leaves) + 1)
        index, first = dice.randrange(size), dice.randrange(size + 1)
        (before, _), (after, _) = tree_of(leaves[:first]), tree_of(leaves[:size])
        note = NEW.sign(str(Statement(ORIGIN, size, after.root)))
        yield (
            includes(after.root, size, index, leaves[index], inclusion(leaves[:size], index))
            and extends((first, before.root), (size, after.root), consistency(leaves, first, size))
            and KEY.open(note).root == after.root
        )


def _inclusion(dice: random.Random, leaves: Sequence[bytes]) -> bool:
    size = dice.randrange(2, len(leaves) + 1)
    index = dice.randrange(size)
    tree, _ = tree_of(leaves[:size])
    proof, leaf, root = inclusion(leaves[:size], index), leaves[index], tree.root
    kind = dice.randrange(8)
    if kind == 0:
        leaf = b"another"
    elif kind == 1:
        index = (index + dice.randrange(1, size)) % size
    elif kind == 2:
        proof = _spoiled(proof, dice)
    elif kind == 3:
        # The leaf is an inner node's two hashes: RFC 9162 sets leaves and nodes apart by their first byte.
        leaf = b"\1" + proof[0] + proof[-1]
    elif kind == 4:
        proof = []
    elif kind == 5:
        root = flipped(root, dice)
    elif kind == 6:
        index = dice.choice((-1, size, 2**63, -(2**63)))
    else:
        size = dice.choice((0, -1, index))
    return includes(root, size, index, leaf, proof)


def _consistency(dice: random.Random, leaves: Sequence[bytes]) -> bool:
    second = dice.randrange(3, len(leaves) + 1)
    first = dice.randrange(1, second)
    (before, _), (after, _) = tree_of(leaves[:first]), tree_of(leaves[:second])
    other, _ = tree_of([b"x", *leaves[1:first]])
    proof = consistency(leaves, first, second)
    kind = dice.randrange(7)
    old, new = (first, before.root), (second, after.root)
    if kind == 0:
        old = (first, other.root)
    elif kind == 1:
        proof = _spoiled(proof, dice)
    elif kind == 2:
        proof = []
    elif kind == 3:
        new = (second, flipped(after.root, dice))
    elif kind == 4:
        old, new = new, old
    elif kind == 5:
        old = (second, before.root)
    else:
        old, proof = (0, before.root), []
    return extends(old, new, proof)


def _spoiled(proof: list[bytes], dice: random.Random) -> list[bytes]:
    at = dice.randrange(len(proof))
    kind = dice.randrange(5)
    if kind == 0:
        return [*proof[:at], flipped(proof[at], dice), *proof[at + 1 :]]
    if kind == 1:
        return [*proof[:at], *proof[at + 1 :]]
    if kind == 2:
        return [*proof, dice.randbytes(32)]
    if kind == 3:
        return [*proof[:at], proof[at][:-1], *proof[at + 1 :]]
    return [*proof[:at], proof[at] + b"\0", *proof[at + 1 :]]


_TRICKS = (
    "\u200b",
    "\u00a0",
    "\u2028",
    "\ufeff",
    "\r",
    "\0",
    "\u202e",
    "\u0661",
    "\t",
    " ",
    "\n",
    "\x7f",
    "\x85",
)


def _note(dice: random.Random, leaves: Sequence[bytes]) -> bool:
    tree, _ = tree_of(leaves[: dice.randrange(len(leaves))])
    text = str(Statement(ORIGIN, tree.size, tree.root))
    note = NEW.sign(text)
    kind = dice.randrange(8)
    if kind == 0:
        note = dice.choice((OLD, STRANGER)).sign(text)
    elif kind in (1, 2):
        at = dice.randrange(len(note) + 1)
        note = note[:at] + dice.choice(_TRICKS) + note[at:]
    elif kind == 3:
        note = flipped(note.encode(), dice).decode("utf-8", "replace")
    elif kind == 4:
        note = note[: dice.randrange(len(note))]
    elif kind == 5:
        note += dice.choice(("\n", "x", f"\u2014 {ORIGIN} AAAA\n", "\u2014 \n", note))
    elif kind == 6:
        note = note.replace(f"\n{tree.size}\n", f"\n{dice.choice(('0', '+', '٣', ' '))}{tree.size}\n")
    else:
        note = NEW.sign(f"{ORIGIN}\n{tree.size}\n").replace("\n\n", f"\n{text.splitlines()[2]}\n\n")
    try:
        KEY.open(note)
    except Wrong:
        return False
    return True
