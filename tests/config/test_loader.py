"""A pipeline file: everything wrong with it at once, in words that help, and who has the last word on a value."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from config.errors import ConfigurationError
from config.loader import Overrides, load_pipeline
from config.schema import GangsheetJob, Pipeline, Sheet

SOUND = """\
version: 1
name: nightly
database: sqlite:///shop.db
jobs:
  - kind: gangsheet
    name: uvdtf
    sheet: {width_in: 16, height_in: 20, dpi: 400}
    orders: {csv: orders.csv}
    output: {to: out}
"""


def write(folder: Path, text: str = SOUND) -> Path:
    file = folder / "p.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def load(folder: Path, text: str = SOUND, overrides: Overrides | None = None, **environ: str) -> Pipeline:
    return load_pipeline(write(folder, text), environ, overrides)


def sheet_of(pipeline: Pipeline) -> Sheet:
    """Return the sheet of the first job."""
    job = pipeline.jobs[0]
    assert isinstance(job, GangsheetJob)
    return job.sheet


def complaints(folder: Path, text: str = SOUND, overrides: Overrides | None = None, **environ: str) -> list[str]:
    """Return the lines of the error, the folder left out."""
    with pytest.raises(ConfigurationError) as caught:
        load(folder, text, overrides, **environ)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    pipeline = load(tmp_path)
    assert (pipeline.name, pipeline.jobs[0].name, sheet_of(pipeline).dpi) == ("nightly", "uvdtf", 400)


def test_everything_wrong_is_said_at_once_with_line_key_and_remedy(tmp_path: Path) -> None:
    text = """\
version: 2
name: a b
databse: x
threads: many
memory: {budget: 5 apples}
store:
jobs:
  - kind: gangsheet
    name: uvdtf
    sheet:
      width_in: 16in
      dpi: "400"
      spacing_in: {x: 0.1}
      margin_in: -1
      dynamic_sizing: sometimes
    orders: {csv: a.csv, database: pending}
    output: {format: jpg, to: ${OUT}}
    output: {to: out}
