"""Proof of a mock-up run: every file opened with a plain decoder, and made again from artwork and template.

What a manifest says of its templates is enough to make a mock-up again; its bytes are then the same. Another version
of a library may encode the same picture otherwise: then pixels are compared.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from config.errors import ArtworkError
from config.mockups import MockupOutput
from config.templates import Caption, Template, Watermark
from pipeline.evidence import Evidence, Verdict
from pipeline.mockups.making import photo_format
from pipeline.mockups.planning import Mockup, mockup_key
from pipeline.mockups.staging import Staging, compose, stage
from pipeline.mockups.templates import OpenTemplate
from pipeline.sources import probe
from tiles.design import Design
from tiles.readback import PhotoHeader, difference, read_photo_header
from tiles.sinks.sink import SheetFile
from tiles.store import hash_file
from tiles.tasks import make_mockup

STORE_BYTES = 2_000_000_000  # of artwork prepared anew; it is removed at the end
SAME = {"png": 0.0, "jpg": 3.0, "webp": 6.0}  # levels that encoders of the same pixels may differ by, in a block

Found = Mapping[str, Design | ArtworkError]


def prove(evidence: Evidence) -> Verdict:
    """Prove the mock-ups that a manifest lists."""
    manifest = evidence.manifest
    problems = list(_check_totals(manifest))
    output = MockupOutput.model_validate({"to": ".", **manifest["output"]})
    pictures, artwork = _find_inputs(evidence)
    with evidence.progress.track("Verifying mock-ups", len(manifest["mockups"])) as advance:
        for entry in manifest["mockups"]:
            with evidence.delivered.opened(Path(entry["file"]).name) as path:
                found = list(_check_mockup(path, entry, output, pictures, artwork, evidence))
            problems += [f"{entry['file']}: {problem}" for problem in found]
            advance(1)
    return Verdict(f"{len(manifest['mockups'])} mock-ups", tuple(problems))


def _check_totals(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the run as a whole: unfinished, or miscounted."""
    totals, made, failed = manifest["totals"], len(manifest["mockups"]), len(manifest["failed"])
    if manifest["finished_at"] is None:
        yield f"the run was not finished: {made} of {len(manifest['planned'])} mock-ups are there"
    elif totals["asked"] != made + failed:
        yield f"totals.asked is {totals['asked']}; {made} were made and {failed} could not be"
    for name, count in (("made", made), ("failed", failed)):
        if totals[name] != count:
            yield f"totals.{name} is {totals[name]}, counted: {count}"
    listed = [entry["file"] for entry in manifest["mockups"]]
    stray = sorted(set(listed) - set(manifest["planned"]))
    if stray or len(set(listed)) < len(listed):
        yield f"the mock-ups listed are not those planned: {', '.join(stray) or 'one is listed twice'}"


def _find_inputs(evidence: Evidence) -> tuple[Found, Found]:
    """Return the pictures of templates, and the artwork, by the names that the manifest calls them."""
    manifest = evidence.manifest
    stated = [
        picture
        for template in manifest["templates"].values()
        for picture in (*template["pictures"].values(), template["watermark_picture"])
        if picture is not None
    ]
    shown = [artwork for entry in manifest["mockups"] for artwork in entry["artwork"].values()]

    def find(files: list[Any], root: str, key: str) -> Found:
        names = dict.fromkeys(file["file"] for file in files)
        library = evidence.library(manifest[root], key, any(file["format"] == "svg" for file in files))
        return probe({name: name for name in names}, library, evidence.place) if names else {}

    return find(stated, "templates_root", "templates.root"), find(shown, "designs_root", "designs.root")


