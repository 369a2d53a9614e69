"""YAML text to plain values, with the place of every value kept for error messages.

Knows YAML and `${NAME}`; knows nothing of what the keys mean. Text from others is bounded before it is expanded:
its size, its depth, and the values and characters it has once aliases are followed.

Plain scalars are read as in YAML 1.2: `0123` and `12:30` are text, as an order number must be, not 83 and 750.
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
MAX_CHARACTERS = 10 * MAX_BYTES  # a long text that aliases and variables repeat
MAX_DEPTH = 40
MAX_KEY_SHOWN = 60

KeyPath = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$(?:(\$)\{|\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:(?!\$\{)[^}])*))?\}|\{)")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")  # longer ones, and those that begin with 0, are text
_DECIMAL = re.compile(r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)")
_WORDS: Mapping[str, Any] = {
    **dict.fromkeys(("", "~", "null"), None),
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
    **dict.fromkeys((".inf", "+.inf"), float("inf")),
    "-.inf": float("-inf"),
    ".nan": float("nan"),
}
# In {flow: mappings} YAML takes a brace for its own: those of variables are other characters while it reads.
_BRACED = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^{}\n]*)?\}")
_HIDDEN = str.maketrans("{}", "\uf5a7\uf5a8")
_SHOWN = str.maketrans("\uf5a7\uf5a8", "{}")
UNFIT = re.compile("[\0\ud800-\udfff]")  # neither a file name nor a database can hold them
_PLAIN_KEY = re.compile(rf"[\w -]{{1,{MAX_KEY_SHOWN}}}")


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
    """Plain values of one YAML document and the place of each (`file:line`, by key path).

    `overridden` names, by key path, who said a value that is not the file's own.
    """

    name: str
    data: Any
    lines: Mapping[KeyPath, int]
    problems: tuple[Problem, ...] = ()
    overridden: Mapping[KeyPath, str] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """Return `file:line` of the value at `path`, or of the nearest value around it."""
        for length in range(len(path), -1, -1):
            source = self.overridden.get(path[:length])
            if source is not None:
                return source
            line = self.lines.get(path[:length])
            if line is not None:
                return f"{self.name}:{line}"
        return self.name


def format_path(path: KeyPath) -> str:
    """Return a key path as it is read: `jobs[0].sheet.dpi`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _PLAIN_KEY.fullmatch(part) else ascii(part[:MAX_KEY_SHOWN])
            text += f".{key}" if text else key
    return text


def read_yaml(path: Path, environ: Mapping[str, str] | None) -> YamlDocument:
    """Read one YAML file of at most 1 MB, with `${NAME}` and `${NAME:-default}` replaced in its scalars.

    Without an `environ` they are not: text of others is shown to others, and would give secrets away.

    Raises ConfigurationError for text that is no YAML, StorageError for a file that cannot be read. Problems
    that leave the rest readable (duplicate keys, undefined variables) are collected in the document.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file", "Give the path of a YAML file.") from None
    except IsADirectoryError:
        raise ConfigurationError(f"{path}: a folder, not a file", "Give the path of a YAML file.") from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", "Check the path and its permissions.") from error
    return parse_yaml(raw, str(path), environ)


def parse_yaml(raw: bytes, name: str, environ: Mapping[str, str] | None) -> YamlDocument:
    """Parse YAML bytes as `read_yaml` does; `name` stands for the file in messages."""
    if len(raw) > MAX_BYTES:
        raise ConfigurationError(f"{name}: larger than {MAX_BYTES:,} bytes", "Split it into several files.")
    text = _decode(raw, name)
    try:
        hidden = _BRACED.sub(lambda match: match[0].translate(_HIDDEN), text)
        root = _Loader(hidden, name).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"{name}:{line}: not valid YAML: the character {chr(error.character)!a} cannot stand here"
        raise ConfigurationError(message, "Remove it.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError(f"{name}:{line}: not valid YAML: {_reason(error)}", _remedy(error)) from None
    if root is None:
        raise ConfigurationError(f"{name}: the file is empty", "See docs/pipeline-file.md for what it holds.")
    reader = _Reader(name, environ)
    return YamlDocument(name, reader.value(root, ()), reader.lines, tuple(reader.problems))


def _decode(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{name}:{line}: not UTF-8 text", "Save the file as UTF-8.") from None


def _reason(error: yaml.MarkedYAMLError) -> str:
    """Return what the parser complains of and in the middle of what, with its line when that is another."""
    words = ", ".join(part for part in (error.context, error.problem) if part)
    if error.context_mark and error.problem_mark and error.context_mark.line != error.problem_mark.line:
        words += f" (begun on line {error.context_mark.line + 1})"
    return words.translate(_SHOWN)


def _remedy(error: yaml.MarkedYAMLError) -> str:
    if "'\\t'" in (error.problem or ""):
        return "Indent with spaces, not with tabs."
    if "another document" in (error.problem or ""):
        return "Keep one document: remove the line --- and what follows it."
    if "undefined alias" in (error.problem or ""):
        return "Put text that begins with * in quotes."
    return "Mend this line or the one before: indentation, a missing quote, bracket or colon."


class _Loader(yaml.SafeLoader):
    """PyYAML's own loader, made to stop at too many nodes and too deep ones before it has built them all."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self._name, self._nodes, self._depth = name, 0, 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._nodes += 1
        self._depth += 1
        if self._nodes > 2 * MAX_VALUES:  # a key and its value
            raise _too_many(self._here(), "values", MAX_VALUES)
        if self._depth > MAX_DEPTH + 1:
            raise _too_deep(self._here())
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _here(self) -> str:
        return f"{self._name}:{self.line + 1}"


