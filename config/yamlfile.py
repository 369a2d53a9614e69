"""YAML text to plain values, with the place of every value kept for error messages.

Knows YAML and `${NAME}`; knows nothing of what the keys mean. Text from others is bounded before it is expanded:
its size, its depth, and the values it has once aliases are followed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from config.errors import ConfigurationError, StorageError

MAX_BYTES = 1_000_000
MAX_VALUES = 100_000  # a thousand jobs of a hundred keys; an alias bomb passes it in its third level
MAX_DEPTH = 40

KeyPath = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$(?:(\$)\{|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where it stands, under which key, and what to do."""

    where: str
    path: KeyPath
    message: str

    def __str__(self) -> str:
        key = format_path(self.path)
        return f"{self.where}: {key}: {self.message}" if key else f"{self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """Plain values of one YAML document and the place of each (`file:line`, by key path)."""

    name: str
    data: Any
    lines: Mapping[KeyPath, int]
    problems: tuple[Problem, ...] = ()

    def where(self, path: KeyPath) -> str:
        """Return `file:line` of the value at `path`, or of the nearest value around it."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return f"{self.name}:{line}"
        return self.name


def format_path(path: KeyPath) -> str:
    """Return a key path as it is read: `jobs[0].sheet.dpi`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_yaml(path: Path, environ: Mapping[str, str]) -> YamlDocument:
    """Read one YAML file of at most 1 MB, with `${NAME}` and `${NAME:-default}` replaced in its scalars.

    Raises ConfigurationError for text that is no YAML, StorageError for a file that cannot be read. Problems
    that leave the rest readable (duplicate keys, undefined variables) are collected in the document.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file", "Give the path of a YAML file.") from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", "Check the path and its permissions.") from error
    return parse_yaml(raw, str(path), environ)


def parse_yaml(raw: bytes, name: str, environ: Mapping[str, str]) -> YamlDocument:
    """Parse YAML bytes as `read_yaml` does; `name` stands for the file in messages."""
    if len(raw) > MAX_BYTES:
        raise ConfigurationError(f"{name}: larger than {MAX_BYTES:,} bytes", "Split it into several files.")
    loader = yaml.SafeLoader(_decode(raw, name))
    try:
        root = loader.get_single_node()
        if root is None:
            raise ConfigurationError(f"{name}: the file is empty", "See docs/pipeline-file.md for what it holds.")
        reader = _Reader(name, loader, environ)
        return YamlDocument(name, reader.value(root, ()), reader.lines, tuple(reader.problems))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError(f"{name}:{line}: not valid YAML: {error.problem}", "Mend the line.") from None
    except (yaml.YAMLError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        raise ConfigurationError(f"{name}: not valid YAML: {reason}", "Mend the file.") from None
    finally:
        loader.dispose()


def _decode(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{name}:{line}: not UTF-8 text", "Save the file as UTF-8.") from None


@dataclass
class _Reader:
    """Turns nodes into values, counting as it goes so that aliases cannot blow the document up."""

    name: str
    loader: yaml.SafeLoader
    environ: Mapping[str, str]
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    values: int = 0

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.values += 1
        if self.values > MAX_VALUES:
            raise ConfigurationError(f"{self.name}:{line}: more than {MAX_VALUES:,} values", "Use fewer aliases.")
        if len(path) > MAX_DEPTH:
            raise ConfigurationError(f"{self.name}:{line}: nested more than {MAX_DEPTH} deep", "Flatten it.")
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)  # the only kind left
        return self._scalar(node, path)

    def _entries(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            if key in seen:
                self._problem((*path, key), line, f"duplicate key, first on line {seen[key]}; keep one of them")
                continue
            seen[key] = line
            self.lines[(*path, key)] = line
            yield key, self.value(value_node, (*path, key))

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        text = _VARIABLE.sub(lambda match: self._variable(match, node, path), node.value)
        plain = node.style is None
        tag = self.loader.resolve(yaml.ScalarNode, text, (True, False)) if plain else node.tag  # type: ignore[no-untyped-call]
        resolved = yaml.ScalarNode(tag, text, node.start_mark, node.end_mark, node.style)
        try:
            return self.loader.construct_object(resolved)
        except (ValueError, yaml.constructor.ConstructorError):
            self._problem(path, node.start_mark.line + 1, "this value cannot be read; put it in quotes")
            return None

    def _variable(self, match: re.Match[str], node: yaml.Node, path: KeyPath) -> str:
        escaped, name, default = match.groups()
        if escaped:
            return "${"
        value = self.environ.get(name) or default
        if value is None:
            message = f"the environment variable {name} is not set; set it or write ${{{name}:-default}}"
            self._problem(path, node.start_mark.line + 1, message)
            return ""
        return value

    def _problem(self, path: KeyPath, line: int, message: str) -> None:
        self.problems.append(Problem(f"{self.name}:{line}", path, message))
