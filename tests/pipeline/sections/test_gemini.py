import hashlib
import json
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest

from config.errors import ArtworkError, ConfigurationError, UnavailableError
from config.sections import GeminiAnalyzer
from pipeline.sections import geminiwire
from pipeline.sections.analysis import Analyzer, Section
from pipeline.sections.gemini import Gemini
from pipeline.sections.geminitrouble import parse_retry_after
from tests.servers.gemini import (
    API_KEY,
    EFFECTLESS,
    KINDS,
    PASSING,
    Fault,
    GeminiServer,
    StoredFile,
)

if TYPE_CHECKING:
    from tests.servers.http import HttpServer

SCHEMA = {"type": "object", "properties": {"pages": {"type": "integer"}}}
SLOW = {Fault.SILENT, Fault.FORGOTTEN, Fault.TRICKLE}
CALLS = ("start", "upload", "get", "generate", "delete")
SHORT_S = 0.5  # for what will never be answered
LONG_S = 20.0  # for what will, on a busy machine


@pytest.fixture
def pauses() -> list[float]:
    """What an analyser has slept, or would have."""
    return []


@pytest.fixture
def analyser(gemini: GeminiServer, pauses: list[float]) -> Gemini:
    return Gemini(
        "gemini-test", API_KEY, "What is it?", endpoint=gemini.url, timeout_s=LONG_S, attempts=3, sleep=pauses.append
    )


def make_section(folder: Path, pages: int = 2, token: str = "s-1") -> Section:
    path = folder / f"{token} ü.pdf"
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page()
        pdf.save(path)
    return Section(f"Chapter “{token}”", tuple(range(1, pages + 1)), path, token)


@pytest.fixture
def section(tmp_path: Path) -> Section:
    return make_section(tmp_path)


@pytest.fixture(autouse=True)
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """Return all that was logged, at any level; it never holds the key."""
    caplog.set_level(logging.DEBUG)
    yield lambda: caplog.text
    assert API_KEY not in caplog.text


def failure(work: Callable[[], object]) -> ArtworkError:
    """Return how it fails; nothing that can be read of it holds the key."""
    with pytest.raises(ArtworkError) as raised:
        work()
    assert API_KEY not in f"{raised.value!r} {raised.value} {raised.value.remedy}"
    assert type(pickle.loads(pickle.dumps(raised.value))) in {ArtworkError, UnavailableError}
    return raised.value


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.005)


def test_a_section_is_uploaded_asked_about_and_removed(
    gemini: GeminiServer, analyser: Gemini, section: Section
) -> None:
    analysis = dict(analyser.analyze(section))

    file = _as_stored(section)
    assert analysis.pop("seconds") >= 0
    assert analysis == {
        "kind": "gemini",
        "model": "gemini-test",
        "answer": f"2 pages, SHA-256 {file}: What is it?",
        "complete": True,
        "finish_reason": "STOP",
        "tokens": {"prompt": 516, "answer": 7, "total": 523},
        "attempts": 1,
    }
    assert [call.kind for call in gemini.calls] == ["start", "upload", "get", "generate", "delete"]
    assert {call.about for call in gemini.calls if call.kind in {"get", "delete"}} == {"files/s-1"}
    assert not gemini.files


def _as_stored(section: Section) -> str:
    return hashlib.sha256(section.pdf.read_bytes()).hexdigest()


def test_a_schema_asks_for_json_with_the_settings_given(
    gemini: GeminiServer, analyser: Gemini, section: Section
) -> None:
    asking = replace(analyser, json_schema=SCHEMA, temperature=0.5, max_output_tokens=99)

    answer = asking.analyze(section)["answer"]

    assert answer == {
        "pages": 2,
        "sha256": _as_stored(section),
        "prompt": "What is it?",
        "title": "Chapter “s-1”",
    }
    config = json.loads(next(call.body for call in gemini.calls if call.kind == "generate"))["generationConfig"]
    assert config == {
        "temperature": 0.5,
        "maxOutputTokens": 99,
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    }


