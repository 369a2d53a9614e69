"""What is to be printed: the four works of the benchmark, in inches. A scale lowers the DPI, never the layout."""

from dataclasses import dataclass

DPI = 400
SPACING_IN = 0.1


@dataclass(frozen=True, slots=True)
class Work:
    """Copies of square designs on one sheet; `designs` of them, each drawn `design_px` wide, printed `print_in` wide.

    `peers` are the ones it is measured beside; `runs` is how often, when nobody says otherwise.
    """

    name: str
    what: str
    width_in: float
    height_in: float
    copies: int
    designs: int
    design_px: int
    print_in: float
    runs: int
    peers: tuple[str, ...]

    def dpi(self, scale: float) -> int:
        """Return the sheet's resolution; tilepress takes none under 10."""
        return max(10, round(DPI * scale))


_SCRIPT = "pyvips script"
_EVERYONE = (_SCRIPT, "pyvips composite", "OpenCV", "Pillow + numpy", "sharp")

WORKS = (
    Work("S", "a sheet", 16, 20, 30, 15, 3600, 3.1, runs=3, peers=_EVERYONE),
    Work("R", "a roll", 23, 215, 465, 15, 3600, 3.1, runs=1, peers=_EVERYONE),
    Work("D", "many designs", 16, 20, 500, 500, 600, 0.7, runs=1, peers=(_SCRIPT,)),
    Work("P", "many placements", 23, 215, 5000, 15, 3600, 0.85, runs=1, peers=(_SCRIPT,)),
)
