"""A section job in the pipeline file: which PDFs, taken apart where, analysed by whom, into which files."""

import re
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from config.basis import Amount, Dpi, Model, Name, Place, Seconds, Text, check_file_name, pieces_of
from config.designs import Sources
from config.pageranges import check_page_ranges

MAX_TITLE = 200  # characters; of a title that names a file, fewer are used
MOST_SECTIONS = 100_000
_LONGEST_PAUSE_S = 3600.0

Seconds0 = Annotated[float, Field(ge=0, le=_LONGEST_PAUSE_S)]


class Documents(Sources):
    """Where PDFs are found, and which: those that a pattern below `root` matches, if the job names none itself.

    `max_pixels` bounds a page that is drawn.
    """

    glob: Text | None = None
    max_pixels: Annotated[int, Field(gt=0)] = 4_000_000_000


class ChosenSection(Model):
    """A section by its pages, which are counted from 1: `1-7`, `3,5,9-`. They stand in the order that is written."""

    title: Annotated[str, Field(min_length=1, max_length=MAX_TITLE)]
    pages: Annotated[str | int, AfterValidator(check_page_ranges)]


class ByOutline(Model):
    """A section for each entry of the document's outline, down to `depth`; each ends where the next one begins."""

    outline: Literal[True]
    depth: Annotated[int, Field(ge=1, le=10)] = 1


class ByCount(Model):
    """A section for every so many pages."""

    every: Annotated[int, Field(ge=1, le=100_000)]


def _one_way(value: object) -> object:
    if isinstance(value, dict) and ("outline" in value) == ("every" in value):
        raise ValueError("give a list of title and pages, or {outline: true}, or {every: N}, one of them")
    return value


def _way(value: object) -> str:
    """Return in which of the three ways sections are said, by the keys: so that messages speak of that one alone."""
    if not isinstance(value, dict):
        return "by pages"
    return "by count" if "every" in value else "by outline"


class LocalAnalyzer(Model):
    """`kind: local`: what a print shop wants to know of a PDF, found on this machine."""

    kind: Literal["local"]


class NoAnalyzer(Model):
    """`kind: none`: sections are cut, and nobody looks into them."""

    kind: Literal["none"]


class GeminiAnalyzer(Model):
    """`kind: gemini`: each section is uploaded, answered by a model, and removed again.

    `json_schema` asks for an answer in that form. Of a call, `timeout_s` bounds the time and `attempts` how often it is
    tried; `endpoint` is where the service is, if not at Google.
    """

    kind: Literal["gemini"]
    model: Text
    api_key: Annotated[Text, Field(repr=False)]
    prompt: Text = "Summarise this section. List its topics, and what a reader should know before."
    json_schema: dict[str, object] | None = None
    endpoint: Text | None = None
    timeout_s: Seconds = 120.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 5
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None


class Pages(Model):
    """Each page as an image: how fine, in which format, on paper or on nothing."""

    dpi: Dpi = 200
    format: Literal["png", "tiff"] = "png"
    background: Literal["white", "transparent"] = "white"


class Limits(Model):
    """What each section may ask for: time, memory of its process, and attempts where one more may do."""

    timeout_s: Seconds = 600.0
    memory: Amount = "1GB"
    attempts: Annotated[int, Field(ge=1, le=20)] = 3


class SectionsOutput(Model):
    """Where sections go, under which names, and what there is of each besides its PDF."""

    to: Place
    filename: str = "{number:03}_{title}"
    text: bool = True
    preview: bool = True

    @field_validator("filename")
    @classmethod
    def _usable(cls, value: str) -> str:
        pieces = pieces_of(value, "number")
        forms = {"number": {"", "01", "02", "03", "04", "05", "06", "2", "3", "4", "5", "6"}}
        if any(
            name not in {"number", "title", "document", "job"} or form not in forms.get(name, {""}) or change
            for name, form, change in pieces
        ):
            raise ValueError("the fields of a file name are {number}, {number:03}, {title}, {document} and {job}")
        if value.lower().endswith((".pdf", ".txt", ".png", ".tif", ".tiff")):
            raise ValueError("leave the ending out: each file has its own")
        if "number" not in {name for name, _, _ in pieces}:
            raise ValueError("the file name needs {number}, or the sections would overwrite each other")
        if not _stands_apart(value):
            raise ValueError("set {number} apart from digits and other fields, as in {number:03}_{title}")
        check_file_name(value.format(number=MOST_SECTIONS, title="title", document="document", job="x" * 64))
        return value


def _stands_apart(pattern: str) -> bool:
    """Tell whether a {number} of the pattern has neither a digit nor another field beside it."""
    shape = "".join(
        re.sub(r"\D", "_", literal) + ("" if name is None else "n" if name == "number" else "f")
        for literal, name, *_ in Formatter().parse(pattern)
    )
    return re.search(r"(?<![fn\d])n(?![fn\d])", shape) is not None


class SectionsJob(Model):
    """`kind: sections`: PDFs taken apart, one section at a time."""

    kind: Literal["sections"]
    name: Name
    document: Text | None = None
    documents: Documents = Documents()
    password: Annotated[Text | None, Field(repr=False)] = None
    sections: Annotated[
        Annotated[tuple[ChosenSection, ...], Field(min_length=1, strict=False), Tag("by pages")]
        | Annotated[ByOutline, Tag("by outline")]
        | Annotated[ByCount, Tag("by count")],
        Discriminator(_way),
        BeforeValidator(_one_way),
    ]
    analyzer: Annotated[LocalAnalyzer | GeminiAnalyzer | NoAnalyzer, Field(discriminator="kind")] = LocalAnalyzer(
        kind="local"
    )
    pages: Pages | None = None
    delay_s: Seconds0 = 0.1
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=256)] = 1
    limits: Limits = Limits()
    collect_garbage: bool = True
    output: SectionsOutput

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.document is None) == (self.documents.glob is None):
            raise ValueError("give document, or documents.glob, one of them")
        return self

    @property
    def needs_database(self) -> bool:
        """Whether the job reads anything from the database: nothing."""
        return False

    @property
    def designs(self) -> Sources:
        """Where the job's files come from, under the name that other kinds of jobs have it.

        A document that is named by its URL is let in, whatever `urls` says.
        """
        scheme, colon, _ = (self.document or "").partition("://")
        return self.documents.model_copy(update={"urls": (*self.documents.urls, scheme + colon)} if colon else {})