def test_the_key_goes_in_a_header_and_neither_it_nor_the_name_of_the_file_anywhere_else(
    gemini: GeminiServer, analyser: Gemini, section: Section
) -> None:
    analysis = analyser.analyze(section)

    assert {call.headers.get("x-goog-api-key") for call in gemini.calls if call.kind != "upload"} == {API_KEY}
    told = repr(analyser) + repr(analysis)
    told += "".join(f"{call.path} {call.body!r}" for call in gemini.calls)
    told += "".join(f"{value}" for call in gemini.calls for name, value in call.headers.items() if "key" not in name)
    assert API_KEY not in told
    assert section.pdf.stem not in told
    assert str(section.pdf.parent) not in told


def test_an_upload_of_several_chunks_arrives_whole(gemini: GeminiServer, analyser: Gemini, section: Section) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.Weight = pdf.make_stream(os.urandom(17_000_000))
        pdf.save(section.pdf)

    answer = analyser.analyze(section)["answer"]

    assert _as_stored(section) in answer
    assert gemini.count("upload") == 3


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.name.lower())
def test_a_fault_of_each_call_that_passes_is_tried_again_once(
    gemini: GeminiServer, analyser: Gemini, section: Section, pauses: list[float], fault: Fault
) -> None:
    for call in CALLS:
        gemini.fail(call, fault)
    patient = replace(analyser, attempts=8, timeout_s=SHORT_S if fault in SLOW else LONG_S)
    failed = len(CALLS) - (fault is Fault.UNFIT)  # what is removed is gone, however that is said

    analysis = patient.analyze(section)

    assert _as_stored(section) in analysis["answer"]
    if fault in SLOW:  # a busy machine may not answer in a short time even when it wants to
        assert analysis["attempts"] >= 1 + failed
    else:
        assert analysis["attempts"] == 1 + failed
    assert len(pauses) >= (0 if fault is Fault.UNFIT else failed)
    assert not gemini.files


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", [Fault.OVERLOADED, Fault.CUT_BEFORE, Fault.RETRY_INFO], ids=lambda fault: fault.name)
def test_a_fault_that_lasts_is_unavailable_after_the_attempts_allowed(
    gemini: GeminiServer, analyser: Gemini, section: Section, call: str, fault: Fault
) -> None:
    gemini.fail(call, *[fault] * 3)

    if call == "delete":
        assert analyser.analyze(section)["left"] == "files/s-1"
        assert list(gemini.files) == ["files/s-1"]
        analyser.forget("s-1")
    else:
        error = failure(lambda: analyser.analyze(section))
        assert type(error) is UnavailableError
        assert ("cut off" if fault is Fault.CUT_BEFORE else "503" if fault is Fault.OVERLOADED else "429") in str(error)
    assert sum(entry.fault is fault for entry in gemini.calls) == 3
    assert not gemini.files


@pytest.mark.parametrize("fault", [Fault.UNSURE, Fault.CUT_AFTER, Fault.MALFORMED], ids=lambda fault: fault.name)
def test_an_upload_whose_end_was_never_heard_of_is_removed(
    gemini: GeminiServer, analyser: Gemini, section: Section, fault: Fault
) -> None:
    gemini.fail("upload", fault)
    left: list[str] = []
    section = replace(section, leaving=lambda: left.extend(gemini.files or ["nothing yet"]))

    error = failure(lambda: replace(analyser, attempts=1).analyze(section))

    assert left == ["nothing yet"]  # it was said before
    assert type(error) is UnavailableError
    assert [call.kind for call in gemini.calls] == ["start", "upload", "delete"]
    assert not gemini.files


