"""What a job comes to: the same for every kind of job."""

from collections.abc import Sequence
from dataclasses import dataclass

from config.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a job: files made, by path or URL, what was asked for and became of it, and what it cost."""

    files: tuple[str, ...] = ()
    manifest: str | None = None
    ordered: int = 0
    placed: int = 0
    rejected: int = 0
    seconds: float = 0.0
    peak_bytes: int = 0

    @property
    def exit_code(self) -> ExitCode:
        """DONE, or INCOMPLETE when anything was rejected."""
        return ExitCode.INCOMPLETE if self.rejected else ExitCode.DONE


def total(reports: Sequence[Report], seconds: float, peak_bytes: int) -> Report:
    """Return what several runs of a job come to together; the manifest is the last one's."""
    manifests = [report.manifest for report in reports if report.manifest is not None]
    return Report(
        files=tuple(file for report in reports for file in report.files),
        manifest=manifests[-1] if manifests else None,
        ordered=sum(report.ordered for report in reports),
        placed=sum(report.placed for report in reports),
        rejected=sum(report.rejected for report in reports),
        seconds=seconds,
        peak_bytes=peak_bytes,
    )
