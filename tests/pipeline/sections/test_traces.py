"""Traces: written down before something lies elsewhere, struck out when it is gone, and found by the next run."""

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import BudgetError, UnavailableError
from pipeline.sections.traces import PATIENCE_S, Traces, forget_trace


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
    return tmp_path / ".tilepress.traces"


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


def test_what_cannot_be_removed_stays_written_down_and_costs_no_other(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = Elsewhere(down={"a"})
    traces = Traces(path, service.forget)
    for token in ("a", "b"):
        traces.add(token)
    with caplog.at_level(logging.WARNING):
        traces.clear()
    assert (service.forgotten, written(path)) == (["b"], ["a"])
    assert caplog.messages == ["what was uploaded as a may still lie there: the service is down"]

    service.down.clear()
    Traces(path, service.forget).clear()
    assert (service.forgotten, path.exists()) == (["b", "a"], False)


def test_as_much_time_is_given_as_there_is(path: Path) -> None:
    service = Elsewhere()
    traces = Traces(path, service.forget)
    traces.add("a")
    traces.remove("b", 1.5)
    traces.clear()
    assert service.patience_s == [1.5, PATIENCE_S]


def test_what_was_not_written_down_is_removed_as_well(path: Path) -> None:
    service = Elsewhere()
    Traces(path, service.forget).remove("never written")
    assert (service.forgotten, path.exists()) == (["never written"], False)


def test_what_no_process_could_be_started_for_stays_written_down(path: Path) -> None:
    def no_process(token: str, within_s: float) -> None:
        raise BudgetError("memory: no process can be started")

    traces = Traces(path, no_process)
    traces.add("a")
    with pytest.raises(BudgetError):
        traces.clear()
    assert written(path) == ["a"]


@pytest.mark.parametrize(
    ("content", "tokens"),
    [(b"", []), (b"[", []), (b"{}", []), (b"5", []), (b'["a", 5, null, ["b"]]', ["a"]), (b'["a", "\xff"]', [])],
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
    traces, left = Traces(path, Elsewhere(down={"c"}).forget), set[str]()
    for step, token in steps:
        if step == "add" and token in left:
            continue  # a token is unique to its attempt
        getattr(traces, step)(token)
        if step == "add":
            left.add(token)
        elif step == "gone" or token != "c":
            left.discard(token)
        assert set(written(path)) == left


def test_a_child_has_the_analyser_forget() -> None:
    class Analyzer(Elsewhere):
        leaves_traces = True

        def analyze(self, section: object) -> dict[str, str]:
            return {}

    analyzer = Analyzer()
    forget_trace(analyzer, "a")
    assert analyzer.forgotten == ["a"]
