"""Where fonts come from: the machine's own configuration of fontconfig, or the program's where there is none."""

import os
from pathlib import Path

FONTS = Path(__file__).with_name("fonts")
_CONFIGURATION = "fonts.conf"
_SYSTEM_FOLDER = "/etc/fonts"  # where fontconfig looks last


def configure_fonts() -> None:
    """Give fontconfig the program's own configuration where the machine has none, of which it would complain on stderr.

    It reads the environment once, when libvips first draws text, that of an SVG too: to be called before.
    """
    name = os.environ.get("FONTCONFIG_FILE") or _CONFIGURATION
    folders = os.environ.get("FONTCONFIG_PATH", "").split(os.pathsep)
    if not any(Path(folder, name).is_file() for folder in (*filter(None, folders), _SYSTEM_FOLDER)):
        os.environ["FONTCONFIG_FILE"] = str(FONTS / _CONFIGURATION)
