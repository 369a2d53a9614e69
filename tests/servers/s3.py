"""A real S3 server for tests, which can be told to misbehave.

moto serves from a child process, one for each worker; each test has a bucket of its own, and a proxy in front of it
that passes requests on as well as `faults` allow, which may be changed meanwhile. Clients may be in any process.
"""

import re
import select
import subprocess
import sys
import threading
import time
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from pipeline.storage.address import Address
from pipeline.storage.contracts import S3Access
from tests.servers.ports import KeptPort

ACCESS_KEY = "AKIACANARYACCESSKEY1"
SECRET_KEY = "canary-s3-secret/key+0123456789abcdefghi"
REGION = "us-east-1"
SLOWLY_S = 0.05
_BLOCK = 64 * 1024
_MOTO = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@dataclass
class Faults:
    """What goes wrong. Counts are of bytes of contents since the last `heal`."""

    cut_after_written: int | None = None  # then connections are gone in the middle of a request
    cut_after_read: int | None = None
    full_after: int | None = None
    hang: bool = False  # requests are never answered
    hang_after_written: int | None = None
    slow_after_written: int | None = None  # then each block takes a while
    corrupt: bool = False  # one bit of each content that is read is lost
    corrupt_uploads: bool = False  # one bit of each content that is written is lost
    status: int = 0  # this is answered to requests that match `of`
    code: str = "InternalError"
    of: str = ""  # a regular expression for "METHOD path?query"
    unconditional: bool = False  # If-None-Match is not implemented


@dataclass(frozen=True)
class Request:
    """A request that came: e.g. "PUT", "/bucket/key", its query and If-None-Match."""

    method: str
    path: str
    query: dict[str, list[str]]
    condition: str


class S3Server:
    """The server, with a bucket."""

    def __init__(self, moto: "Moto") -> None:
        self.moto_port, self._client = moto.port, moto.client
        self.bucket = f"shop-{uuid.uuid4().hex[:12]}"
        self.faults = Faults()
        self.written = self.read = 0
        self.requests: list[Request] = []
        self.proofs: list[str] = []  # Content-MD5 of contents that came
        self.before: Callable[[Request], None] = lambda request: None  # a test's hook
        self._client.create_bucket(Bucket=self.bucket)
        self.port = 0
        self._proxy: _Proxy | None = None
        self._kept = KeptPort()
        self.accept()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def access(self) -> S3Access:
        """How a client that has `environment` gets in."""
        return S3Access(endpoint=self.endpoint, region=REGION)

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to be told."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "NO_PROXY": "127.0.0.1",
        }

    def address(self, key: str = "") -> Address:
        return Address("s3", self.bucket, 0, f"/{key}")

    def url(self, key: str = "") -> str:
        return str(self.address(key))

    def put(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        content: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def keys(self) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))

    def uploads(self) -> list[str]:
        """Return the keys of multipart uploads that are neither completed nor aborted."""
        found = self._client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return sorted(upload["Key"] for upload in found)

    def begin_upload(self, key: str) -> None:
        """Leave a multipart upload as a killed delivery does."""
        upload = self._client.create_multipart_upload(Bucket=self.bucket, Key=key)["UploadId"]
        self._client.upload_part(Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"half")

    def count(self, method: str, query: str = "") -> int:
        """Return how many requests of a method, and with a word in the query, have come."""
        return sum(request.method == method and (not query or query in request.query) for request in self.requests)

    def heal(self) -> None:
        """Misbehave no more."""
        self.faults = Faults()
        self.written = self.read = 0

    def refuse(self) -> None:
        """Listen no more."""
        if self._proxy is not None:
            self._proxy.stop()
            self._proxy = None
            self._kept.keep(self.port)

    def accept(self) -> None:
        """Listen again, at the port of before."""
        self._proxy = _Proxy(self)
        self._kept.release()
        self.port = self._proxy.server_address[1]

    def stop(self) -> None:
        self.faults = Faults()
        self.refuse()
        self._kept.release()


