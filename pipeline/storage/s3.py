"""Storage in S3, and what speaks like it: artwork is fetched from buckets, finished files are delivered to them.

s3fs finds credentials and makes the client; requests are made of the client itself, as s3fs would drop conditions it
does not know and repeat what failed. A delivery is a multipart upload, which nobody sees before it is completed, and
is completed only if all of it was right and no object has its key. Then it is read back.
"""

import asyncio
import base64
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import s3fs  # type: ignore[import-untyped]
from botocore import exceptions as boto  # type: ignore[import-untyped]
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

from config.errors import ArtworkError, ConfigurationError, StorageError, TilepressError, TransientError
from pipeline.storage.address import Address
from pipeline.storage.contracts import Patience, S3Access, Version
from pipeline.storage.remote import (
    AGAIN,
    FAREWELL_S,
    Arriving,
    Background,
    Leaving,
    RemoteShelf,
    corrupted,
    cut_short,
    deadline,
    in_a_row,
    never_overwritten,
    no_room,
    plain,
)

_MIB = 1024 * 1024
PART_BYTES = 8 * _MIB
_MAX_PARTS = 10_000
_PARTS_AT_ONCE = 3
_BLOCK = _MIB  # bytes read at once
_MAX_CONNECTIONS = 32

_SPEECHLESS = (boto.HTTPClientError, boto.ConnectionError, boto.ResponseStreamingError, aiohttp.ClientError, OSError)
_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.TokenRetrievalError,
)
_BAD_CREDENTIALS = {
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
_PASSING = {  # besides 429 and 5xx
    "BadDigest",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "OperationAborted",
    "RequestTimeout",
    "SlowDown",
    "XAmzContentSHA256Mismatch",
}


class S3Source:
    """Artwork in buckets."""

    def __init__(self, access: S3Access, patience: Patience) -> None:
        """Name the service; nothing is connected yet."""
        self._background = Background("s3")
        self._service = _Service(access, patience)

    def fetch(self, address: Address, target: Path, max_bytes: int, known: Version | None) -> Version | None:
        """Stream an object to `target` and return its version; None if it is still the `known` one."""
        return self._background.run(self._service.download(address, target, max_bytes, known))

    def close(self) -> None:
        """Let go of connections."""
        self._background.close(self._service.close)


class S3Shelf(RemoteShelf):
    """A prefix of keys in a bucket under which finished files are delivered."""

    def __init__(self, address: Address, access: S3Access, patience: Patience) -> None:
        """Name the bucket and the prefix; nothing is connected yet."""
        self._server = _Service(access, patience)
        super().__init__(address, self._server, Background("s3"))

    def put(self, source: Path, name: str, sha256: str) -> None:
        """Deliver a file: uploaded in parts, held against `sha256`, completed, and read back."""
        self._background.run(self._server.deliver(Leaving(source, sha256), self._address.below(name), sha256))

    def sweep(self, names: tuple[str, ...]) -> None:
        """Abort the multipart uploads that killed deliveries of these names left."""
        self._background.run(self._server.sweep([self._address.below(name) for name in names]))


class _Service:
    """An S3 service as one user, from the first request on. Of one event loop."""

    def __init__(self, access: S3Access, patience: Patience) -> None:
        """Name the service."""
        self._access, self._patience = access, patience
        self._files: Any = None  # s3fs has no types
        self._client: Any = None

    async def find(self, address: Address) -> Version | None:
        """Return what lies under the key; None if nothing does."""
        async with self._talk(address):
            return await self._version(address)

    async def download(self, address: Address, target: Path, max_bytes: int, known: Version | None) -> Version | None:
        """Stream an object to `target`; None if it is still the `known` one."""
        unless_known = {"IfNoneMatch": known.etag} if known is not None and known.etag else {}
        async with self._talk(address):
            try:
                reply = await self._ask("get_object", address, **unless_known)
            except boto.ClientError as error:
                if _status(error) == HTTPStatus.NOT_MODIFIED:
                    return None
                raise _unfit(error, address) from None
            version = _version(reply)
            async with reply["Body"] as body:
                if version.bytes > max_bytes:
                    raise ArtworkError(
                        f"the file has {version.bytes:,} bytes; at most {max_bytes:,} are accepted: {address}"
                    )
                with Arriving(target) as arriving:
                    await _read(body, version.bytes, arriving.write, address)
            return version

    async def hash(self, address: Address) -> str | None:
        """Return the SHA-256 of an object; None if it is not there."""
        async with self._talk(address):
            found = await self._digest(address)
            return None if found is None else found[1]

    async def remove(self, address: Address) -> None:
        """Remove an object; harmless if there is none."""
        async with self._talk(address):
            await self._ask("delete_object", address)

    async def sweep(self, addresses: list[Address]) -> None:
        """Abort the uploads under way to these keys."""
        if not addresses:
            return
        keys = {_key(address) for address in addresses}
        prefix = os.path.commonprefix(sorted(keys))  # noqa: RUF071 - character by character is right: keys are no paths
        async with self._talk(addresses[0]):
            pages = self._client.get_paginator("list_multipart_uploads")
            async for page in pages.paginate(Bucket=addresses[0].host, Prefix=prefix):
                for upload in page.get("Uploads", []):
                    if upload["Key"] in keys:
                        await self._abort(addresses[0].host, upload["Key"], upload["UploadId"])

    async def deliver(self, leaving: Leaving, address: Address, sha256: str) -> None:
        """Upload a file and read it back, unless it is there already."""
        async with self._talk(address):
            if await self._is_there(address, leaving.bytes, sha256):
                return
        await self.sweep([address])
        async with self._talk(address):
            if leaving.bytes <= PART_BYTES:
                created = await self._upload_whole(leaving, address, sha256)
            else:
                created = await self._upload_in_parts(leaving, address, sha256)
        if not created:
            return
        async with self._talk(address):
            if await self._digest(address) != (leaving.bytes, sha256):
                await self._ask("delete_object", address)
                raise corrupted(address)

    async def close(self) -> None:
        """Let go of connections."""
        client, self._files, self._client = self._client, None, None
        if client is not None:
            await client.close()

    async def _version(self, address: Address) -> Version | None:
        try:
            return _version(await self._ask("head_object", address))
        except boto.ClientError as error:
            if _status(error) == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def _digest(self, address: Address) -> tuple[int, str] | None:
        """Read an object, and return its length and SHA-256; None if it is not there."""
        try:
            reply = await self._ask("get_object", address)
        except boto.ClientError as error:
            if _code(error) == "NoSuchKey":
                return None
            raise
        digest, length = hashlib.sha256(), _version(reply).bytes
        async with reply["Body"] as body:
            await _read(body, length, digest.update, address)
        return length, digest.hexdigest()

    async def _is_there(self, address: Address, length: int, sha256: str) -> bool:
        """Tell whether this content lies under the key; raise StorageError if another does."""
        version = await self._version(address)
        if version is None:
            return False
        if version.bytes != length or await self._digest(address) != (length, sha256):
            raise never_overwritten(address)
        return True

    async def _upload_whole(self, leaving: Leaving, address: Address, sha256: str) -> bool:
        """Upload a small file; False if somebody else has delivered the same meanwhile."""
        content = b"".join(leaving.blocks(PART_BYTES))
        leaving.check()

        async def put(**condition: object) -> object:
            return await self._send(content, "put_object", address, **condition)

        return await self._unless_there(put, address, leaving.bytes, sha256)

    async def _upload_in_parts(self, leaving: Leaving, address: Address, sha256: str) -> bool:
        """Upload a file of several parts; False if somebody else has delivered the same meanwhile."""
        upload = (await self._ask("create_multipart_upload", address))["UploadId"]
        done = False
        try:
            parts: list[dict[str, object]] = []
            await in_a_row(self._parts(leaving, address, upload), _PARTS_AT_ONCE, parts.append)
            leaving.check()

            async def complete(**condition: object) -> object:
                whole = {"UploadId": upload, "MultipartUpload": {"Parts": parts}}
                return await self._ask("complete_multipart_upload", address, **whole, **condition)

            done = await self._unless_there(complete, address, leaving.bytes, sha256)
        finally:
            if not done:
                with suppress(Exception):
                    async with asyncio.timeout(FAREWELL_S):
                        await self._abort(address.host, _key(address), upload)
        return done

    def _parts(
        self, leaving: Leaving, address: Address, upload: str
    ) -> Iterator[Coroutine[Any, Any, dict[str, object]]]:
        async def send(number: int, content: bytes) -> dict[str, object]:
            reply = await self._send(content, "upload_part", address, UploadId=upload, PartNumber=number)
            return {"PartNumber": number, "ETag": reply["ETag"]}

        for number, content in enumerate(leaving.blocks(part_bytes(leaving.bytes)), start=1):
            yield send(number, content)

    async def _unless_there(
        self, create: Callable[..., Coroutine[Any, Any, object]], address: Address, length: int, sha256: str
    ) -> bool:
        """Create an object if there is none; False if one of the same content came first, StorageError if another."""
        try:
            await create(IfNoneMatch="*")
        except boto.ClientError as error:
            if _status(error) not in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_IMPLEMENTED}:
                raise
            if await self._is_there(address, length, sha256):
                return False
            if _status(error) == HTTPStatus.PRECONDITION_FAILED:
                raise TransientError(f"{address}: another delivery came and went", "Try again.") from None
            await create()  # a server that knows no conditions: nobody was there a moment ago
        return True

    async def _send(self, content: bytes, method: str, address: Address, **parameters: object) -> Mapping[str, Any]:
        """Make a request with a body that the server verifies; TimeoutError if it takes no more of it, or is silent."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._patience.read_s) as silence:

            def heard() -> None:
                with suppress(RuntimeError):  # over already
                    silence.reschedule(loop.time() + self._patience.read_s)

            proof = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
            return await self._ask(method, address, Body=_Body(content, heard), ContentMD5=proof, **parameters)

    async def _abort(self, bucket: str, key: str, upload: str) -> None:
        try:
            await self._call("abort_multipart_upload", Bucket=bucket, Key=key, UploadId=upload)
        except boto.ClientError as error:
            if _code(error) != "NoSuchUpload":
                raise

    async def _ask(self, method: str, address: Address, **parameters: object) -> Mapping[str, Any]:
        """Make a request about one object."""
        return await self._call(method, Bucket=address.host, Key=_key(address), **parameters)

    async def _call(self, method: str, **parameters: object) -> Mapping[str, Any]:
        reply: Mapping[str, Any] = await getattr(self._client, method)(**parameters)
        return reply

    @asynccontextmanager
    async def _talk(self, address: Address) -> AsyncIterator[None]:
        """Allow the block what a file may take; what goes wrong in it becomes the project's errors about `address`."""
        try:
            async with deadline(self._patience.total_s, address):
                if self._files is None:
                    self._files = _open(self._access, self._patience)
                self._client = await self._files.set_session()  # the one that is there, or being made, if any
                yield
        except TilepressError:
            raise
        except boto.SSLError:
            raise StorageError(
                f"{address}: the server's certificate is not trusted", "Name its authority in AWS_CA_BUNDLE."
            ) from None
        except _SPEECHLESS as error:
            raise _silence(error, address, self._patience) from None
        except boto.ClientError as error:
            raise _refusal(error, address) from None
        except _NO_CREDENTIALS as error:
            raise StorageError(
                f"{address}: there are no credentials for S3 ({type(error).__name__})",
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.",
            ) from None
        except (boto.FlexibleChecksumError, boto.IncompleteReadError, ResponseParserError):
            raise TransientError(f"{address}: what the server sent was not whole", AGAIN) from None
        except (boto.BotoCoreError, ValueError) as error:
            raise ConfigurationError(
                f"{address}: no request can be made ({type(error).__name__})",
                "Check the URL, storage.s3 and the AWS_… variables.",
            ) from None


