"""Documentation that is run: every command in README and docs, every link, every key of the pipeline file."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from config import schema
from config.errors import ExitCode
from config.mockups import MockupDesigns, MockupJob
from config.sections import SectionsJob
from config.templates import Template

if TYPE_CHECKING:
    from tests.conftest import Outcome

REPOSITORY = Path(__file__).parents[1]
AREA = {"name": "area", "box": {"x": 0, "y": 0, "width": 10, "height": 10}}
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    return [line for block in blocks(page, "sh") for line in block.splitlines() if line and not line.startswith("#")]


def explained(page: str) -> set[str]:
    """Return the words that stand in backticks on a page, outside of its blocks."""
    text = (REPOSITORY / "docs" / f"{page}.md").read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", prose))))


def keys(model: type[BaseModel]) -> set[str]:
    """Return the keys of a model and of those within it."""
    found = set(model.model_fields)
    for member in model.model_fields.values():
        for inner in models_in(member.annotation):
            found |= keys(inner)
    return found


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_runs(
    page: Path, tmp_path: Path, tilepress: "Callable[..., Outcome]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, in a folder that holds the shipped examples, as a reader would type them."""
    shutil.copytree(REPOSITORY / "config" / "examples", tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    for command in commands(page):
        words = shlex.split(command)
        settings = {}
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            settings[name] = value
        if words[0] == "make":
            subprocess.run(["make", "-n", "-C", str(REPOSITORY), *words[1:]], check=True, capture_output=True)
            continue
        assert words[0] == "tilepress", command
        outcome = tilepress(*words[1:], **settings)
        assert outcome.exit_code == 0, f"{command}\n{outcome.text}"


def test_make_demo_does_what_readme_says(tmp_path: Path) -> None:
    if not (REPOSITORY / ".venv" / ".ready-run").exists():
        pytest.skip("make has set nothing up here yet")
    environment = {key: value for key, value in os.environ.items() if key != "MAKEFLAGS"}
    done = subprocess.run(
        ["make", "-C", str(REPOSITORY), "demo"], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (REPOSITORY / "out/demo/out/sheets/GangSheet_Part_2.png").exists()


@pytest.mark.parametrize("page", [*PAGES, REPOSITORY / "CHANGELOG.md"], ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert gone == []


def test_the_pipeline_file_shown_is_valid() -> None:
    (example,) = blocks(REPOSITORY / "docs" / "pipeline-file.md", "yaml")
    schema.Pipeline.model_validate(yaml.safe_load(example))


def test_every_key_is_explained() -> None:
    words = explained("pipeline-file") | explained("mockups") | explained("sections")
    assert keys(schema.Pipeline) | keys(schema.GangsheetJob) | keys(MockupJob) | keys(SectionsJob) <= words


def test_every_key_of_a_section_job_is_explained_on_its_page() -> None:
    everywhere = {"kind", "name", "root", "urls", "private_hosts", "to"}
    assert keys(SectionsJob) - everywhere <= explained("sections")


def test_the_section_jobs_shown_are_valid() -> None:
    shown = [yaml.safe_load(text) for text in blocks(REPOSITORY / "docs" / "sections.md", "yaml")]
    assert [len(schema.Pipeline.model_validate(content).jobs) for content in shown] == [1, 1]


def test_every_key_of_a_template_is_explained() -> None:
    assert keys(Template) - {"version"} <= explained("mockups")


def test_the_templates_and_jobs_shown_are_valid() -> None:
    shown = [yaml.safe_load(text) for text in blocks(REPOSITORY / "docs" / "mockups.md", "yaml")]
    templates = [Template.model_validate(content) for content in shown if "areas" in content]
    jobs = [schema.Pipeline.model_validate(content) for content in shown if "jobs" in content]
    designs = [MockupDesigns.model_validate(content["designs"]) for content in shown if "designs" in content]
    overlays = [content for content in shown if "watermark" in content]
    assert (len(templates), len(jobs), len(designs), len(overlays)) == (2, 1, 2, 1)
    for content in overlays:
        Template.model_validate({"background": "a.jpg", "areas": [AREA], **content})


def test_every_exit_code_is_explained_in_docs_and_help(tilepress: "Callable[..., Outcome]") -> None:
    page = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    help_text = " ".join(tilepress("--help").stdout.split())
    for code in ExitCode:
        assert f"\n| {code.value} |" in page
        assert f" {code.value} " in help_text
