"""URLs of artwork and of sheets, taken apart once; what is shown of one never holds a secret. Pure.

An address is `scheme://[user@]host[:port]/path`; of `s3://bucket/key` the host is the bucket.
"""

import hashlib
import posixpath
import re
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import quote, unquote, urlsplit

from config.errors import ConfigurationError

SCHEMES = ("https", "http", "s3", "sftp")
_PORTS = {"https": 443, "http": 80, "sftp": 22, "s3": 0}
_DIGEST_SHOWN = 8
_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")
# What signed URLs of S3, CloudFront, Google and Azure carry besides what names the file.
_SIGNATURE = re.compile(
    r"(x-amz-|x-goog-|(expires|signature|key-pair-id|policy|awsaccesskeyid|googleaccessid|token|sig|hmac"
    r"|s[evprtk]|sk(oid|tid|t|e|s|v)|spr|sip|srt|ss)=)",
    re.IGNORECASE,
)
_PAGE = re.compile(r"(.*\.pdf(?:\?[^#]*)?)#page=([1-9]\d{0,5})", re.IGNORECASE | re.ASCII)  # RFC 8118
_HTTP_SAFE = "/?:@!$&'()*+,;=~%[]"  # what may stand in an HTTP path or query as it is (RFC 3986), escapes among it


@dataclass(frozen=True, slots=True)
class Address:
    """A place by URL. `path` begins with "/"; of SFTP it is decoded, of HTTP encoded, of S3 as it is."""

    scheme: str
    host: str  # lower case but for a bucket; an IPv6 address without its brackets
    port: int  # 0 for S3
    path: str
    user: str = ""
    query: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Return the URL as it may be shown: of a query no more than a digest, in which no signature counts.

        So it is the same file's when the signature is renewed.
        """
        if not self.query:
            return self._text("")
        said = "&".join(part for part in self.query.split("&") if not _SIGNATURE.match(part))
        digest = hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST_SHOWN]
        return self._text(f"?…{digest}" if said else "?…")

    @property
    def url(self) -> str:
        """The whole URL, for dialling; it may hold a signature."""
        return self._text(f"?{self.query}" if self.query else "")

    @property
    def origin(self) -> tuple[str, str, int]:
        """What two addresses share that the same server answers for."""
        return self.scheme, self.host, self.port

    @property
    def name(self) -> str:
        """The last step of the path."""
        return posixpath.basename(self.path.rstrip("/"))

    @property
    def parent(self) -> Self:
        """The folder around the path."""
        return replace(self, path=posixpath.dirname(self.path.rstrip("/")) or "/", query="")

    def below(self, name: str) -> Self:
        """Return the address of `name`, which may have "/" in it, below this folder.

        Raises ValueError if it would lead out of the folder.
        """
        if any(step in {"", ".", ".."} for step in name.split("/")) or "\\" in name or not name.isprintable():
            raise ValueError(f"{name!r} is no name below a folder")
        path = self.path.rstrip("/") + "/" + (quote(name) if self.scheme in {"http", "https"} else name)
        return replace(self, path=path, query="")

    def contains(self, other: "Address") -> bool:
        """Tell whether `other` is this place, or lies below it, for the same user if this place names one."""
        folder = self.path.rstrip("/") + "/"
        clean = ".." not in unquote(other.path).replace("\\", "/").split("/")
        same = self.origin == other.origin and self.user in {"", other.user}
        return same and clean and (other.path.rstrip("/") + "/").startswith(folder)

    def _text(self, query: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        path = quote(self.path) if self.scheme == "sftp" else self.path
        port = f":{self.port}" if self.port != _PORTS[self.scheme] else ""
        return f"{self.scheme}://{user}{host}{port}{path}{query}"


def is_url(text: str) -> bool:
    """Tell whether a text is meant as a URL rather than a path."""
    return "://" in text


def parse_address(text: str) -> Address:
    """Return the address that a URL says; raise ConfigurationError, without repeating the URL, if it says none."""
    try:
        parts = urlsplit(text)
        scheme, port, host = parts.scheme.lower(), parts.port, (parts.hostname or "").rstrip(".")
    except ValueError:
        raise ConfigurationError("the URL cannot be understood", "Write it as https://host/path.") from None
    if scheme not in SCHEMES:
        raise ConfigurationError(
            "the URL's kind is not known", "Use a path, or https://…, s3://bucket/…, sftp://user@host/…"
        )
    if parts.password is not None or (parts.username and scheme != "sftp"):
        raise ConfigurationError(
            f"a {scheme} URL holds credentials", "Take them out: they come from the environment, or key files."
        )
    rest = text[len(scheme) + len("://") + len(parts.netloc) :]
    if scheme == "s3":  # an object's key may have any character in it, and none is written otherwise
        host, _, rest = text[len("s3://") :].partition("/")
        address = Address(scheme, host, 0, f"/{rest}")
    elif scheme == "sftp":  # as may a file's name, but escaped
        address = Address(
            scheme, host, port or _PORTS[scheme], _unescaped(rest) or "/", _unescaped(parts.username or "")
        )
    else:
        path, query = (quote(part, safe=_HTTP_SAFE, errors="surrogatepass") for part in (parts.path, parts.query))
        address = Address(scheme, host, _PORTS[scheme] if port is None else port, path or "/", query=query)
    written = address.path + address.user + text
    has_host = bool(_BUCKET.fullmatch(host) if scheme == "s3" else host and " " not in host)
    if not has_host or not address.path.startswith("/") or not written.isprintable() or "\\" in text:
        raise ConfigurationError(f"a {scheme} URL has no host, or characters no URL has", "Mend it.")
    return address


def _unescaped(text: str) -> str:
    """Return a text with its escapes read as UTF-8; what is none becomes what is not printable."""
    return unquote(text, errors="surrogateescape")


def split_page(reference: str) -> tuple[str, int | None]:
    """Return where a file is, and which of its pages is meant: `posters.pdf#page=3` is page 3 of posters.pdf.

    None where no page is named: by any other reference, `#` or not.
    """
    match = _PAGE.fullmatch(reference)
    return (match[1], int(match[2])) if match else (reference, None)


def public_name(reference: str) -> str:
    """Return what a design is called where it may be read by anyone: of a URL, without what may be a signature.

    Raises ValueError with the reason if it is a URL that is never used.
    """
    if not is_url(reference):
        return reference
    file, page = split_page(reference)
    try:
        return str(parse_address(file)) + (f"#page={page}" if page is not None else "")
    except ConfigurationError as error:
        raise ValueError(error.message) from None
