"""The calls that an analysis makes to the Gemini service: a file up, a question, the file away again.

Each is tried again here when trying again may do, and nowhere else: the SDK's own retries are off. Needs the packages
of `tilepress[gemini]`.
"""

import json
import logging
import pickle
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
import tenacity
from google import genai
from google.genai import errors, types

from config.errors import ArtworkError, TransientError, UnavailableError
from pipeline.redaction import Redactor
from pipeline.sections.geminitrouble import PassingError, blames_key, explain, reason, shorten
from pipeline.sections.geminiwire import SERVICE, Transport
from pipeline.storage.network import Network

GOOGLE = "https://generativelanguage.googleapis.com"
API_VERSION = "v1beta"  # the one whose documents speak of files; the SDK's own choice has changed between releases
LONGEST_PAUSE_S = 20.0
LONGEST_POLL_S = 5.0
_PDF = "application/pdf"
_QUESTIONS = 2  # how often is asked when answers come that are none
_FILES_A_PAGE = 100  # the most there may be

_ABSENT = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
_UNFINISHED = {  # reasons for which an answer ended that another may not
    *("", "FINISH_REASON_UNSPECIFIED", "OTHER", "CONTINUATION", "MALFORMED_RESPONSE", "MALFORMED_FUNCTION_CALL"),
    *("UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"),
}

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Terms:
    """With whom, and how patiently: `timeout_s` of one request, `attempts` at each call, first pause of `pause_s`."""

    api_key: str = field(repr=False)
    endpoint: str
    timeout_s: float
    attempts: int
    pause_s: float
    sleep: Callable[[float], None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a file: of which model, in which words, for an answer of which form."""

    model: str
    prompt: str
    json_schema: Mapping[str, Any] | None
    temperature: float | None
    max_output_tokens: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered: text, or JSON if a schema asked for it. Not `is_complete`: cut at the most tokens."""

    content: Any
    is_complete: bool
    finish_reason: str
    tokens: Mapping[str, int]


class _UnusableError(Exception):
    """An answer that is none; another may be one."""


class Service:
    """The Gemini service; a context manager, connected to in between.

    `retries` counts what was tried again; `may_hold_files` is false as long as no upload was complete.
    Every method raises UnavailableError for what may pass, once it has been tried often enough, and ArtworkError for
    what will not.
    """

    def __init__(self, terms: Terms, leaving: Callable[[], None]) -> None:
        """Take the terms, and what to call before an upload may be complete. Nothing is connected to yet.

        Raises ConfigurationError for an endpoint that is no URL.
        """
        self.retries = 0
        self._leaving = leaving
        self.may_hold_files = False
        self._terms = terms
        self._redactor = Redactor({})
        self._redactor.hide(terms.api_key)
        network = Network()
        self._http = httpx2.Client(
            transport=Transport(terms.endpoint, terms.timeout_s, network),
            headers={"Accept-Encoding": "identity", "Connection": "close"},
            timeout=None,  # the transport has its own
            trust_env=False,
            follow_redirects=False,  # the key would go along
            event_hooks={"request": [self._note], "response": [_refuse]},
        )
        logging.getLogger("google_genai").setLevel(logging.ERROR)  # it warns of keys in the environment, not used here
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # or each request would be told
        unused = {"verify": network.context, "ssl": network.context, "trust_env": False}
        self._client = genai.Client(
            vertexai=False,
            api_key=terms.api_key,
            http_options=types.HttpOptions(
                base_url=terms.endpoint,
                api_version=API_VERSION,
                timeout=max(round(terms.timeout_s * 1000), 1),  # told to the service; the transport keeps it
                retry_options=types.HttpRetryOptions(attempts=1),
                httpx_client=self._http,
                async_client_args=unused,  # or it would read all certificates again for a client that is never used
            ),
        )

    def upload(self, pdf: Path, name: str, title: str) -> types.File:
        """Upload a PDF under a name of our choice, `files/…`; return it as the service has it.

        After an attempt whose end is not known it may be there already: then it is that one.
        """
        tried = False

        def once() -> types.File:
            nonlocal tried
            found = self._find(name) if tried else None
            if found is not None:
                return found
            tried = True
            config = types.UploadFileConfig(
                name=name,
                display_name=title,
                mime_type=_PDF,
                http_options=types.HttpOptions(base_url=self._terms.endpoint),  # not where an answer says
            )
            with pdf.open("rb") as file:  # by its path, its name would be told too
                return self._client.files.upload(file=file, config=config)

        return self._steadily(once)

    def wait(self, file: types.File) -> types.File:
        """Wait until an uploaded file can be asked about; for one call's time at most."""
        name, pause_s, end = str(file.name), self._terms.pause_s, time.monotonic() + self._terms.timeout_s
        while (state := _text(file.state)) != "ACTIVE":
            if state == "FAILED":
                said = shorten(file.error.message if file.error else None, self._redactor.clean)
                raise ArtworkError(f"{SERVICE} cannot read the section: {said}", "Check the document.")
            if time.monotonic() >= end:
                raise UnavailableError(
                    f"{SERVICE}: the section is not ready after {self._terms.timeout_s:g} s", "Run again later."
                )
            self._terms.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_POLL_S)
            file = self._steadily(lambda: self._get(name))
        return file

    def ask(self, question: Question, file: types.File) -> Answer:
        """Ask a model about a file. An answer that is none (empty, not the JSON asked for) is asked for once more."""
        config = types.GenerateContentConfig(
            temperature=question.temperature,
            max_output_tokens=question.max_output_tokens,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            response_mime_type="application/json" if question.json_schema is not None else None,
            response_json_schema=dict(question.json_schema) if question.json_schema is not None else None,
        )

        uri = file.uri or f"{self._terms.endpoint}/{API_VERSION}/{file.name}"
        parts = [types.Part.from_uri(file_uri=uri, mime_type=_PDF), types.Part.from_text(text=question.prompt)]
        contents = types.Content(role="user", parts=parts)

        def once() -> types.GenerateContentResponse:
            with self._not_there_passes(HTTPStatus.FORBIDDEN):
                return self._client.models.generate_content(model=question.model, contents=contents, config=config)

        why = ""
        for turn in range(_QUESTIONS):
            self.retries += turn
            response = self._steadily(once)
            try:
                return self._read(response, question)
            except _UnusableError as error:
                why = str(error)
        raise ArtworkError(f"{SERVICE}: {why}, {_QUESTIONS} times", "Change the prompt, or run again.")

    def remove(self, name: str, attempts: int | None = None) -> None:
        """Remove a file; harmless if it is not there."""

        def once() -> None:
            try:
                self._client.files.delete(name=name)
            except errors.APIError as error:
                if error.code not in _ABSENT:
                    raise
                if self._lists(name):
                    said = reason(error, self._redactor.clean)
                    raise PassingError(f"{SERVICE}: {said}, though it is there", "Run again later.") from None

        self._steadily(once, attempts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._http.close()

    def _find(self, name: str) -> types.File | None:
        """Return a file if it is there and whole; None if it does not seem to be."""
        try:
            return self._client.files.get(name=name)
        except errors.APIError as error:
            if error.code not in _ABSENT or blames_key(error):
                raise
            return None

    def _get(self, name: str) -> types.File:
        with self._not_there_passes(*_ABSENT):
            return self._client.files.get(name=name)

    def _lists(self, name: str) -> bool:
        """Tell whether a file is among all that the key may see.

        That a file is not there, the service says as "403 PERMISSION_DENIED: You do not have permission to access the
        File … or it may not exist." So it does for one that is there, when an account has fallen behind (googleapis/
        python-genai #1218); and 403 is also the answer to a key that may do nothing. A list tells the three apart.
        """
        files = self._client.files.list(config=types.ListFilesConfig(page_size=_FILES_A_PAGE))
        return any(file.name == name for file in files)

    def _read(self, response: types.GenerateContentResponse, question: Question) -> Answer:
        """Return what stands in an answer; raise _UnusableError if another may do, ArtworkError if none would."""
        feedback, candidates = response.prompt_feedback, response.candidates or []
        if feedback is not None and feedback.block_reason:
            said = shorten(_text(feedback.block_reason), self._redactor.clean)
            raise ArtworkError(f"{SERVICE} refuses the section or the prompt: {said}", "Change the prompt.")
        parts = (candidates[0].content.parts if candidates and candidates[0].content else None) or []
        text = "".join(part.text for part in parts if part.text and not part.thought)
        why = _text(candidates[0].finish_reason) if candidates else ""
        is_cut = why == "MAX_TOKENS"
        if is_cut and (question.json_schema is not None or not text):
            raise ArtworkError(f"{SERVICE}: the answer is cut short: MAX_TOKENS", "Raise max_output_tokens.")
        if why not in {"STOP", "MAX_TOKENS", *_UNFINISHED}:
            said = shorten(why, self._redactor.clean)
            raise ArtworkError(f"{SERVICE} withholds the answer: {said}", "Change the prompt.")
        if not text or why in _UNFINISHED:
            raise _UnusableError(f"an answer without {'an end' if text else 'words'}")
        return Answer(_parse(text, question.json_schema is not None), not is_cut, why, _tokens(response))

    def _steadily(self, work: Callable[[], Result], attempts: int | None = None) -> Result:
        """Return what `work()` returns, which is tried again after pauses that grow, or as long as is asked for."""
        longer = tenacity.wait_exponential(multiplier=self._terms.pause_s, max=LONGEST_PAUSE_S)
        jitter = tenacity.wait_random(0, self._terms.pause_s)
        steadily = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(attempts or self._terms.attempts),
            wait=lambda state: float((_asked_pause(state) or longer(state)) + jitter(state)),
            retry=tenacity.retry_if_exception_type(PassingError),
            before_sleep=self._count,
            sleep=self._terms.sleep,
            reraise=True,
        )
        try:
            return steadily(lambda: self._once(work))
        except PassingError as error:
            raise UnavailableError(error.message, error.remedy) from None

    def _once(self, work: Callable[[], Result]) -> Result:
        """Return what `work()` returns; what goes wrong in the SDK is one of this program's errors."""
        try:
            with warnings.catch_warnings():  # of a state or reason that is newer than the SDK
                warnings.filterwarnings("ignore", message=".* is not a valid ", category=UserWarning)
                return work()
        except errors.APIError as error:
            raise explain(error, self._redactor.clean) from None
        except TransientError as error:
            raise PassingError(error.message, error.remedy) from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:  # what the SDK trips over
            kind = type(error).__name__
            raise PassingError(
                f"{SERVICE}: an answer that cannot be understood ({kind})", "Check the analyser's endpoint."
            ) from None

    def _note(self, request: httpx2.Request) -> None:
        """Note that a file may be there from now on: it is when its last chunk has arrived."""
        if "finalize" in request.headers.get("X-Goog-Upload-Command", ""):
            self._leaving()
            self.may_hold_files = True

    def _count(self, _state: tenacity.RetryCallState) -> None:
        self.retries += 1

    @contextmanager
    def _not_there_passes(self, *codes: int) -> Iterator[None]:
        """Within it, that an uploaded file is not there is passing trouble: it is, and will be seen in a moment.

        So the service says now and then (google-gemini/deprecated-generative-ai-python #692).
        """
        try:
            yield
        except errors.APIError as error:
            if error.code not in codes or blames_key(error):
                raise
            raise PassingError(f"{SERVICE}: {reason(error, self._redactor.clean)}", "Run again later.") from None


