"""How much one answer to the gateway tells."""

from __future__ import annotations

from services.notify.handlers.streaming import MOST_KEYS, _that_fit
from tests.unit.notify.made import item


def test_what_fits_is_told_and_the_rest_next_time() -> None:
    many = tuple(f"u:{n}" for n in range(MOST_KEYS // 2 + 1))
    assert len(_that_fit([item(keys=("u:1",))] * 500)) == 500
    assert len(_that_fit([item(keys=many)] * 5)) == 1
    assert len(_that_fit([item(), item(keys=many), item(), item(keys=many)])) == 3


def test_one_is_always_told() -> None:
    assert len(_that_fit([item(keys=tuple(str(n) for n in range(MOST_KEYS * 2)))])) == 1