class _Proxy(ThreadingHTTPServer):
    """Passes requests on to moto."""

    daemon_threads = False  # so that closing waits for them
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, server: S3Server) -> None:
        self.s3 = server
        self.stopping = False
        super().__init__(("127.0.0.1", server.port), _Passing)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name="s3 proxy", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stopping = True
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away, and connections that are cut, are what tests are about."""


class _Passing(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    server: _Proxy

    def setup(self) -> None:
        super().setup()
        self._behind = HTTPConnection("127.0.0.1", self.server.s3.moto_port)

    def finish(self) -> None:
        self._behind.close()
        super().finish()

    def handle_one_request(self) -> None:
        while not select.select([self.connection], [], [], 0.02)[0]:
            if self.server.stopping:
                self.close_connection = True
                return
        super().handle_one_request()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def handle_expect_100(self) -> bool:
        return not self._hung() and super().handle_expect_100()

    def _pass_on(self) -> None:
        server, place = self.server.s3, urlsplit(self.path)
        query = parse_qs(place.query, keep_blank_values=True)
        request = Request(self.command, unquote(place.path), query, self.headers.get("If-None-Match", ""))
        server.requests.append(request)
        server.before(request)
        if self._hung():
            return
        body = self._take_body()
        if body is None:
            return
        refusal = self._refusal(request)
        if refusal is not None:
            self._answer(*refusal)
            return
        if "Content-MD5" in self.headers:
            server.proofs.append(b64decode(self.headers["Content-MD5"]).hex())
        headers = {key: value for key, value in self.headers.items() if key.lower() != "expect"}
        self._behind.request(self.command, self.path, body, headers)
        self._give(self._behind.getresponse())

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815 - http.server's names

    def _hung(self) -> bool:
        """Return at once; of a server that hangs, wait till it is healed; nothing is to be done even then."""
        hung = False
        while self._hangs() and not self.server.stopping:
            hung = True
            time.sleep(0.01)
        self.close_connection |= hung
        return hung

    def _hangs(self) -> bool:
        server = self.server.s3
        after = server.faults.hang_after_written
        return server.faults.hang or (after is not None and server.written > after and self.command == "PUT")

    def _take_body(self) -> bytes | None:
        """Return the request's content; None if the server came to hang over it."""
        left, blocks = int(self.headers.get("Content-Length", 0)), []
        is_content = self.command == "PUT"
        while left:
            block = self.rfile.read(min(left, _BLOCK))
            if not block:
                raise ConnectionError("the client went away")
            left -= len(block)
            if is_content:
                self.server.s3.written += len(block)
                self._cut(self.server.s3.faults.cut_after_written, self.server.s3.written)
                if self._hung():
                    return None
                slow_after = self.server.s3.faults.slow_after_written
                if slow_after is not None and self.server.s3.written > slow_after and not self.server.stopping:
                    time.sleep(SLOWLY_S)
            blocks.append(block)
        body = b"".join(blocks)
        return _damaged(body) if is_content and self.server.s3.faults.corrupt_uploads else body

    def _refusal(self, request: Request) -> tuple[int, str] | None:
        faults = self.server.s3.faults
        is_full = faults.full_after is not None and self.server.s3.written > faults.full_after
        if is_full and request.method in {"PUT", "POST"}:
            return 507, "XMinioStorageFull"
        if faults.unconditional and request.condition == "*":
            return 501, "NotImplemented"
        if faults.status and re.search(faults.of, f"{self.command} {self.path}"):
            return faults.status, faults.code
        return None

    def _answer(self, status: int, code: str) -> None:
        """Answer with an error as S3 writes it, and says more than should be repeated."""
        text = f"<Error><Code>{code}</Code><Message>canary-message</Message><Key>{ACCESS_KEY}</Key></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _give(self, response: HTTPResponse) -> None:
        self.send_response_only(response.status, response.reason)
        for key, value in response.getheaders():
            if key.lower() not in {"connection", "transfer-encoding"}:
                self.send_header(key, value)
        faults = self.server.s3.faults
        is_content = self.command == "GET" and response.status in {200, 206} and "?" not in self.path
        if not is_content:
            body = response.read()
            if "Content-Length" not in response.headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.end_headers()
        while block := response.read(_BLOCK):
            self.server.s3.read += len(block)
            self._cut(faults.cut_after_read, self.server.s3.read)
            self.wfile.write(_damaged(block) if faults.corrupt else block)

    def _cut(self, after: int | None, count: int) -> None:
        if after is not None and count > after:
            self.close_connection = True
            raise ConnectionError("cut off")


def _damaged(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:] if content else content


@dataclass(frozen=True)
class Moto:
    """The worker's moto, and a client that speaks to it directly."""

    port: int
    client: Any  # boto3 has no types


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """The worker's moto; the process ends when its input does."""
    import boto3  # type: ignore[import-untyped] # noqa: PLC0415 - few workers need it
    from botocore.config import Config  # type: ignore[import-untyped] # noqa: PLC0415 - as above

    process = subprocess.Popen(
        [sys.executable, "-c", _MOTO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
            config=Config(proxies={}),
        )
        yield Moto(port, client)
        client.close()
        process.kill()


@pytest.fixture
def s3_server(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server whose `environment`, but for the endpoint, is the test's own too."""
    server = S3Server(moto)
    for name, value in server.environment.items():
        if name != "AWS_ENDPOINT_URL":
            monkeypatch.setenv(name, value)
    yield server
    server.stop()
