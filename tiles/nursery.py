"""What the server imports that children are forked off, and nobody else: all that they need, and a quieter end.

A run that is interrupted may be gone before the child it asked for has begun. That child finds nothing of what it was
given, which is no news for the operator.
"""

import sys
from types import TracebackType

import tiles.children
import tiles.photo
import tiles.prepare  # noqa: F401 - for the children


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not isinstance(error, EOFError | FileNotFoundError | ConnectionError):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _tell