@pytest.mark.parametrize("fault", [Fault.RETRY_AFTER, Fault.RETRY_INFO], ids=lambda fault: fault.name)
def test_a_busy_service_is_left_alone_for_as_long_as_it_asks(
    gemini: GeminiServer, analyser: Gemini, section: Section, pauses: list[float], fault: Fault
) -> None:
    gemini.polls = 0
    gemini.retry_after, gemini.retry_delay = "17", "17.5s"
    gemini.fail("generate", fault)

    analyser.analyze(section)

    assert len(pauses) == 1
    assert 17 <= pauses[0] <= 17.5 + analyser.pause_s


@pytest.mark.parametrize("fault", [Fault.RETRY_AFTER, Fault.RETRY_INFO], ids=lambda fault: fault.name)
def test_a_service_that_asks_for_too_long_is_not_waited_for(
    gemini: GeminiServer, analyser: Gemini, section: Section, pauses: list[float], fault: Fault
) -> None:
    gemini.polls = 0
    gemini.retry_after, gemini.retry_delay = "3600", "3600s"
    gemini.fail("generate", fault)

    error = failure(lambda: analyser.analyze(section))

    assert type(error) is UnavailableError
    assert "asks to wait 3,600 s" in str(error)
    assert gemini.count("generate") == 1
    assert not pauses
    assert not gemini.files


def test_pauses_grow(gemini: GeminiServer, analyser: Gemini, section: Section, pauses: list[float]) -> None:
    gemini.polls = 0
    gemini.fail("generate", *[Fault.INTERNAL] * 7)

    replace(analyser, attempts=8).analyze(section)

    least = [1, 2, 4, 8, 16, 20, 20]
    assert all(least_s <= pause_s <= least_s + 1 for least_s, pause_s in zip(least, pauses, strict=True))


