"""A pipeline file to a validated `Pipeline`: command line over environment over YAML over default.

All problems of a file are reported together, each with `file:line`, key path and remedy.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config import schema
from config.errors import ConfigurationError
from config.findings import complain, find_problems
from config.yamlfile import KeyPath, YamlDocument, format_path, parse_yaml, read_yaml

DYNAMIC_SIZING_VARIABLE = "GANGSHEET_DYNAMIC_SIZING"
DELAY_VARIABLE = "SECTION_PROCESSING_DELAY_SECONDS"
GARBAGE_VARIABLE = "FORCE_GARBAGE_COLLECTION"
SEQUENTIAL_VARIABLE = "ENABLE_MEMORY_EFFICIENT_PROCESSING"
DEADLINE_VARIABLE = "WORKER_TIMEOUT"
_SECONDS = re.compile(r"\d{1,7}(\.\d{1,3})?", re.ASCII)
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}
_INDEX = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says on top of the file; None or empty where it says nothing."""

    settings: tuple[str, ...] = ()  # KEY=VALUE
    dynamic_sizing: bool | None = None
    out: str | None = None


def load_pipeline(path: Path, environ: Mapping[str, str], overrides: Overrides | None = None) -> schema.Pipeline:
    """Read and validate the pipeline file at `path`.

    Relative paths in the result stay as written; they are meant from the file's folder.
    Raises ConfigurationError naming every problem found, StorageError when the file cannot be read.
    """
    document = read_yaml(path, environ)
    if not isinstance(document.data, dict):
        raise ConfigurationError(
            f"{document.where(())}: a pipeline file is a mapping of keys", "Begin it with version: 1."
        )
    overlay = _Overlay(document.data)
    overlay.say(overrides or Overrides(), environ)
    document = overlay.over(document)
    problems: list[object] = [*document.problems, *overlay.complaints]
    try:
        pipeline = schema.Pipeline.model_validate(document.data)
    except ValidationError as error:
        problems += find_problems(error, document, schema.Pipeline, document.problems)
        raise complain(problems, "See docs/pipeline-file.md.") from None
    if problems:
        raise complain(problems, "See docs/pipeline-file.md.")
    return pipeline


