"""Jinja as our pages use it: escaping on, undefined names refused, every template compiled once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from gateway.web import components, times, words
from gateway.web.assets import Assets

TEMPLATES = Path(__file__).parent / "templates"


class Templates:
    """Renders pages by name."""

    def __init__(self, assets: Assets) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.do"],
        )
        self._environment.globals.update(components.load())
        self._environment.globals.update(static=assets.url, choices=words.choices, word=words.word)
        self._environment.filters.update(
            when=times.when,
            day=times.day,
            month=times.month,
            stamp=times.stamp,
            word=_word,
            words=_words,
            plural=_plural,
        )

    def names(self) -> list[str]:
        """Of every page, without what is only included."""
        return [name for name in self._environment.list_templates() if "/" in name and "/_" not in name]

    def render(self, name: str, context: dict[str, Any]) -> str:
        return self._environment.get_template(name).render(context)


def _word(code: object, vocabulary: str) -> str:
    return words.word(vocabulary, code)


def _words(codes: list[str], vocabulary: str) -> str:
    return words.words(vocabulary, codes)


def _plural(count: int, one: str, many: str | None = None) -> str:
    """`3 entries`."""
    return f"{count} {one if count == 1 else many or one + 's'}"
