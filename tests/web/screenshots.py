"""Every page as a picture, on a desktop and on a phone: `make screenshots`, or

    python -m tests.web.screenshots [--demo .run/demo.json] [--to .run/screenshots]

against a demonstration that runs. To be looked at, not compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.web import places, steps
from tests.web.browsing import Person, browser

WIDTHS = {"desktop": 1280, "phone": 320}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--demo", type=Path, default=Path(".run/demo.json"))
    arguments.add_argument("--to", type=Path, default=Path(".run/screenshots"))
    given = arguments.parse_args()
    if not given.demo.exists():
        print(f"{given.demo} is not there: run `make demo` first.", file=sys.stderr)
        return 1
    demo = json.loads(given.demo.read_text(encoding="utf-8"))
    with browser() as chromium:
        wide = [
            problem
            for form, width in WIDTHS.items()
            for problem in _take(chromium, demo, given.to, form, width)
        ]
    for problem in wide:
        print(problem, file=sys.stderr)
    print(f"{len(list(given.to.rglob('*.png')))} pictures in {given.to}")
    return 1 if wide else 0


def _take(chromium: Browser, demo: dict[str, Any], to: Path, form: str, width: int) -> list[str]:
    """Pictures of every place; returns those that are wider than the screen."""
    folder = to / form
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    people = {"": Person(chromium, demo, "", width=width)}
    for username in places.USERNAMES:
        people[username] = Person(chromium, demo, username, width=width).log_in()
    case_id = demo["cases"][0]["id"]
    wide = []
    for name, _, page in places.every(people, case_id):
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wide.append(f"{form}: {name} is {over} pixels wider than the screen")
        print(f"{form} {name}", flush=True)
    for name, page in steps.of_the_wizards(people[places.OFFICER], case_id):
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        print(f"{form} {name}", flush=True)
    for person in people.values():
        person.close()
    return wide


if __name__ == "__main__":
    sys.exit(main())
