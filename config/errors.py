"""What can go wrong, and the exit code each kind ends the program with.

    TilepressError                 70  a bug, when nothing more precise fits
    ├── ConfigurationError          2  usage, pipeline file, database content: mend it and run again
    ├── ArtworkError                3  one design cannot be printed; its copies are rejected, the rest go on
    │   ├── UnavailableError        3  … at the moment: its server is busy or down
    │   └── LostError               3  … the process at work on it died, or took too long
    ├── StorageError                4  files, folders or the database are out of reach: try again later
    │   └── TransientError          4  … and may be within reach in a moment: worth trying again at once
    ├── StoppedError                4  the deadline has passed, or SIGTERM came: run again to do the rest
    ├── BudgetError                 5  memory or disk would not suffice; finished parts are kept
    └── LockError                   6  another run is at work on the same output

An error is one or two lines: what is wrong and where, then what to do (`remedy`). Secrets never stand in one.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The program's exit codes; they are part of the interface."""

    DONE = 0
    CONFIGURATION = 2
    INCOMPLETE = 3
    STORAGE = 4
    BUDGET = 5
    LOCKED = 6
    BUG = 70
    INTERRUPTED = 130


class TilepressError(Exception):
    """Any failure that is explained to the user; `remedy` says what to do next."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


def as_explained(error: Exception) -> TilepressError:
    """Return an error that is explained as it is, and any other as what it is: a bug."""
    if isinstance(error, TilepressError):
        return error
    bug = TilepressError(f"a bug in tilepress: {type(error).__name__}: {error}", "Please report it.")
    bug.__cause__ = error
    return bug


class ConfigurationError(TilepressError):
    """The command line, the pipeline file or the database asks for something impossible."""

    exit_code = ExitCode.CONFIGURATION


class ArtworkError(TilepressError):
    """One design cannot be printed as ordered; the message is the reason that stands in the manifest."""

    exit_code = ExitCode.INCOMPLETE


class UnavailableError(ArtworkError):
    """A design cannot be had at the moment, and may be there when the job is run again."""


class LostError(ArtworkError):
    """The process at work on a design died, or took longer than it may; another one may come further."""


class StorageError(TilepressError):
    """A file, folder or database cannot be read or written at the moment."""

    exit_code = ExitCode.STORAGE


class TransientError(StorageError):
    """A server is busy, or a connection broke: trying again in a moment may do. The final failure is a StorageError."""


class StoppedError(TilepressError):
    """The run ends before its work is done, because it was told to; what is done is kept."""

    exit_code = ExitCode.STORAGE


class Terminated(BaseException):
    """What a StoppedError says, in the middle of anything: nothing but cleaning up is done on its way out."""


class BudgetError(TilepressError):
    """Going on would exceed the memory limit or fill the disk."""

    exit_code = ExitCode.BUDGET


class LockError(TilepressError):
    """Another run writes to the same output folder."""

    exit_code = ExitCode.LOCKED
