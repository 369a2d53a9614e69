"""Traces: written down before something lies elsewhere, struck out when it is gone, and found by the next run."""

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import BudgetError, LockError, TilepressError, UnavailableError
from pipeline.sections.traces import BRIEFLY_S, PATIENCE_S, Traces, forget_trace, opened_traces


class Elsewhere:
    """A service where something may lie under tokens; it is down for some of them."""

    def __init__(self, *, down: set[str] | None = None) -> None:
        self.forgotten: list[str] = []
        self.patience_s: list[float] = []
        self.down = down or set()

    def forget(self, token: str, within_s: float = PATIENCE_S) -> None:
        self.patience_s.append(within_s)
        if token in self.down:
            raise UnavailableError("the service is down")
        self.forgotten.append(token)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traces" / "job.json"


@pytest.fixture(autouse=True)
def folder(path: Path) -> None:
    path.parent.mkdir()


def written(path: Path) -> list[str]:
    return list(json.loads(path.read_text())) if path.exists() else []


def test_a_token_is_written_down_at_once_and_struck_out_when_it_is_gone(path: Path) -> None:
    service = Elsewhere()
    traces = Traces(path, service.forget)
    traces.add("a")
    traces.add("b")
    assert written(path) == ["a", "b"]
    traces.gone("a")
    assert written(path) == ["b"]
    traces.gone("a")
    traces.gone("b")
    assert (path.exists(), service.forgotten) == (False, [])


def test_the_next_run_removes_what_a_killed_one_left(path: Path) -> None:
    first = Traces(path, Elsewhere().forget)
    first.add("a")
    first.add("b")

    service = Elsewhere()
    Traces(path, service.forget).clear()
    assert (service.forgotten, path.exists()) == (["a", "b"], False)


