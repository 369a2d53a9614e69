"""Jobs one after another: what fails is told, and does not sink the others."""

from typing import TYPE_CHECKING, cast

from config.errors import ExitCode, StorageError, TilepressError
from pipeline.runner import for_each_job

if TYPE_CHECKING:
    from config.schema import Job


def test_a_bug_in_one_job_is_told_and_does_not_sink_the_others() -> None:
    told: list[tuple[str, TilepressError]] = []
    done: list[str] = []
    jobs = cast("list[Job]", ["first", "buggy", "unreachable", "last"])

    def work(job: "Job") -> ExitCode:
        name = cast("str", job)
        if name == "buggy":
            raise KeyError("page")
        if name == "unreachable":
            raise StorageError("the server does not answer")
        done.append(name)
        return ExitCode.DONE

    code = for_each_job(jobs, work, lambda job, error: told.append((cast("str", job), error)))

    assert code == ExitCode.BUG
    assert done == ["first", "last"]
    assert [(job, error.message) for job, error in told] == [
        ("buggy", "a bug in tilepress: KeyError: 'page'"),
        ("unreachable", "the server does not answer"),
    ]
    assert isinstance(told[0][1].__cause__, KeyError)
