"""Where designs are worked on: the store they go to, the children that decode them, and who admits them."""

from dataclasses import dataclass

from pipeline.governor import Governor
from tiles.store import TileStore
from tiles.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Workplace:
    """What every step that touches artwork is given."""

    store: TileStore
    bench: Workbench
    governor: Governor
