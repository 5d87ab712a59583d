"""Traces across calls and events, in the W3C `traceparent` form (https://www.w3.org/TR/trace-context/).

A span holds a name, its times and the type of an error; no argument and no error text. With no endpoint set
nothing is recorded, and a trace that a client began is only passed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Tracer

HEADER = "traceparent"


class _Passed:
    """The span of a process that records none: the parent goes on as it came."""

    __slots__ = ("_parent",)

    def __init__(self, parent: str | None) -> None:
        self._parent = parent

    def __enter__(self) -> str | None:
        return self._parent

    def __exit__(self, *_: object) -> None:
        return None


class Tracing:
    """The tracer of a process, if any."""

    def __init__(self) -> None:
        self._tracer: Tracer | None = None
        self._provider: TracerProvider | None = None

    def start(self, service: str, processor: SpanProcessor) -> None:
        """Record spans from now on. MUST run after monkey patching: the exporter has a thread of its own."""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        self._provider = TracerProvider(resource=Resource({"service.name": f"concordat-{service}"}))
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("concordat")

    def stop(self) -> None:
        """Send what is left, and record no more."""
        if self._provider is not None:
            self._provider.shutdown()
        self._tracer = self._provider = None

    def span(self, name: str, parent: str | None) -> AbstractContextManager[str | None]:
        """A span under `parent`; gives the traceparent to pass on."""
        if self._tracer is None:
            return _Passed(parent)
        return _recorded(self._tracer, name, parent)


tracing = Tracing()
span = tracing.span


def configure(service: str, endpoint: str | None) -> None:
    """Send spans to an OTLP/HTTP `endpoint`, in batches, from the background; with None, record nothing."""
    if endpoint is None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    tracing.start(service, BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=2)))


@contextmanager
def _recorded(tracer: Tracer, name: str, parent: str | None) -> Iterator[str]:
    from opentelemetry.context import Context
    from opentelemetry.trace import Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carriers = TraceContextTextMapPropagator()
    above = carriers.extract({HEADER: parent} if parent else {}, context=Context())
    span = tracer.start_span(name, context=above)
    made = span.get_span_context()
    try:
        yield f"00-{made.trace_id:032x}-{made.span_id:016x}-{made.trace_flags:02x}"
    except BaseException as error:
        # Not record_exception: it stores the text.
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        span.end()
