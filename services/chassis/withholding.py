"""What may be said of things that other people's code says: where it was said, never what.

An exception's text, a log message put together at run time, a value of unknown origin: each may quote a
document. A type's name, a source line and a literal in the source cannot.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from services.contracts.errors import ConcordatError

WITHHELD = "[withheld]"
_TOKEN = re.compile(r"[A-Za-z0-9_./:-]{1,128}")
_CAUSE = re.compile(r"[A-Za-z0-9_ ,./:()-]{1,120}")
OUR_ROOMS = ("services.", "gateway.", "deploy.")
_LONGEST_CHAIN = 5
_LONGEST_LITERAL = 200


class Vetted(str):
    """A text that is known to come from source code, not from data."""


def token(value: object) -> object:
    """`value` if it can only be a number, an identifier or a time, or a list of such; else withheld."""
    if value is None or isinstance(value, (bool, int, float, Vetted)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [token(item) for item in value]
    if isinstance(value, str) and _TOKEN.fullmatch(value):
        return value
    return WITHHELD


def describe(error: BaseException) -> list[dict[str, Any]]:
    """An exception and what it came from, outermost first: types, codes, our own source lines. No texts.

    `cause` is shown of our own errors only, whose authors vouch for it.
    """
    return [_one(link) for link in _chain(error)]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(seen) < _LONGEST_CHAIN:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _one(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    told: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    if isinstance(error, ConcordatError):
        told["code"] = token(error.code)
        if error.cause is not None:
            told["cause"] = error.cause if _CAUSE.fullmatch(error.cause) else WITHHELD
    if isinstance(error, BaseExceptionGroup):
        told["of"] = sorted({type(inner).__qualname__ for inner in error.exceptions})
    if places := _places(error.__traceback__):
        told["at"] = places
    return told


def _places(traceback: TracebackType | None) -> list[str]:
    places = []
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        # The innermost line is told wherever it is: without it a driver's error could not be placed.
        if str(module).startswith(OUR_ROOMS) or traceback.tb_next is None:
            places.append(f"{module}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return places


def place_of(record: logging.LogRecord) -> str:
    return f"{Path(record.pathname).name}:{record.lineno}"


def literal_of(record: logging.LogRecord) -> Vetted | None:
    """The record's template if it stands as it is in the source of the function that logged it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_lineno == record.lineno and frame.f_code.co_filename == record.pathname:
            # An f-string or a text already interpolated is in no function's constants.
            literal = isinstance(record.msg, str) and record.msg in frame.f_code.co_consts
            return Vetted(record.msg[:_LONGEST_LITERAL]) if literal else None
        frame = frame.f_back
    return None


def only(allowed: frozenset[str], told: Mapping[str, Any]) -> dict[str, Any]:
    """The told values under allowed keys, each as a token; the rest withheld, their keys too."""
    kept = {key: token(value) for key, value in told.items() if key in allowed}
    if len(kept) < len(told):
        kept["withheld_keys"] = len(told) - len(kept)
    return kept
