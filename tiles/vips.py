"""How libvips is set up in every process: thread count, no operation cache, no loader beyond the accepted ones."""

import pyvips


def start(threads: int) -> None:
    """Set libvips up for bounded batch work on `threads` threads."""
    pyvips.concurrency_set(threads)
    pyvips.cache_set_max(0)  # it keeps pixels alive, and hands back the old image when a file is replaced
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoadVips", False)  # the tile store's own files
    pyvips.operation_block_set("VipsForeignLoadSvg", False)  # from buffers, and only if allowed: see header.py


def srgb_profile() -> bytes:
    """Return the sRGB ICC profile that every sheet carries."""
    return bytes(pyvips.Image.profile_load("srgb"))
