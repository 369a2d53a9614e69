"""What is to be printed: the works of the benchmark, in inches. A scale lowers the DPI, never the layout."""

from dataclasses import dataclass, replace

DPI = 400
SPACING_IN = 0.1


@dataclass(frozen=True, slots=True)
class Work:
    """Copies of square designs; `designs` of them, each drawn `design_px` wide, printed `print_in` wide.

    `peers` are the ones it is measured beside; `runs` is how often, when nobody says otherwise. It fills `parts`
    sheets. Of its designs, one is drawn `large_px` wide where that is not 0.
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
    parts: int = 1
    large_px: int = 0

    def dpi(self, scale: float) -> int:
        """Return the sheet's resolution; tilepress takes none under 10."""
        return max(10, round(DPI * scale))


_SCRIPT = "pyvips script"
_EVERYONE = (_SCRIPT, "pyvips composite", "OpenCV", "Pillow + numpy", "sharp")

SHEET = Work("S", "a sheet", 16, 20, 30, 15, 3600, 3.1, runs=3, peers=_EVERYONE)
ROLL = Work("R", "a roll", 23, 215, 465, 15, 3600, 3.1, runs=3, peers=_EVERYONE)

WORKS = (
    SHEET,
    ROLL,
    Work("D", "many designs", 16, 20, 500, 500, 600, 0.7, runs=1, peers=(_SCRIPT,)),
    Work("P", "many placements", 23, 215, 5000, 15, 3600, 0.85, runs=1, peers=(_SCRIPT,)),
    replace(SHEET, name="T", what="ten parts", copies=300, runs=1, peers=(), parts=10),
)

# What has to fit under a tight limit of memory: one design larger than all others is what swells.
LIMITED = tuple(replace(work, name=f"{work.name}-large", large_px=6000) for work in (SHEET, ROLL))
