"""This process's logs as a service's, for the length of a test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import structlog

from services.chassis import logs


@contextmanager
def logging_to(stream: TextIO, level: str = "info") -> Iterator[None]:
    """Puts back what `configure` takes over."""
    root, kept = logging.root, (logging.root.handlers, logging.root.level)
    logs.configure("echo", "i-1", level, stream)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers = kept[0]
        root.setLevel(kept[1])
        structlog.reset_defaults()