def _refuse(response: httpx2.Response) -> None:
    """Raise APIError for anything but an answer, before the SDK's upload tries the same again by itself, with pauses.

    It does so when an answer does not say how far the upload has come.
    """
    errors.APIError.raise_for_response(response)
    is_upload = "upload" in response.request.headers.get("X-Goog-Upload-Command", "")
    if is_upload and not response.headers.get("X-Goog-Upload-Status"):
        raise TransientError(f"{SERVICE}: an answer to an upload that is none", "Check the analyser's endpoint.")


def _parse(text: str, as_json: bool) -> Any:
    """Return an answer as it goes into a JSON file; raise _UnusableError if it cannot."""
    try:
        content = json.loads(text, parse_constant=_refuse_constant) if as_json else text
        json.dumps(content, ensure_ascii=False).encode()
        pickle.dumps(content)  # as it goes to the run's process: what is nested too deeply does not come through
    except (ValueError, RecursionError):
        raise _UnusableError("an answer that is not the JSON asked for" if as_json else "broken text") from None
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _tokens(response: types.GenerateContentResponse) -> dict[str, int]:
    usage = response.usage_metadata
    counts = {
        "prompt": usage.prompt_token_count if usage else None,
        "thoughts": usage.thoughts_token_count if usage else None,
        "answer": usage.candidates_token_count if usage else None,
        "total": usage.total_token_count if usage else None,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _text(value: Any) -> str:
    """Return the word that a state or reason is, known to the SDK or not; "" if there is none."""
    return str(getattr(value, "value", value) or "")


def _asked_pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.asked_s or 0.0 if isinstance(error, PassingError) else 0.0
