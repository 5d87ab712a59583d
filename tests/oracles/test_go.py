"""Other people's code reads what the log makes: Go's sumdb/note and sumdb/tlog, transparency-dev's formats.

Needs Go, and its modules (`note/go.sum`) in the module cache or reachable.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.witness.signing import own_key
from services.audit.domain.notes import Statement
from tests.unit.audit.logs import ORIGIN, signer, tree_of
from tests.unit.deploy.witnessed import consistency, inclusion, other_signer

SOURCE = Path(__file__).parent / "note"
SIZES = (1, 2, 3, 7, 8, 64, 65, 100)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not on this machine: no independent implementation to ask")
    built = tmp_path_factory.mktemp("oracle") / "note"
    done = subprocess.run(
        [go, "build", "-o", str(built), "."],
        cwd=SOURCE,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode and ("dial tcp" in done.stderr or "toolchain" in done.stderr):
        pytest.skip("Go's modules cannot be fetched from here")
    assert not done.returncode, done.stderr
    return built


def asked(oracle: Path, **document: Any) -> str:
    done = subprocess.run(
        [str(oracle)],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return (done.stdout if done.returncode == 0 else done.stderr).strip()


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def document(folder: Path, size: int) -> dict[str, Any]:
    """A log of `size` entries: its note with a witness's cosignature, and every proof there is."""
    leaves = [f"leaf {number}".encode() for number in range(size)]
    trees = [tree_of(leaves[:count])[0] for count in range(size + 1)]
    root = trees[size].root
    said = str(Statement(ORIGIN, size, root))
    key = own_key(folder, "witness.test/1")
    return {
        "Key": str(signer().verifier),
        "Witness": str(key),
        "Note": signer().sign(said) + key.line(said, 1_790_000_000),
        "Leaves": [text(leaf) for leaf in leaves],
        "Inclusion": [
            {
                "Index": index,
                "To": size,
                "Root": text(root),
                "Leaf": text(leaves[index]),
                "Hashes": [text(one) for one in inclusion(leaves, index)],
            }
            for index in range(size)
        ],
        "Consistency": [
            {
                "From": first,
                "To": size,
                "OldRoot": text(trees[first].root),
                "Root": text(root),
                "Hashes": [text(one) for one in consistency(leaves, first, size)],
            }
            for first in range(1, size + 1)
        ],
    }


@pytest.mark.parametrize("size", SIZES)
def test_go_accepts_our_notes_cosignatures_roots_and_proofs(oracle: Path, tmp_path: Path, size: int) -> None:
    assert asked(oracle, **document(tmp_path, size)) == "ok"


def test_go_accepts_a_note_of_an_overlap_with_either_key(oracle: Path, tmp_path: Path) -> None:
    found = document(tmp_path, 5)
    both = other_signer(signer().key)
    note = both.sign(str(Statement(ORIGIN, 5, base64.b64decode(found["Inclusion"][0]["Root"]))))
    for key in (signer(), both):
        assert asked(oracle, **{**found, "Note": note, "Key": str(key.verifier), "Witness": ""}) == "ok"


def test_go_refuses_what_is_changed(oracle: Path, tmp_path: Path) -> None:
    found = document(tmp_path, 8)
    bad = text(bytes(32))
    assert "note" in asked(oracle, **{**found, "Note": found["Note"].replace("\n8\n", "\n9\n")})
    assert "root" in asked(oracle, **{**found, "Leaves": [bad, *found["Leaves"][1:]]})
    (first, *_), (path, *_) = found["Inclusion"], found["Consistency"]
    assert "inclusion" in asked(oracle, **{**found, "Inclusion": [{**first, "Leaf": bad}]})
    assert "consistency" in asked(oracle, **{**found, "Consistency": [{**path, "OldRoot": bad}]})
