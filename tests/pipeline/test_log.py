"""The log: for machines one object a line, for people words that cannot steer their terminal."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from pipeline.log import KEPT_FREE, LINES_A_SECOND, NoProgress, about, report_memory, start_logging
from pipeline.redaction import Redactor

log = logging.getLogger("pipeline.test")


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_elsewhere_than_on_a_terminal_every_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(start_logging("auto", verbose=False), NoProgress)
    log.info("Größe\n2", extra={"part": 3})
    log.warning("careful")
    log.error("broken", extra={"remedy": "mend it"})
    log.debug("not asked for")

    first, second, third = lines(capsys)
    assert (first["message"], first["level"], first["part"]) == ("Größe\n2", "info", 3)
    assert (second["message"], second["level"]) == ("careful", "warn")
    assert (third["level"], third["remedy"]) == ("error", "mend it")
    assert first["time"].endswith("+00:00")


def test_text_shows_control_characters_instead_of_obeying_them(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("text", verbose=False)
    log.warning("a\x1b[2Jb\nc [red]d[/red]")
    assert capsys.readouterr().out == "warning: a\\x1b[2Jb\\x0ac [red]d[/red]\n"


def test_text_says_what_to_do_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("text", verbose=False)
    log.error("broken", extra={"remedy": "Mend it."})
    assert capsys.readouterr().out == "error: broken\n  Mend it.\n"


def test_verbose_says_where_an_error_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("text", verbose=True)
    try:
        raise ValueError("deep down")
    except ValueError:
        log.debug("It came from here", exc_info=True)
    assert "ValueError: deep down" in capsys.readouterr().out


def test_libraries_are_heard_only_when_they_warn(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("json", verbose=True)
    logging.getLogger("pyvips").info("threadpool completed")
    logging.getLogger("pyvips").warning("strange")
    assert [line["message"] for line in lines(capsys)] == ["strange"]


# -- fields ----------------------------------------------------------------------------------------


def test_lines_within_a_block_say_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("json", verbose=False)
    log.info("before")
    with about(run="r1", job="uv"):
        log.info("in the job")
        with about(part=2, job="inner"):
            log.info("in the part", extra={"bytes": 7, "seconds": 0.5})
            log.info("of another", extra={"part": 3})
        log.info("in the job again")
    log.info("after")

    said = [{key: line[key] for key in line if key not in {"message", "level", "time"}} for line in lines(capsys)]
    assert said == [
        {},
        {"run": "r1", "job": "uv"},
        {"run": "r1", "job": "inner", "part": 2, "bytes": 7, "seconds": 0.5},
        {"run": "r1", "job": "inner", "part": 3},
        {"run": "r1", "job": "uv"},
        {},
    ]


def test_a_block_left_by_an_error_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("json", verbose=False)
    with suppress(ValueError), about(job="uv", part=1), report_memory(lambda: 5):
        raise ValueError
    log.info("after")
    assert set(lines(capsys)[0]) == {"message", "level", "time"}


def test_run_and_job_are_said_on_all_threads_and_the_rest_by_the_thread_it_is_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_logging("json", verbose=False)

    def fetch(order: int) -> None:
        log.info("on its way")
        with about(order=order):
            log.info("fetched")

    with ThreadPoolExecutor(4) as pool:
        with about(run="r1", job="uv", part=1):
            list(pool.map(fetch, range(20)))
        pool.submit(log.info, "idle").result()

    said = lines(capsys)
    assert all((line["run"], line["job"]) == ("r1", "uv") and "part" not in line for line in said[:-1])
    assert sorted(line["order"] for line in said if line["message"] == "fetched") == list(range(20))
    assert all("order" not in line for line in said if line["message"] == "on its way")
    assert set(said[-1]) == {"message", "level", "time"}


def test_memory_is_what_it_is_as_a_line_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("json", verbose=False)
    used = [100]
    with report_memory(lambda: used[0]):
        log.info("one")
        used[0] = 200
        log.info("two")
        log.info("three", extra={"memory": 7})
    log.info("four")
    assert [line.get("memory") for line in lines(capsys)] == [100, 200, 7, None]


# -- secrets ---------------------------------------------------------------------------------------

SECRETS = Redactor({"NAS_PASSWORD": "dragonfly-7"})


def fail() -> None:
    try:
        raise OSError("refused dragonfly-7")
    except OSError as error:
        raise ValueError("sftp://shop:pw@nas") from error


@pytest.mark.parametrize("kind", ["json", "text"])
def test_no_part_of_a_line_holds_a_secret(kind: Any, capsys: pytest.CaptureFixture[str]) -> None:
    start_logging(kind, verbose=True, secrets=SECRETS)
    with about(run="dragonfly-7", part=1):
        log.error("%s is wrong", "dragonfly-7", extra={"remedy": "Not dragonfly-7.", "designs": ["a/dragonfly-7"]})
        try:
            fail()
        except ValueError:
            log.debug("It came from here", exc_info=True)

    said = capsys.readouterr().out
    assert "*** is wrong" in said
    assert "Not ***." in said
    assert "OSError: refused ***" in said
    assert "ValueError: sftp://shop:***@nas" in said
    # a traceback shows the source, in which this secret stands
    assert "dragonfly-7" not in said


def test_a_secret_told_under_way_is_struck_out_from_then_on(capsys: pytest.CaptureFixture[str]) -> None:
    secrets = Redactor({})
    start_logging("json", verbose=False, secrets=secrets)
    secrets.hide("dragonfly-7")
    log.info("dragonfly-7")
    assert lines(capsys)[0]["message"] == "***"


# -- pace ------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def paced() -> Clock:
    """Start the log by a clock that stands still unless it is set."""
    clock = Clock()
    start_logging("json", verbose=False, clock=clock)
    return clock


def end_logging() -> None:
    for handler in logging.getLogger().handlers:
        if type(handler).__module__ == "pipeline.log":  # others are pytest's
            handler.close()


def test_fifty_lines_a_second_go_out_and_the_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    clock = paced()
    for index in range(187):
        log.info(f"line {index}")
    clock.now += 1
    log.info("next")

    said = lines(capsys)
    assert [line["message"] for line in said[:LINES_A_SECOND]] == [f"line {index}" for index in range(LINES_A_SECOND)]
    assert [line["message"] for line in said[LINES_A_SECOND:]] == [
        "137 lines were left out: more than 50 a second",
        "next",
    ]
    assert (said[LINES_A_SECOND]["level"], said[LINES_A_SECOND]["left_out"]) == ("warn", 137)


@pytest.mark.parametrize("per_second", [30, 51, 120, 1000])
def test_in_no_second_are_there_more_than_fifty(per_second: int, capsys: pytest.CaptureFixture[str]) -> None:
    clock = paced()
    logged, sent = 0, []
    while clock.now < 1010:
        log.info("line")
        logged += 1
        sent += [(clock.now, line) for line in lines(capsys)]
        clock.now += 1 / per_second
    times = [at for at, _ in sent]
    assert all(last - first >= 1 for first, last in zip(times, times[LINES_A_SECOND:], strict=False))

    end_logging()
    sent += [(clock.now, line) for line in lines(capsys)]
    assert logged == sum(line.get("left_out", 1) for _, line in sent)  # each is there, or counted
    notices = sum("left_out" in line for _, line in sent)
    assert notices == 0 if per_second <= LINES_A_SECOND else 1 <= notices <= 11


def test_how_many_were_left_out_is_said_once_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines that went out at intervals make room at intervals: for one at a time, while many more come."""
    clock = paced()
    for _ in range(LINES_A_SECOND):
        log.info("line")
        clock.now += 1 / LINES_A_SECOND
    lines(capsys)
    for _ in range(3000):
        log.info("line")
        clock.now += 1 / 1000

    said = lines(capsys)
    assert 100 <= len(said) <= 3 * LINES_A_SECOND
    assert 1 <= sum("left_out" in line for line in said) <= 3


