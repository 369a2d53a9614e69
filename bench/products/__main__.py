"""Renders the templates of the embedded example: `python -m bench.products [FOLDER]`.

The same pictures every time, on a machine's numpy. It takes some ten minutes on two processors; for a look,
`--scale 0.4 --samples 9` takes one.
"""

import argparse
import time
from pathlib import Path

from bench.products import cards, frame, mug, shirt

_FOLDER = Path(__file__).parents[2] / "config" / "examples" / "templates"
_SAMPLES = 36


def main() -> None:
    """Render what the command line asks for, one product after the other."""
    parser = argparse.ArgumentParser(prog="bench.products", description="Render the example's mock-up templates.")
    parser.add_argument("folder", nargs="?", type=Path, default=_FOLDER, help="where to (the embedded example)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the pictures (1)")
    parser.add_argument("--samples", type=int, default=_SAMPLES, help=f"rays for a pixel, a square number ({_SAMPLES})")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    shirt.make(asked.folder, asked.scale)
    print(f"shirt: {time.monotonic() - begun:.0f} s", flush=True)
    for name, product in (("mug", mug), ("frame", frame), ("cards", cards)):
        begun = time.monotonic()
        product.make(asked.folder, asked.scale, asked.samples)
        print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
