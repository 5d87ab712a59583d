"""GOV.UK Frontend's macros as plain functions.

They read parameters that were not given, which our own templates must never do; so they live in an
environment of their own, where an undefined name is falsy, and ours stays strict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from markupsafe import Markup

_NAMES = {
    "govukButton": "button",
    "govukCheckboxes": "checkboxes",
    "govukDateInput": "date-input",
    "govukErrorSummary": "error-summary",
    "govukInput": "input",
    "govukPasswordInput": "password-input",
    "govukRadios": "radios",
    "govukSelect": "select",
    "govukTextarea": "textarea",
}
Component = Callable[[Mapping[str, Any]], Markup]


def load() -> dict[str, Component]:
    """Every macro that pages use, compiled once."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("govuk_frontend_jinja"),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The package's templates import each other by its own name.
    environment.loader = jinja2.PrefixLoader({"govuk_frontend_jinja": environment.loader})  # type: ignore[dict-item]
    return {
        name: getattr(
            environment.get_template(f"govuk_frontend_jinja/components/{folder}/macro.html").module, name
        )
        for name, folder in _NAMES.items()
    }
