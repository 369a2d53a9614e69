"""The Railway project, evaluated as Railway's command line does it, and held against the image and its pipeline."""

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from config.loader import load_pipeline
from config.schema import GangsheetJob, Pipeline
from config.units import parse_bytes, parse_duration
from pipeline.governor import REFUSE_AT
from pipeline.prediction import peak_bytes

REPOSITORY = Path(__file__).parents[1]
PROJECT = REPOSITORY / ".railway" / "railway.py"
NIGHTLY = REPOSITORY / "config" / "examples" / "nightly.yaml"
CONTEXT = {"command": "plan", "projectName": "tilepress", "environment": "production"}
EVALUATE = """
import importlib.util, json, sys
from railway_sdk import create_railway_context
spec = importlib.util.spec_from_file_location("railway_sdk_user", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps(module.main(create_railway_context(json.loads(sys.argv[2]))).to_graph()))
"""
LEAST_MINUTES_APART = 5
MINUTES_A_DAY = 24 * 60


@pytest.fixture(scope="module")
def graph() -> dict[str, Any]:
    """The project as the command line sees it."""
    done = subprocess.run(
        [sys.executable, "-c", EVALUATE, PROJECT, json.dumps(CONTEXT)], capture_output=True, text=True, check=True
    )
    graph: dict[str, Any] = json.loads(done.stdout)
    return graph


@pytest.fixture
def resources(graph: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {resource["address"]: resource for resource in graph["resources"]}


@pytest.fixture
def nightly(resources: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return resources["service.nightly"]


def minutes_of_the_day(schedule: str) -> list[int]:
    """Return when a schedule starts something on a day it does, in minutes; Railway judges any day's gaps so."""
    minute, hour, *_ = schedule.split()
    return sorted(60 * h + m for h in numbers(hour, 24) for m in numbers(minute, 60))


def numbers(field: str, end: int) -> set[int]:
    """Return what a field of a crontab line stands for: `*`, `*/5`, `1-5`, `0,30`, `7`."""
    found: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        whole = range(end) if span == "*" else range(int(first), int(last or first) + 1)
        found |= set(whole[:: int(step or 1)])
    return found


def gaps(schedule: str) -> list[int]:
    times = minutes_of_the_day(schedule)
    return [later - sooner for sooner, later in pairwise([*times, times[0] + MINUTES_A_DAY])]


def test_there_is_a_database_a_volume_and_a_service(graph: dict[str, Any], resources: dict[str, Any]) -> None:
    assert graph["name"] == "tilepress"
    assert set(resources) == {"database.postgres", "volume.work", "service.nightly"}
    assert resources["database.postgres"]["engine"] == "postgres"


def test_the_service_is_built_from_the_dockerfile_and_started_as_the_image_says(nightly: dict[str, Any]) -> None:
    assert nightly["build"] == {"builder": "DOCKERFILE", "dockerfilePath": "Dockerfile"}
    assert (REPOSITORY / nightly["build"]["dockerfilePath"]).is_file()
    assert not {"startCommand", "preDeployCommand", "healthcheckPath"} & nightly["deploy"].keys()


def test_a_night_that_failed_is_not_printed_again_and_again(nightly: dict[str, Any]) -> None:
    assert nightly["deploy"]["restartPolicyType"] == "NEVER"


def test_a_run_that_is_told_to_end_has_the_time_for_it(nightly: dict[str, Any]) -> None:
    assert nightly["deploy"]["drainingSeconds"] >= 10


@pytest.mark.parametrize(
    ("schedule", "least"),
    [("0 2 * * *", 1440), ("*/5 * * * *", 5), ("*/7 * * * *", 4), ("0,59 0,23 * * 1", 1), ("30 9-17/4 * * 1-5", 240)],
)
def test_gaps_of_a_schedule_are_told(schedule: str, least: int) -> None:
    """The third and fourth are Railway's own examples of schedules it refuses."""
    assert min(gaps(schedule)) == least


def test_runs_are_as_far_apart_as_railway_demands_and_end_before_the_next_is_due(nightly: dict[str, Any]) -> None:
    apart = min(gaps(nightly["deploy"]["cronSchedule"]))
    deadline = load_nightly(nightly).run.deadline
    assert apart >= LEAST_MINUTES_APART
    assert deadline is not None
    assert parse_duration(deadline) + nightly["deploy"]["drainingSeconds"] < 60 * apart


def test_the_memory_suffices_for_the_everyday_on_that_many_threads(nightly: dict[str, Any]) -> None:
    limits = nightly["deploy"]["limitOverride"]["containers"]
    assert parse_bytes(load_nightly(nightly).memory.budget) == limits["memoryBytes"]
    assert peak_bytes(9200, 1000, (), limits["cpu"]) < limits["memoryBytes"] * REFUSE_AT / 2


def test_the_volume_lies_where_the_image_works_and_can_be_written_to(
    nightly: dict[str, Any], resources: dict[str, Any]
) -> None:
    (attached,) = nightly["volumeAttachments"].values()
    assert (attached["volume"], attached["mountPath"]) == ("volume.work", "/work")
    assert f"WORKDIR {attached['mountPath']}\n" in (REPOSITORY / "Dockerfile").read_text()
    assert nightly["variables"]["RAILWAY_RUN_UID"] == {"type": "literal", "value": "0"}
    store = parse_bytes(load_nightly(nightly).store.max_bytes)
    assert store < resources["volume.work"]["config"]["sizeMB"] * 1_000_000


def test_no_value_of_a_secret_stands_in_the_file(nightly: dict[str, Any]) -> None:
    literal = {name for name, variable in nightly["variables"].items() if variable["type"] == "literal"}
    assert literal == {"TILEPRESS_PIPELINE", "RAILWAY_RUN_UID"}
    assert nightly["variables"]["DATABASE_URL"] == {
        "type": "reference",
        "resource": "database.postgres",
        "output": "DATABASE_URL",
    }


def test_the_pipeline_file_of_the_image_is_sound_and_finds_its_variables_set(nightly: dict[str, Any]) -> None:
    named = nightly["variables"]["TILEPRESS_PIPELINE"]["value"]
    assert f"\nARG TILEPRESS_PIPELINE={named}\n" in (REPOSITORY / "Dockerfile").read_text()
    assert REPOSITORY / named == NIGHTLY
    assert set(re.findall(r"\$\{(\w+)", NIGHTLY.read_text())) <= nightly["variables"].keys()
    job = load_nightly(nightly).jobs[0]
    assert isinstance(job, GangsheetJob)
    assert job.orders.mark is not None


def load_nightly(nightly: dict[str, Any]) -> Pipeline:
    """Load the pipeline file with a value for every variable of the service."""
    return load_pipeline(NIGHTLY, {name: f"a-{name.lower()}" for name in nightly["variables"]})