@dataclass
class _Overlay:
    """What is said on top of a file, written into its values; whoever speaks last counts.

    `sources` names who said the value at a key path; `complaints` are what could not be understood.
    """

    data: dict[str, Any]
    sources: dict[KeyPath, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def say(self, overrides: Overrides, environ: Mapping[str, str]) -> None:
        """Write the environment's word into the values, then the command line's."""
        dynamic = self._switch(environ, DYNAMIC_SIZING_VARIABLE, counts=overrides.dynamic_sizing is None)
        if dynamic is not None:
            self._say_sizing(dynamic, DYNAMIC_SIZING_VARIABLE)
        if any(job.get("kind") == "sections" for _, job in self._jobs()):
            self._say_sections(environ)
        for setting in overrides.settings:
            self._say_setting(setting, environ)
        if overrides.dynamic_sizing is not None:
            self._say_sizing(overrides.dynamic_sizing, "--dynamic-sizing/--full-size")
        if overrides.out is not None:
            self._say_out(overrides.out)

    def over(self, document: YamlDocument) -> YamlDocument:
        """Return the document with what was said; the file's problems with values said anew are none any more."""
        problems = tuple(problem for problem in document.problems if not self._covers(problem.path))
        lines = {path: line for path, line in document.lines.items() if not self._covers(path)}
        return replace(document, lines=lines, problems=problems, overridden=self.sources)

    def _covers(self, path: KeyPath) -> bool:
        return any(path[:length] in self.sources for length in range(len(path) + 1))

    def _switch(self, environ: Mapping[str, str], variable: str, *, counts: bool = True) -> bool | None:
        """Return what a variable says, None if it says nothing; what is neither is complained of if it counts."""
        said = environ.get(variable, "").strip().lower()
        if said and said not in _TRUE | _FALSE and counts:
            self.complaints.append(f"the environment variable {variable}: set it to true or false")
        return said in _TRUE if said in _TRUE | _FALSE else None

    def _say_sections(self, environ: Mapping[str, str]) -> None:
        """Write what the environment says of section jobs into them, and of the run that they are part of."""
        delay = environ.get(DELAY_VARIABLE, "").strip()
        if delay and not _SECONDS.fullmatch(delay):
            self.complaints.append(f"the environment variable {DELAY_VARIABLE}: set it to seconds, such as 0.1")
        elif delay:
            self._say_of_sections("delay_s", float(delay), DELAY_VARIABLE)
        collects = self._switch(environ, GARBAGE_VARIABLE)
        if collects is not None:
            self._say_of_sections("collect_garbage", collects, GARBAGE_VARIABLE)
        sequential = self._switch(environ, SEQUENTIAL_VARIABLE)
        if sequential is not None:
            self._say_of_sections("workers", 1 if sequential else "auto", SEQUENTIAL_VARIABLE)
        deadline = environ.get(DEADLINE_VARIABLE, "").strip()
        if deadline and isinstance(self.data.setdefault("run", {}), dict):
            self.data["run"]["deadline"] = f"{deadline}s" if _SECONDS.fullmatch(deadline) else deadline
            self.sources["run", "deadline"] = f"the environment variable {DEADLINE_VARIABLE}"

    def _say_of_sections(self, key: str, value: object, variable: str) -> None:
        for index, job in self._jobs():
            if job.get("kind") == "sections":
                job[key] = value
                self.sources["jobs", index, key] = f"the environment variable {variable}"

    def _say_sizing(self, dynamic: bool, source: str) -> None:
        for index, job in self._jobs():
            if isinstance(job.get("sheet"), dict):
                job["sheet"]["dynamic_sizing"] = dynamic
                self.sources["jobs", index, "sheet", "dynamic_sizing"] = source

    def _say_out(self, out: str) -> None:
        if not out.strip():
            self.complaints.append("--out is empty; name a folder")
            return
        jobs = list(self._jobs())
        for index, job in jobs:
            folder = out if len(jobs) == 1 else f"{out}/{job.get('name')}"
            if job.setdefault("output", {}) is None:
                job["output"] = {}
            if isinstance(job["output"], dict):
                job["output"]["to"] = folder if "://" in out else str(Path(folder).absolute())
                self.sources["jobs", index, "output", "to"] = "--out"

    def _say_setting(self, setting: str, environ: Mapping[str, str]) -> None:
        key, equals, text = setting.partition("=")
        parts = _INDEX.sub(r".\1", key).split(".")
        source = f"--set {key}"
        if not equals or not all(parts):
            self.complaints.append(f"{source}: write it as KEY=VALUE, e.g. --set memory.budget=512MB")
            return
        try:
            value = _parse_setting(text, source, environ)
            self.sources[_set_value(self.data, parts, value)] = source
        except ConfigurationError as error:
            self.complaints.append(error.message)
        except ValueError as error:
            self.complaints.append(f"{source}: {error}")

    def _jobs(self) -> Iterator[tuple[int, dict[str, Any]]]:
        jobs = self.data.get("jobs")
        for index, job in enumerate(jobs if isinstance(jobs, list) else []):
            if isinstance(job, dict):
                yield index, job


def _parse_setting(text: str, source: str, environ: Mapping[str, str]) -> Any:
    if not text.strip():
        return None
    document = parse_yaml(text.encode("utf-8", "surrogateescape"), source, environ)
    if document.problems:
        raise ValueError("; ".join(problem.message for problem in document.problems))
    return document.data


def _set_value(data: Any, parts: Sequence[str], value: Any) -> KeyPath:
    """Set the value under the keys `parts` in place; jobs are addressed by name or number.

    Return the path of what is new: of the value, or of the first mapping that was made to hold it.
    """
    path: list[str | int] = []
    made: KeyPath = ()
    for position, part in enumerate(parts):
        step: str | int = part
        if isinstance(data, list):
            step = _position(data, part, format_path(tuple(path)))
        elif not isinstance(data, dict):
            raise ValueError(f"{format_path(tuple(path))} has no keys")  # noqa: TRY004 - it is the user's text
        path.append(step)
        if position == len(parts) - 1:
            data[step] = value
        elif isinstance(data, dict) and data.get(part) is None:
            data[part] = {}
            made = made or tuple(path)
        data = data[step]
    return made or tuple(path)


def _position(items: list[Any], part: str, where: str) -> int:
    for index, item in enumerate(items):
        if isinstance(item, dict) and item.get("name") == part:
            return index
    if part.isdecimal() and len(part) < 10 and int(part) < len(items):  # noqa: PLR2004 - no list is that long
        return int(part)
    raise ValueError(f"{where} has no entry {part}; give a name that stands there, or a number from 0")
