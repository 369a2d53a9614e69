"""Reading the streams of a PDF bit by bit, so that a bomb does not burst in memory."""

import re
import zlib
from collections.abc import Iterator

import pikepdf

_CHUNK_BYTES = 1 << 16
_NAME = re.compile(rb"/[^\0\t\n\f\r ()<>\[\]{}/%]+")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_LONGEST_NAME = 4096
_MAX_SEARCHED_BYTES = 256 << 20  # of one stream: half a second's work, and more than any page draws
_FLATE = {"/FlateDecode", "/Fl"}
_UNREADABLE = (pikepdf.exceptions.PikepdfError, ValueError, TypeError, LookupError, RuntimeError)


def decoded(stream: pikepdf.Stream, limit: int) -> Iterator[bytes]:
    """Yield what a stream holds, in pieces; raise ValueError if it cannot be decoded or is longer than `limit` bytes.

    Only streams that are not merely deflated are decoded whole.
    """
    total = 0
    for piece in _pieces(stream):
        total += len(piece)
        if total > limit:
            raise ValueError("a stream is too long")
        yield piece


def names_in(stream: pikepdf.Stream) -> set[str] | None:
    """Return every name that stands in a content stream, `/Im0` say: all that it can draw with, and perhaps more.

    None if it cannot be read, so that anything may stand in it.
    """
    found: set[bytes] = set()
    rest = b""
    try:
        for piece in decoded(stream, _MAX_SEARCHED_BYTES):
            text = rest + piece
            found.update(_NAME.findall(text))
            rest = text[max(text.rfind(b"/"), len(text) - _LONGEST_NAME) :]  # a name may go on in the next piece
    except _UNREADABLE:
        return None
    return {_ESCAPE.sub(_unescaped, name).decode("utf-8", "surrogateescape") for name in found}


def _pieces(stream: pikepdf.Stream) -> Iterator[bytes]:
    coding = stream.get("/Filter")
    filters = list(coding) if isinstance(coding, pikepdf.Array) else [] if coding is None else [coding]
    if not filters:
        yield stream.read_raw_bytes()
    elif len(filters) == 1 and str(filters[0]) in _FLATE and not _has_parameters(stream):
        yield from _inflated(stream.read_raw_bytes())
    else:
        yield stream.read_bytes()


def _has_parameters(stream: pikepdf.Stream) -> bool:
    return stream.get("/DecodeParms") is not None or stream.get("/DP") is not None


def _inflated(data: bytes) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    try:
        while data and not inflater.eof:
            yield inflater.decompress(data, _CHUNK_BYTES)
            data = inflater.unconsumed_tail
    except zlib.error as error:
        raise ValueError(str(error)) from None
    yield inflater.flush()


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode())
