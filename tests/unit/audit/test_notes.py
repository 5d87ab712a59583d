"""Signed notes and checkpoints in their C2SP forms."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.merkle import EMPTY_ROOT
from services.audit.domain.notes import BadNote, Signer, Statement, Verifier
from tests.unit.audit.logs import ORIGIN, signer

# From C2SP's signed-note specification and Go's golang.org/x/mod/sumdb/note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNX"
    "gKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def peter() -> Verifier:
    name, _, value = PETER.split("+", 2)
    return Verifier(name, base64.b64decode(value)[1:])


def test_another_implementations_key_and_note_are_understood() -> None:
    assert str(peter()) == PETER
    assert peter().open(NOTE) == NOTE.partition("\n\n")[0] + "\n"


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), min_size=1, max_size=60))
def test_what_is_signed_is_read_again(line: str) -> None:
    note = signer().sign(line + "\n")
    assert signer().verifier.open(note) == line + "\n"


@given(st.integers(0, 2**60), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_again(size: int, root: bytes) -> None:
    statement = Statement(ORIGIN, size, root)
    assert Statement.read(signer().verifier.open(signer().sign(str(statement)))) == statement


def test_the_same_text_gives_the_same_note() -> None:
    text = str(Statement(ORIGIN, 0, EMPTY_ROOT))
    assert signer().sign(text) == signer().sign(text)


def test_a_note_with_another_signature_beside_ours_is_good() -> None:
    other = Signer("witness.example", Ed25519PrivateKey.generate())
    text = str(Statement(ORIGIN, 3, bytes(32)))
    note = signer().sign(text) + other.sign(text).partition("\n\n")[2]
    assert signer().verifier.open(note) == text
    assert other.verifier.open(note) == text


@given(st.data())
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    note = signer().sign(str(Statement(ORIGIN, 7, bytes(range(32))))).encode()
    place = data.draw(st.integers(0, len(note) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(note)
    changed[place] ^= 1 << bit
    with pytest.raises((BadNote, UnicodeDecodeError)):
        signer().verifier.open(changed.decode())


@pytest.mark.parametrize(
    "text",
    ["", "origin\n1\n", "origin\n01\n" + "A" * 43 + "=\n", "origin\n1\nAAAA\n", "\n1\n" + "A" * 43 + "=\n"],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Statement.read(text)


def test_a_key_of_the_same_name_is_not_the_key() -> None:
    other = Signer(ORIGIN, Ed25519PrivateKey.generate())
    with pytest.raises(BadNote):
        other.verifier.open(signer().sign("text\n"))


def test_during_an_overlap_a_note_verifies_with_either_key() -> None:
    old, new = signer(), Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)), (signer().key,))
    text = str(Statement(ORIGIN, 1, bytes(32)))
    note = new.sign(text)
    assert old.verifier.open(note) == new.verifier.open(note) == text
    with pytest.raises(BadNote):
        new.verifier.open(old.sign(text))
