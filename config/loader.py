"""A pipeline file to a validated `Pipeline`: command line over environment over YAML over default.

All problems of a file are reported together, each with `file:line`, key path and remedy. A value that came from the
environment may be a secret, so messages never repeat values.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from config import schema
from config.errors import ConfigurationError
from config.yamlfile import KeyPath, Problem, YamlDocument, format_path, read_yaml

DYNAMIC_SIZING_VARIABLE = "GANGSHEET_DYNAMIC_SIZING"
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


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
    overrides = overrides or Overrides()
    document = read_yaml(path, environ)
    problems = list(document.problems)
    if not isinstance(document.data, dict):
        raise ConfigurationError(f"{document.where(())}: a pipeline file is a mapping", "Begin it with version: 1.")
    document, unset = _apply_settings(document, overrides.settings)
    problems += unset
    problems += _apply_switches(document.data, environ, overrides)
    try:
        pipeline = schema.Pipeline.model_validate(document.data)
    except ValidationError as error:
        pipeline = None
        problems += _problems(error, document, problems)
    if pipeline is None or problems:
        raise ConfigurationError("\n".join(str(problem) for problem in problems), "See docs/pipeline-file.md.")
    return pipeline


def _apply_settings(document: YamlDocument, settings: Sequence[str]) -> tuple[YamlDocument, list[Problem]]:
    lines, problems = dict(document.lines), []
    for setting in settings:
        key, equals, text = setting.partition("=")
        where = f"--set {key}"
        try:
            if not equals or not key:
                raise ValueError("write it as KEY=VALUE, e.g. --set memory.budget=512MB")
            path = _set_value(document.data, key, yaml.safe_load(text))
            lines = {known: line for known, line in lines.items() if known[: len(path)] != path}
        except (ValueError, yaml.YAMLError) as error:
            problems.append(Problem(where, (), str(error).splitlines()[0]))
    return replace(document, lines=lines), problems


def _set_value(data: Any, key: str, value: Any) -> KeyPath:
    """Set the dotted `key` in place; jobs are addressed by name or number. Return its path."""
    path: list[str | int] = []
    parts = key.split(".")
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        step: str | int = part
        if isinstance(data, list):
            step = _position(data, part, format_path(tuple(path)))
        elif not isinstance(data, dict):
            raise ValueError(f"{format_path(tuple(path))} has no keys")  # noqa: TRY004 - it is the user's text
        elif not last:
            data.setdefault(part, {})
        path.append(step)
        if last:
            data[step] = value
        else:
            data = data[step]
    return tuple(path)


def _position(items: list[Any], part: str, where: str) -> int:
    for index, item in enumerate(items):
        if isinstance(item, dict) and item.get("name") == part:
            return index
    if part.isdigit() and int(part) < len(items):
        return int(part)
    raise ValueError(f"{where} has no entry {part!r}")


def _apply_switches(data: dict[str, Any], environ: Mapping[str, str], overrides: Overrides) -> list[Problem]:
    dynamic = overrides.dynamic_sizing
    said = environ.get(DYNAMIC_SIZING_VARIABLE, "").strip().lower()
    if dynamic is None and said:
        if said not in _TRUE | _FALSE:
            return [Problem(DYNAMIC_SIZING_VARIABLE, (), "the environment variable is true or false")]
        dynamic = said in _TRUE
    jobs = data.get("jobs")
    for job in jobs if isinstance(jobs, list) else []:
        if not isinstance(job, dict):
            continue
        if dynamic is not None and isinstance(job.get("sheet"), dict):
            job["sheet"]["dynamic_sizing"] = dynamic
        if overrides.out is not None and isinstance(job.get("output"), dict):
            job["output"]["to"] = str(Path(overrides.out).absolute())
    return []


def _problems(error: ValidationError, document: YamlDocument, known: Sequence[Problem]) -> list[Problem]:
    found, broken = [], {problem.path for problem in known}
    for detail in error.errors(include_input=False, include_url=False):
        path = _written_path(detail["loc"], document.data)
        if path in broken:
            continue
        problem = Problem(document.where(path), path, _message(detail, path))
        if problem not in found:
            found.append(problem)
    return found


def _written_path(location: tuple[str | int, ...], data: Any) -> KeyPath:
    """Return pydantic's location without the parts that stand for alternatives of a type, not for keys."""
    path: list[str | int] = []
    for position, step in enumerate(location):
        inside = isinstance(data, dict) or (isinstance(data, list) and isinstance(step, int))
        if not inside:
            break
        if isinstance(data, dict) and step not in data:
            if position == len(location) - 1:
                path.append(step)
            continue
        path.append(step)
        data = data[step]
    return tuple(path)


def _message(detail: Any, path: KeyPath) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return "missing; add this key"
    if kind == "extra_forbidden":
        key = str(path[-1])
        near = difflib.get_close_matches(key, sorted(_all_keys(schema.Pipeline)), n=1)
        return f"unknown key; did you mean {near[0]}?" if near else "unknown key; remove it"
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be {context['expected']}"
    return str(detail["msg"])[0].lower() + str(detail["msg"])[1:]


def _all_keys(model: type[BaseModel]) -> set[str]:
    """Return every key that may stand somewhere below a model."""
    keys = set(model.model_fields)
    for member in model.model_fields.values():
        for inner in _models_in(member.annotation):
            keys |= _all_keys(inner)
    return keys


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
