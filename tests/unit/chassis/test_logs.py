"""Whatever is logged, in whatever way, no personal data comes out; what an operator needs does."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.errors import DuplicateKeyError

from services.chassis import context, logs
from services.chassis.deadline import Deadline
from services.chassis.logs import KEYS, log
from services.chassis.withholding import WITHHELD, describe, only, token
from services.contracts.errors import Unavailable
from tests.logging_here import logging_to

NAME = "Margaret Hollis"
PERSONAL = (NAME, "Margaret", "Hollis", "1961-04-02", "4 Elm Row", "m.hollis@example.org", "AB 12 34 56 C")
DOCUMENT = {"name": NAME, "born": "1961-04-02", "address": "4 Elm Row", "mail": "m.hollis@example.org"}


class Lines:
    """What was logged."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def all(self) -> list[dict[str, Any]]:
        text = self._stream.getvalue()
        assert not [word for word in PERSONAL if word in text], text
        return [json.loads(line) for line in text.splitlines()]

    def one(self) -> dict[str, Any]:
        (line,) = self.all()
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with logging_to(stream, "debug"):
            yield Lines(stream)


def test_a_line_says_when_who_and_what(lines: Lines) -> None:
    log.warning("gap_skipped", source="echo", aggregate="notes/n-1", number=7)
    line = lines.one()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("at"))
    assert line == {
        "level": "warning",
        "event": "gap_skipped",
        "service": "echo",
        "instance": "i-1",
        "source": "echo",
        "aggregate": "notes/n-1",
        "number": 7,
    }


def test_a_line_of_a_call_has_its_request_id(lines: Lines) -> None:
    with context.use(context.Context(request_id="r-1", deadline=Deadline.after(1))):
        log.info("served")
        logging.getLogger("pymongo").warning("slow")
    log.info("idle")
    assert [line.get("request_id") for line in lines.all()] == ["r-1", "r-1", None]


def test_less_than_the_level_is_not_logged(lines: Lines) -> None:
    logs.configure("echo", "i-1", "warning", lines._stream)
    log.info("served")
    assert lines.all() == []


@pytest.mark.parametrize(
    "told",
    [
        {"name": NAME},
        {NAME: 1},
        {"reason": NAME},
        {"reason": f"refused {NAME}"},
        {"path": "subjects/m.hollis@example.org"},
        {"aggregate": f"notes/{NAME}"},
        {"code": DOCUMENT},
        {"failing": [NAME, "broker"]},
        {"failing": {NAME: 1}},
        {"handler": NAME.encode()},
        {"kind": Unavailable(cause=NAME)},
        {"document": DOCUMENT, "step": "indexes"},
        {"request_id": NAME},
        {"event_id": "AB 12 34 56 C"},
    ],
)
def test_an_unknown_key_or_a_sentence_is_withheld(lines: Lines, told: dict[str, Any]) -> None:
    log.warning("refused", **told)
    assert lines.one()["event"] == "refused"


def test_what_was_withheld_is_counted(lines: Lines) -> None:
    log.warning("refused", name=NAME, born="1961-04-02", code="invalid")
    assert (lines.one()["withheld_keys"], lines.one()["code"]) == (2, "invalid")


@pytest.mark.parametrize("event", [f"case of {NAME}", NAME, "", 7, DOCUMENT])
def test_an_event_is_a_name_not_a_sentence(lines: Lines, event: Any) -> None:
    log.warning(event)
    assert lines.one()["event"] == WITHHELD


def test_positional_arguments_are_not_interpolated(lines: Lines) -> None:
    log.warning("case_of %s", NAME)
    assert lines.one()["event"] == WITHHELD


def failing_at(text: object) -> None:
    raise KeyError(text)


def test_an_exception_is_told_by_types_and_our_lines(lines: Lines) -> None:
    try:
        try:
            failing_at(NAME)
        except KeyError as error:
            raise Unavailable(cause="mongo: NetworkTimeout") from error
    except Unavailable:
        log.exception("failed")
    outer, inner = lines.one()["errors"]
    assert outer["type"] == "services.contracts.errors.Unavailable"
    assert (outer["code"], outer["cause"]) == ("unavailable", "mongo: NetworkTimeout")
    assert inner["type"] == "builtins.KeyError"
    assert re.fullmatch(r"tests\.unit\.chassis\.test_logs:\d+", inner["at"][-1])


@pytest.mark.parametrize(
    "error",
    [
        ValueError(NAME),
        DuplicateKeyError(f"E11000 dup key: {NAME}", 11000, {"keyValue": DOCUMENT}),
        UnicodeDecodeError("utf-8", NAME.encode(), 0, 1, NAME),
        ExceptionGroup(NAME, [ValueError(NAME)]),
        Unavailable(cause=f"no such case: {DOCUMENT}"),
        SystemExit(NAME),
    ],
)
def test_no_exceptions_text_is_told(lines: Lines, error: BaseException) -> None:
    error.add_note(NAME)
    log.error("failed", exc_info=error)
    logging.getLogger("nameko.containers").error("failed %s", NAME, exc_info=error)
    told = [line["errors"][0]["type"] for line in lines.all()]
    assert told == [f"{type(error).__module__}.{type(error).__qualname__}"] * 2


def test_a_chain_that_goes_in_circles_ends() -> None:
    first, second = ValueError(), ValueError()
    first.__cause__, second.__cause__ = second, first
    assert len(describe(first)) == 2


