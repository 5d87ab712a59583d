"""Counts are named, bounded and readable by Prometheus."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.chassis import metrics


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


def test_calls_are_counted_by_side_method_and_code() -> None:
    metrics.call_served("echo.counted", "ok", 0.002)
    metrics.call_served("echo.counted", "not_found")
    metrics.call_made("echo.counted", "ok", 0.004)
    assert value("concordat_calls_total", side="served", method="echo.counted", code="ok") == 1
    assert value("concordat_calls_total", side="served", method="echo.counted", code="not_found") == 1
    assert value("concordat_calls_total", side="made", method="echo.counted", code="ok") == 1
    assert value("concordat_call_seconds_count", side="served", method="echo.counted") == 1


def test_events_are_counted_by_what_became_of_them() -> None:
    returned = value("concordat_relay_failures_total", reason="returned") or 0
    metrics.event_applied("counted", 0.03)
    metrics.event_received("counted", "duplicate")
    metrics.gap_skipped("counted")
    metrics.dead_lettered("evt-counted--mirror", "malformed")
    metrics.event_relayed("note.counted")
    metrics.relay_failed("returned")
    metrics.outbox_lag(1.5)
    metrics.call_expired("echo.counted")
    assert value("concordat_events_total", source="counted", outcome="applied") == 1
    assert value("concordat_events_total", source="counted", outcome="duplicate") == 1
    assert value("concordat_event_gaps_total", source="counted") == 1
    assert value("concordat_dead_letters_total", queue="evt-counted--mirror", reason="malformed") == 1
    assert value("concordat_events_relayed_total", type="note.counted") == 1
    assert value("concordat_relay_failures_total", reason="returned") == returned + 1
    assert value("concordat_outbox_lag_seconds") == 1.5
    assert value("concordat_calls_expired_total", method="echo.counted") == 1


def test_a_link_is_up_or_down() -> None:
    metrics.link_up("counted", True)
    assert value("concordat_link_up", link="counted") == 1
    metrics.link_up("counted", False)
    assert value("concordat_link_up", link="counted") == 0


def test_a_peer_cannot_fill_the_process_with_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_names", set())
    for number in range(metrics.MOST_NAMES + 100):
        metrics.call_expired(f"echo.flood_{number}")
    shown = metrics.render().decode()
    assert shown.count("echo.flood_") < 2 * metrics.MOST_NAMES + 2
    assert value("concordat_calls_expired_total", method="other") == 100


def test_the_page_is_prometheus_text_under_our_names() -> None:
    families = list(text_string_to_metric_families(metrics.render().decode()))
    ours = [family for family in families if not family.name.startswith(("process_", "python_"))]
    assert len(ours) >= 12
    assert all(family.name.startswith("concordat_") and family.documentation for family in ours)


def test_the_longest_hub_gap_is_kept_until_it_is_read() -> None:
    metrics.render()
    for gap in (0.01, 0.2, 0.05, -0.001):
        metrics.hub_gap_seen(gap)
    assert metrics.longest_hub_gap() == 0.2
    assert "concordat_hub_gap_seconds 0.2" in metrics.render().decode()
    assert metrics.longest_hub_gap() == 0


def test_the_hub_is_watched_by_oversleeping() -> None:
    class Enough(Exception):
        pass

    naps = iter([0.0, 0.0])

    def sleep(seconds: float) -> None:
        if next(naps, None) is None:
            raise Enough

    metrics.render()
    with pytest.raises(Enough):
        metrics.watch_hub(sleep, interval=-0.3)
    assert 0.25 < metrics.longest_hub_gap() < 2
