"""How the children's server, and its children, end: at once, and quietly. Imported there, and nowhere else.

A run that is interrupted may be gone before the child it asked for has begun. That child finds nothing of what it was
given, which is no news for the operator.
"""

import atexit
import os
import sys
from types import TracebackType


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not isinstance(error, EOFError | FileNotFoundError | ConnectionError):
        sys.__excepthook__(kind, error, trace)


def _leave(server: int) -> None:
    """Spare the server taking apart what it has imported, which takes a fifth of the time of a small run."""
    if os.getpid() == server:
        sys.stderr.flush()
        os._exit(0)


sys.excepthook = _tell
atexit.register(_leave, os.getpid())
