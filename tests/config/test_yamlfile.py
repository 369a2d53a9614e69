"""YAML of others: bounded, with the line of everything, `${NAME}` replaced, and nothing guessed."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import yamlfile
from config.errors import ConfigurationError, StorageError
from config.yamlfile import YamlDocument, format_path, parse_yaml, plain_value, read_yaml


def parse(text: str, **environ: str) -> YamlDocument:
    return parse_yaml(text.encode(), "p.yaml", environ)


def problems(text: str, **environ: str) -> list[str]:
    return [str(problem) for problem in parse(text, **environ).problems]


def error(raw: bytes, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_yaml(raw, "p.yaml", environ or {})
    return str(caught.value)


# Values and places


def test_every_value_knows_its_line() -> None:
    document = parse("a: 1\njobs:\n  - name: x\n    sheet:\n      dpi: 300\n")
    assert document.where(("jobs", 0, "sheet", "dpi")) == "p.yaml:5"
    assert document.where(("jobs", 0)) == "p.yaml:3"


def test_a_value_that_is_missing_stands_where_it_should() -> None:
    document = parse("a: 1\njobs:\n  - name: x\n")
    assert document.where(("jobs", 0, "sheet", "dpi")) == "p.yaml:3"
    assert document.where(("none",)) == "p.yaml:1"


def test_a_key_path_reads_as_one_writes_it() -> None:
    assert format_path(("jobs", 0, "sheet", "dpi")) == "jobs[0].sheet.dpi"


def test_a_key_path_shows_no_control_characters_and_no_novel() -> None:
    assert format_path(("\x1b[31m",)) == r"'\x1b[31m'"
    assert len(format_path(("k" * 5000,))) < 100


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-3", -3),
        ("0.125", 0.125),
        ("1e9", 1e9),
        (".5", 0.5),
        ("true", True),
        ("off", False),
        ("~", None),
        ("", None),
        ("Main UV", "Main UV"),
        (".inf", float("inf")),
    ],
)
def test_plain_scalars_are_numbers_truths_nothing_or_text(text: str, value: object) -> None:
    assert plain_value(text) == value


@pytest.mark.parametrize("text", ["0123", "12:30", "1_000", "0x10", "+5", "2024-01-01", "9" * 30, "1:30:00.5", "="])
def test_an_order_number_stays_as_it_is_written(text: str) -> None:
    assert parse(f"order: {text}").data == {"order": text}


def test_quoted_scalars_are_text() -> None:
    assert parse("a: '5'\nb: \"yes\"\nc: !!str 7\nd: |\n  on\n").data == {"a": "5", "b": "yes", "c": "7", "d": "on\n"}


JSON_LIKE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text(st.characters(codec="ascii", min_codepoint=1), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz_", min_size=1, max_size=6), inner, max_size=4)
    ),
    max_leaves=15,
)


@settings(deadline=None)
@given(JSON_LIKE)
def test_json_is_yaml_and_is_read_back(data: Any) -> None:
    text = json.dumps({"data": data}).replace("${", "$${")
    assert parse(text).data == {"data": data}


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_never_a_bug(raw: bytes) -> None:
    try:
        parse_yaml(raw, "p.yaml", {})
    except ConfigurationError as refused:
        assert str(refused).startswith("p.yaml:")


@settings(deadline=None)
@given(st.text("{}[]:,-?&*!|>'\"%@`#~<= \nab01.$", max_size=60))
def test_any_marks_of_yaml_are_read_or_refused_never_a_bug(text: str) -> None:
    try:
        parse(text)
    except ConfigurationError as refused:
        assert str(refused).startswith("p.yaml:")


# Variables


def test_a_variable_is_replaced_and_read_as_what_it_says() -> None:
    assert parse("dpi: ${DPI}\nto: out/${SHOP}/x\n", DPI="300", SHOP="north").data == {"dpi": 300, "to": "out/north/x"}


def test_a_variable_in_quotes_stays_text() -> None:
    assert parse('a: "${DPI}"', DPI="300").data == {"a": "300"}


def test_a_default_counts_where_the_variable_is_not_set_or_empty() -> None:
    text = "a: ${A:-sqlite:///tilepress.db}\nb: ${B:-x}\nc: ${C:-x}\n"
    assert parse(text, B="", C="set").data == {"a": "sqlite:///tilepress.db", "b": "x", "c": "set"}


def test_a_variable_may_stand_in_a_flow_mapping() -> None:
    assert parse("a: {key: ${KEY}, list: [${N:-2}, 3]}", KEY="k").data == {"a": {"key": "k", "list": [2, 3]}}


def test_an_escaped_brace_is_a_literal_one() -> None:
    assert parse("a: $${HOME}\nb: {c: $${X}}", HOME="/root").data == {"a": "${HOME}", "b": {"c": "${X}"}}


def test_a_variable_that_names_another_is_not_followed() -> None:
    assert parse("a: ${A}", A="${B}", B="secret").data == {"a": "${B}"}


def test_a_variable_cannot_bring_in_structure() -> None:
    assert parse("a: ${A}\n", A="x\nb: 1").data == {"a": "x\nb: 1"}


def test_undefined_variables_are_all_named_with_line_key_and_remedy() -> None:
    assert problems("a: ${A}\njobs:\n  - b: ${B}\n") == [
        "p.yaml:1: a: the environment variable A is not set, or empty; set it or write ${A:-default}",
        "p.yaml:3: jobs[0].b: the environment variable B is not set, or empty; set it or write ${B:-default}",
    ]


@pytest.mark.parametrize("text", ["${", "${A", "${1A}", "${A-x}", "${A:?no}", "${}", "${A:-${B}}", "x ${ y"])
def test_a_variable_written_otherwise_is_a_problem_not_text(text: str) -> None:
    expected = "p.yaml:1: a: write a variable as ${NAME} or ${NAME:-default}, and a literal ${ as $${"
    assert problems(f"a: '{text}'", B="b") == [expected]


# What is refused


def test_a_duplicate_key_names_both_lines() -> None:
    assert problems("a: 1\nb: 2\na: 3\n") == ["p.yaml:3: a: duplicate key, first on line 1; keep one of them"]


def test_a_quoted_key_is_the_same_key() -> None:
    assert problems("1: a\n'1': b\n") == ["p.yaml:2: 1: duplicate key, first on line 1; keep one of them"]


def test_merge_keys_are_a_problem() -> None:
    assert problems("a: &a {x: 1}\nb: {<<: *a}\n") == ["p.yaml:2: b.'<<': merge keys are not read; write the keys out"]


@pytest.mark.parametrize("text", ["? [a]\n: 1\n", "'': 1\n", "{{a: 1}: 2}\n"])
def test_a_key_that_is_no_word_is_a_problem(text: str) -> None:
    assert problems(text) == ["p.yaml:1: a key here is no word; give it a name"]


@pytest.mark.parametrize(
    "value",
    ["!!python/object/apply:os.system ['true']", "!!int ''", "!!binary x", "!own {b: 1}", "!!set {b}", "!!bool 'q'"],
)
def test_tags_are_a_problem(value: str) -> None:
    assert problems(f"a: {value}") == ["p.yaml:1: a: tags are not read; remove the one that begins with !"]


@pytest.mark.parametrize("text", [r'a: "x\0y"', r'a: "\uD800"'])
def test_characters_that_no_file_or_database_can_hold_are_a_problem(text: str) -> None:
    assert problems(text) == ["p.yaml:1: a: holds a character that no name can have; remove it"]


@pytest.mark.parametrize("raw", [b"", b"  \n\n", b"# only a comment\n", b"\xef\xbb\xbf"])
def test_an_empty_file_says_so(raw: bytes) -> None:
    assert error(raw).startswith("p.yaml: the file is empty\n")


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert parse_yaml(b"\xef\xbb\xbfa: 1\n", "p.yaml", {}).data == {"a": 1}


@pytest.mark.parametrize("raw", [b"a: 1\nb: \xe9t\xe9\n", "a: 1\nb: été\n".encode("latin-1")])
def test_text_in_another_encoding_names_the_line(raw: bytes) -> None:
    assert error(raw) == "p.yaml:2: not UTF-8 text\n  Save the file as UTF-8."


def test_a_control_character_names_the_line() -> None:
    assert (
        error(b"a: 1\nb: \x00\n") == "p.yaml:2: not valid YAML: the character '\\x00' cannot stand here\n  Remove it."
    )


@pytest.mark.parametrize(
    ("raw", "where", "remedy"),
    [
        (b"a: 1\nb: [1, 2\n", "p.yaml:3:", "missing quote, bracket or colon"),
        (b"a:\n\tb: 1\n", "p.yaml:2:", "Indent with spaces"),
        (b"a: 1\n---\nb: 2\n", "p.yaml:2:", "Keep one document"),
        (b"a: *nowhere\n", "p.yaml:1:", "begins with * in quotes"),
        (b"a: 1\nb: 'x\n", "p.yaml:3:", "missing quote, bracket or colon"),
    ],
)
def test_broken_yaml_names_the_line_and_what_to_do(raw: bytes, where: str, remedy: str) -> None:
    message = error(raw)
    assert message.startswith(f"{where} not valid YAML: ")
    assert remedy in message


def test_a_quote_that_is_never_closed_names_the_line_it_was_opened_on() -> None:
    assert "(begun on line 2)" in error(b"a: 1\nb: 'x\n\n\n")


# What could blow up


def billion_laughs() -> bytes:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (billion_laughs, "more than 100,000 values"),
        (lambda: b"a: &a [*a, *a]\n", "nested more than 40 deep"),
        (lambda: b"a: " + b"[" * 400_000, "nested more than 40 deep"),
        (lambda: b"- " * 400_000, "nested more than 40 deep"),
        (lambda: b"{a: " * 100_000, "nested more than 40 deep"),
        (lambda: b"a: &a '" + b"x" * 900_000 + b"'\nb: [" + b"*a," * 20_000 + b"]", "more than 10,000,000 characters"),
        (lambda: b"a: '" + b"${A}" * 200_000 + b"'", "more than 10,000,000 characters"),
    ],
    ids=["billion laughs", "recursion", "deep lists", "deep dashes", "deep mappings", "long text", "long variable"],
)
def test_a_bomb_is_refused_at_once(raw: Callable[[], bytes], reason: str) -> None:
    started = time.process_time()
    assert reason in error(raw(), {"A": "x" * 1000})
    assert time.process_time() - started < 10


def test_more_values_than_any_shop_needs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamlfile, "MAX_VALUES", 100)
    assert len(parse("[" + "a," * 99 + "]").data) == 99
    assert error(b"[" + b"a," * 1000 + b"]").startswith("p.yaml:1: more than 100 values\n")


def test_too_many_values_are_refused_before_all_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamlfile, "MAX_VALUES", 100)
    assert "more than 100 values" in error(b"[" + b"a," * 1000 + b"} this is no YAML")


def test_a_file_over_a_megabyte_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    file.write_bytes(b"# " + b"x" * 1_000_000)
    with pytest.raises(ConfigurationError) as caught:
        read_yaml(file, {})
    assert str(caught.value) == f"{file}: larger than 1,000,000 bytes\n  Split it into several files."


def test_a_file_of_just_a_megabyte_is_read(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    file.write_bytes(b"a: 1\n#" + b"x" * 999_994)
    assert read_yaml(file, {}).data == {"a": 1}


# Files


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml: no such file"):
        read_yaml(tmp_path / "none.yaml", {})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a folder, not a file"):
        read_yaml(tmp_path, {})


def test_a_path_through_a_file_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="Check the path and its permissions"):
        read_yaml(tmp_path / "file" / "p.yaml", {})