def test_a_service_that_is_down_is_not_asked_for_every_token(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It takes its time to say so. One that refuses now and then is asked on."""
    service = Elsewhere(down={"b", "d", "e", "f", "g"})
    traces = Traces(path, service.forget)
    for token in "abcdefg":
        traces.add(token)
    with caplog.at_level(logging.WARNING):
        traces.clear()
    assert (service.forgotten, written(path)) == (["a", "c"], ["b", "d", "e", "f", "g"])
    told = [f"what was uploaded as {token} may still lie there: the service is down" for token in "bdef"]
    assert caplog.messages == told
    assert service.patience_s == [PATIENCE_S] * 6

    service.down.clear()
    Traces(path, service.forget).clear()
    assert (sorted(service.forgotten), path.exists()) == (list("abcdefg"), False)


def test_what_may_yet_come_to_lie_there_stays_written_down(path: Path) -> None:
    service = Elsewhere()
    traces = Traces(path, service.forget)
    traces.add("a")
    assert traces.remove("a", for_good=False)
    assert (service.forgotten, written(path)) == (["a"], ["a"])
    traces.clear()
    assert (service.forgotten, written(path)) == (["a", "a"], [])


def test_one_that_cannot_be_removed_is_told_of_as_such(path: Path) -> None:
    assert not Traces(path, Elsewhere(down={"a"}).forget).remove("a")


# Accounts


def test_what_lies_in_another_account_is_kept_told_of_and_not_asked_for(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    former = Traces(path, Elsewhere().forget, "a former key")
    for token in "abcd":
        former.add(token)
    service = Elsewhere()
    traces = Traces(path, service.forget, "another key")
    traces.add("e")
    with caplog.at_level(logging.WARNING):
        traces.clear()
    assert (service.forgotten, written(path)) == (["e"], ["a", "b", "c", "d"])
    (record,) = caplog.records
    assert record.message == "4 uploads of another account may still lie there: a, b, c"
    assert "former analyzer, endpoint and key" in vars(record)["remedy"]

    again = Elsewhere()
    Traces(path, again.forget, "a former key").clear()
    assert (again.forgotten, path.exists()) == (["a", "b", "c", "d"], False)


def test_a_token_of_another_account_outlives_what_this_one_adds_and_strikes_out(path: Path) -> None:
    Traces(path, Elsewhere().forget, "one").add("a")
    traces = Traces(path, Elsewhere().forget, "other")
    traces.add("b")
    traces.gone("b")
    assert json.loads(path.read_text()) == {"a": "one"}


# One run at a time


def test_traces_are_of_one_run_at_a_time(path: Path) -> None:
    service = Elsewhere()
    with opened_traces(path, service.forget, "") as traces:
        traces.add("a")
        with pytest.raises(LockError) as caught, opened_traces(path, service.forget, ""):
            pass
        assert caught.value.message == "another run of the job is at work"
    with opened_traces(path, service.forget, "") as traces:
        traces.clear()
    assert service.forgotten == ["a"]


def test_the_folder_of_traces_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "job.json"
    with opened_traces(path, Elsewhere().forget, "") as traces:
        traces.add("a")
    assert written(path) == ["a"]


def test_another_job_is_another_matter(path: Path) -> None:
    service = Elsewhere()
    with opened_traces(path, service.forget, ""), opened_traces(path.with_name("b.json"), service.forget, ""):
        pass


def test_as_much_time_is_given_as_there_is(path: Path) -> None:
    service = Elsewhere()
    traces = Traces(path, service.forget)
    traces.add("a")
    traces.remove("b", 1.5)
    traces.remove("c")
    traces.clear()
    assert service.patience_s == [1.5, BRIEFLY_S, PATIENCE_S]


def test_what_was_not_written_down_is_removed_as_well(path: Path) -> None:
    service = Elsewhere()
    Traces(path, service.forget).remove("never written")
    assert (service.forgotten, path.exists()) == (["never written"], False)


@pytest.mark.parametrize(
    "error", [BudgetError("memory: no process can be started"), TilepressError("anything else")], ids=["memory", "else"]
)
def test_whatever_keeps_it_from_being_asked_for_ends_no_run(path: Path, error: TilepressError) -> None:
    def refuse(token: str, within_s: float) -> None:
        raise error

    traces = Traces(path, refuse)
    traces.add("a")
    traces.clear()
    assert written(path) == ["a"]


@pytest.mark.parametrize(
    ("content", "tokens"),
    [
        *((b"", []), (b"[", []), (b"{}", []), (b"5", []), (b'["a"]', []), (b'{"a": "\xff"}', [])),
        (b'{"a": "", "b": 5, "c": null, "d": [""], "e": ""}', ["a", "e"]),
    ],
)
def test_only_tokens_are_read_whatever_stands_there(path: Path, content: bytes, tokens: list[str]) -> None:
    path.write_bytes(content)
    service = Elsewhere()
    Traces(path, service.forget).clear()
    assert service.forgotten == tokens


@settings(max_examples=25)  # each step is on the disk when it is done
@given(st.lists(st.tuples(st.sampled_from(["add", "gone", "remove"]), st.sampled_from("abc"))))
def test_the_file_holds_what_was_added_and_is_not_gone(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "some.traces"
    path.unlink(missing_ok=True)
    traces, left = Traces(path, Elsewhere(down={"c"}).forget, "mine"), set[str]()
    for step, token in steps:
        if step == "add" and token in left:
            continue  # a token is unique to its attempt
        getattr(traces, step)(token)
        if step == "add":
            left.add(token)
        elif step == "gone" or token != "c":
            left.discard(token)
        assert set(written(path)) == left
        assert set(json.loads(path.read_text()).values() if left else ["mine"]) == {"mine"}


def test_a_child_has_the_analyser_forget() -> None:
    class Analyzer(Elsewhere):
        leaves_traces = True
        account = ""

        def analyze(self, section: object) -> dict[str, str]:
            return {}

    analyzer = Analyzer()
    forget_trace(analyzer, "a")
    assert analyzer.forgotten == ["a"]