def _too_many(where: str, what: str, limit: int) -> ConfigurationError:
    return ConfigurationError(f"{where}: more than {limit:,} {what}", "Use fewer aliases, or several files.")


def _too_deep(where: str) -> ConfigurationError:
    return ConfigurationError(f"{where}: nested more than {MAX_DEPTH} deep", "Flatten it.")


@dataclass
class _Reader:
    """Turns nodes into values, counting as it goes so that aliases cannot blow the document up."""

    name: str
    environ: Mapping[str, str] | None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    values: int = 0
    characters: int = 0

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.values += 1
        if self.values > MAX_VALUES:
            raise _too_many(f"{self.name}:{line}", "values", MAX_VALUES)
        if len(path) > MAX_DEPTH:
            raise _too_deep(f"{self.name}:{line}")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._check_tag(node, path)
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node, path))
        return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]

    def _entries(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or not key_node.value:
                self._problem(path, line, "a key here is no word; give it a name")
                continue
            key = str(key_node.value).translate(_SHOWN)
            if key_node.tag == "tag:yaml.org,2002:merge":
                self._problem((*path, key), line, "merge keys are not read; write the keys out")
                continue
            if key in seen:
                self._problem((*path, key), line, f"duplicate key, first on line {seen[key]}; keep one of them")
                continue
            seen[key] = line
            self.lines[(*path, key)] = line
            yield key, self.value(value_node, (*path, key))

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        is_text = self._check_tag(node, path)
        self._count(len(node.value), node)
        text = _VARIABLE.sub(lambda match: self._variable(match, node, path), node.value.translate(_SHOWN))
        if UNFIT.search(text):
            self._problem(path, node.start_mark.line + 1, "holds a character that no name can have; remove it")
            return ""
        return text if is_text else plain_value(text)

    def _check_tag(self, node: yaml.Node, path: KeyPath) -> bool:
        """Return whether the node is text whatever it looks like; a tag such as !!binary is a problem."""
        plain = isinstance(node, yaml.ScalarNode) and node.style is None
        implied = _RESOLVER.resolve(type(node), node.value, (plain, not plain))  # type: ignore[no-untyped-call]
        if node.tag not in (implied, _TEXT):
            self._problem(path, node.start_mark.line + 1, "tags are not read; remove the one that begins with !")
        return not plain or (node.tag == _TEXT and implied != _TEXT)

    def _variable(self, match: re.Match[str], node: yaml.Node, path: KeyPath) -> str:
        escaped, name, default = match.groups()
        if escaped:
            return "${"
        if self.environ is None:
            self._problem(path, node.start_mark.line + 1, "variables are not read here; write the value itself")
            return ""
        value = self.environ.get(name) or default if name else None
        if value is None:
            message = (
                f"the environment variable {name} is not set, or empty; set it or write ${{{name}:-default}}"
                if name
                else "write a variable as ${NAME} or ${NAME:-default}, and a literal ${ as $${"
            )
            self._problem(path, node.start_mark.line + 1, message)
            return ""
        self._count(len(value), node)
        return value

    def _count(self, characters: int, node: yaml.Node) -> None:
        self.characters += characters
        if self.characters > MAX_CHARACTERS:
            raise _too_many(f"{self.name}:{node.start_mark.line + 1}", "characters", MAX_CHARACTERS)

    def _problem(self, path: KeyPath, line: int, message: str) -> None:
        self.problems.append(Problem(f"{self.name}:{line}", path, message))


_TEXT = "tag:yaml.org,2002:str"
_RESOLVER = yaml.resolver.Resolver()


def plain_value(text: str) -> Any:
    """Return what an unquoted scalar says: nothing, true or false, a number, or the text itself."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
