"""Who there is, and who listens to whom."""

from __future__ import annotations

import re

import pytest

from services.contracts.directory import SERVICES, Shape


@pytest.mark.parametrize(("name", "shape"), SERVICES.items())
def test_a_subscription_is_to_a_service_that_emits(name: str, shape: Shape) -> None:
    assert all(SERVICES[source].emits for source in shape.subscribes)
    assert name not in shape.subscribes


@pytest.mark.parametrize("name", SERVICES)
def test_a_name_fits_into_queue_names_and_event_sources(name: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)


def test_the_gateway_only_calls() -> None:
    assert SERVICES["gateway"] == Shape(serves=False, emits=False, keeps_data=False)


@pytest.mark.parametrize(("name", "shape"), SERVICES.items())
def test_who_emits_or_listens_keeps_data(name: str, shape: Shape) -> None:
    # The outbox and the positions live in the service's own database.
    assert shape.keeps_data or not (shape.emits or shape.subscribes)


def test_the_directory_cannot_be_changed_at_run_time() -> None:
    with pytest.raises(TypeError):
        SERVICES["other"] = Shape(serves=True, emits=False)  # type: ignore[index]
