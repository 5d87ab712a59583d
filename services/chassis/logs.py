"""JSON logs, one object a line on standard output, in which personal data cannot appear.

    from services.chassis.logs import log
    log.warning("gap_skipped", source="echo", aggregate="notes/1", number=7)

An event is named by a literal token and described by the keys below; a value is a number, an identifier or a
time. Whatever else arrives (another key, a sentence, an exception's text, a library's message, a print) is
replaced by where it came from. Keys are added here, in review, and nowhere else.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import sys
import threading
import time
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import FilteringBoundLogger

from services.chassis import context
from services.chassis.withholding import OUR_ROOMS, WITHHELD, describe, literal_of, only, place_of

KEYS = frozenset(
    {
        # who says it, on whose behalf
        *("service", "instance", "request_id", "traceparent", "pid", "version"),
        # calls
        *("method", "peer", "code", "status", "seconds", "attempt", "attempts", "in_flight", "waiting"),
        # the broker
        *("queue", "exchange", "routing_key", "host", "port", "reply_code", "up", "blocked"),
        # events
        *("event_id", "event_type", "source", "aggregate", "number", "expected", "applied", "lag_seconds"),
        *("body_sha256", "size", "reason", "handler", "oldest_at", "since"),
        # the store, the lease, the keys
        *("database", "collection", "step", "token", "holder", "until", "kid", "path"),
        # the process
        *("signal", "state", "failing", "count", "limit", "gap_seconds", "faults", "kind"),
        # what others said
        *("logger", "where", "template", "stream", "lines"),
    }
)
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}")

log: FilteringBoundLogger = structlog.get_logger()


def configure(service: str, instance: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Send this process's logs to `stream`, by default the present standard output.

    Also takes over the standard library's logging: other people's records, from WARNING up, are told by
    logger, place and template; by their message never. Ours are told from `level` up, with `extra` keys.
    """
    writer = LineWriter(stream or sys.stdout)
    structlog.configure(
        processors=[_stamp(service, instance), _withhold, structlog.processors.JSONRenderer(sort_keys=False)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda: writer,
        cache_logger_on_first_use=False,
    )
    _take_over_stdlib(level)


def seal_process() -> None:
    """Withhold what is printed, and uncaught exceptions' texts. For a process's runner, after `configure`."""
    sys.excepthook = lambda kind, error, trace: _uncaught(error)
    threading.excepthook = lambda args: _uncaught(args.exc_value)
    sys.unraisablehook = lambda args: _uncaught(args.exc_value)
    sys.stdout, sys.stderr = WithheldStream("stdout"), WithheldStream("stderr")


class LineWriter:
    """Writes finished lines. A reader that has gone away costs the line, never the work that told it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


class WithheldStream(io.TextIOBase):
    """Stands in for a standard stream: tells at most once a second that something was printed, and where."""

    interval = 1.0

    def __init__(self, name: str) -> None:
        self.name = name
        self._lines = 0
        self._told_at = -self.interval

    def write(self, text: str) -> int:
        """Withhold `text`. An exception being handled is told by type: most likely it is what is printed."""
        self._lines += text.count("\n")
        if time.monotonic() - self._told_at >= self.interval:
            self._told_at = time.monotonic()
            caller = sys._getframe(1)
            where = f"{caller.f_globals.get('__name__', '')}:{caller.f_lineno}"
            log.warning(
                "output_withheld", stream=self.name, lines=self._lines, where=where, exc_info=sys.exception()
            )
        return len(text)

    def writable(self) -> bool:
        return True


class WithheldRecords(logging.Handler):
    """The standard library's records, told without their messages."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        # Only our own code is reviewed for what it puts under an allowed key.
        extra = vars(record) if record.name.startswith(OUR_ROOMS) else {}
        log.log(
            record.levelno,
            "record",
            **{key: value for key, value in extra.items() if key in KEYS},
            logger=record.name,
            where=place_of(record),
            template=literal_of(record),
            exc_info=error,
        )


def _take_over_stdlib(level: str) -> None:
    logging.captureWarnings(True)
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.root.handlers = [WithheldRecords()]
    logging.root.setLevel(logging.WARNING)
    for room in OUR_ROOMS:
        logging.getLogger(room.rstrip(".")).setLevel(level.upper())


def _uncaught(error: BaseException | None) -> None:
    log.error("uncaught", exc_info=error)


def _stamp(service: str, instance: str) -> structlog.typing.Processor:
    def stamp(logger: Any, method: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        call = context.current()
        if call is not None:
            told.setdefault("request_id", call.request_id)
        return {"service": service, "instance": instance, "level": method, **told}

    return stamp


def _withhold(logger: Any, method: str, told: MutableMapping[str, Any]) -> dict[str, Any]:
    event, level = told.pop("event", None), told.pop("level", method)
    error = told.pop("exc_info", None)
    if error is True:
        error = sys.exception()
    named = isinstance(event, str) and _EVENT.fullmatch(event)
    line = {"at": _now(), "level": level, "event": event if named else WITHHELD}
    line.update((key, value) for key, value in only(KEYS, told).items() if value is not None)
    if isinstance(error, BaseException):
        line["errors"] = describe(error)
    return line


def _now() -> str:
    moment = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"
