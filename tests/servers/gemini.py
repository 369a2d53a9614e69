"""A local Gemini service for tests: files and questions by the REST protocol of v1beta, over real connections.

It answers from the bytes that were uploaded, so that a test can tell that the right section was answered: how many
pages, and their SHA-256. It fails as it is told to, or at random, in every way that the real one is known to.
"""

import hashlib
import io
import json
import random
import re
import select
import socket
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pikepdf
import pytest

API_KEY = "AIzaSyLocalTestKey-0123456789abcdefghij"
TRICKLE_S = 0.05  # between two bytes
CLIENT_S = 30.0  # a client that says nothing for so long is given up
_VERSIONED = re.compile(r"(?P<upload>/upload)?/v1beta/(?P<rest>.+)")
_FILE_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


class Fault(Enum):
    """What may go wrong with a call; `EFFECTLESS` happen instead of what was asked for, the others after it."""

    RETRY_AFTER = "429 with a Retry-After header"
    RETRY_INFO = "429 with google.rpc.RetryInfo"
    INTERNAL = "500"
    BAD_GATEWAY = "502, in HTML"
    OVERLOADED = "503"
    LATE = "504"
    SILENT = "no answer until the client gives up"
    CUT_BEFORE = "the connection is cut while the request is read"
    NOT_SEEN = "403, as if the file were not there"
    FORGOTTEN = "done, and no answer until the client gives up"
    TRICKLE = "done, and answered byte by byte"
    UNSURE = "done, and answered with 503"
    CUT_AFTER = "done, and the connection is cut"
    CUT_MIDDLE = "done, and the connection is cut within the answer"
    MALFORMED = "done, and the answer is no JSON"
    UNFIT = "done, and the answer is JSON of another form"
    UNREADABLE = "the file cannot be processed"
    BLOCKED_PROMPT = "promptFeedback.blockReason"
    BLOCKED_ANSWER = "finishReason SAFETY"
    NO_CANDIDATES = "an answer without candidates"
    NO_WORDS = "a candidate without text"
    TRUNCATED = "finishReason MAX_TOKENS"
    NOT_AS_ASKED = "text that is no JSON"
    NEW_REASON = "a finishReason that no SDK knows"


ANSWERS = (
    *(Fault.BLOCKED_PROMPT, Fault.BLOCKED_ANSWER, Fault.NO_CANDIDATES, Fault.NO_WORDS, Fault.TRUNCATED),
    *(Fault.NOT_AS_ASKED, Fault.NEW_REASON),
)
EFFECTLESS = (
    *(Fault.RETRY_AFTER, Fault.RETRY_INFO, Fault.INTERNAL, Fault.BAD_GATEWAY, Fault.OVERLOADED, Fault.LATE),
    *(Fault.SILENT, Fault.CUT_BEFORE),
)
AFTERWARDS = (
    *(Fault.FORGOTTEN, Fault.TRICKLE, Fault.UNSURE, Fault.CUT_AFTER, Fault.CUT_MIDDLE, Fault.MALFORMED, Fault.UNFIT),
)
PASSING = EFFECTLESS + AFTERWARDS
CALLS = ("start", "upload", "query", "get", "list", "delete", "generate")
KINDS: Mapping[str, tuple[Fault, ...]] = {  # what may go wrong with each call at random
    **dict.fromkeys(CALLS, PASSING),
    "start": (*PASSING, Fault.UNREADABLE),
    "get": (*PASSING, Fault.NOT_SEEN),
    "generate": (*PASSING, *ANSWERS, Fault.NOT_SEEN),
}


@dataclass(frozen=True)
class Call:
    """A request as it came in: which of `CALLS`, the file or model it is about, and what went wrong on purpose."""

    kind: str
    about: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    fault: Fault | None


@dataclass
class StoredFile:
    """An upload that is complete. `polls` is how often it will still be found in processing."""

    name: str
    title: str
    mime: str
    size: int
    sha256: str
    pages: int
    polls: int
    reason: str = ""  # why it cannot be processed

    def resource(self, url: str) -> dict[str, Any]:
        """Return the file as the service describes it."""
        state = "PROCESSING" if self.polls > 0 else "FAILED" if self.reason else "ACTIVE"
        said = {
            "name": self.name,
            "displayName": self.title,
            "mimeType": self.mime,
            "sizeBytes": str(self.size),
            "sha256Hash": self.sha256,
            "uri": f"{url}/v1beta/{self.name}",
            "state": state,
        }
        return said | ({"error": {"code": 3, "message": self.reason}} if state == "FAILED" else {})


