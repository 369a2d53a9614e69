"""From an address to what reads from it, or delivers to it. Each protocol's packages are imported when it is used."""

from collections.abc import Iterator
from contextlib import contextmanager

from config.errors import ConfigurationError
from pipeline.storage.address import Address
from pipeline.storage.contracts import Patience, S3Access, SftpAccess, Shelf, Source


def open_source(scheme: str, sftp: SftpAccess, s3: S3Access, patience: Patience) -> Source:
    """Return where artwork is fetched from by "sftp" or "s3"; nothing is connected yet.

    Raises ConfigurationError if its packages are not installed.
    """
    with _installed(scheme):
        if scheme == "sftp":
            from pipeline.storage.sftp import SftpSource  # noqa: PLC0415 - with packages that few runs need

            return SftpSource(sftp, patience)
        if scheme == "s3":
            from pipeline.storage.s3 import S3Source  # noqa: PLC0415 - as above

            return S3Source(s3, patience)
    raise ConfigurationError(f"nothing is fetched from {scheme}:// here", "Use s3://bucket/… or sftp://user@host/…")


def open_shelf(address: Address, sftp: SftpAccess, s3: S3Access, patience: Patience) -> Shelf:
    """Return the folder at `address` that files are delivered to; nothing is connected yet.

    Raises ConfigurationError if nothing can be delivered there, or its packages are not installed.
    """
    with _installed(address.scheme):
        if address.scheme == "sftp":
            from pipeline.storage.sftp import SftpShelf  # noqa: PLC0415 - as above

            return SftpShelf(address, sftp, patience)
        if address.scheme == "s3":
            from pipeline.storage.s3 import S3Shelf  # noqa: PLC0415 - as above

            return S3Shelf(address, s3, patience)
    raise ConfigurationError(
        f"{address}: nothing is delivered over {address.scheme}", "Use a folder, s3://bucket/… or sftp://user@host/…"
    )


@contextmanager
def _installed(scheme: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(
            f"{scheme}:// needs packages that are not installed ({error.name})",
            f"Install them with: pip install 'tilepress[{scheme}]'",
        ) from None
