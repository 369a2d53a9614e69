"""How libvips is set up in every process, and what its errors mean that are not of its making."""

import errno
import os

import pyvips

from tiles.fontconfig import configure_fonts


def start(threads: int) -> None:
    """Set libvips up for bounded batch work on `threads` threads."""
    configure_fonts()
    pyvips.concurrency_set(threads)
    pyvips.cache_set_max(0)  # it keeps pixels alive, and hands back the old image when a file is replaced
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoadVips", False)  # the tile store's own files
    pyvips.operation_block_set("VipsForeignLoadSvg", False)  # from buffers, and only if allowed: see header.py


def disk_error(error: pyvips.Error) -> OSError | None:
    """Return the full disk behind a libvips error, None if that is not its cause; libvips hands errno on as text."""
    full = (code for code in (errno.ENOSPC, errno.EDQUOT) if os.strerror(code) in error.detail)
    return next((OSError(code, os.strerror(code)) for code in full), None)


LOADERS = {
    "PNG": "pngload",
    "JPEG": "jpegload",
    "TIFF": "tiffload",
    "WebP": "webpload",
    "HEIF/AVIF": "heifload",
    "SVG": "svgload_buffer",
}


def versions() -> str:
    """Return the versions of libvips and its binding, for a person."""
    return f"{pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}, pyvips {pyvips.__version__}"


def formats() -> dict[str, bool]:
    """Return for each accepted format whether this libvips can read it."""
    return {name: bool(pyvips.type_find("VipsOperation", loader)) for name, loader in LOADERS.items()}


def srgb_profile() -> bytes:
    """Return the sRGB ICC profile that every sheet carries."""
    return bytes(pyvips.Image.profile_load("srgb"))
