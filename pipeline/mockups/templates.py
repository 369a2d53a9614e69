"""Templates, opened: read, their pictures found and judged by their headers, and checked as far as needs no pixel.

A template that cannot be used fails for itself, with where it is written and what to do; the others go on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from config.errors import ArtworkError, ConfigurationError, TilepressError
from config.mockups import MockupJob
from config.templates import (
    CORNER_NAMES,
    TEMPLATE_SUFFIXES,
    Caption,
    Template,
    Watermark,
    WrittenTemplate,
    read_template,
    template_from_json,
)
from config.yamlfile import Problem
from pipeline.mockups.artwork import public
from pipeline.mockups.studio import Studio
from pipeline.sources import probe
from pipeline.storage.address import is_url
from tiles.design import Design
from tiles.workbench import Workbench

SLIP_PX = 1e-6  # by which the sine of half a turn may put a corner outside


@dataclass(frozen=True, slots=True)
class OpenTemplate:
    """A template that can be used. `pictures` are its own by the name it calls them, `files` where these were found.

    `watermark`, with its picture if it has one, and `caption` are its own, else the job's.
    """

    name: str
    template: Template
    pictures: Mapping[str, Design]
    files: Mapping[str, str]
    watermark: Watermark | None
    watermark_picture: Design | None
    watermark_file: str
    caption: Caption | None

    @property
    def background(self) -> Design:
        """The photograph."""
        return self.pictures[self.template.background]


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of a job, by name in order: those that can be used, and why the others cannot."""

    usable: tuple[OpenTemplate, ...]
    broken: Mapping[str, str]


def open_templates(studio: Studio, bench: Workbench) -> Templates:
    """Read the job's templates and judge their pictures.

    Raises ConfigurationError if there are none, or one that the job names is missing.
    """
    written, broken = _read(studio)
    if not written and not broken:
        raise ConfigurationError(
            f"{studio.photos.root_name}: no templates",
            f"Put some there, each with the ending {TEMPLATE_SUFFIXES[0]}, or check templates.root.",
        )
    studio.photos.check()
    files = {one.name: {name: file_below(one.folder, name) for _, name in one.pictures()} for one in written}
    mark = studio.job.watermark.image if studio.job.watermark is not None else None
    names = dict.fromkeys([*(file for named in files.values() for file in named.values()), *_given(mark)])
    found = probe({public(name): name for name in names}, studio.photos, studio.workplace(bench))
    mark_picture = found[public(mark)] if mark is not None else None
    if isinstance(mark_picture, ArtworkError):
        raise ConfigurationError(f"watermark.image: {mark_picture.message}", "It counts from templates.root.")
    usable = []
    for one in written:
        pictures = {name: found[public(file)] for name, file in files[one.name].items()}
        problems = list(check_template(one, pictures))
        if problems:
            broken[one.name] = "\n".join(map(str, problems))
        else:
            usable.append(_opened(one, pictures, files[one.name], studio.job, mark_picture))
    return Templates(tuple(usable), dict(sorted(broken.items())))


def check_template(written: WrittenTemplate, pictures: Mapping[str, Design | ArtworkError]) -> Iterator[Problem]:
    """Yield what is wrong with a template, given its pictures by name, or why one cannot be used."""
    for path, name in written.pictures():
        picture = pictures[name]
        if isinstance(picture, ArtworkError):
            yield written.problem(path, f"{picture.message}{f'. {picture.remedy}' if picture.remedy else ''}")
    background = pictures[written.template.background]
    if isinstance(background, ArtworkError):
        return
    width, height = background.header.width_px, background.header.height_px
    for index, area in enumerate(written.template.areas):
        given = "box" if area.box is not None else "corners"
        for number, (x, y) in enumerate(area.quad):
            if not (-SLIP_PX <= x <= width + SLIP_PX and -SLIP_PX <= y <= height + SLIP_PX):
                yield written.problem(
                    ("areas", index, given),
                    f"corner {number + 1} ({CORNER_NAMES[number]}) at ({x:g}, {y:g}) lies outside of the background, "
                    f"which has {width}×{height} pixels; move it inside",
                )
        for key in ("mask", "shade"):
            picture = pictures.get(getattr(area, key) or "", background)
            if isinstance(picture, Design) and (picture.header.width_px, picture.header.height_px) != (width, height):
                yield written.problem(
                    ("areas", index, key),
                    f"it has {picture.header.width_px}×{picture.header.height_px} pixels, the background "
                    f"{width}×{height}; save it at that size",
                )