def _check_mockup(
    path: Path | None,
    entry: Mapping[str, Any],
    output: MockupOutput,
    pictures: Found,
    artwork: Found,
    evidence: Evidence,
) -> Iterator[str]:
    """Yield what is wrong with one mock-up: its file, its header, its inputs, its pixels."""
    if path is None:
        yield "the file is missing"
        return
    if path.stat().st_size != entry["bytes"] or hash_file(path) != entry["sha256"]:
        yield "the file is not the one that was written: its SHA-256 differs"
        return
    try:
        yield from _check_header(read_photo_header(path), entry, output)
        mockup = _mockup(entry, output, evidence.manifest, pictures, artwork)
    except ArtworkError as error:
        yield error.message
        return
    if mockup.key != entry["key"]:
        yield "its key is not that of its template, artwork and settings"
    yield from _check_pixels(path, entry, mockup, output, evidence)


def _check_header(header: PhotoHeader, entry: Mapping[str, Any], output: MockupOutput) -> Iterator[str]:
    if header.kind != output.format:
        yield f"it is a {header.kind}, not a {output.format}"
    if (header.width_px, header.height_px) != (entry["width_px"], entry["height_px"]):
        yield f"it is {header.width_px}×{header.height_px} pixels, not {entry['width_px']}×{entry['height_px']}"
    if not header.is_srgb:
        yield "its colour profile is not sRGB"


def _mockup(
    entry: Mapping[str, Any], output: MockupOutput, manifest: Mapping[str, Any], pictures: Found, artwork: Found
) -> Mockup:
    """Return the mock-up as it was planned; ArtworkError if one of its inputs is gone or changed."""
    template = _template(entry["template"], manifest["templates"][entry["template"]], pictures)
    shown = {area: _same(stated, artwork) for area, stated in entry["artwork"].items()}
    references = {area: stated["file"] for area, stated in entry["artwork"].items()}
    key = mockup_key(entry["design"], template, shown, output)
    return Mockup(entry["file"], entry["design"], template, shown, references, key)


def _template(name: str, stated: Mapping[str, Any], pictures: Found) -> OpenTemplate:
    mark = stated["watermark_picture"]
    watermark, caption = stated["watermark"], stated["caption"]
    return OpenTemplate(
        name=name,
        template=Template.model_validate(stated["template"]),
        pictures={own: _same(picture, pictures) for own, picture in stated["pictures"].items()},
        files={own: picture["file"] for own, picture in stated["pictures"].items()},
        watermark=Watermark.model_validate(watermark) if watermark else None,
        watermark_picture=_same(mark, pictures) if mark else None,
        watermark_file=mark["file"] if mark else "",
        caption=Caption.model_validate(caption) if caption else None,
    )


def _same(stated: Mapping[str, Any], found: Found) -> Design:
    """Return a file that a mock-up was made of; ArtworkError if it is gone or changed."""
    name = stated["file"]
    design = found[name]
    if isinstance(design, ArtworkError):
        raise ArtworkError(f"{name}: {design.message}; the mock-up could not be made again")
    if design.sha256 != stated["sha256"]:
        raise ArtworkError(f"{name}: changed since the run; the mock-up could not be made again")
    return design


def _check_pixels(
    path: Path, entry: Mapping[str, Any], mockup: Mockup, output: MockupOutput, evidence: Evidence
) -> Iterator[str]:
    """Make the mock-up again, and yield how it differs."""
    again = evidence.place.store.root.with_name(f"again-{path.name}")
    try:
        made = _make_again(stage(mockup, output), output, again, evidence)
        if made.sha256 != entry["sha256"] or hash_file(path) != made.sha256:
            apart = difference(path, again)
            if apart > SAME[output.format]:
                yield f"it is not the picture that its inputs give: somewhere it differs by {apart:.1f} levels"
    except ArtworkError as error:
        yield error.message
    finally:
        with suppress(FileNotFoundError):
            again.unlink()


def _make_again(staging: Staging, output: MockupOutput, target: Path, evidence: Evidence) -> SheetFile:
    place = evidence.place
    scene, scratch = compose(staging, output), place.store.scratch("mockup")
    again = place.bench.submit(
        make_mockup, place.store, scene, target, photo_format(output), place.bench.workers, scratch
    )
    made, _ = again.result()
    place.store.prune(STORE_BYTES, idle_s=0)
    return made
