"""Following a note."""

from __future__ import annotations

from services.mirror.domain import Followed


def test_each_change_is_counted() -> None:
    assert Followed().after(1).after(2) == Followed(version=2, applied=2)


def test_a_late_change_does_not_bring_an_old_version_back() -> None:
    assert Followed(version=5, applied=4).after(3) == Followed(version=5, applied=5)