def test_a_moment_to_wait_for_is_understood() -> None:
    soon = parse_retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))

    assert soon is not None
    assert 0 < soon <= 30
    assert parse_retry_after(format_datetime(datetime.now(UTC) - timedelta(days=1))) == 0
    assert parse_retry_after("12") == 12
    assert {parse_retry_after(text) for text in ("", "soon", "-1", "1.5", "²")} == {None}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault.BLOCKED_PROMPT, "Gemini refuses the section or the prompt: PROHIBITED_CONTENT"),
        (Fault.BLOCKED_ANSWER, "Gemini withholds the answer: SAFETY"),
        (Fault.NEW_REASON, "Gemini withholds the answer: SUNSPOTS"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_is_blocked_is_not_asked_again(
    gemini: GeminiServer, analyser: Gemini, section: Section, fault: Fault, message: str
) -> None:
    gemini.fail("generate", fault)

    error = failure(lambda: analyser.analyze(section))

    assert (type(error), error.message) == (ArtworkError, message)
    assert gemini.count("generate") == 1
    assert not gemini.files


@pytest.mark.parametrize(
    "fault", [Fault.NO_CANDIDATES, Fault.NO_WORDS, Fault.NOT_AS_ASKED], ids=lambda fault: fault.name
)
def test_an_answer_that_is_none_is_asked_for_once_more(
    gemini: GeminiServer, analyser: Gemini, section: Section, fault: Fault
) -> None:
    asking = replace(analyser, json_schema=SCHEMA)
    gemini.fail("generate", fault)

    analysis = asking.analyze(section)

    assert (analysis["answer"]["pages"], analysis["attempts"]) == (2, 2)

    gemini.fail("generate", fault, fault)
    error = failure(lambda: asking.analyze(section))

    assert type(error) is ArtworkError
    assert error.message.startswith("Gemini: an answer ") and error.message.endswith(", 2 times")
    assert gemini.count("generate") == 4
    assert not gemini.files


@pytest.mark.parametrize(
    "text",
    ["NaN", '{"pages": -Infinity}', '{"pages": "\\ud800"}', "[" * 100_000, "[" * 900 + "]" * 900],
    ids=["nan", "inf", "utf-8", "endless", "deep"],
)
def test_an_answer_that_no_json_file_can_hold_is_none(
    gemini: GeminiServer, analyser: Gemini, section: Section, text: str
) -> None:
    gemini.text = text

    error = failure(lambda: replace(analyser, json_schema=SCHEMA).analyze(section))

    assert error.message.startswith(("Gemini: an answer that is not the JSON", "Gemini: an answer that cannot be"))
    assert not gemini.files


def test_an_answer_cut_short_says_so(gemini: GeminiServer, analyser: Gemini, section: Section) -> None:
    gemini.fail("generate", Fault.TRUNCATED)

    analysis = analyser.analyze(section)

    assert (analysis["complete"], analysis["finish_reason"]) == (False, "MAX_TOKENS")
    assert analysis["answer"].startswith("2 pages, SHA-256")


def test_json_cut_short_is_no_answer(gemini: GeminiServer, analyser: Gemini, section: Section) -> None:
    gemini.fail("generate", Fault.TRUNCATED)

    error = failure(lambda: replace(analyser, json_schema=SCHEMA).analyze(section))

    assert (type(error), error.message) == (ArtworkError, "Gemini: the answer is cut short: MAX_TOKENS")
    assert gemini.count("generate") == 1
    assert not gemini.files


def test_a_section_the_service_cannot_read_is_told_with_its_reason(
    gemini: GeminiServer, analyser: Gemini, section: Section
) -> None:
    gemini.unreadable = f"No: {API_KEY}\n\x1b[31m" + "x" * 300
    gemini.fail("start", Fault.UNREADABLE)

    error = failure(lambda: analyser.analyze(section))

    assert type(error) is ArtworkError
    assert error.message.startswith("Gemini cannot read the section: No: *** ?[31mxxx")
    assert error.message.endswith("x…")
    assert not gemini.files


def test_a_section_that_is_never_ready_is_unavailable(
    gemini: GeminiServer, analyser: Gemini, section: Section, pauses: list[float]
) -> None:
    gemini.polls = 1_000_000
    error = failure(lambda: replace(analyser, timeout_s=5.0).analyze(section))

    assert type(error) is UnavailableError
    assert error.message == "Gemini: the section is not ready after 5 s"
    assert pauses[:4] == [1, 2, 4, 5]
    assert not gemini.files


def test_a_file_that_is_not_seen_at_once_is_looked_for_again(
    gemini: GeminiServer, analyser: Gemini, section: Section
) -> None:
    gemini.fail("get", Fault.NOT_SEEN)
    gemini.fail("generate", Fault.NOT_SEEN)

    assert analyser.analyze(section)["attempts"] == 3


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (400, "INVALID_ARGUMENT", "API_KEY_INVALID"),
        (401, "UNAUTHENTICATED", ""),
        (403, "PERMISSION_DENIED", "SERVICE_DISABLED"),
        (403, "PERMISSION_DENIED", ""),
    ],
)
def test_a_key_that_is_refused_is_not_tried_again(
    gemini: GeminiServer, analyser: Gemini, section: Section, status: int, code: str, reason: str
) -> None:
    gemini.refuse("start", status, f"No such key: {API_KEY}.", code, reason)

    error = failure(lambda: analyser.analyze(section))

    assert type(error) is ArtworkError
    assert error.message == f"the service refuses the API key: {status}: No such key: ***."
    assert [call.kind for call in gemini.calls] == ["start"]


def test_a_key_that_loses_its_rights_on_the_way_is_not_tried_again(
    gemini: GeminiServer, analyser: Gemini, section: Section
) -> None:
    gemini.refuse("generate", 403, "Suspended.", "PERMISSION_DENIED", "CONSUMER_SUSPENDED")

    error = failure(lambda: analyser.analyze(section))

    assert error.message == "the service refuses the API key: 403: Suspended."
    assert gemini.count("generate") == 1
    assert not gemini.files


