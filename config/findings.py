"""What pydantic finds in a document, in the words of the project: where, which key, what to do.

A value that came from the environment may be a secret, so messages never repeat values.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from config.errors import ConfigurationError
from config.yamlfile import KeyPath, Problem, YamlDocument

MAX_SHOWN = 20  # problems in one message; a person mends these first

# What a value of the wrong type should have been; alternatives of one key are joined with "or".
_TYPES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number, without quotes or unit",
    "string": "text in quotes",
    "tuple": "a list",
    "list": "a list",
    "model": "a mapping of keys",
    "dict": "a mapping of keys",
}
_BOUNDS = {
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "finite_number": "a finite number",
    "string_too_short": "not empty",
    "string_too_long": "at most {max_length} characters long",
    "string_pattern_mismatch": "1 to 64 letters, digits and . _ -, beginning with a letter or digit",
    "too_short": "a list with at least one entry",
    "literal_error": "{expected}",
}


def find_problems(
    error: ValidationError, document: YamlDocument, model: type[BaseModel], known: Sequence[Problem] = ()
) -> Iterator[Problem]:
    """Yield one problem for each key that `error` complains of, those in `known` left out."""
    broken = {problem.path for problem in known}
    details: dict[KeyPath, list[Any]] = {}
    for detail in error.errors(include_input=False, include_url=False):
        details.setdefault(_written_path(detail, document.data), []).append(detail)
    around = {path[:length] for path in details for length in range(len(path))}
    for path, found in details.items():
        if path not in broken and not (path in around and all(_is_shape(detail) for detail in found)):
            yield Problem(document.where(path), path, describe(found, path, document.data, model))


def complain(problems: Sequence[object], remedy: str) -> ConfigurationError:
    """Return the error that lists the problems down the file, the first twenty of them when there are more."""
    shown = [str(problem) for problem in sorted(problems, key=_line)[:MAX_SHOWN]]
    if len(problems) > MAX_SHOWN:
        shown.append(f"and {len(problems) - MAX_SHOWN:,} more")
    return ConfigurationError("\n".join(shown), remedy)


def _line(problem: object) -> int:
    line = problem.where.rpartition(":")[2] if isinstance(problem, Problem) else ""
    return int(line) if line.isdecimal() else 0


def describe(details: Sequence[Any], path: KeyPath, data: Any, model: type[BaseModel]) -> str:
    """Return what is wrong with the value at `path` and what it should be; what says most counts."""
    told = [detail for detail in details if not _is_type(detail)] or details
    first = told[0]
    if first["type"] in {"missing", "union_tag_not_found"}:
        return "missing; add this key"
    if first["type"] == "extra_forbidden":
        return _unknown(path, data, model)
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    if _value(data, path) is None:
        return "has no value; give it one, or remove the key"
    return "must be " + " or ".join(dict.fromkeys(_wanted(detail) for detail in told))


def _is_shape(detail: Mapping[str, Any]) -> bool:
    """Return whether a finding only follows from others below it: another alternative, a list of what is left."""
    return _is_type(detail) or detail["type"] == "too_short"


def _is_type(detail: Mapping[str, Any]) -> bool:
    return str(detail["type"]).endswith(("_type", "_parsing", "_from_float", "literal_error"))


def _wanted(detail: Mapping[str, Any]) -> str:
    kind = str(detail["type"])
    if kind == "union_tag_invalid":
        return " or ".join(detail["ctx"]["expected_tags"].split(", "))
    if kind == "literal_error" and detail["ctx"]["expected"] in {"True", "False"}:
        return str(detail["ctx"]["expected"]).lower()
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**detail.get("ctx", {}))
    return _TYPES.get(kind.split("_", maxsplit=1)[0], "something else: " + str(detail["msg"]))


def _unknown(path: KeyPath, data: Any, model: type[BaseModel]) -> str:
    """Return which key may have been meant: one that stands here, or the place where this one stands."""
    key, around = str(path[-1]), path[:-1]
    if key[:1].isdigit():
        return "is no key; in braces a comma ends a value: put what has commas in quotes"
    here = sorted({name for member in _models_at(around, data, model) for name in member.model_fields})
    near = difflib.get_close_matches(key[:100], here, n=1)
    if near:
        return f"unknown key; did you mean {near[0]}?"
    elsewhere = [
        ".".join(place) or "the top level"
        for place, keys in _places(model).items()
        if key in keys and place[-1:] != ("columns",)  # which say what a database calls things
        if place != tuple(step for step in around if isinstance(step, str))
    ]
    if elsewhere:
        return f"unknown key here; it belongs to {' or '.join(elsewhere)}"
    return f"unknown key; remove it. Known here: {', '.join(here)}" if here else "unknown key; remove it"


def _models_at(path: KeyPath, data: Any, model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the models that the mapping at a path may be; of several, the one that its `kind` names."""
    models = [model]
    for step in path:
        data = data[step]
        if isinstance(step, str):
            members = [member.model_fields[step] for member in models if step in member.model_fields]
            models = [inner for member in members for inner in _models_in(member.annotation)]
        if isinstance(data, dict) and len(models) > 1:
            models = [member for member in models if data.get("kind") in _kinds(member)] or models
    return models


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()


def _value(data: Any, path: KeyPath) -> Any:
    for step in path:
        data = data[step]
    return data


def _written_path(detail: Mapping[str, Any], data: Any) -> KeyPath:
    """Return pydantic's location without the parts that stand for alternatives of a type, not for keys."""
    path: list[str | int] = []
    tagged: Any = None
    for position, step in enumerate(detail["loc"]):
        if isinstance(data, dict) and data is not tagged and step == data.get("kind"):
            tagged = data  # the alternative of that kind; a key of the same name may follow
            continue
        if isinstance(data, list) and isinstance(step, str):
            continue
        if not isinstance(data, dict | list):
            break
        if isinstance(data, dict) and step not in data:
            if detail["type"] == "missing" and position == len(detail["loc"]) - 1:
                path.append(step)
            continue
        path.append(step)
        data = data[step]
    if str(detail["type"]).startswith("union_tag"):
        path.append(detail["ctx"]["discriminator"].strip("'"))
    return tuple(path)


@cache
def _places(model: type[BaseModel]) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """Return the keys that may stand at each place below a model, lists left out of the path."""
    places: dict[tuple[str, ...], tuple[str, ...]] = {(): tuple(model.model_fields)}
    for name, member in model.model_fields.items():
        for inner in _models_in(member.annotation):
            for below, keys in _places(inner).items():
                known = places.get((name, *below), ())
                places[name, *below] = (*known, *(key for key in keys if key not in known))
    return places


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