class _Body(BytesIO):
    """A request's content; tells that there was progress when more of it is asked for."""

    def __init__(self, content: bytes, heard: Callable[[], None]) -> None:
        super().__init__(content)
        self._heard = heard

    def read(self, size: int | None = -1, /) -> bytes:
        self._heard()
        return super().read(size)

    def getbuffer(self) -> memoryview:
        return memoryview(self.getvalue())  # to be looked at; what may be written to would be a copy


def part_bytes(file_bytes: int) -> int:
    """Return how long the parts of a file are: whole MiB, and so that they are not too many."""
    return max(PART_BYTES, -(-file_bytes // (_MAX_PARTS * _MIB)) * _MIB)


def _open(access: S3Access, patience: Patience) -> Any:
    """Return the file system that makes clients; it repeats nothing and remembers nothing."""
    for library in ("aiobotocore", "botocore", "s3fs"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # they would tell of requests with all that is in them
    endpoint = access.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    config: dict[str, object] = {
        "connect_timeout": patience.connect_s,
        "read_timeout": patience.read_s,
        "retries": {"total_max_attempts": 1, "mode": "standard"},  # the caller tries again
        "max_pool_connections": _MAX_CONNECTIONS,
        "request_checksum_calculation": "when_required",  # Content-MD5 is older: every server verifies it
    }
    if endpoint:
        config["s3"] = {"addressing_style": "path"}  # the host's name may have no others below it
    return s3fs.S3FileSystem(
        anon=False,
        asynchronous=True,
        skip_instance_cache=True,
        use_listings_cache=False,
        endpoint_url=endpoint,
        client_kwargs={"region_name": access.region} if access.region else None,
        config_kwargs=config,
    )


async def _read(body: Any, length: int, take: Callable[[bytes], object], address: Address) -> None:
    """Read an answer to its promised end, and `take` it block by block."""
    came = 0
    while block := await body.read(_BLOCK):
        came += len(block)
        take(block)
    if came != length:
        raise cut_short(address, came, length)


def _key(address: Address) -> str:
    return address.path[1:]


def _version(reply: Mapping[str, Any]) -> Version:
    return Version(reply["ContentLength"], reply.get("ETag", ""), str(reply.get("LastModified", "")))


def _status(error: boto.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _code(error: boto.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _unfit(error: Exception, address: Address) -> Exception:
    """Return the error for one object that cannot be had; of anything else, what it was."""
    code = _code(error)
    if code == "NoSuchKey":
        return ArtworkError(f"not found: {address}")
    if code == "AccessDenied":
        return ArtworkError(f"may not be read with these credentials: {address}")
    if code == "InvalidObjectState":
        return ArtworkError(f"cannot be read: it is archived: {address}")
    return error


def _silence(error: Exception, address: Address, patience: Patience) -> TransientError:
    """Return the error for a server that is out of reach, or did not say all."""
    cause = error.kwargs.get("error") if isinstance(error, boto.EndpointConnectionError) else error
    if isinstance(cause, boto.ConnectTimeoutError | aiohttp.ClientConnectorError):
        return TransientError(f"{address}: the server cannot be reached", "Check storage.s3.endpoint and the network.")
    if isinstance(error, boto.ReadTimeoutError | TimeoutError):
        return TransientError(f"{address}: nothing was heard for {patience.read_s:g} s", AGAIN)
    return TransientError(f"{address}: the connection broke", AGAIN)


def _refusal(error: boto.ClientError, address: Address) -> StorageError:
    """Return the error for what a server refused, by its code: its own words may hold keys and signatures."""
    status, code = _status(error), plain(_code(error))
    if status == HTTPStatus.INSUFFICIENT_STORAGE or "Quota" in code or "StorageFull" in code:
        return no_room(address)
    if code in _PASSING or status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(f"{address}: the server is busy ({status} {code})", AGAIN)
    if code == "NoSuchBucket":
        return StorageError(f"{address}: there is no bucket {address.host}", "Make it, or mend the URL.")
    if code in _BAD_CREDENTIALS:
        return StorageError(f"{address}: the credentials do not count ({code})", "Check the AWS_… variables.")
    if status == HTTPStatus.FORBIDDEN:
        return StorageError(
            f"{address}: access denied",
            "Grant s3:ListBucket, GetObject and, to deliver, PutObject, DeleteObject, AbortMultipartUpload and "
            "ListBucketMultipartUploads.",
        )
    return StorageError(f"{address}: the server refused ({status} {code})", "Check the URL and storage.s3.")