@pytest.mark.parametrize(("status", "code"), [(404, "NOT_FOUND"), (400, "INVALID_ARGUMENT"), (302, "")])
def test_what_the_service_objects_to_is_passed_on(
    gemini: GeminiServer, analyser: Gemini, section: Section, status: int, code: str
) -> None:
    gemini.refuse("generate", status, f"It is too long: {API_KEY} " + "long " * 100, code)

    error = failure(lambda: analyser.analyze(section))

    assert type(error) is ArtworkError
    assert error.message.startswith(f"Gemini: {status}: It is too long: *** long long")
    assert len(error.message) == len(f"Gemini: {status}: ") + 200
    assert gemini.count("generate") == 1
    assert not gemini.files


def test_bytes_that_are_no_document_are_refused_by_the_service(
    gemini: GeminiServer, analyser: Gemini, section: Section
) -> None:
    section.pdf.write_bytes(b"no PDF")

    assert failure(lambda: analyser.analyze(section)).message == "Gemini: 400: The document has no pages."
    assert not gemini.files


def test_a_section_that_fails_and_cannot_be_removed_says_both(
    gemini: GeminiServer, analyser: Gemini, section: Section
) -> None:
    gemini.fail("generate", Fault.BLOCKED_ANSWER)
    gemini.fail("delete", *[Fault.INTERNAL] * 3)

    error = failure(lambda: analyser.analyze(section))

    assert type(error) is ArtworkError
    assert error.message.startswith(
        "Gemini withholds the answer: SAFETY; and files/s-1 could not be removed: Gemini: 5"
    )
    assert list(gemini.files) == ["files/s-1"]

    analyser.forget("s-1")
    assert not gemini.files


def test_an_upload_is_removed_when_the_program_is_told_to_end(
    gemini: GeminiServer, analyser: Gemini, section: Section
) -> None:
    def end(_pause_s: float) -> None:
        raise KeyboardInterrupt

    gemini.polls = 2
    with pytest.raises(KeyboardInterrupt):
        replace(analyser, sleep=end).analyze(section)

    assert (gemini.count("start"), gemini.count("delete")) == (1, 1)
    assert not gemini.files


@pytest.mark.parametrize("missing", [403, 404])
def test_forgetting_what_is_not_there_is_harmless(gemini: GeminiServer, analyser: Gemini, missing: int) -> None:
    gemini.missing = missing
    for number in range(201):
        name = f"files/other-{number}"
        gemini.files[name] = StoredFile(name, "", "application/pdf", 1, "", 1, 0)

    analyser.forget("s-1")

    assert [call.kind for call in gemini.calls] == ["delete", "list", "list", "list"]
    assert len(gemini.files) == 201


def test_a_file_is_not_taken_for_gone_by_a_key_that_may_do_nothing(gemini: GeminiServer, analyser: Gemini) -> None:
    said = "You do not have permission to access the File s-1 or it may not exist."
    for call in ("delete", "list"):
        gemini.refuse(call, 403, said, "PERMISSION_DENIED")

    error = failure(lambda: analyser.forget("s-1"))

    assert type(error) is UnavailableError
    assert error.message == f"the service refuses the API key: 403: {said}"


def test_a_file_is_not_taken_for_gone_with_a_wrong_key(gemini: GeminiServer, analyser: Gemini) -> None:
    error = failure(lambda: replace(analyser, api_key="another-key").forget("s-1"))

    assert type(error) is UnavailableError
    assert error.message.startswith("the service refuses the API key: 400: API key not valid.")


def test_a_file_that_the_service_lists_is_not_gone(gemini: GeminiServer, analyser: Gemini, section: Section) -> None:
    gemini.fail("delete", *[Fault.NOT_SEEN] * 6)
    assert analyser.analyze(section)["left"] == "files/s-1"

    error = failure(lambda: analyser.forget("s-1"))

    assert error.message.endswith("though it is there")
    analyser.forget("s-1")
    assert not gemini.files


