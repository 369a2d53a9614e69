"""Sections that a model is asked about, of a service that fails: each has an answer or a reason; none stays.

With TILEPRESS_LESSONS=40 in the environment, the course that is asked about with failures at random is that long; it
wants TILEPRESS_TEST_TIMEOUT_S=3600, as most of it is waiting.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from config.errors import ExitCode
from tests.conftest import REPOSITORY, environment
from tests.mockups import sha256
from tests.sections import children_of, gone
from tests.servers.gemini import API_KEY, Fault
from tests.test_death import wait_for

if TYPE_CHECKING:
    from tests.conftest import Outcome
    from tests.sections import PdfShop
    from tests.servers.gemini import GeminiServer

LESSONS = int(os.environ.get("TILEPRESS_LESSONS", "1"))
SECTIONS = 7
KEY = {"GEMINI_API_KEY": API_KEY}
TURN_S = 10  # within which a run that is told to end has to


@pytest.fixture
def asked(pdf_shop: "PdfShop", gemini: "GeminiServer") -> "PdfShop":
    """A lesson of seven sections, no two alike, about which the service is to be asked."""
    shop = pdf_shop
    gemini.polls = 0
    shop.document(pages=SECTIONS * 2)
    shop.job |= {
        "sections": [{"title": f"part {n}", "pages": f"{n}-{n + n % 4}"} for n in range(1, SECTIONS + 1)],
        "analyzer": {
            "kind": "gemini",
            "model": "gemini-2.5-flash",
            "api_key": "${GEMINI_API_KEY}",
            "json_schema": {"type": "object"},
            "prompt": "What is it about?",
            "endpoint": gemini.url,
        },
    }
    shop.output(text=False, preview=False)
    return shop


def analyzer(shop: "PdfShop") -> dict[str, Any]:
    settings: dict[str, Any] = shop.job["analyzer"]
    return settings


def run(shop: "PdfShop") -> "Outcome":
    return shop.run(**KEY)


def begin(shop: "PdfShop") -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(REPOSITORY / "cli.py"), "run", str(shop.write())]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(KEY))


def check_answers(shop: "PdfShop", folder: str = ".") -> None:
    """See that each answer is of its own section: of its very bytes."""
    entries = shop.manifest_of(folder)["sections"]
    assert [entry["number"] for entry in entries] == [*range(1, SECTIONS + 1)]
    for entry in entries:
        (pdf,) = entry["files"]
        assert sha256(shop.out / folder / pdf["file"]) == pdf["sha256"]
        assert (entry["analysis"] is None) == (entry["error"] is not None)
        if entry["analysis"] is None:
            assert len(entry["error"]) > 10
        else:
            answer = entry["analysis"]["answer"]
            assert (answer["sha256"], answer["pages"]) == (pdf["sha256"], entry["page_count"])
            assert (answer["prompt"], answer["title"]) == ("What is it about?", entry["title"])


def test_every_section_has_the_answer_to_itself(asked: "PdfShop", gemini: "GeminiServer") -> None:
    outcome = run(asked)

    assert (outcome.exit_code, outcome.stderr) == (0, "")
    check_answers(asked)
    assert asked.errors() == {}
    assert asked.manifest["analyzer"]["model"] == "gemini-2.5-flash"
    assert "What is it about?" in asked.summary
    assert gemini.files == {}
    assert gemini.count("delete") == gemini.count("generate") == SECTIONS
    assert API_KEY not in outcome.text
    assert API_KEY.encode() not in asked.everything_written()
    assert asked.leftovers() == []
    asked_before = len(gemini.calls)
    assert (run(asked).exit_code, len(gemini.calls)) == (0, asked_before)
    assert asked.verify().exit_code == 0


@pytest.mark.slow
def test_failures_of_every_kind_at_random_cost_answers_at_most(asked: "PdfShop", gemini: "GeminiServer") -> None:
    """A third of all calls fails; of each section there is an answer or a reason, in its place, and nothing stays."""
    shop = asked
    for number in range(LESSONS):
        shop.document(f"in/lesson{number:02}.pdf", pages=SECTIONS * 2 + number)
    del shop.job["document"]
    shop.job |= {"documents": {"root": "in", "glob": "*.pdf"}, "workers": SECTIONS, "limits": {"attempts": 1}}
    analyzer(shop).update(timeout_s=1, attempts=2)
    gemini.retry_after, gemini.retry_delay = "0", "0s"
    gemini.fail_at_random(0.3, seed=6)

    outcome = run(shop)

    assert outcome.exit_code in {ExitCode.DONE, ExitCode.INCOMPLETE}, outcome.text
    assert "Traceback" not in outcome.text
    for number in range(LESSONS):
        check_answers(shop, f"lesson{number:02}")
    told = set(re.findall(r"what was uploaded as (tilepress-\w+) may still lie there", outcome.stdout))
    assert {name.removeprefix("files/") for name in gemini.files} <= told
    assert API_KEY not in outcome.text
    assert API_KEY.encode() not in shop.everything_written()

    gemini.mend()
    analyzer(shop).update(timeout_s=30)
    again = run(shop)

    assert (again.exit_code, gemini.files) == (0, {})
    assert shop.leftovers() == []
    for number in range(LESSONS):
        check_answers(shop, f"lesson{number:02}")
        assert shop.manifest_of(f"lesson{number:02}")["totals"]["failed"] == 0


@pytest.mark.parametrize(
    ("call", "fault", "reason"),
    [
        ("generate", Fault.BLOCKED_ANSWER, "withholds the answer: SAFETY"),
        ("start", Fault.UNREADABLE, "cannot read the section: The document cannot be read."),
    ],
)
def test_a_section_that_is_not_answered_keeps_its_files_and_is_asked_about_again(
    asked: "PdfShop", gemini: "GeminiServer", call: str, fault: Fault, reason: str
) -> None:
    gemini.fail(call, None, fault)

    outcome = run(asked)

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert list(asked.errors()) == [2]
    assert reason in asked.errors()[2]
    check_answers(asked)
    assert gemini.files == {}
    before = gemini.count("generate")
    assert run(asked).exit_code == 0
    assert asked.totals() == (SECTIONS, SECTIONS, SECTIONS - 1, 0)
    assert gemini.count("generate") == before + 1


def test_a_wrong_key_is_told_and_not_shown(asked: "PdfShop", gemini: "GeminiServer") -> None:
    gemini.api_key = "another"
    asked.job["sections"] = {"every": 7}

    outcome = run(asked)

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert all("API key not valid" in reason for reason in asked.errors().values())
    assert set(asked.errors()) == {1, 2}
    assert API_KEY not in outcome.text
    assert API_KEY.encode() not in asked.everything_written()


def no_key(shop: "PdfShop") -> None:
    analyzer(shop)["api_key"] = "${NO_SUCH_KEY}"


def bad_endpoint(shop: "PdfShop") -> None:
    analyzer(shop)["endpoint"] = "ftp://127.0.0.1"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (no_key, "the environment variable NO_SUCH_KEY is not set"),
        (bad_endpoint, "analyzer.endpoint: "),
    ],
)
def test_settings_that_cannot_be_used_are_named(
    asked: "PdfShop", change: "Callable[[PdfShop], None]", words: str
) -> None:
    change(asked)

    outcome = run(asked)

    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert words in outcome.text


def makers(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """Return the processes of sections: children of the server that they are forked off."""
    return [child for child in children_of(process) if child.ppid() != process.pid]


@pytest.mark.parametrize(("call", "fault"), [("generate", Fault.SILENT), ("upload", Fault.FORGOTTEN)])
def test_after_kill_9_the_next_run_removes_what_was_uploaded(
    asked: "PdfShop", gemini: "GeminiServer", call: str, fault: Fault
) -> None:
    gemini.fail(call, None, fault)
    process = begin(asked)
    wait_for(lambda: (held_up(gemini) and gemini.files) or process.poll() is not None, "an upload")
    children = children_of(process)
    process.kill()
    process.communicate()
    wait_for(lambda: gone(children), "the children")
    assert len(gemini.files) == 1
    assert API_KEY.encode() not in asked.everything_written()

    outcome = run(asked)

    assert (outcome.exit_code, gemini.files) == (0, {})
    assert asked.totals() == (SECTIONS, SECTIONS, 1, 0)
    check_answers(asked)
    assert asked.leftovers() == []


def held_up(gemini: "GeminiServer") -> bool:
    """Tell whether a call has come in that goes wrong."""
    return any(call.fault is not None for call in gemini.calls)


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.FORGOTTEN])
def test_told_to_end_during_an_upload_the_run_ends_soon_and_leaves_nothing_there(
    asked: "PdfShop", gemini: "GeminiServer", fault: Fault
) -> None:
    gemini.fail("upload", None, fault)
    process = begin(asked)
    wait_for(lambda: held_up(gemini) or process.poll() is not None, "an upload")
    process.send_signal(signal.SIGTERM)

    stdout, stderr = (said.decode() for said in process.communicate(timeout=TURN_S))

    assert process.returncode == ExitCode.STORAGE, stdout + stderr
    assert gemini.files == {}
    assert [entry["number"] for entry in asked.sections] == [1]
    outcome = run(asked)
    assert (outcome.exit_code, gemini.files) == (0, {})
    check_answers(asked)
    assert asked.leftovers() == []


def test_when_a_sections_process_dies_its_upload_is_removed_and_it_is_tried_again(
    asked: "PdfShop", gemini: "GeminiServer"
) -> None:
    gemini.fail("generate", None, Fault.SILENT)
    process = begin(asked)
    wait_for(lambda: held_up(gemini) or process.poll() is not None, "a question")
    for child in makers(process):
        child.kill()

    stdout, stderr = (said.decode() for said in process.communicate(timeout=60))

    assert process.returncode == 0, stdout + stderr
    assert "2. part 2: the process at work on it died (SIGKILL); trying again in " in stdout
    assert [entry["attempts"] for entry in asked.sections] == [1, 2, *[1] * (SECTIONS - 2)]
    check_answers(asked)
    assert gemini.files == {}


def test_a_service_that_is_out_of_reach_costs_answers_alone(asked: "PdfShop", gemini: "GeminiServer") -> None:
    analyzer(asked).update(endpoint="http://127.0.0.1:9", attempts=1)
    asked.job |= {"sections": {"every": 14}, "limits": {"attempts": 1}}

    outcome = run(asked)

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert list(asked.errors()) == [1]
    assert asked.files() == ["001_Pages_1-14.pdf"]
    assert "may still lie there" not in outcome.text  # nothing was uploaded
    analyzer(asked)["endpoint"] = gemini.url
    assert run(asked).exit_code == 0
    assert asked.errors() == {}
