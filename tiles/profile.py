"""Embedded ICC profiles: which of them can be used. One that cannot is told of and ignored; it never costs a design.

libvips falls back to a profile of its own without a word, so that what is wrong must be found out here.
"""

import struct

import pyvips

_HEADER_BYTES = 128  # ICC.1:2022, 7.2: the data colour space and the signature stand at 16 and 36
_TAG = struct.Struct(">4sII")  # 7.3: signature, offset, size
_SPACES = {"b-w": b"GRAY", "grey16": b"GRAY", "cmyk": b"CMYK"}
_TABLES = ({b"A2B0"}, {b"A2B1"})
_NEEDED = {  # 8.3: any of these sets describes the colours of its space
    b"GRAY": ({b"kTRC"}, *_TABLES),
    b"CMYK": _TABLES,
    b"RGB ": ({b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"}, *_TABLES),
}

DAMAGED = "its colour profile is damaged and was ignored"


def has_profile(image: pyvips.Image) -> bool:
    """Tell whether a profile is embedded."""
    return bool(image.get_typeof("icc-profile-data"))


def profile_problem(image: pyvips.Image) -> str:
    """Return why the embedded profile cannot be used; "" if it can, or if there is none."""
    if not has_profile(image):
        return ""
    profile, space = bytes(image.get("icc-profile-data")), _SPACES.get(image.interpretation, b"RGB ")
    if profile[36:40] != b"acsp":
        return DAMAGED
    if profile[16:20] != space:
        named = profile[16:20].decode("ascii", "replace").strip()
        return f"its colour profile is for {named} and does not fit its pixels; it was ignored"
    return "" if _describes(profile, space) and _is_linked(image) else DAMAGED


def to_srgb(image: pyvips.Image) -> pyvips.Image:
    """Return 8-bit sRGB by the embedded profile where it can be used, else by libvips' own for the space.

    `image` has no alpha channel.
    """
    if profile_problem(image):
        image = image.copy()
        image.remove("icc-profile-data")
    if has_profile(image) or image.interpretation == "cmyk":
        image = _transformed(image)
    return image.colourspace("srgb").cast("uchar")


def _describes(profile: bytes, space: bytes) -> bool:
    """Tell whether the profile has the tags that its space needs, whole."""
    count = int.from_bytes(profile[_HEADER_BYTES : _HEADER_BYTES + 4], "big")
    table = profile[_HEADER_BYTES + 4 : _HEADER_BYTES + 4 + count * _TAG.size]
    tags = _TAG.iter_unpack(table[: len(table) // _TAG.size * _TAG.size])
    whole = {tag for tag, start, size in tags if start + size <= len(profile)}
    return any(needed <= whole for needed in _NEEDED[space])


def _is_linked(image: pyvips.Image) -> bool:
    """Tell whether a transform can be made of it; from a device link, or a singular matrix, none can."""
    try:
        _transformed(image)
    except pyvips.Error:
        return False
    return True


def _transformed(image: pyvips.Image) -> pyvips.Image:
    fallback = {"input_profile": "cmyk"} if image.interpretation == "cmyk" else {}
    return image.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True, **fallback)
