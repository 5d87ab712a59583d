"""How much of a process a provider may take: one that does not answer, and one that answers nonsense."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.chassis import context
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.contracts.errors import ProviderAway
from services.sharing import providers
from services.sharing.providers import AT_ONCE, IN_PEACE, KEPT_BACK, PATIENCE, STEPS, Providers

ISSUER, OTHER = "https://id.police.example", "https://id.homes.example"


class Nowhere:
    """No name leads anywhere; `asked` has those that were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 1000.0
        self.providers = Providers(lambda: self.now, self._resolve)

    def _resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        raise OSError

    def fails(self, issuer: str = ISSUER) -> str:
        with pytest.raises(ProviderAway) as refused:
            self.providers.metadata(issuer, demo=False)
        return str(refused.value.cause)


def test_a_provider_that_was_not_reached_is_left_in_peace_for_a_moment() -> None:
    nowhere = Nowhere()
    for _ in range(3):
        nowhere.fails()
    assert nowhere.asked == ["id.police.example"]
    nowhere.fails(OTHER)  # another agency's is no worse for it
    assert nowhere.asked == ["id.police.example", "id.homes.example"]
    nowhere.now += IN_PEACE
    nowhere.fails()
    assert len(nowhere.asked) == 3


def test_providers_take_few_of_a_processs_workers() -> None:
    nowhere = Nowhere()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(providers, "TURN", 0.01)
        for _ in range(AT_ONCE):
            assert nowhere.providers._free.acquire(blocking=False)
        assert nowhere.fails() == "too many at once"
        assert nowhere.asked == []
        nowhere.providers._free.release()
    nowhere.fails()  # and that was not the provider's fault: it is not left in peace for it
    assert nowhere.asked == ["id.police.example"]
    assert nowhere.providers._free.acquire(blocking=False)  # each turn is given back


def test_all_steps_of_a_call_end_before_its_time_does() -> None:
    for seconds in (3.0, 5.0):
        with context.use(Context("r", Deadline.after(seconds))):
            assert providers._patience() * STEPS + KEPT_BACK <= seconds
    with context.use(Context("r", Deadline.after(60.0))):
        assert providers._patience() == PATIENCE
    with context.use(Context("r", Deadline.after(0.9))), pytest.raises(ProviderAway):
        providers._patience()


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b'{"a":' * 20_000])
def test_an_answer_that_is_no_object_is_none(content: bytes) -> None:
    with pytest.raises(ProviderAway):
        providers._object(200, content)
