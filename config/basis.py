"""What all models of configuration are made of: the base model, names, lengths, amounts. Messages repeat no values."""

import re
from string import Formatter
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from config.units import parse_bytes, parse_duration

Inches = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
PositiveInches = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Dpi = Annotated[int, Field(ge=10, le=9600)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Text = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]

NO_FILE_NAME = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]|^\.')
MAX_FILE_NAME = 200  # bytes; file systems take 255, and endings are to come
_LONGEST_S = 7 * 86_400
_HALF_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?!//)/?")


class Model(BaseModel):
    """A model of configuration: strict, frozen, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def check_amount(value: Any) -> Any:
    """Check an amount of bytes. What was written may be a secret gone astray, so that no message repeats it."""
    try:
        if isinstance(value, str) and parse_bytes(value) > 0:
            return value
    except ValueError:
        pass
    raise ValueError("must be an amount above 0 with its unit, such as 512MB or 2GiB")


def _duration(value: Any) -> Any:
    if isinstance(value, str) and 0 < parse_duration(value) <= _LONGEST_S:
        return value
    raise ValueError("must be a time above 0 and at most 7 days, with its unit, such as 90s, 55m or 2h")


def _place(value: str) -> str:
    """Check a place to deliver to: a folder or URL, in which {date} may stand."""
    if "{" in value.replace("{date}", ""):
        raise ValueError("of braces, only {date} may stand in it")
    if _HALF_URL.match(value):
        raise ValueError("a URL has two slashes after its colon: sftp://host/folder, s3://bucket/folder")
    return value


def pieces_of(pattern: str, field: str = "part") -> list[tuple[str, str, str]]:
    """Return the fields of a pattern as (name, form, conversion); ValueError if it is none."""
    try:
        pieces = [piece for piece in Formatter().parse(pattern) if piece[1] is not None]
    except ValueError:
        remedy = f"write {{{field}}}, and a literal brace as {{{{ or }}}}"
        raise ValueError(f"a brace is missing or too many; {remedy}") from None
    return [(name or "", form or "", conversion or "") for _, name, form, conversion in pieces]


def check_file_name(name: str) -> None:
    """Raise ValueError for what no file should be called."""
    if NO_FILE_NAME.search(name) or len(name.encode("utf-8", "surrogateescape")) > MAX_FILE_NAME:
        raise ValueError('a file name is short, has no / \\ : * ? " < > | in it and begins with no dot')


Amount = Annotated[str, BeforeValidator(check_amount)]
Duration = Annotated[str, BeforeValidator(_duration)]
Place = Annotated[Text, AfterValidator(_place)]
