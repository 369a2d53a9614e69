"""What a job comes to: the same for every kind of job."""

from dataclasses import dataclass
from pathlib import Path

from config.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one job: files made, what was asked for and what became of it, and what it cost."""

    job: str
    files: tuple[Path, ...]
    manifest: Path | None
    ordered: int
    placed: int
    rejected: int
    seconds: float
    peak_bytes: int

    @property
    def exit_code(self) -> ExitCode:
        """DONE, or INCOMPLETE when anything was rejected."""
        return ExitCode.INCOMPLETE if self.rejected else ExitCode.DONE
