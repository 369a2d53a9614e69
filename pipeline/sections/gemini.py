"""The analyser that asks a Gemini model: a section is uploaded, answered, and removed again, whatever happens.

Knows the story, not the service: that is in `geminicalls`, which needs the packages of `tilepress[gemini]`.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from config.errors import ArtworkError, ConfigurationError, UnavailableError
from config.sections import GeminiAnalyzer
from pipeline.sections.analysis import Analysis, Section
from pipeline.storage.address import parse_address

if TYPE_CHECKING:
    from pipeline.sections.geminicalls import Answer, Service

FIRST_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Gemini:
    """Asks a Gemini model about sections; an Analyzer.

    `endpoint` is a URL, None for Google's. Each request ends after `timeout_s`; each call is tried up to `attempts`
    times, with pauses from `pause_s` on, which `sleep` makes.
    """

    model: str
    api_key: str = field(repr=False)
    prompt: str
    json_schema: Mapping[str, Any] | None = None
    endpoint: str | None = None
    timeout_s: float = 120.0
    attempts: int = 5
    temperature: float | None = None
    max_output_tokens: int | None = None
    pause_s: float = FIRST_PAUSE_S
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    @classmethod
    def from_settings(cls, settings: GeminiAnalyzer) -> "Gemini":
        """Return the analyser that the settings describe.

        Raises ConfigurationError for a key or an endpoint that cannot be one, and if the SDK is not installed.
        """
        if not (settings.api_key.isascii() and settings.api_key.isprintable()) or " " in settings.api_key:
            raise ConfigurationError("analyzer.api_key: no API key has such characters", "Copy the key again.")
        if settings.endpoint is not None:
            _check_endpoint(settings.endpoint)
        if not _is_installed():
            raise _missing()
        return cls(
            model=settings.model,
            api_key=settings.api_key,
            prompt=settings.prompt,
            json_schema=settings.json_schema,
            endpoint=settings.endpoint,
            timeout_s=settings.timeout_s,
            attempts=settings.attempts,
            temperature=settings.temperature,
            max_output_tokens=settings.max_output_tokens,
        )

    @property
    def leaves_traces(self) -> bool:
        """Whether a process that dies leaves something: its upload, which the service drops after two days."""
        return True

    @property
    def account(self) -> str:
        """A digest of where uploads lie, and by which key: too short to tell the key."""
        return hashlib.sha256(f"{self.endpoint}\0{self.api_key}".encode()).hexdigest()[:12]

    def analyze(self, section: Section) -> Analysis:
        """Return what the model answers, as `kind` "gemini".

        `answer` is text, or JSON if there is a schema; `complete` tells whether it was not cut short. `seconds` is all
        that it took; `attempts` is 1 if nothing had to be tried again, and so on. If the upload could not be removed,
        its name stands under `left`, or in the error's message: `forget` is to be called then.
        """
        begun = time.monotonic()
        name = _name_of(section.token)
        with self._open(section.leaving) as service:
            try:
                answer = self._answer(service, section)
            except BaseException as error:
                left = self._remove(service, name, None if isinstance(error, Exception) else 1)
                if left and isinstance(error, ArtworkError):
                    raise type(error)(f"{error.message}; {left}", error.remedy) from None
                raise
            left = self._remove(service, name)
            return {
                "kind": "gemini",
                "model": self.model,
                "answer": answer.content,
                "complete": answer.is_complete,
                "finish_reason": answer.finish_reason,
                "tokens": dict(answer.tokens),
                "seconds": round(time.monotonic() - begun, 3),
                "attempts": 1 + service.retries,
            } | ({"left": name} if left else {})

    def forget(self, token: str) -> None:
        """Remove the file that `analyze` may have left; harmless if there is none.

        Raises UnavailableError if it cannot be told whether it is gone: also when the key is refused.
        """
        with self._open() as service:
            try:
                service.remove(_name_of(token))
            except ArtworkError as error:
                raise UnavailableError(error.message, error.remedy) from None

    def _answer(self, service: "Service", section: Section) -> "Answer":
        from pipeline.sections.geminicalls import Question  # noqa: PLC0415 - see _open

        question = Question(self.model, self.prompt, self.json_schema, self.temperature, self.max_output_tokens)
        file = service.upload(section.pdf, _name_of(section.token), section.title)
        return service.ask(question, service.wait(file))

    @staticmethod
    def _remove(service: "Service", name: str, attempts: int | None = None) -> str:
        """Remove what was uploaded; return "", or that it could not be, and why."""
        if not service.may_hold_files:
            return ""
        try:
            service.remove(name, attempts)
        except ArtworkError as error:
            return f"and {name} could not be removed: {error.message}"
        return ""

    def _open(self, leaving: Callable[[], None] = lambda: None) -> "Service":
        try:
            from pipeline.sections.geminicalls import GOOGLE, Service, Terms  # noqa: PLC0415 - half a second, an extra
        except ModuleNotFoundError:
            raise _missing() from None
        endpoint = (self.endpoint or GOOGLE).rstrip("/")
        return Service(Terms(self.api_key, endpoint, self.timeout_s, self.attempts, self.pause_s, self.sleep), leaving)


def _name_of(token: str) -> str:
    return f"files/{token}"


def _check_endpoint(endpoint: str) -> None:
    try:
        address = parse_address(endpoint)
    except ConfigurationError as error:
        raise ConfigurationError(f"analyzer.endpoint: {error.message}", "Write it as https://host.") from None
    if address.scheme not in {"https", "http"} or address.query:
        raise ConfigurationError("analyzer.endpoint: no service is reached by such a URL", "Write it as https://host.")


def _is_installed() -> bool:
    try:
        return find_spec("google.genai") is not None
    except ModuleNotFoundError:  # there is no "google" at all
        return False


def _missing() -> ConfigurationError:
    return ConfigurationError("the Gemini SDK is not installed", "Install it: pip install 'tilepress[gemini]'")
