"""The check of tampering can fail, and finds what is known."""

from __future__ import annotations

import random

from tests.checks.tamper import __main__ as tamper
from tests.checks.tamper import hostile, world


def test_an_untouched_log_is_found_sound_and_each_kind_of_change_is_found() -> None:
    log = world.filled(40)
    assert not tamper.rows_wrong(log)
    assert not tamper.export_wrong(log.export())
    log.leaves[17]["hashes"] = bytes(32)
    assert tamper.rows_wrong(log)


def test_a_key_that_was_replaced_cannot_write_the_end_of_the_log_anew() -> None:
    log = world.filled(40)
    assert tamper.rows_wrong(world.rewritten(log, 35, world.OLD))
    assert tamper.rows_wrong(world.rewritten(log, 35, world.STRANGER))
    # Who has the key in force, and the database, is found by witnesses alone.
    assert not tamper.rows_wrong(world.rewritten(log, 35, world.NEW))
    before = tamper.Shown(log.raw_leaves())
    after = tamper.Shown(world.rewritten(log, 35, world.NEW).raw_leaves())
    assert tamper.alarmed(before.seen, after)


def test_a_trusting_verifier_would_be_noticed() -> None:
    """The generator makes things that are wrong: accepted by who looks at nothing."""
    dice = random.Random(1)
    assert not any(hostile.accepted(dice, 60))
    assert all(hostile.honest(dice, 20))
    believed = hostile.includes
    try:
        hostile.includes = lambda *_: True  # type: ignore[assignment]
        assert any(hostile.accepted(dice, 6))
    finally:
        hostile.includes = believed