LIBRARIES = ("pymongo.command", "amqp", "nameko.rpc", "kombu.connection", "asyncio", "eventlet", "unheard_of")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_librarys_template_is_told_without_its_arguments(lines: Lines, library: str) -> None:
    logging.getLogger(library).warning("cannot store %s for %r", NAME, DOCUMENT)
    line = lines.one()
    assert (line["logger"], line["level"]) == (library, "warning")
    assert line["template"] == "cannot store %s for %r"
    assert re.fullmatch(r"test_logs\.py:\d+", line["where"])


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "message",
    [
        f"cannot store {NAME}",
        "cannot store %s".replace("%s", NAME),
        "cannot store " + NAME,
        DOCUMENT,
        ValueError(NAME),
        NAME,
    ],
)
def test_a_message_put_together_at_run_time_is_withheld(lines: Lines, library: str, message: object) -> None:
    logging.getLogger(library).error(message, extra={"reason": NAME, "code": "Hollis", "document": DOCUMENT})
    line = lines.one()
    assert "template" not in line
    assert "code" not in line
    assert re.fullmatch(r"test_logs\.py:\d+", line["where"])


def test_a_library_below_warning_is_not_told(lines: Lines) -> None:
    logging.getLogger("pymongo.command").info("served")
    assert lines.all() == []


def test_a_handler_that_a_library_had_set_up_is_gone(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    chatty = logging.getLogger("chatty.library")
    chatty.addHandler(logging.StreamHandler())
    chatty.propagate = False
    logs.configure("echo", "i-1", "info", lines._stream)
    chatty.warning("saw %s", NAME)
    assert lines.one()["template"] == "saw %s"
    assert capsys.readouterr() == ("", "")


def test_our_own_records_keep_their_allowed_extras(lines: Lines) -> None:
    logging.getLogger("services.chassis.link").info(
        "lost", extra={"queue": "rpc-echo", "reason": NAME, "document": DOCUMENT}
    )
    line = lines.one()
    assert (line["queue"], line["reason"], line["template"]) == ("rpc-echo", WITHHELD, "lost")


def test_a_warning_is_told_without_its_text(lines: Lines) -> None:
    warnings.warn(NAME, stacklevel=1)
    assert lines.one()["logger"] == "py.warnings"


def test_what_is_printed_is_withheld_and_told_once_a_second(lines: Lines) -> None:
    stream = logs.WithheldStream("stderr")
    print(NAME, DOCUMENT, file=stream)
    print(NAME, file=stream, flush=True)
    line = lines.one()
    assert (line["event"], line["stream"]) == ("output_withheld", "stderr")
    assert line["where"].startswith("tests.unit.chassis.test_logs:")


def test_a_printed_traceback_is_told_by_its_type(lines: Lines) -> None:
    import traceback

    stream = logs.WithheldStream("stderr")
    try:
        failing_at(NAME)
    except KeyError:
        traceback.print_exc(file=stream)
    assert lines.one()["errors"][0]["type"] == "builtins.KeyError"


def test_a_stream_goes_on_counting_what_it_does_not_tell(lines: Lines) -> None:
    stream = logs.WithheldStream("stdout")
    stream.interval = 0
    for _ in range(3):
        stream.write(f"{NAME}\n")
    assert [line["lines"] for line in lines.all()] == [1, 2, 3]
    assert not stream.isatty()


def test_a_reader_that_has_gone_away_does_not_stop_the_work(lines: Lines) -> None:
    gone = io.StringIO()
    logs.configure("echo", "i-1", "info", gone)
    gone.close()
    log.error("failed")


def test_a_sealed_process_withholds_uncaught_exceptions(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("excepthook", "unraisablehook", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr("threading.excepthook", lambda args: None)
    logs.seal_process()
    sys.excepthook(ValueError, ValueError(NAME), None)
    assert lines.one()["event"] == "uncaught"


@given(st.text() | st.binary() | st.dictionaries(st.text(), st.text()) | st.lists(st.text()))
def test_only_tokens_are_told(value: object) -> None:
    told = token(value)
    for item in told if isinstance(told, list) else [told]:
        assert item == WITHHELD or re.fullmatch(r"[A-Za-z0-9_./:-]{1,128}", str(item))


@given(st.dictionaries(st.text(), st.integers()))
def test_only_allowed_keys_are_told(told: dict[str, int]) -> None:
    assert only(KEYS, told).keys() <= KEYS | {"withheld_keys"}


# What our own code says, checked where it stands.

ROOT = Path(__file__).parents[3]
SOURCES = [path for room in ("services", "gateway", "deploy") for path in sorted((ROOT / room).rglob("*.py"))]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def calls_of_log(path: Path) -> list[ast.Call]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    if not any(isinstance(node, ast.ImportFrom) and node.module == "services.chassis.logs" for node in nodes):
        return []
    return [node for node in nodes if isinstance(node, ast.Call) and is_of_log(node.func)]


def is_of_log(called: ast.expr) -> bool:
    return isinstance(called, ast.Attribute) and called.attr in LEVELS and ast.unparse(called.value) == "log"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_our_own_code_names_its_events_and_uses_known_keys(path: Path) -> None:
    for call in calls_of_log(path):
        place = f"{path.name}:{call.lineno}"
        (event,) = call.args
        assert isinstance(event, ast.Constant), place
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", str(event.value)), place
        assert {keyword.arg for keyword in call.keywords} <= KEYS | {"exc_info"}, place