def _read(studio: Studio) -> tuple[list[WrittenTemplate], dict[str, str]]:
    """Return the templates that can be read, and by name why others cannot."""
    said = studio.job.templates
    written: list[WrittenTemplate] = []
    broken: dict[str, str] = {}
    for name, read in _from_database(studio) if said.database else _from_files(studio):
        try:
            written.append(read())
        except TilepressError as error:
            broken[name] = str(error)
    return written, broken


def _from_database(studio: Studio) -> Iterator[tuple[str, Any]]:
    database = studio.context.database
    if database is None:
        raise ConfigurationError("templates come from the database, and the pipeline has none", "Add the key database.")
    for record in database.templates(studio.job.templates.names):
        where = f"{database.address}: mockup_templates {record.name!r}"
        yield record.name, lambda record=record, where=where: template_from_json(record.name, record.data, where)


def _from_files(studio: Studio) -> Iterator[tuple[str, Any]]:
    """Yield the name of each template below the root, and what reads it; a second one of a name is a mistake."""
    root, wanted = studio.photos.root, studio.job.templates.names
    if not isinstance(root, Path):
        raise ConfigurationError(
            f"{root}: templates cannot be listed on a server",
            "Keep their YAML in a folder here, or in the database (templates.database: true).",
        )
    found: dict[str, Path] = {}
    for path in _yaml_files(root):
        if wanted is not None and path.stem not in wanted:
            continue
        if path.stem in found:
            raise ConfigurationError(
                f"{path}: a template is called {path.stem} already, in {found[path.stem]}", "Rename one of them."
            )
        found[path.stem] = path
    missing = sorted(set(wanted or ()) - found.keys())
    if missing:
        raise ConfigurationError(f"{root}: no template {', '.join(missing)}", "Check templates.names.")
    for name, path in sorted(found.items()):
        yield name, lambda path=path: read_template(path, root)


def _yaml_files(root: Path) -> Sequence[Path]:
    if not root.is_dir():
        raise ConfigurationError(f"{root}: no such folder", "Check templates.root in the pipeline file.")
    files = (path for suffix in TEMPLATE_SUFFIXES for path in root.rglob(f"*{suffix}"))
    return sorted(path for path in files if path.is_file() and not path.name.startswith("."))


def _given(name: str | None) -> tuple[str, ...]:
    return () if name is None else (name,)


def file_below(folder: str, name: str) -> str:
    """Return the name of a template's picture as it counts from the root."""
    return name if is_url(name) or not folder else str(PurePosixPath(folder) / name)


def _shown(template: Template) -> Template:
    """Return a template whose pictures are called what anyone may read: signatures are of no more use."""
    areas = tuple(
        area.model_copy(update={key: public(getattr(area, key)) for key in ("mask", "shade") if getattr(area, key)})
        for area in template.areas
    )
    named = {"background": public(template.background), "areas": areas, "watermark": _shown_mark(template.watermark)}
    return template.model_copy(update=named)


def _shown_mark(mark: Watermark | None) -> Watermark | None:
    return mark if mark is None or mark.image is None else mark.model_copy(update={"image": public(mark.image)})


def _opened(
    written: WrittenTemplate,
    pictures: Mapping[str, Design | ArtworkError],
    files: Mapping[str, str],
    job: MockupJob,
    mark_picture: Design | None,
) -> OpenTemplate:
    template = _shown(written.template)
    usable = {public(name): picture for name, picture in pictures.items() if isinstance(picture, Design)}
    names = {public(name): public(file) for name, file in files.items()}
    mark_file = job.watermark.image if job.watermark is not None else None
    if template.watermark is not None:
        own = template.watermark.image
        mark_picture, mark_file = (usable[own], names[own]) if own is not None else (None, None)
    return OpenTemplate(
        name=written.name,
        template=template,
        pictures=usable,
        files=names,
        watermark=template.watermark or _shown_mark(job.watermark),
        watermark_picture=mark_picture,
        watermark_file=public(mark_file or ""),
        caption=template.caption or job.caption,
    )