def test_errors_and_what_is_said_of_a_whole_job_always_go_out(capsys: pytest.CaptureFixture[str]) -> None:
    paced()
    with about(run="r1", job="uv"):
        for _ in range(60):
            log.info("line")
        for index in range(60):
            log.error(f"error {index}")
        log.info("Job uv: all done", extra={"job": "uv"})

    said = [line["message"] for line in lines(capsys)]
    assert said[LINES_A_SECOND] == "10 lines were left out: more than 50 a second"
    assert said[LINES_A_SECOND + 1 :] == [*(f"error {index}" for index in range(60)), "Job uv: all done"]


def test_thousands_of_lines_about_orders_leave_room_for_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    paced()
    for index in range(500):
        log.warning("rejected", extra={"order": index})
    with about(order=7):
        log.info("this one too")
    log.info("Part 1/2", extra={"part": 1})

    said = [line["message"] for line in lines(capsys)]
    assert said == ["rejected"] * (LINES_A_SECOND - KEPT_FREE) + [
        "461 lines were left out: more than 50 a second",
        "Part 1/2",
    ]


def test_what_was_left_out_last_is_said_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    paced()
    for _ in range(LINES_A_SECOND + 1):
        log.info("line")
    end_logging()
    end_logging()
    said = [line["message"] for line in lines(capsys)]
    assert said[LINES_A_SECOND:] == ["1 line was left out: more than 50 a second"]


def test_a_person_reads_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("text", verbose=False, clock=Clock())
    for _ in range(200):
        log.info("line")
    assert capsys.readouterr().out == "line\n" * 200