def test_a_process_killed_between_upload_and_removal_leaves_what_can_be_forgotten(
    gemini: GeminiServer, analyser: Gemini, section: Section
) -> None:
    gemini.fail("generate", Fault.SILENT)
    asking = replace(analyser, sleep=time.sleep, pause_s=0.01)
    child = multiprocessing.get_context("spawn").Process(target=asking.analyze, args=(section,))
    child.start()
    try:
        until(lambda: gemini.count("generate") == 1)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
    finally:
        child.kill()
        child.join()
        child.close()
    assert list(gemini.files) == ["files/s-1"]

    analyser.forget("s-1")

    assert not gemini.files


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_goes_wrong_every_section_ends_with_its_answer_or_a_reason_and_no_file_is_left(
    gemini: GeminiServer, analyser: Gemini, tmp_path: Path, seed: int
) -> None:
    hasty = replace(analyser, timeout_s=SHORT_S, attempts=4)
    sections = [make_section(tmp_path, 1 + number % 3, f"s-{seed}-{number}") for number in range(20)]
    gemini.fail_at_random(0.3, seed)

    ends: dict[str, Mapping[str, Any] | ArtworkError] = {}
    for section in sections:
        try:
            ends[section.token] = hasty.analyze(section)
        except ArtworkError as error:
            ends[section.token] = error

    until(lambda: gemini.under_way == 0)
    gemini.mend()
    for section in sections:
        end = ends[section.token]
        if isinstance(end, ArtworkError):
            assert end.message
        elif end["complete"]:
            assert _as_stored(section) in end["answer"] or end["answer"] == "Well, let me see:"
        if isinstance(end, ArtworkError) or "left" in end:
            analyser.forget(section.token)
    assert not gemini.files
    assert {type(end) for end in ends.values()} & {dict, ArtworkError, UnavailableError} >= {dict}
    assert {fault for call in gemini.calls if (fault := call.fault)} & set(EFFECTLESS)


def test_random_faults_are_those_of_each_call() -> None:
    assert {call for call, kinds in KINDS.items() if not set(PASSING) <= set(kinds)} == set()
    assert {fault for kinds in KINDS.values() for fault in kinds} == set(Fault)


def test_nothing_is_taken_from_the_environment(
    gemini: GeminiServer,
    analyser: Gemini,
    section: Section,
    monkeypatch: pytest.MonkeyPatch,
    said: Callable[[], str],
) -> None:
    nowhere = "http://127.0.0.1:1"
    for name, value in {
        "GOOGLE_API_KEY": "one-of-another",
        "GEMINI_API_KEY": "two-of-another",
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_GENAI_USE_ENTERPRISE": "true",
        "GOOGLE_GENAI_API_VERSION": "v0",
        "GOOGLE_GEMINI_BASE_URL": nowhere,
        "HTTP_PROXY": nowhere,
        "http_proxy": nowhere,
        "ALL_PROXY": nowhere,
        "NO_PROXY": "",
    }.items():
        monkeypatch.setenv(name, value)

    analyser.analyze(section)

    assert "of-another" not in said()
    assert not [line for line in said().splitlines() if "google_genai" in line or "httpx2" in line]


def test_an_endpoint_below_a_path_is_spoken_to_there(http_server: "HttpServer", analyser: Gemini) -> None:
    http_server.serve("/gate/v1beta/files/s-1", b"{}")

    replace(analyser, endpoint=http_server.url("/gate/", scheme="http")).forget("s-1")

    assert [asked.headers["x-goog-api-key"] for asked in http_server.asked("/gate/v1beta/files/s-1")] == [API_KEY]


