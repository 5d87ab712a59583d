"""Canaries are found in whatever comes, and leaks wherever they are."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.checks.disclosure import leaks
from tests.checks.disclosure.canaries import Aviary


def test_canaries_are_found_in_whatever_comes() -> None:
    aviary = Aviary()
    word, other = aviary.word("title", ("c-1", None)), aviary.word("share_note")
    aviary.settle(other, ("c-1", "summary"))
    found = aviary.found_in(f'{{"title": "x {word} y", "more": "{other}", "{word}'.encode())
    assert found == (other, word)
    assert [aviary.canary(one).kind for one in found] == ["share_note", "title"]
    assert aviary.canary(word).homes == (("c-1", None),)
    assert aviary.canary(other).homes == (("c-1", "summary"),)
    assert aviary.found_in(f"{aviary.run}-title-999999".encode()) == ()


def test_a_canary_in_an_address_is_noticed() -> None:
    aviary = Aviary()
    word = aviary.word("title")
    cursor = base64.urlsafe_b64encode(f'["{word}"]'.encode()).decode().rstrip("=")
    for body in (
        f'<a href="/cases?text={word}">',
        f'<form action="/cases/{word.replace("-", "%2d").replace("K", "%4B")}">',
        f'{{"href":"/cases/{word}"}}',
        f'{{"items":[],"next":"{cursor}"}}',
        f'<a href="/cases?cursor={cursor}">',
    ):
        assert aviary.in_addresses(body.encode(), {}), body
    assert aviary.in_addresses(b"{}", {"link": f'</x?text={word}>; rel="next"'})
    assert not aviary.in_addresses(
        f'<a href="/cases/1">{word}</a> {{"text":"{word}"}}'.encode(), {"etag": "1"}
    )


@pytest.mark.parametrize("before", [0, 5, 1_000])
def test_a_leak_is_found_wherever_it_stands_in_a_file(
    before: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaks, "_CHUNK", 8)
    file = tmp_path / "log"
    file.write_bytes(b"." * before + b"KANARIaa" + b"." * 20)
    assert leaks.holds(file, b"KANARIaa")
    assert leaks.holds(file, b"kanariAA")
    assert not leaks.holds(file, b"KANARIab")
    assert not leaks.holds(tmp_path / "none", b"KANARIaa")
