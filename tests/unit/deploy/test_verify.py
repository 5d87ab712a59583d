"""The standalone verifier finds every change, names its place, and refuses nothing that is right."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from deploy import verifier
from deploy.cli_verify import app
from services.audit.domain import exporting
from services.audit.domain.notes import Signer, Statement
from tests.unit.audit.logs import ORIGIN, changed, export, placed, signer

KEY = str(signer().verifier)
COUNT = 21
LINES = export(COUNT)


def whole(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def verified(lines: list[str] | bytes) -> verifier.Checked:
    body = lines if isinstance(lines, bytes) else whole(lines)
    return verifier.verify_export(body.splitlines(keepends=True), verifier.Key.read(KEY))


def wrong(lines: list[str] | bytes) -> str:
    with pytest.raises(verifier.Wrong) as found:
        verified(lines)
    return str(found.value)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 64, 100])
def test_an_export_as_it_was_made_is_accepted(count: int) -> None:
    assert verified(export(count)).details == count


def test_details_may_be_missing_as_in_an_agencys_export() -> None:
    assert verified(export(COUNT, without=[0, 5, 20])).details == COUNT - 3


def test_spaces_and_the_order_of_fields_do_not_matter() -> None:
    again = [json.dumps(dict(reversed(json.loads(line).items()))) for line in LINES]
    assert verified(again).details == COUNT
    assert verified(whole(LINES).removesuffix(b"\n")).details == COUNT


@pytest.mark.parametrize("index", [0, 1, 10, COUNT - 1])
@pytest.mark.parametrize("field", ["index", "leaf", "hash", "detail", "salt"])
def test_a_changed_field_names_its_entry(index: int, field: str) -> None:
    line = json.loads(LINES[index])
    value = line[field] + 1 if field == "index" else _other_text(line[field])
    lines = [*LINES[:index], changed(LINES[index], **{field: value}), *LINES[index + 1 :]]
    assert wrong(lines).startswith(f"index {index}:")


def _other_text(text: str) -> str:
    """Another character of the same kind in the middle."""
    place = len(text) // 2
    return text[:place] + ("B" if text[place] != "B" else "C") + text[place + 1 :]


@pytest.mark.parametrize("index", [0, 9, COUNT - 1])
def test_an_entry_taken_out_is_missed_at_its_index(index: int) -> None:
    assert wrong(LINES[:index] + LINES[index + 1 :]).startswith(
        f"index {index}:" if index < COUNT - 1 else "root:"
    )


def test_swapped_entries_are_found_whether_or_not_they_are_renumbered() -> None:
    swapped = [*LINES[:3], LINES[4], LINES[3], *LINES[5:]]
    assert wrong(swapped).startswith("index 3:")
    renumbered = [*LINES[:3], changed(LINES[4], index=3), changed(LINES[3], index=4), *LINES[5:]]
    assert wrong(renumbered).startswith("root:")


def test_an_entry_made_up_and_hashed_anew_is_found_by_the_root() -> None:
    _, entries = placed(1)
    forged = exporting.line(4, entries[0].leaf.leaf, entries[0].complete[0], None, None)
    assert wrong([*LINES[:4], forged, *LINES[5:]]).startswith("root:")


def test_a_truncated_export_is_found() -> None:
    assert "without a checkpoint" in wrong(LINES[:-1])
    assert wrong([*LINES[:10], LINES[-1]]).startswith("root:")
    assert "without a checkpoint" in wrong(b"")
    assert wrong([*LINES, LINES[-1]]) == "something follows the checkpoint"


def test_an_older_checkpoint_does_not_do_for_a_longer_log() -> None:
    assert wrong([*LINES[:-1], export(COUNT - 1)[-1]]).startswith("root:")


def test_who_signs_anew_with_another_key_is_found() -> None:
    tree, _ = placed(COUNT)
    other = Signer(ORIGIN, Ed25519PrivateKey.generate())
    note = other.sign(str(Statement(ORIGIN, tree.size, tree.root)))
    assert "not signed with this key" in wrong([*LINES[:-1], exporting.last_line(note)])


def test_a_checkpoint_of_another_log_signed_with_this_key_is_refused() -> None:
    tree, _ = placed(COUNT)
    note = signer().sign(str(Statement("other.example/log", tree.size, tree.root)))
    assert "another log" in wrong([*LINES[:-1], exporting.last_line(note)])


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "null",
        "{",
        "NaN",
        '{"index": 5}',
        '{"note": 5}',
        '{"index": 5, "index": 5, "leaf": "", "hash": ""}',
        "[" * 5000,
        '{"index": ' + "9" * 5000 + "}",
        '{"index": true, "leaf": "", "hash": ""}',
        '{"index": 5, "leaf": null, "hash": []}',
    ],
)
def test_a_line_that_is_no_entry_is_refused(line: str) -> None:
    assert wrong([*LINES[:5], line, *LINES[6:]])


def test_a_salt_without_its_detail_is_refused() -> None:
    assert wrong([changed(LINES[0], detail=None), *LINES[1:]]).startswith("index 0:")
    assert wrong([changed(LINES[0], salt=None), *LINES[1:]]).startswith("index 0:")


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(whole(LINES)) - 1), st.integers(0, 7))
def test_any_flipped_bit_is_found(place: int, bit: int) -> None:
    body = bytearray(whole(LINES))
    body[place] ^= 1 << bit
    message = wrong(bytes(body))
    line = bytes(whole(LINES)[:place]).count(b"\n")
    if line < COUNT and not message.startswith("index"):
        # A line feed more or less: the lines after it are what cannot be read.
        assert "checkpoint" in message or "root" in message


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_byte_taken_out_put_in_or_replaced_is_found(chance: random.Random) -> None:
    body = whole(LINES)
    place = chance.randrange(len(body) - 1)  # the last line feed may be missing
    kind = chance.choice(["out", "in", "other"])
    new = bytes([chance.randrange(256)])
    if kind == "out":
        changed_body = body[:place] + body[place + 1 :]
    elif kind == "in":
        changed_body = body[:place] + new + body[place:]
    else:
        changed_body = body[:place] + new + body[place + 1 :]
    if _says_the_same(changed_body, body):
        return
    wrong(changed_body)


def _says_the_same(one: bytes, other: bytes) -> bool:
    """White space between the words of JSON says nothing."""

    def read(body: bytes) -> object:
        try:
            return [json.loads(line) for line in body.removesuffix(b"\n").split(b"\n")]
        except ValueError:
            return body

    return read(one) == read(other)


@pytest.mark.parametrize(
    "key",
    ["", "name", "a+b+c", KEY[:-4], KEY.replace("+", "+0", 1), " ", KEY.replace("test", "best")],
)
def test_a_key_that_was_not_copied_whole_is_refused(key: str) -> None:
    with pytest.raises(verifier.Unusable):
        verifier.Key.read(key)


def test_it_imports_nothing_but_the_standard_library_and_cryptography() -> None:
    tree = ast.parse(Path(verifier.__file__).read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - sys.stdlib_module_names == {"cryptography"}
    assert len(Path(verifier.__file__).read_text().splitlines()) <= 300


def test_alone_in_an_empty_folder_it_accepts_and_refuses(tmp_path: Path) -> None:
    (tmp_path / "verifier.py").write_bytes(Path(verifier.__file__).read_bytes())
    (tmp_path / "good").write_bytes(whole(LINES))
    (tmp_path / "bad").write_bytes(whole(LINES).replace(b'"index":7', b'"index":8'))

    def run(file: str, key: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "verifier.py", "export", file, "--key", key]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    good, bad, unasked = run("good", KEY), run("bad", KEY), run("good", "key")
    assert (good.returncode, bad.returncode, unasked.returncode) == (0, 1, 2)
    assert good.stdout.startswith(f"verified: {COUNT} entries")
    assert "index 7:" in bad.stderr


def test_the_command_does_the_same(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(whole(LINES))
    bad.write_bytes(whole([*LINES[:3], *LINES[4:]]))
    (tmp_path / "key").write_text(KEY + "\n")
    runner = CliRunner()
    assert runner.invoke(app, ["export", str(good), "--key", KEY]).exit_code == 0
    assert runner.invoke(app, ["export", str(good), "--key", str(tmp_path / "key")]).exit_code == 0
    refused = runner.invoke(app, ["export", str(bad), "--key", KEY])
    assert refused.exit_code == 1
    assert "index 3:" in refused.output
    assert runner.invoke(app, ["export", str(tmp_path / "none"), "--key", KEY]).exit_code == 2
