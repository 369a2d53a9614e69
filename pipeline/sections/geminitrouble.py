"""What failures of the Gemini service mean: what may pass, and when; what is the key's fault; what the reason is."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from google.genai import errors

from config.errors import ArtworkError, UnavailableError
from pipeline.sections.geminiwire import SERVICE

LONGEST_ASKED_S = 60.0  # a service that asks for more is not waited for: a quota of the day is used up, say
LONGEST_REASON = 200  # characters of what the service says

_PASSING = {408, 409, 425, 429, 500, 502, 503, 504}  # 409: the file is there, from an attempt whose answer was lost
_FORBIDDEN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_INVALID_KEY = "API_KEY_INVALID"  # google.api.ErrorReason; it comes with status 400
_RETRY_INFO = "google.rpc.RetryInfo"
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")  # google.protobuf.Duration in JSON


class PassingError(UnavailableError):
    """Trying again may do, after `asked_s` seconds if the service says so. Never leaves the modules of this service."""

    def __init__(self, message: str, remedy: str = "", asked_s: float | None = None) -> None:
        super().__init__(message, remedy)
        self.asked_s = asked_s


def explain(error: errors.APIError, clean: Callable[[str], str]) -> ArtworkError:
    """Return a refusal as an error of this program: PassingError if trying again may do, in a time that is bearable.

    `clean` strikes secrets out of what the service says.
    """
    said = reason(error, clean)
    if error.code in _PASSING:
        asked_s = _asked_s(error)
        if asked_s is not None and asked_s > LONGEST_ASKED_S:
            return UnavailableError(f"{SERVICE}: {said}; it asks to wait {asked_s:,.0f} s", "Run again later.")
        return PassingError(f"{SERVICE}: {said}", "Run again later.", asked_s)
    if error.code in _FORBIDDEN or _INVALID_KEY in _reasons(error):
        return ArtworkError(
            f"the service refuses the API key: {said}",
            "Check the analyser's api_key, and that its project may use the Gemini API.",
        )
    if error.code == HTTPStatus.NOT_FOUND:
        return ArtworkError(f"{SERVICE}: {said}", "Check the analyser's model and endpoint.")
    return ArtworkError(f"{SERVICE}: {said}", "Mend what the service names, or leave the section out.")


def blames_key(error: errors.APIError) -> bool:
    """Tell whether a refusal is surely the key's or its project's, and not about the file or model that was asked for.

    The service's own refusals of a file bear no ErrorInfo; those of Google's gateway before it do.
    """
    return error.code == HTTPStatus.UNAUTHORIZED or any(_reasons(error))


def reason(error: errors.APIError, clean: Callable[[str], str]) -> str:
    """Return what the service says on one line, such as `503: The model is overloaded.`; secrets are struck out."""
    return f"{error.code}: {shorten(error.message or error.status, clean)}"


def shorten(said: object, clean: Callable[[str], str]) -> str:
    """Return anybody's words on one line that is no longer than a reason may be, without secrets."""
    text = " ".join(clean(said if isinstance(said, str) else "").split())
    text = "".join(char if char.isprintable() else "?" for char in text)
    if not text:
        return "no reason given"
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


def _asked_s(error: errors.APIError) -> float | None:
    """Return how long the service asks to be left alone: the longer, if it says so twice."""
    asked = [parse_retry_after(str(getattr(error.response, "headers", {}).get("Retry-After", "")))]
    for detail in _details(error):
        if str(detail.get("@type", "")).endswith(_RETRY_INFO):
            delay = _DURATION.fullmatch(str(detail.get("retryDelay", "")))
            asked.append(float(delay[1]) if delay else None)
    return max((pause for pause in asked if pause is not None), default=None)


def parse_retry_after(text: str) -> float | None:
    """Return the seconds that a Retry-After asks to wait, from now; None if it is none."""
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _reasons(error: errors.APIError) -> list[str]:
    return [str(detail["reason"]) for detail in _details(error) if "reason" in detail]


def _details(error: errors.APIError) -> Iterator[dict[str, object]]:
    """Yield the details of a refusal; an answer of any other form has none."""
    body = error.details if isinstance(error.details, dict) else {}
    inner = body.get("error")
    details = inner.get("details") if isinstance(inner, dict) else None
    yield from (detail for detail in (details if isinstance(details, list) else ()) if isinstance(detail, dict))
