"""What the environment says of section jobs: over the file, under the command line; of other jobs it says nothing."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from config.errors import ConfigurationError
from config.loader import Overrides, load_pipeline
from config.schema import Pipeline
from config.sections import SectionsJob

DELAY, COLLECT = "SECTION_PROCESSING_DELAY_SECONDS", "FORCE_GARBAGE_COLLECTION"
SEQUENTIAL, DEADLINE = "ENABLE_MEMORY_EFFICIENT_PROCESSING", "WORKER_TIMEOUT"
SHEETS: dict[str, Any] = {
    "kind": "gangsheet",
    "name": "uvdtf",
    "sheet": {"width_in": 16, "height_in": 20, "dpi": 400},
    "orders": {"csv": "orders.csv"},
    "output": {"to": "sheets"},
}


def lessons(name: str = "lessons", **keys: Any) -> dict[str, Any]:
    said = {"kind": "sections", "name": name, "document": "a.pdf", "sections": {"every": 7}, "output": {"to": name}}
    return {**said, **keys}


def load(folder: Path, *jobs: dict[str, Any], run: object = ..., **environ: str) -> Pipeline:
    return load_pipeline(write(folder, *jobs, run=run), environ)


def write(folder: Path, *jobs: dict[str, Any], run: object = ...) -> Path:
    file = folder / "p.yaml"
    run_said = {} if run is ... else {"run": run}
    content = {"version": 1, "name": "shop", **run_said, "jobs": list(jobs or (lessons(),))}
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def job_of(pipeline: Pipeline, index: int = 0) -> SectionsJob:
    job = pipeline.jobs[index]
    assert isinstance(job, SectionsJob)
    return job


def complaints(folder: Path, *jobs: dict[str, Any], **environ: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, *jobs, **environ)
    return caught.value.message.replace(f"{folder}/", "").splitlines()


def test_where_nobody_speaks_sections_are_made_one_after_the_other_and_memory_is_given_back(tmp_path: Path) -> None:
    pipeline = load(tmp_path)
    job = job_of(pipeline)
    assert (job.delay_s, job.collect_garbage, job.workers, pipeline.run.deadline) == (0.1, True, 1, None)


@pytest.mark.parametrize(("said", "seconds"), [("0.5", 0.5), ("0", 0.0), (" 2 ", 2.0), ("3600", 3600.0)])
def test_the_delay_is_in_seconds(tmp_path: Path, said: str, seconds: float) -> None:
    assert job_of(load(tmp_path, lessons(delay_s=9.0), **{DELAY: said})).delay_s == seconds


@pytest.mark.parametrize(("said", "collects"), [("true", True), ("1", True), ("FALSE", False), ("off", False)])
def test_memory_is_given_back_or_not(tmp_path: Path, said: str, collects: bool) -> None:
    job = lessons(collect_garbage=not collects)
    assert job_of(load(tmp_path, job, **{COLLECT: said})).collect_garbage is collects


@pytest.mark.parametrize(("said", "workers"), [("true", 1), ("yes", 1), ("false", "auto"), ("0", "auto")])
def test_sparing_memory_means_one_worker_and_not_sparing_it_as_many_as_are_admitted(
    tmp_path: Path, said: str, workers: object
) -> None:
    assert job_of(load(tmp_path, lessons(workers=4), **{SEQUENTIAL: said})).workers == workers


@pytest.mark.parametrize(
    ("said", "deadline"), [("300", "300s"), ("0.5", "0.5s"), ("5m", "5m"), ("2h", "2h"), (" 60 ", "60s")]
)
def test_the_workers_time_limit_is_the_runs_deadline(tmp_path: Path, said: str, deadline: str) -> None:
    assert load(tmp_path, run={"deadline": "9h"}, **{DEADLINE: said}).run.deadline == deadline
    assert load(tmp_path, **{DEADLINE: said}).run.deadline == deadline


@pytest.mark.parametrize("variable", [DELAY, COLLECT, SEQUENTIAL, DEADLINE])
@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_empty_variable_says_nothing(tmp_path: Path, variable: str, nothing: str) -> None:
    job = lessons(delay_s=9.0, collect_garbage=False, workers=4)
    pipeline = load(tmp_path, job, run={"deadline": "9h"}, **{variable: nothing})
    said = job_of(pipeline)
    assert (said.delay_s, said.collect_garbage, said.workers, pipeline.run.deadline) == (9.0, False, 4, "9h")


def test_every_section_job_hears_it(tmp_path: Path) -> None:
    pipeline = load(tmp_path, lessons("a"), SHEETS, lessons("b", delay_s=3.0), **{DELAY: "1", SEQUENTIAL: "false"})
    assert [(job_of(pipeline, at).delay_s, job_of(pipeline, at).workers) for at in (0, 2)] == [(1.0, "auto")] * 2


@pytest.mark.parametrize("said", ["1", "false", "nonsense"])
def test_a_pipeline_without_section_jobs_is_not_spoken_of(tmp_path: Path, said: str) -> None:
    environ = dict.fromkeys((DELAY, COLLECT, SEQUENTIAL, DEADLINE), said)
    assert load(tmp_path, SHEETS, **environ) == load(tmp_path, SHEETS)


def test_the_command_line_has_a_word_over_the_environment(tmp_path: Path) -> None:
    settings = (
        "jobs.lessons.delay_s=7",
        "jobs.lessons.collect_garbage=true",
        "jobs.lessons.workers=3",
        "run.deadline=1h",
    )
    environ = {DELAY: "1", COLLECT: "false", SEQUENTIAL: "false", DEADLINE: "60"}
    pipeline = load_pipeline(write(tmp_path), environ, Overrides(settings))
    job = job_of(pipeline)
    assert (job.delay_s, job.collect_garbage, job.workers, pipeline.run.deadline) == (7, True, 3, "1h")


@pytest.mark.parametrize(
    ("variable", "said", "told"),
    [
        (DELAY, "soon", "set it to seconds, such as 0.1"),
        (DELAY, "-1", "set it to seconds, such as 0.1"),
        (DELAY, "100ms", "set it to seconds, such as 0.1"),
        (DELAY, "nan", "set it to seconds, such as 0.1"),
        (DELAY, "٣", "set it to seconds, such as 0.1"),
        (COLLECT, "2", "set it to true or false"),
        (SEQUENTIAL, "maybe", "set it to true or false"),
    ],
)
def test_what_cannot_be_understood_is_told_with_what_to_set(
    tmp_path: Path, variable: str, said: str, told: str
) -> None:
    assert complaints(tmp_path, **{variable: said}) == [f"the environment variable {variable}: {told}"]


@pytest.mark.parametrize(
    ("variable", "said", "told"),
    [
        (DELAY, "3601", "jobs[0].delay_s: must be at most 3600"),
        (
            DEADLINE,
            "0",
            "run.deadline: must be a time above 0 and at most 7 days, with its unit, such as 90s, 55m or 2h",
        ),
        (
            DEADLINE,
            "9999999",
            "run.deadline: must be a time above 0 and at most 7 days, with its unit, such as 90s, 55m or 2h",
        ),
        (DEADLINE, "soon", "run.deadline: must be a time with its unit, such as 90s, 55m or 2h"),
        (DEADLINE, "-5", "run.deadline: must be a time with its unit, such as 90s, 55m or 2h"),
    ],
)
def test_what_is_out_of_bounds_is_told_as_the_environments_word(
    tmp_path: Path, variable: str, said: str, told: str
) -> None:
    assert complaints(tmp_path, **{variable: said}) == [f"the environment variable {variable}: {told}"]


def test_the_file_is_not_blamed_for_what_the_environment_says_anew(tmp_path: Path) -> None:
    assert job_of(load(tmp_path, lessons(delay_s="${NOT_SET}"), **{DELAY: "1"})).delay_s == 1.0


def test_a_run_that_is_no_mapping_is_told_of_whatever_the_environment_says(tmp_path: Path) -> None:
    assert complaints(tmp_path, run=5, **{DEADLINE: "60"}) == ["p.yaml:3: run: must be a mapping of keys"]


def test_a_job_whose_kind_is_garbled_is_told_of_and_hears_nothing(tmp_path: Path) -> None:
    (line,) = complaints(tmp_path, lessons(kind="section"), **{DELAY: "soon"})
    assert line == "p.yaml:4: jobs[0].kind: must be 'gangsheet' or 'mockups' or 'sections'"
