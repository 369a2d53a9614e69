"""Designs and templates for tests of planning and staging: values only, no files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from config.errors import ArtworkError
from config.mockups import MockupOutput
from config.templates import Template
from pipeline.mockups.artwork import ONLY, MockupDesign
from pipeline.mockups.planning import Mockup, MockupPlan, plan_mockups
from pipeline.mockups.templates import OpenTemplate
from tiles.design import Design, Header

AREA = {"name": "front", "box": {"x": 10, "y": 10, "width": 100, "height": 80}}


def picture(sha256: str, width: int = 300, height: int = 200, **header: Any) -> Design:
    """Return a design with this content, of an opaque PNG unless the header says otherwise."""
    said = {"format": "png", "bands": 3, "bits": 8, "dpi": None, "orientation": 1, "has_profile": False}
    known = Header(**{**said, "width_px": width, "height_px": height, "buffered": False, **header})
    return Design(sha256, Path(f"/pictures/{sha256}"), 1000, (), known)


def template(
    name: str, *areas: Mapping[str, Any], background: Design | None = None, pictures: Sequence[str] = ()
) -> OpenTemplate:
    """Return a template on a photograph, with the usual area if none is given; `pictures` are others that it names."""
    said = Template.model_validate({"background": "photo.png", "areas": [dict(one) for one in areas or (AREA,)]})
    background = background or picture("bg")
    header = background.header
    found = {one: picture(one, header.width_px, header.height_px) for one in pictures}
    named = {"photo.png": background, **found}
    return OpenTemplate(name, said, named, {one: f"folder/{name}/{one}" for one in named}, None, None, "", None)


def output(**keys: Any) -> MockupOutput:
    return MockupOutput.model_validate({"to": "out", **keys})


def single(name: str, file: str = "") -> MockupDesign:
    """Return a design with one artwork."""
    return MockupDesign(name, {ONLY: file or f"{name}.png"})


def plan(
    designs: Sequence[MockupDesign],
    templates: Sequence[OpenTemplate],
    broken: Mapping[str, str] | None = None,
    artwork: Mapping[str, Design | ArtworkError] | None = None,
    file_name: Callable[[str, str], str] = "{}_{}.jpg".format,
    **keys: Any,
) -> MockupPlan:
    """Plan mock-ups; artwork that is not given is a picture whose hash is its name."""
    found: dict[str, Design | ArtworkError] = {
        reference: picture(reference) for design in designs for reference in design.sides.values()
    }
    return plan_mockups(designs, templates, broken or {}, found | dict(artwork or {}), output(**keys), file_name)


def only(result: MockupPlan) -> Mockup:
    """Return the mock-up of a plan that has one, and no failures."""
    (mockup,) = result.mockups
    assert result.failures == ()
    return mockup
