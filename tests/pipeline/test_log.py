"""The log: for machines one object a line, for people words that cannot steer their terminal."""

import json
import logging
from collections.abc import Iterator

import pytest

from pipeline.log import NoProgress, start_logging


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_elsewhere_than_on_a_terminal_every_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(start_logging("auto", verbose=False), NoProgress)
    log = logging.getLogger("pipeline.test")
    log.info("Größe\n2", extra={"part": 3})
    log.warning("careful")
    log.error("broken", extra={"remedy": "mend it"})
    log.debug("not asked for")

    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["message"], first["level"], first["part"]) == ("Größe\n2", "info", 3)
    assert (second["message"], second["level"]) == ("careful", "warn")
    assert (third["level"], third["remedy"]) == ("error", "mend it")
    assert first["time"].endswith("+00:00")


def test_text_shows_control_characters_instead_of_obeying_them(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("text", verbose=False)
    logging.getLogger("pipeline.test").warning("a\x1b[2Jb\nc [red]d[/red]")
    assert capsys.readouterr().out == "warning: a\\x1b[2Jb\\x0ac [red]d[/red]\n"


def test_text_says_what_to_do_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("text", verbose=False)
    logging.getLogger("pipeline.test").error("broken", extra={"remedy": "Mend it."})
    assert capsys.readouterr().out == "error: broken\n  Mend it.\n"


def test_verbose_says_where_an_error_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("text", verbose=True)
    try:
        raise ValueError("deep down")
    except ValueError:
        logging.getLogger("pipeline.test").debug("It came from here", exc_info=True)
    assert "ValueError: deep down" in capsys.readouterr().out


def test_libraries_are_heard_only_when_they_warn(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("json", verbose=True)
    logging.getLogger("pyvips").info("threadpool completed")
    logging.getLogger("pyvips").warning("strange")
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == ["strange"]
