"""Proof of a gang sheet run: every part opened with a plain decoder and held against manifest and artwork.

Every pixel of every part is compared, strip by strip, so that memory does not grow with the sheet.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from config.errors import ArtworkError
from config.units import dpi_to_px_per_metre
from pipeline.checker import check_conservation, check_places, copy_of
from pipeline.context import Progress
from pipeline.evidence import Evidence, Verdict
from pipeline.library import Library
from pipeline.manifest import rejections_of, sheet_of
from pipeline.plan import Placement, PreparedKey, Sheet, placement_from_json
from pipeline.preparation import measure_boxes, prepare_designs
from pipeline.sources import probe
from pipeline.workplace import Workplace
from tiles.canvas import Strip, map_prepared
from tiles.design import Design, Geometry, PreparedDesign
from tiles.geometry import Rect
from tiles.readback import SheetReader
from tiles.store import hash_file
from tiles.vips import srgb_profile

MAX_PROBLEMS_PER_PART = 20
METRES_PER_INCH = 0.0254
DPI_TOLERANCE = 0.001  # of a float's way through libvips' pixels per millimetre

Artwork = Mapping[PreparedKey, PreparedDesign]


def prove(evidence: Evidence) -> Verdict:
    """Prove the run that a manifest describes; what is wrong with the manifest itself is a KeyError or so."""
    manifest, place = evidence.manifest, evidence.place
    parts = [(part, _placements(part, manifest["designs"])) for part in manifest["parts"]]
    placements = [placement for _, on_part in parts for placement in on_part]
    problems = list(_check_run(manifest, placements))
    keys = {placement.key for placement in placements}
    allow_svg = any(entry["format"] == "svg" for entry in manifest["designs"].values())
    library = evidence.library(manifest["designs_root"], "designs.root", allow_svg)
    artwork, changed = _artwork(manifest["designs"], keys, library, place)
    problems += changed
    for part, on_part in parts:
        with evidence.delivered.opened(Path(part["file"]).name) as path:
            found = list(_check_part(path, part, on_part, sheet_of(manifest), artwork, evidence.progress))
        problems += [f"{part['file']}: {problem}" for problem in found[:MAX_PROBLEMS_PER_PART]]
        if len(found) > MAX_PROBLEMS_PER_PART:
            problems.append(f"{part['file']}: and {len(found) - MAX_PROBLEMS_PER_PART} more")
    return Verdict(f"{len(parts)} parts, {len(placements)} placements", tuple(problems))


def _placements(part: Mapping[str, Any], designs: Mapping[str, Any]) -> list[Placement]:
    return [placement_from_json(entry, designs) for entry in part["placements"]]


def _check_run(manifest: Mapping[str, Any], placements: Sequence[Placement]) -> Iterator[str]:
    """Yield what is wrong with the run as a whole: unfinished, miscounted, lost or doubled copies."""
    totals, rejected = manifest["totals"], rejections_of(manifest)
    ordered = {(entry["order"], entry["design"]): entry["copies"] for entry in manifest["ordered"]}
    if manifest["finished_at"] is None:
        yield f"the run was not finished: {len(manifest['parts'])} of {len(manifest['planned'])} parts are there"
    else:
        yield from check_conservation(ordered, map(copy_of, placements), rejected)
        if [part["file"] for part in manifest["parts"]] != manifest["planned"]:
            yield f"the parts listed are not the {len(manifest['planned'])} planned"
    counted = {
        "ordered": sum(ordered.values()),
        "placed": len(placements),
        "rejected": sum(rejection.copies for rejection in rejected),
    }
    for name, count in counted.items():
        if totals[name] != count:
            yield f"totals.{name} is {totals[name]}, counted: {count}"


def _artwork(
    designs: Mapping[str, Any], keys: set[PreparedKey], library: Library, place: Workplace
) -> tuple[Artwork, list[str]]:
    """Prepare the artwork anew; return it, and what is wrong with it: gone, changed, or trimmed otherwise."""
    found = probe({name: name for name in designs}, library, place)
    problems, usable = [], {}
    for name, entry in designs.items():
        design = found[name]
        if isinstance(design, ArtworkError):
            problems.append(f"artwork {name}: {design.message}; its copies could not be compared")
        elif design.sha256 != entry["sha256"]:
            problems.append(f"artwork {name}: changed since the run; its copies could not be compared")
        else:
            usable[design.sha256] = design
    trimmed = {key.sha256: key.box for key in keys if key.box is not None}
    boxes = measure_boxes([design for sha, design in usable.items() if sha in trimmed], place)
    problems += [
        f"artwork {sha}: its trim box is {box}, not {trimmed[sha]}" for sha, box in boxes.items() if box != trimmed[sha]
    ]
    work: dict[PreparedKey, tuple[Design, Geometry]] = {
        key: (usable[key.sha256], Geometry(key.width_px, key.height_px, key.box))
        for key in keys
        if key.sha256 in usable
    }
    prepared = prepare_designs(work, work, place)
    problems += [
        f"artwork {key.sha256}: {error.message}" for key, error in prepared.items() if isinstance(error, ArtworkError)
    ]
    return {key: design for key, design in prepared.items() if isinstance(design, PreparedDesign)}, problems


def _check_part(
    path: Path | None,
    part: Mapping[str, Any],
    placements: Sequence[Placement],
    sheet: Sheet,
    artwork: Artwork,
    progress: Progress,
) -> Iterator[str]:
    """Yield what is wrong with one part: its file, its tags, its places, its pixels."""
    if path is None:
        yield "the file is missing"
        return
    if path.stat().st_size != part["bytes"] or hash_file(path) != part["sha256"]:
        yield "the file is not the one that was written: its SHA-256 differs"
    size = Rect(0, 0, part["width_px"], part["height_px"])
    spacing = (sheet.spacing_x_px, sheet.spacing_y_px)
    yield from check_places([copy_of(placement) for placement in placements], size, sheet.margin_px, spacing)
    try:
        reader = SheetReader(path)
        fits = list(_check_header(reader, size, sheet))
        yield from fits
        if (reader.header.width_px, reader.header.height_px, reader.header.bands) == (size.width, size.height, 4):
            with progress.track(f"Verifying {part['file']}", size.height) as advance:
                for top, strip in reader.strips():
                    yield from _check_strip(top, strip, placements, artwork)
                    advance(len(strip))
    except ArtworkError as error:
        yield error.message


def _check_header(reader: SheetReader, size: Rect, sheet: Sheet) -> Iterator[str]:
    header = reader.header
    if (header.width_px, header.height_px) != (size.width, size.height):
        yield f"it is {header.width_px}×{header.height_px} pixels, not {size.width}×{size.height}"
    full = Rect(0, 0, sheet.width_px, sheet.height_px)
    if not full.contains(size) or (not sheet.dynamic_sizing and size != full):
        yield f"the sheet is {full.width}×{full.height} pixels; this part is {size.width}×{size.height}"
    if header.bands != 4:  # noqa: PLR2004 - RGBA
        yield f"it has {header.bands} channels, not 4"
    tagged = {dpi_to_px_per_metre(sheet.dpi) * METRES_PER_INCH, float(sheet.dpi)}  # PNG's grain, TIFF's ratio
    for dpi in (header.dpi_x, header.dpi_y):
        if min(abs(dpi - right) for right in tagged) > DPI_TOLERANCE:
            yield f"its resolution tag says {dpi:.2f} DPI, not {sheet.dpi}"
            break
    if header.profile != srgb_profile():
        yield "its colour profile is not sRGB" if header.profile else "it has no colour profile"


def _check_strip(top: int, strip: Strip, placements: Sequence[Placement], artwork: Artwork) -> Iterator[str]:
    """Yield the first pixel of a strip that is not what plan and artwork say it is."""
    expected = np.zeros_like(strip)
    window = Rect(0, top, strip.shape[1], strip.shape[0])
    for placement in placements:
        rect = placement.rect
        seen = window.intersect(rect)
        if not seen.area:
            continue
        here = (slice(seen.y - top, seen.bottom - top), slice(seen.x, seen.right))
        if placement.key in artwork:
            pixels = map_prepared(artwork[placement.key].path, rect, placement.rotation)
            expected[here] = pixels[seen.y - rect.y : seen.bottom - rect.y, seen.x - rect.x : seen.right - rect.x]
        else:
            expected[here] = strip[here]  # its artwork is gone, which was said already
    if not np.array_equal(strip, expected):
        row, column = np.argwhere((strip != expected).any(axis=2))[0]
        yield _describe_pixel(int(column), top + int(row), strip[row, column], expected[row, column], placements)


def _describe_pixel(x: int, y: int, found: Strip, expected: Strip, placements: Sequence[Placement]) -> str:
    pixel = Rect(x, y, 1, 1)
    copy = next((copy_of(placement) for placement in placements if placement.rect.contains(pixel)), None)
    where = f"in {copy}" if copy else "where nothing is placed"
    return f"pixel ({x}, {y}) is {found.tolist()}, not {expected.tolist()}, {where}"
