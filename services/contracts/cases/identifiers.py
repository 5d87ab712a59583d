"""Numbers under which agencies know people and premises, each checked as its issuer defines it.

NHS number: ten digits, the last a weighted sum mod 11 (NHS Data Dictionary). PNC id: `YYYY/NNNNNNN` and a
check letter, mod 23. UPN: thirteen characters, check letter mod 23 (DfE). National Insurance number: HMRC's
grammar. CRO: no check is published in full, so its form alone. UPRN: up to twelve digits. What is stored is
the canonical form, so that two spellings of a number meet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

IdentifierScheme = Literal["nhs", "pnc", "cro", "upn", "nino", "other"]
"""`other`: an agency's own number, of no known form."""

_MOD_23 = "ZABCDEFGHJKLMNPQRTUVWXY"
_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_POSTCODE = re.compile(
    r"(GIR0AA|[A-PR-UWYZ]([0-9]{1,2}|([A-HK-Y][0-9]([0-9]|[ABEHMNPRV-Y])?)|[0-9][A-HJKPSTUW])[0-9][ABD-HJLNP-UW-Z]{2})"
)
_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]")


def wrong_form() -> PydanticCustomError:
    """What `parsing` tells as `wrong_form`, without the value."""
    return PydanticCustomError("string_pattern_mismatch", "wrong form")


def nhs(text: str) -> str:
    """Ten digits. Raises the error of a wrong form."""
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"[0-9]{10}", digits):
        raise wrong_form()
    check = 11 - sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9])) % 11
    if check == 10 or check % 11 != int(digits[9]):
        raise wrong_form()
    return digits


def pnc(text: str) -> str:
    """`YYYY/NNNNNNNX`; a short serial number is filled with zeros."""
    found = re.fullmatch(r"([0-9]{4})/?([0-9]{1,7})([A-Z])", re.sub(r"\s", "", text.upper()))
    if found is None:
        raise wrong_form()
    year, serial, letter = found.groups()
    serial = serial.zfill(7)
    # The year counts with its last two digits, as on the printed number.
    if _MOD_23[int(year[2:] + serial) % 23] != letter:
        raise wrong_form()
    return f"{year}/{serial}{letter}"


def cro(text: str) -> str:
    """`NNNNNN/YYX`."""
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{2})([A-Z])", re.sub(r"\s", "", text.upper()))
    if found is None:
        raise wrong_form()
    return f"{found[1].zfill(6)}/{found[2]}{found[3]}"


def upn(text: str) -> str:
    """A letter, eleven digits, a digit or letter."""
    plain = re.sub(r"\s", "", text.upper())
    if not re.fullmatch(r"[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]", plain):
        raise wrong_form()
    values = [int(sign) if sign.isdigit() else _UPN_LETTERS.index(sign) for sign in plain[1:]]
    if _UPN_LETTERS[sum(place * value for place, value in enumerate(values, 2)) % 23] != plain[0]:
        raise wrong_form()
    return plain


def nino(text: str) -> str:
    """Two letters, six digits, a suffix A-D."""
    plain = re.sub(r"\s", "", text.upper())
    if not _NINO.fullmatch(plain):
        raise wrong_form()
    return plain


def _uprn(text: str) -> str:
    return text.lstrip("0") or "0"


def _postcode(text: str) -> str:
    """With one space before the last three signs."""
    plain = re.sub(r"\s", "", text.upper())
    if not _POSTCODE.fullmatch(plain):
        raise wrong_form()
    return f"{plain[:-3]} {plain[-3:]}"


CANONICAL: dict[str, Callable[[str], str]] = {
    "nhs": nhs,
    "pnc": pnc,
    "cro": cro,
    "upn": upn,
    "nino": nino,
    "other": lambda text: text,
}

Uprn = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}$"), AfterValidator(_uprn)]
Postcode = Annotated[str, StringConstraints(min_length=5, max_length=10), AfterValidator(_postcode)]