@dataclass
class _Upload:
    """An upload in progress."""

    name: str
    title: str
    mime: str
    size: int
    is_readable: bool
    content: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class GeminiServer:
    """The service; a context manager, at work in between. `files` are those it holds, by name; `calls` in order.

    `polls` is how often a new file is found in processing; `missing` is the status for a file that is not there.
    """

    def __init__(self, *, polls: int = 1, missing: int = 403, api_key: str = API_KEY) -> None:
        self.files: dict[str, StoredFile] = {}
        self.calls: list[Call] = []
        self.errors: list[BaseException] = []  # of the server itself: none, if a test is to count
        self.api_key = api_key
        self.polls, self.missing = polls, missing
        self.retry_after = "1"  # of RETRY_AFTER
        self.retry_delay = "1s"  # of RETRY_INFO
        self.refusals: dict[str, tuple[int, dict[str, Any]]] = {}  # by call: what is answered, always
        self.text: str | None = None  # what is answered, in place of what was found
        self.unreadable = "The document cannot be read."
        self.stopping = threading.Event()
        self.under_way = 0  # requests that have come in, and are not answered yet
        self._faults: defaultdict[str, deque[Fault | None]] = defaultdict(deque)
        self._share, self._random, self._kinds = 0.0, random.Random(0), dict(KINDS)
        self._uploads: dict[str, _Upload] = {}
        self._lock = threading.RLock()
        self._server = _Listener(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail(self, call: str, *faults: Fault | None) -> None:
        """Let the next calls of a kind go wrong, one fault each; None is for one that does not."""
        if call not in CALLS:
            raise ValueError(f"there is no call {call}")
        with self._lock:
            self._faults[call].extend(faults)

    def fail_at_random(self, share: float, seed: int, kinds: Mapping[str, tuple[Fault, ...]] = KINDS) -> None:
        """Let this share of all calls go wrong from now on, each in one of the ways that `kinds` has for it."""
        with self._lock:
            self._share, self._random, self._kinds = share, random.Random(seed), dict(kinds)

    def refuse(self, call: str, status: int, said: str, code: str = "INVALID_ARGUMENT", reason: str = "") -> None:
        """Answer a kind of call with an error from now on; `reason` is that of an ErrorInfo."""
        self.refusals[call] = (status, error_body(status, said, code, reason))

    def mend(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._faults.clear()
            self.refusals.clear()
            self._share = 0.0

    def count(self, call: str) -> int:
        """Return how often a kind of call came in."""
        return Counter(entry.kind for entry in self.calls)[call]

    def note(self, change: int) -> None:
        """Count a request that has come in, or is answered."""
        with self._lock:
            self.under_way += change

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.disconnect()
        self._server.server_close()

    def next_fault(self, call: str) -> Fault | None:
        """Return what is to go wrong with a call that has come in."""
        with self._lock:
            if self._faults[call]:
                return self._faults[call].popleft()
            if self._random.random() < self._share:
                return self._random.choice(self._kinds[call])
            return None

    def answer(self, call: Call) -> _Answer:
        """Do what a call asks for, and return the answer as it would be if nothing went wrong."""
        with self._lock:
            if call.kind in self.refusals:
                status, body = self.refusals[call.kind]
                return _json(status, body)
            refused = self._check_key(call)
            if refused is not None:
                return refused
            todo: Mapping[str, Callable[[Call], _Answer]] = {
                "start": self._start,
                "upload": self._receive,
                "query": self._query,
                "get": self._get,
                "list": self._list,
                "delete": self._delete,
                "generate": self._generate,
            }
            return todo[call.kind](call)

    def _check_key(self, call: Call) -> _Answer | None:
        if call.kind in {"upload", "query"}:  # the URL says who may
            return None
        key = call.headers.get("x-goog-api-key")
        if key is None:
            said = "Method doesn't allow unregistered callers (callers without established identity)."
            return _refusal(HTTPStatus.FORBIDDEN, said, "PERMISSION_DENIED")
        if key != self.api_key:
            said = "API key not valid. Please pass a valid API key."
            return _refusal(HTTPStatus.BAD_REQUEST, said, "INVALID_ARGUMENT", "API_KEY_INVALID")
        return None

    def _start(self, call: Call) -> _Answer:
        said = _camel_case(json.loads(call.body)).get("file", {})
        name = said.get("name") or f"files/{len(self._uploads):012}"
        if call.headers.get("x-goog-upload-protocol") != "resumable" or not _FILE_ID.fullmatch(name[6:]):
            return _refusal(HTTPStatus.BAD_REQUEST, "The upload is not as it should be.")
        if name in self.files:
            return _refusal(HTTPStatus.CONFLICT, "Requested entity already exists", "ALREADY_EXISTS")
        token = f"upload-{len(self._uploads)}"
        self._uploads[token] = _Upload(
            name,
            said.get("displayName", ""),
            call.headers["x-goog-upload-header-content-type"],
            int(call.headers["x-goog-upload-header-content-length"]),
            call.fault is not Fault.UNREADABLE,
        )
        url = f"{self.url}/upload/v1beta/files?upload_id={token}&upload_protocol=resumable"
        return _Answer(
            HTTPStatus.OK,
            b"",
            {"X-Goog-Upload-Status": "active", "X-Goog-Upload-URL": url, "X-Goog-Upload-Chunk-Granularity": "262144"},
        )

    def _receive(self, call: Call) -> _Answer:
        upload = self._uploads[call.about]
        if int(call.headers["x-goog-upload-offset"]) != len(upload.content):
            return _refusal(HTTPStatus.BAD_REQUEST, "The offset is not where the upload is.")
        upload.content += call.body
        if "finalize" not in call.headers["x-goog-upload-command"]:
            return _Answer(HTTPStatus.OK, b"", {"X-Goog-Upload-Status": "active"})
        if len(upload.content) != upload.size:
            return _refusal(HTTPStatus.BAD_REQUEST, "The upload is not as long as it should be.")
        if upload.name in self.files:
            return _refusal(HTTPStatus.CONFLICT, "Requested entity already exists", "ALREADY_EXISTS")
        content = bytes(upload.content)
        upload.content.clear()
        file = StoredFile(
            upload.name,
            upload.title,
            upload.mime,
            len(content),
            hashlib.sha256(content).hexdigest(),
            _pages_of(content),
            self.polls,
            "" if upload.is_readable else self.unreadable,
        )
        self.files[file.name] = file
        return _json(HTTPStatus.OK, {"file": file.resource(self.url)}, {"X-Goog-Upload-Status": "final"})

    def _query(self, call: Call) -> _Answer:
        received = str(len(self._uploads[call.about].content))
        return _Answer(HTTPStatus.OK, b"", {"X-Goog-Upload-Status": "active", "X-Goog-Upload-Size-Received": received})

    def _get(self, call: Call) -> _Answer:
        file = self.files.get(call.about)
        if file is None or call.fault is Fault.NOT_SEEN:
            return self._absent(call.about)
        file.polls -= 1
        return _json(HTTPStatus.OK, file.resource(self.url))

    def _list(self, call: Call) -> _Answer:
        asked = parse_qs(urlsplit(call.path).query)
        size, begin = int(asked.get("pageSize", ["10"])[0]), int(asked.get("pageToken", ["0"])[0])
        files = [file.resource(self.url) for file in list(self.files.values())[begin : begin + size]]
        more = {"nextPageToken": str(begin + size)} if begin + size < len(self.files) else {}
        return _json(HTTPStatus.OK, ({"files": files} if files else {}) | more)

    def _delete(self, call: Call) -> _Answer:
        if call.fault is Fault.NOT_SEEN or self.files.pop(call.about, None) is None:
            return self._absent(call.about)
        return _json(HTTPStatus.OK, {})

    def _absent(self, name: str) -> _Answer:
        """Answer as the service does: it does not tell what is not there from what is somebody else's."""
        if self.missing == HTTPStatus.NOT_FOUND:
            return _refusal(HTTPStatus.NOT_FOUND, f"File {name[6:]} not found.", "NOT_FOUND")
        said = f"You do not have permission to access the File {name[6:]} or it may not exist."
        return _refusal(self.missing, said, "PERMISSION_DENIED")

    def _generate(self, call: Call) -> _Answer:
        asked = _camel_case(json.loads(call.body))
        parts = [part for content in asked["contents"] for part in content["parts"]]
        name = next(part["fileData"]["fileUri"] for part in parts if "fileData" in part).rpartition("/v1beta/")[2]
        prompt = next(part["text"] for part in parts if "text" in part)
        file = self.files.get(name)
        if file is None or call.fault is Fault.NOT_SEEN:
            return self._absent(name)
        if file.polls > 0 or file.reason:
            state = file.resource(self.url)["state"]
            said = f"The File {name[6:]} is not in an ACTIVE state and usage is not allowed. State: {state}."
            return _refusal(HTTPStatus.BAD_REQUEST, said, "FAILED_PRECONDITION")
        if not file.pages:
            return _refusal(HTTPStatus.BAD_REQUEST, "The document has no pages.")
        wants_json = "responseJsonSchema" in asked.get("generationConfig", {})
        return _json(HTTPStatus.OK, _generated(file, prompt, wants_json, call.fault, self.text))


def _generated(
    file: StoredFile, prompt: str, wants_json: bool, fault: Fault | None, instead: str | None
) -> dict[str, Any]:
    """Return a model's answer about a file, or what it answers instead."""
    content = {"pages": file.pages, "sha256": file.sha256, "prompt": prompt, "title": file.title}
    text = json.dumps(content) if wants_json else f"{file.pages} pages, SHA-256 {file.sha256}: {prompt}"
    text = text if instead is None else instead
    usage = {"promptTokenCount": 258 * file.pages, "candidatesTokenCount": len(text.split())}
    usage["totalTokenCount"] = sum(usage.values())
    if fault is Fault.BLOCKED_PROMPT:
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage}
    if fault is Fault.NO_CANDIDATES:
        return {"usageMetadata": usage}
    if fault is Fault.BLOCKED_ANSWER:
        return {"candidates": [{"finishReason": "SAFETY", "index": 0}], "usageMetadata": usage}
    if fault is Fault.NO_WORDS:
        return {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}], "usageMetadata": usage}
    text = "Well, let me see:" if fault is Fault.NOT_AS_ASKED else text
    text = text[: len(text) // 2] if fault is Fault.TRUNCATED else text
    reason = {Fault.TRUNCATED: "MAX_TOKENS", Fault.NEW_REASON: "SUNSPOTS"}.get(fault or Fault.SILENT, "STOP")
    parts = [{"text": "a thought", "thought": True}, {"text": text[:5]}, {"text": text[5:]}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": reason, "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage}


def error_body(status: int, said: str, code: str, reason: str = "") -> dict[str, Any]:
    """Return an error as Google's services write it."""
    error: dict[str, Any] = {"code": status, "message": said, "status": code}
    if reason:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": kind, "reason": reason, "domain": "googleapis.com"}]
    return {"error": error}


def _refusal(status: int, said: str, code: str = "INVALID_ARGUMENT", reason: str = "") -> _Answer:
    return _json(status, error_body(status, said, code, reason))


def _json(status: int, body: object, headers: Mapping[str, str] | None = None) -> _Answer:
    kind = {"Content-Type": "application/json; charset=UTF-8"}
    return _Answer(status, json.dumps(body).encode(), kind | dict(headers or {}))


def _camel_case(value: Any) -> Any:
    """Return a request with its keys as they are documented: protocol buffers' own spelling is as good."""
    if isinstance(value, list):
        return [_camel_case(inner) for inner in value]
    if isinstance(value, dict):
        return {re.sub("_(.)", lambda found: found[1].upper(), key): _camel_case(value[key]) for key in value}
    return value


def _pages_of(content: bytes) -> int:
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            return len(pdf.pages)
    except pikepdf.PdfError:
        return 0


class _Listener(ThreadingHTTPServer):
    """The sockets under a GeminiServer."""

    daemon_threads = False  # so that `server_close` waits for them
    request_queue_size = 256

    def __init__(self, service: GeminiServer) -> None:
        self.service = service
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def disconnect(self) -> None:
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do not print it: connections end as they like, and the test is to be told of anything else."""


class _Handler(BaseHTTPRequestHandler):
    """One connection's requests."""

    protocol_version = "HTTP/1.1"
    timeout = CLIENT_S
    server: _Listener

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError) as error:  # the client has gone; ValueError: in the middle of writing
            if not isinstance(error, OSError) and not self.wfile.closed:
                self.server.service.errors.append(error)
        except Exception as error:
            self.server.service.errors.append(error)

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def _serve(self) -> None:
        service = self.server.service
        service.note(1)
        try:
            self._answer(service)
        finally:
            service.note(-1)

    def _answer(self, service: GeminiServer) -> None:
        kind, about = self._kind()
        if not kind:
            self._send(_refusal(HTTPStatus.NOT_FOUND, "Not found.", "NOT_FOUND"))
            return
        fault = service.next_fault(kind)
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length // 2 if fault is Fault.CUT_BEFORE else length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(kind, about, self.path, headers, body, fault)
        service.calls.append(call)
        if fault in EFFECTLESS:
            self._fail(fault)
        else:
            self._send_badly(service.answer(call), fault)

    def _kind(self) -> tuple[str, str]:
        """Return which call a request is, and what it is about; two empty texts if it is none."""
        split = urlsplit(self.path)
        found = _VERSIONED.fullmatch(split.path)
        rest = found["rest"] if found else ""
        if found and found["upload"] and rest == "files":
            command = self.headers.get("X-Goog-Upload-Command", "")
            if command == "start":
                return "start", ""
            return ("query" if command == "query" else "upload"), parse_qs(split.query)["upload_id"][0]
        if rest == "files" and self.command == "GET":
            return "list", ""
        if rest.startswith("files/"):
            return {"GET": "get", "DELETE": "delete"}.get(self.command, ""), rest
        if rest.endswith(":generateContent"):
            return "generate", rest.removeprefix("models/").removesuffix(":generateContent")
        return "", ""

    def _fail(self, fault: Fault | None) -> None:
        service = self.server.service
        said, code = "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED"
        if fault is Fault.SILENT:
            self._wait_for_client()
        elif fault is Fault.CUT_BEFORE:
            self._cut()
        elif fault is Fault.RETRY_AFTER:
            refusal = _refusal(HTTPStatus.TOO_MANY_REQUESTS, said, code)
            self._send(_Answer(refusal.status, refusal.body, {"Retry-After": service.retry_after}))
        elif fault is Fault.RETRY_INFO:
            body = error_body(HTTPStatus.TOO_MANY_REQUESTS, said, code, "RATE_LIMIT_EXCEEDED")
            delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": service.retry_delay}
            body["error"]["details"].append(delay)
            self._send(_json(HTTPStatus.TOO_MANY_REQUESTS, body))
        elif fault is Fault.BAD_GATEWAY:
            self._send(_Answer(HTTPStatus.BAD_GATEWAY, b"<html><h1>Bad\nGateway</h1></html>"))
        elif fault is Fault.OVERLOADED:
            said = "The model is overloaded. Please try again later."
            self._send(_refusal(HTTPStatus.SERVICE_UNAVAILABLE, said, "UNAVAILABLE"))
        elif fault is Fault.LATE:
            self._send(_refusal(HTTPStatus.GATEWAY_TIMEOUT, "Deadline expired.", "DEADLINE_EXCEEDED"))
        else:
            said = "An internal error has occurred."
            self._send(_refusal(HTTPStatus.INTERNAL_SERVER_ERROR, said, "INTERNAL"))

    def _send_badly(self, answer: _Answer, fault: Fault | None) -> None:
        if fault is Fault.FORGOTTEN:
            self._wait_for_client()
        elif fault is Fault.CUT_AFTER:
            self._cut()
        elif fault is Fault.UNSURE:
            self._fail(Fault.OVERLOADED)
        elif fault is Fault.CUT_MIDDLE:
            whole = self._bytes(answer)
            self.wfile.write(whole[: len(whole) * 2 // 3])
            self._cut()
        elif fault is Fault.TRICKLE:
            for byte in self._bytes(answer):
                self.wfile.write(bytes([byte]))
                if self._waited(TRICKLE_S):
                    break
            self.close_connection = True
        elif fault in {Fault.MALFORMED, Fault.UNFIT}:
            body = b'{"file": {"name": ' if fault is Fault.MALFORMED else b'["none", 7]'
            self._send(_Answer(HTTPStatus.OK, body, answer.headers if answer.body else {}))
        else:
            self._send(answer)

    def _send(self, answer: _Answer) -> None:
        self.wfile.write(self._bytes(answer))

    @staticmethod
    def _bytes(answer: _Answer) -> bytes:
        fields = {**answer.headers, "Content-Length": str(len(answer.body))}
        lines = [f"HTTP/1.1 {int(answer.status)} Whatever", *(f"{name}: {fields[name]}" for name in fields)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body

    def _wait_for_client(self) -> None:
        while not self._waited(0.1):
            pass
        self.close_connection = True

    def _waited(self, seconds: float) -> bool:
        """Wait; return whether the client has gone, or the server is to."""
        return bool(select.select([self.connection], [], [], seconds)[0]) or self.server.service.stopping.is_set()

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def gemini() -> Iterator[GeminiServer]:
    """A service on a free port, with no files; nothing goes wrong yet."""
    with GeminiServer() as server:
        yield server
    assert not server.errors