def test_a_redirect_is_not_followed_with_the_key(
    http_server: "HttpServer", gemini: GeminiServer, analyser: Gemini
) -> None:
    http_server.redirect("/v1beta/files/s-1", f"{gemini.url}/v1beta/files/s-1")

    error = failure(lambda: replace(analyser, endpoint=http_server.url("", scheme="http")).forget("s-1"))

    assert "302" in error.message
    assert not gemini.calls


def test_a_service_that_cannot_prove_who_it_is_is_told_nothing(http_server: "HttpServer", analyser: Gemini) -> None:
    error = failure(lambda: replace(analyser, endpoint=http_server.url("")).forget("s-1"))

    assert "the certificate of localhost is not to be trusted" in error.message
    assert not http_server.requests


def test_an_answer_without_end_is_given_up(
    http_server: "HttpServer", analyser: Gemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geminiwire, "LONGEST_ANSWER_BYTES", 1_000_000)
    http_server.serve("/v1beta/files/s-1", b"x" * 100_000, until_close=True, endless=True)

    error = failure(lambda: replace(analyser, endpoint=http_server.url("", scheme="http")).forget("s-1"))

    assert error.message == "Gemini: an answer of more than 1,000,000 bytes"


def test_nobody_at_the_endpoint_is_unavailable(analyser: Gemini, section: Section, pauses: list[float]) -> None:
    left: list[str] = []
    section = replace(section, leaving=lambda: left.append("an upload"))
    error = failure(lambda: replace(analyser, endpoint="http://127.0.0.1:1").analyze(section))

    assert not left
    assert type(error) is UnavailableError
    assert error.message == "Gemini: no connection: Connection refused"
    assert len(pauses) == 2


def test_the_analyser_is_a_value_that_can_be_sent_and_shows_no_key() -> None:
    analyser: Analyzer = Gemini("m", API_KEY, "What?", json_schema=SCHEMA)

    assert pickle.loads(pickle.dumps(analyser)) == analyser
    assert analyser.leaves_traces
    assert API_KEY not in repr(analyser)


def test_settings_are_taken_over() -> None:
    settings = GeminiAnalyzer(
        kind="gemini",
        model="m",
        api_key=API_KEY,
        prompt="What?",
        json_schema=dict(SCHEMA),
        endpoint="https://gate.shop.lan/gemini",
        timeout_s=7,
        attempts=2,
        temperature=0,
        max_output_tokens=5,
    )

    assert Gemini.from_settings(settings) == Gemini(
        "m", API_KEY, "What?", SCHEMA, "https://gate.shop.lan/gemini", 7, 2, 0, 5
    )


@pytest.mark.parametrize(
    "endpoint", ["gate", "ftp://gate", "s3://gate/x", "http://", "https://a:b@gate", "https://g/?q"]
)
def test_an_endpoint_that_is_none_is_a_mistake_in_the_settings(endpoint: str) -> None:
    settings = GeminiAnalyzer(kind="gemini", model="m", api_key=API_KEY, endpoint=endpoint)

    with pytest.raises(ConfigurationError, match=r"analyzer\.endpoint"):
        Gemini.from_settings(settings)


@pytest.mark.parametrize("key", ["two words", "schlüssel", "line\nbreak"])
def test_a_key_that_is_none_is_a_mistake_in_the_settings(key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"analyzer\.api_key") as raised:
        Gemini.from_settings(GeminiAnalyzer(kind="gemini", model="m", api_key=key))

    assert key not in str(raised.value)


def test_without_the_sdk_it_is_told_what_to_install(
    analyser: Gemini, section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("pipeline.sections.gemini")]:
        if name != "pipeline.sections.gemini":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "google.genai", None)

    for work in (
        lambda: Gemini.from_settings(GeminiAnalyzer(kind="gemini", model="m", api_key=API_KEY)),
        lambda: analyser.analyze(section),
        lambda: analyser.forget("s-1"),
    ):
        with pytest.raises(ConfigurationError, match=r"tilepress\[gemini\]"):
            work()
