"""What must never be read in a log or an error, and how it is struck out. Knows texts; nothing of who logs them.

A secret is known by its value (from the environment, or told by whoever was given one), or by where it stands: the
password of a URL, a signature in a URL's query, `password=…`. By value, these are struck out:

- any value of at least 6 characters: of what is shorter, a run's numbers and words are full;
- one of digits only where no other digit stands beside it, so that it does not tear a count of bytes apart;
- one of few letters only where it is a word of its own;
- none that everyone knows, such as `postgres` as a test's password: it guards nothing, and half of the log has it.

Where it stands gives any password away, whatever it is. A secret is found as it is, percent-encoded, and as Python's
`repr` and JSON write it.
"""

import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from urllib.parse import unquote, unquote_plus

STRUCK_OUT = "***"
MIN_CHARACTERS = 6
_WORD_CHARACTERS = 12  # so many letters in a row are no accident, within a word or not
_WELL_KNOWN = {"default", "example", "passwd", "password", "postgres", "postgresql", "public", "secret", "tilepress"}

_SECRET_NAME = re.compile(
    r"PASSW(OR)?D|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|SIGNATURE|AUTHORIZATION|BEARER|(API|ACCESS|PRIVATE)_?KEY"
    r"|(^|_)(PASS|PWD|PW|AUTH|KEY)$",
    re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(r"_(FILE|PATH|DIR|SOCK|TYPE|METHOD)$|^(OLD)?PWD$", re.IGNORECASE)

_PASSWORD_IN_URL = re.compile(r"(:/{1,2}[^\s/?#:@]*:)([^\s/?#]+)(?=@)")  # one slash is left where a path was expected
_CARELESS_PASSWORD = re.compile(r"(://[^\s/?#:@]*:)(\S+)(?=@)")  # with "/", "?" or "#" in it, as no URL has it
_VALUE_IN_QUERY = re.compile(
    r"([?&;][\w.%-]*(?:key|keyid|sig|signature|hmac|token|secret|passw(?:or)?d|pwd|credentials?|auth)=)([^\s&;#\"'<>]+)",
    re.IGNORECASE,
)
_NAMED_VALUE = re.compile(
    r"((?:passw(?:or)?d|secret|token|(?:api|access|private|secret)[_-]?key)['\"]?\s*[=:]\s*)"
    r"('[^'\n]*'|\"[^\"\n]*\"|(?<==)[^\s&;,'\")]+)",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(r"(authorization['\"]?\s*[=:,]\s*(?:b?['\"])?)([^'\"\r\n]+)", re.IGNORECASE)


class Redactor:
    """Strikes secrets out of texts. Threads share one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Know the secrets of an environment: of variables whose name says so, and in any that holds a URL."""
        self._guard = threading.Lock()
        self._secrets: set[str] = set()
        self._known: re.Pattern[str] | None = None  # as of when something was cleaned last
        self.hide(*(value for name, value in environ.items() if _is_secret(name)))
        self.hide_within(*environ.values())

    def hide(self, *secrets: str) -> None:
        """Strike these values out from now on."""
        self._learn(form for secret in secrets for form in _forms(secret))

    def hide_within(self, *urls: str) -> None:
        """Strike out, from now on, the passwords and signatures in these URLs, wherever they stand."""
        self._learn(form for url in urls if "://" in url for secret in _secrets_of(url) for form in _forms(secret))

    def clean(self, text: str) -> str:
        """Return a text without its secrets."""
        if ":/" in text:
            text = _PASSWORD_IN_URL.sub(rf"\1{STRUCK_OUT}", text)
        if "=" in text:
            text = _VALUE_IN_QUERY.sub(rf"\1{STRUCK_OUT}", text)
        if "=" in text or ":" in text:
            text = _NAMED_VALUE.sub(rf"\1{STRUCK_OUT}", text)
        if "authorization" in text.lower():
            text = _AUTHORIZATION.sub(rf"\1{STRUCK_OUT}", text)
        known = self._pattern()
        return known.sub(STRUCK_OUT, text) if known else text

    def clean_all(self, value: object) -> object:
        """Return plain data with every text in it cleaned, keys too; of what is no plain data, its cleaned text."""
        match value:
            case str():
                return self.clean(value)
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {self.clean(str(key)): self.clean_all(inner) for key, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.clean_all(inner) for inner in value]
            case _:
                return self.clean(str(value))

    def _learn(self, secrets: Iterable[str]) -> None:
        new = set(filter(_guards_something, secrets))
        with self._guard:
            if not new <= self._secrets:
                self._secrets |= new
                self._known = None

    def _pattern(self) -> re.Pattern[str] | None:
        """Return what finds every secret; made when it is needed, as that takes half a millisecond for each."""
        known = self._known
        if known is None and self._secrets:
            with self._guard:
                longest_first = sorted(self._secrets, key=lambda secret: (-len(secret), secret))
                known = self._known = re.compile("|".join(map(_pattern_of, longest_first)))
        return known


@cache
def redactor() -> Redactor:
    """Return the program's own, which knows the environment as it is when first asked for."""
    return Redactor(os.environ)


def _is_secret(name: str) -> bool:
    """Tell whether a variable of this name holds a secret, rather than where one is."""
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS_NAME.search(name)


def _secrets_of(url: str) -> Iterator[str]:
    for pattern in (_PASSWORD_IN_URL, _CARELESS_PASSWORD, _VALUE_IN_QUERY):
        yield from (match[2] for match in pattern.finditer(url))


def _forms(secret: str) -> Iterator[str]:
    """Yield what a secret may be seen as: itself, decoded, and each of its lines."""
    for text in {secret, unquote(secret), unquote_plus(secret)}:
        yield text.strip()
        yield from map(str.strip, text.splitlines())


def _guards_something(secret: str) -> bool:
    return len(secret) >= MIN_CHARACTERS and secret.lower() not in _WELL_KNOWN


def _pattern_of(secret: str) -> str:
    """Return the pattern that finds a secret, however it is written."""
    written = "".join(map(_written, secret))
    if secret.isdecimal():
        return rf"(?<!\d){written}(?!\d)"
    if secret.isalpha() and len(secret) < _WORD_CHARACTERS:
        return rf"(?<![^\W\d_]){written}(?![^\W\d_])"
    return written


def _written(char: str) -> str:
    """Return the pattern of one character: as it is, percent-encoded, or escaped."""
    if char.isascii() and char.isalnum():
        return char
    encoded = "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
    ways = {char, encoded, encoded.lower(), repr(char)[1:-1], f"\\{char}"} | ({"+"} if char == " " else set())
    return f"(?:{'|'.join(re.escape(way) for way in sorted(ways, key=len, reverse=True))})"