"""
    assert complaints(tmp_path, text) == [
        "p.yaml:1: version: must be 1",
        "p.yaml:2: name: must be 1 to 64 letters, digits and . _ -, beginning with a letter or digit",
        "p.yaml:3: databse: unknown key; did you mean database?",
        "p.yaml:4: threads: must be 'auto' or a whole number",
        "p.yaml:5: memory.budget: must be an amount above 0 with its unit, such as 512MB or 2GiB, "
        "or a share such as 75%",
        "p.yaml:6: store: has no value; give it one, or remove the key",
        "p.yaml:11: jobs[0].sheet.width_in: must be a number, without quotes or unit",
        "p.yaml:12: jobs[0].sheet.dpi: must be a whole number",
        "p.yaml:13: jobs[0].sheet.spacing_in.y: missing; add this key",
        "p.yaml:14: jobs[0].sheet.margin_in: must be at least 0",
        "p.yaml:15: jobs[0].sheet.dynamic_sizing: must be true or false",
        "p.yaml:16: jobs[0].orders: give exactly one of csv, database, items",
        "p.yaml:17: jobs[0].output.to: the environment variable OUT is not set, or empty; "
        "set it or write ${OUT:-default}",
        "p.yaml:17: jobs[0].output.format: must be 'png' or 'tiff'",
        "p.yaml:18: jobs[0].output: duplicate key, first on line 17; keep one of them",
        "  See docs/pipeline-file.md.",
    ]


def edited(*path: str | int, **keys: object) -> str:
    """Return the sound file with the keys at `path` set; a key set to `...` is taken away."""
    data = yaml.safe_load(SOUND)
    place: Any = data
    for step in path:
        place = place[step]
    for key, value in keys.items():
        if value is ...:
            del place[key]
        else:
            place[key] = value
    return str(yaml.safe_dump(data, sort_keys=False))


JOB: tuple[str | int, ...] = ("jobs", 0)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (edited(name=...), "name: missing; add this key"),
        (edited(jobs=[]), "jobs: must be a list with at least one entry"),
        (edited(jobs={"a": 1}), "jobs: must be a list"),
        (edited(jobs=["x"]), "jobs[0]: must be a mapping of keys"),
        (edited(jobs=None), "jobs: has no value; give it one, or remove the key"),
        (edited(name=5), "name: must be text in quotes"),
        (edited(dpi=300), "dpi: unknown key here; it belongs to jobs.sheet or jobs.pages"),
        (edited(*JOB, "sheet", widht_in=3), "jobs[0].sheet.widht_in: unknown key; did you mean width_in?"),
        (edited(*JOB, "output", qwx=3), "jobs[0].output.qwx: unknown key; remove it. Known here: filename, format, to"),
        (edited(*JOB, "sheet", dpi=300.5), "jobs[0].sheet.dpi: must be a whole number"),
        (edited(*JOB, "sheet", dpi=True), "jobs[0].sheet.dpi: must be a whole number"),
        (edited(*JOB, "sheet", dpi=9), "jobs[0].sheet.dpi: must be at least 10"),
        (edited(*JOB, "sheet", dpi=9601), "jobs[0].sheet.dpi: must be at most 9600"),
        (edited(*JOB, "sheet", width_in=0), "jobs[0].sheet.width_in: must be above 0"),
        (edited(*JOB, "sheet", width_in=float("inf")), "jobs[0].sheet.width_in: must be a finite number"),
        (edited(*JOB, "sheet", width_in=float("nan")), "jobs[0].sheet.width_in: must be a finite number"),
        (
            edited(*JOB, "sheet", spacing_in="wide"),
            "jobs[0].sheet.spacing_in: must be a number, without quotes or unit or a mapping of keys",
        ),
        (edited(*JOB, "sheet", spacing_in=-1), "jobs[0].sheet.spacing_in: must be at least 0"),
        (
            edited(*JOB, "sheet", printer="Main UV"),
            "jobs[0].sheet: the size comes from the database (printer, canvas); remove width_in, height_in, dpi",
        ),
        (
            edited(*JOB, "sheet", dpi=...),
            "jobs[0].sheet: give printer and canvas, or width_in, height_in and dpi; missing: dpi",
        ),
        (edited(*JOB, "orders", csv=...), "jobs[0].orders: give exactly one of csv, database, items"),
        (edited(*JOB, kind="mockup"), "jobs[0].kind: must be 'gangsheet' or 'mockups' or 'sections'"),
        (edited(*JOB, "output", to=""), "jobs[0].output.to: must be not empty"),
        (edited(threads=0), "threads: must be at least 1"),
        (
            SOUND.replace("database: sqlite:///shop.db\n", "").replace("csv: orders.csv", "database: pending"),
            "a job reads from the database: add the key database, e.g. sqlite:///tilepress.db",
        ),
    ],
)
def test_each_mistake_has_its_own_words(tmp_path: Path, text: str, complaint: str) -> None:
    first, *rest = complaints(tmp_path, text)
    assert first.partition(": ")[2] == complaint
    assert rest == ["  See docs/pipeline-file.md."]


def test_two_jobs_of_one_name_are_named_by_number(tmp_path: Path) -> None:
    twice = SOUND + SOUND.partition("jobs:\n")[2]
    assert complaints(tmp_path, twice)[0] == (
        "p.yaml:4: jobs: jobs[0] and jobs[1] have the same name; rename one of them"
    )


def test_two_jobs_with_one_output_folder_are_named_by_number(tmp_path: Path) -> None:
    again = SOUND.partition("jobs:\n")[2].replace("name: uvdtf", "name: other").replace("to: out", "to: ./out/")
    assert complaints(tmp_path, SOUND + again)[0] == (
        "p.yaml:4: jobs: jobs[0] and jobs[1] have the same output.to; give each its own folder"
    )


def test_a_thousand_mistakes_are_not_a_thousand_lines(tmp_path: Path) -> None:
    lines = complaints(tmp_path, SOUND + "".join(f"key{number}: 1\n" for number in range(1000)))
    assert (len(lines), lines[20]) == (22, "and 980 more")


@pytest.mark.parametrize("text", ["- 1\n", "just words\n", "5\n"])
def test_a_file_that_is_no_mapping_says_how_to_begin(tmp_path: Path, text: str) -> None:
    assert complaints(tmp_path, text) == [
        "p.yaml:1: a pipeline file is a mapping of keys",
        "  Begin it with version: 1.",
    ]


# Secrets


PLACES_FOR_A_SECRET = [
    edited(name="${SECRET}"),
    edited(version="${SECRET}"),
    edited(threads="${SECRET}"),
    edited(memory={"budget": "${SECRET}"}),
    edited(memory={"budget": "${SECRET}%"}),
    edited(store={"max_bytes": "${SECRET}"}),
    edited(*JOB, kind="${SECRET}"),
    edited(*JOB, "sheet", dpi="${SECRET}"),
    edited(*JOB, "sheet", spacing_in="${SECRET}"),
    edited(*JOB, "orders", database="${SECRET}"),
    edited(*JOB, "output", filename="${SECRET}"),
    edited(*JOB, "output", filename="{${SECRET}}"),
    edited(*JOB, "output", format="${SECRET}"),
    edited(*JOB, designs="${SECRET}"),
    edited(*JOB, designs={"max_bytes": "${SECRET}"}),
    edited(*JOB, quality={"min_dpi": "${SECRET}"}),
    edited(jobs="${SECRET}"),
]


@pytest.mark.parametrize("secret", ["hunter2 canary", "hunter2{canary", "../hunter2/canary"])
@pytest.mark.parametrize("text", PLACES_FOR_A_SECRET)
def test_no_message_repeats_what_the_environment_said(tmp_path: Path, text: str, secret: str) -> None:
    assert "hunter2" not in "\n".join(complaints(tmp_path, text, SECRET=secret))


def test_no_message_repeats_a_secret_that_two_jobs_are_called(tmp_path: Path) -> None:
    twice = edited(*JOB, name="${SECRET}") + edited(*JOB, name="${SECRET}").partition("jobs:\n")[2]
    assert "hunter2" not in "\n".join(complaints(tmp_path, twice, SECRET="hunter2"))


# Who has the last word


def dynamic(folder: Path, yaml_says: str, *settings: str, switch: bool | None = None, **environ: str) -> bool:
    text = SOUND.replace("dpi: 400}", f"dpi: 400{yaml_says}}}")
    return sheet_of(load(folder, text, Overrides(settings, switch), **environ)).dynamic_sizing


def test_dynamic_sizing_is_off_where_nobody_speaks(tmp_path: Path) -> None:
    assert dynamic(tmp_path, "") is False


def test_the_file_has_a_word_over_the_default(tmp_path: Path) -> None:
    assert dynamic(tmp_path, ", dynamic_sizing: true") is True


@pytest.mark.parametrize(("word", "meant"), [("true", True), ("1", True), ("FALSE", False), ("off", False)])
def test_the_environment_has_a_word_over_the_file(tmp_path: Path, word: str, meant: bool) -> None:
    yaml_says = f", dynamic_sizing: {str(not meant).lower()}"
    assert dynamic(tmp_path, yaml_says, GANGSHEET_DYNAMIC_SIZING=word) is meant


def test_an_empty_environment_variable_says_nothing(tmp_path: Path) -> None:
    assert dynamic(tmp_path, ", dynamic_sizing: true", GANGSHEET_DYNAMIC_SIZING="") is True


@pytest.mark.parametrize("meant", [True, False])
def test_a_set_key_has_a_word_over_the_environment(tmp_path: Path, meant: bool) -> None:
    setting = f"jobs.uvdtf.sheet.dynamic_sizing={str(meant).lower()}"
    assert dynamic(tmp_path, "", setting, GANGSHEET_DYNAMIC_SIZING=str(not meant)) is meant


@pytest.mark.parametrize("meant", [True, False])
def test_a_switch_has_the_last_word(tmp_path: Path, meant: bool) -> None:
    setting = f"jobs.uvdtf.sheet.dynamic_sizing={not meant}"
    yaml_says = f", dynamic_sizing: {str(not meant).lower()}"
    assert dynamic(tmp_path, yaml_says, setting, switch=meant, GANGSHEET_DYNAMIC_SIZING=str(not meant)) is meant


def test_an_environment_that_says_neither_is_an_error(tmp_path: Path) -> None:
    assert complaints(tmp_path, GANGSHEET_DYNAMIC_SIZING="maybe")[0] == (
        "the environment variable GANGSHEET_DYNAMIC_SIZING: set it to true or false"
    )


def test_a_switch_makes_the_environment_irrelevant(tmp_path: Path) -> None:
    assert dynamic(tmp_path, "", switch=True, GANGSHEET_DYNAMIC_SIZING="maybe") is True


def test_what_was_said_elsewhere_is_found_there_when_it_is_wrong(tmp_path: Path) -> None:
    assert complaints(tmp_path, overrides=Overrides(("jobs.uvdtf.sheet.dpi=0", "jobs.uvdtf.sheet.foo.bar=1"))) == [
        "--set jobs.uvdtf.sheet.dpi: jobs[0].sheet.dpi: must be at least 10",
        "--set jobs.uvdtf.sheet.foo.bar: jobs[0].sheet.foo: unknown key; remove it. Known here: canvas, dpi, "
        "dynamic_sizing, height_in, margin_in, printer, spacing_in, width_in",
        "  See docs/pipeline-file.md.",
    ]


def test_what_is_wrong_within_a_setting_is_not_looked_for_in_the_file(tmp_path: Path) -> None:
    setting = "jobs.uvdtf.sheet={width_in: 4, height_in: 5, dpi: 0}"
    assert complaints(tmp_path, overrides=Overrides((setting,)))[0] == (
        "--set jobs.uvdtf.sheet: jobs[0].sheet.dpi: must be at least 10"
    )


def test_out_takes_the_place_of_the_file_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pipeline = load(tmp_path, overrides=Overrides(("jobs.0.output.to=other",), out="there"))
    assert pipeline.jobs[0].output.to == str(tmp_path / "there")


def test_out_is_enough_where_the_file_names_no_output(tmp_path: Path) -> None:
    text = edited(*JOB, output=...)
    assert load(tmp_path, text, Overrides(out="/out")).jobs[0].output.to == "/out"


def test_out_gives_each_of_several_jobs_a_folder_of_its_own(tmp_path: Path) -> None:
    again = SOUND.partition("jobs:\n")[2].replace("name: uvdtf", "name: other")
    pipeline = load(tmp_path, SOUND + again, Overrides(out="/out"))
    assert [job.output.to for job in pipeline.jobs] == ["/out/uvdtf", "/out/other"]


def test_an_empty_out_is_an_error_not_the_folder_one_stands_in(tmp_path: Path) -> None:
    assert complaints(tmp_path, overrides=Overrides(out=" "))[0] == "--out is empty; name a folder"


def test_what_is_said_anew_needs_no_variable(tmp_path: Path) -> None:
    text = edited(database="${DATABASE_URL}").replace("to: out", "to: ${OUT}")
    pipeline = load(tmp_path, text, Overrides(("database=sqlite:///other.db",), out="/there"))
    assert pipeline.database is not None
    assert (pipeline.database.url, pipeline.jobs[0].output.to) == ("sqlite:///other.db", "/there")


@pytest.mark.parametrize(
    "key", ["jobs.uvdtf.sheet.dpi", "jobs.0.sheet.dpi", "jobs[0].sheet.dpi"], ids=["name", "number", "as shown"]
)
def test_a_job_is_addressed_by_name_or_number(tmp_path: Path, key: str) -> None:
    assert sheet_of(load(tmp_path, overrides=Overrides((f"{key}=300",)))).dpi == 300


def test_the_last_of_two_settings_counts(tmp_path: Path) -> None:
    settings = ("jobs.0.sheet.dpi=300", "jobs.0.sheet.dpi=600")
    assert sheet_of(load(tmp_path, overrides=Overrides(settings))).dpi == 600


def test_a_setting_may_be_a_mapping_a_new_key_or_a_variable(tmp_path: Path) -> None:
    settings = ("jobs.0.sheet={width_in: 4, height_in: 5, dpi: 100}", "memory.budget=1GB", "name=${SHOP}")
    pipeline = load(tmp_path, overrides=Overrides(settings), SHOP="north")
    assert (sheet_of(pipeline).width_in, pipeline.memory.budget, pipeline.name) == (4, "1GB", "north")


def test_a_key_set_to_nothing_is_as_if_the_file_did_not_say_it(tmp_path: Path) -> None:
    assert load(tmp_path, overrides=Overrides(("database=",))).database is None


def test_a_setting_fills_a_key_without_a_value(tmp_path: Path) -> None:
    assert load(tmp_path, SOUND + "memory:\n", Overrides(("memory.budget=1GB",))).memory.budget == "1GB"


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("memory.budget", "--set memory.budget: write it as KEY=VALUE, e.g. --set memory.budget=512MB"),
        ("=5", "--set : write it as KEY=VALUE, e.g. --set memory.budget=512MB"),
        ("a..b=5", "--set a..b: write it as KEY=VALUE, e.g. --set memory.budget=512MB"),
        ("name.x=5", "--set name.x: name has no keys"),
        (
            "jobs.nope.name=5",
            "--set jobs.nope.name: jobs has no entry nope; give a name that stands there, or a number from 0",
        ),
        (
            "jobs.7.name=5",
            "--set jobs.7.name: jobs has no entry 7; give a name that stands there, or a number from 0",
        ),
        (
            "jobs.².name=5",
            "--set jobs.².name: jobs has no entry ²; give a name that stands there, or a number from 0",
        ),
        (
            "name=[1",
            "--set name:1: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
        ),
        ("name=!!int ''", "--set name: tags are not read; remove the one that begins with !"),
        (
            "name=${NOPE}",
            "--set name: the environment variable NOPE is not set, or empty; set it or write ${NOPE:-default}",
        ),
    ],
)
def test_a_setting_that_cannot_be_understood_says_why(tmp_path: Path, setting: str, complaint: str) -> None:
    assert complaints(tmp_path, overrides=Overrides((setting,)))[0] == complaint
