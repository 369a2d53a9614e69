"""A mock-up job in the pipeline file: which designs, on which templates, into which files."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from config.basis import Model, Name, Place, Text, check_file_name, pieces_of
from config.designs import Designs
from config.templates import NOTHING, Caption, Colour, Watermark

_LONGEST_NAME = "x" * 64


class DesignItem(Model):
    """One design by its name: a single artwork, or one for each of its sides. Artwork is a name below the root."""

    name: Name
    file: Text | None = None
    sides: dict[Name, Text] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.file is None) == (not self.sides):
            raise ValueError("give file, or sides with at least one side")
        if NOTHING in (self.sides or {}):
            raise ValueError(f"no side can be called {NOTHING}: in a template it means no artwork")
        return self


class MockupDesigns(Designs):
    """Which artwork is put on the templates: files that a pattern below `root` matches, or a list of items.

    With `sides`, files whose names end in one of them (`tour_front.png`, `tour-back.png`) are sides of one design.
    """

    glob: Text | None = None
    sides: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    items: Annotated[tuple[DesignItem, ...], Field(min_length=1, strict=False)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.glob is None) == (self.items is None):
            raise ValueError("give glob or items, one of them")
        if self.sides and self.items is not None:
            raise ValueError("sides are for glob; an item names its own")
        if NOTHING in self.sides:
            raise ValueError(f"no side can be called {NOTHING}: in a template it means no artwork")
        return self

    @field_validator("items")
    @classmethod
    def _names_differ(cls, items: tuple[DesignItem, ...] | None) -> tuple[DesignItem, ...] | None:
        names: dict[str, int] = {}
        for index, item in enumerate(items or ()):
            if names.setdefault(item.name, index) != index:
                raise ValueError(f"items[{names[item.name]}] and items[{index}] have the same name; rename one of them")
        return items


class Templates(Model):
    """Which templates: the YAML files below `root`, those with `names` of them, or those of the database.

    Pictures that a template names lie below `root`, which may be a URL for templates of the database.
    """

    root: Text
    names: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)] | None = None
    database: bool = False


class MockupOutput(Model):
    """Where mock-ups go, in which format, under which names. `max_px` bounds the longer side."""

    to: Place
    format: Literal["jpg", "png", "webp"] = "jpg"
    quality: Annotated[int, Field(ge=1, le=100)] = 90
    chroma: Literal["4:2:0", "4:4:4"] = "4:2:0"
    ground: Colour = "#ffffff"
    max_px: Annotated[int, Field(ge=16, le=65_000)] | None = None
    filename: str = "{design}_{template}"

    @field_validator("filename")
    @classmethod
    def _usable(cls, value: str) -> str:
        pieces = pieces_of(value)
        if {name for name, _, _ in pieces} - {"design", "template", "job"} or any(a or b for _, a, b in pieces):
            raise ValueError("the fields of a file name are {design}, {template} and {job}")
        if not {"design", "template"} <= {name for name, _, _ in pieces}:
            raise ValueError("the file name needs {design} and {template}, or mock-ups would overwrite each other")
        check_file_name(value.format(design="design", template="template", job=_LONGEST_NAME))
        return value


class MockupJob(Model):
    """`kind: mockups`: designs put on photographs of products."""

    kind: Literal["mockups"]
    name: Name
    designs: MockupDesigns
    templates: Templates
    watermark: Watermark | None = None
    caption: Caption | None = None
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=256)] = 1
    output: MockupOutput

    @property
    def needs_database(self) -> bool:
        """Whether the job reads its templates from the database."""
        return self.templates.database
