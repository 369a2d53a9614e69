"""Traces: what analysers may have left elsewhere, written down before it comes to be, until it is known to be gone.

So a run that was killed leaves word for the next one of what is to be removed.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path

from config.errors import ArtworkError
from pipeline.delivery import write_text
from pipeline.sections.analysis import Analyzer

log = logging.getLogger(__name__)

TRACES = ".tilepress.traces"
PATIENCE_S = 120.0  # with a service that is slow to remove something


class Traces:
    """The tokens under which something may lie elsewhere, in a file of this machine.

    `forget(token, within_s)` removes it.
    """

    def __init__(self, path: Path, forget: Callable[[str, float], None]) -> None:
        """Read what a former run has left in the file."""
        self._path, self._forget = path, forget
        self._tokens = _read(path)

    def add(self, token: str) -> None:
        """Write a token down: something will come to lie elsewhere."""
        self._tokens.append(token)
        self._write()

    def gone(self, token: str) -> None:
        """Strike a token out: nothing lies there any more."""
        if token in self._tokens:
            self._tokens.remove(token)
            self._write()

    def clear(self) -> None:
        """Have everything removed; what cannot be at the moment stays written down, and is told."""
        for token in tuple(self._tokens):
            self.remove(token)

    def remove(self, token: str, within_s: float = PATIENCE_S) -> None:
        """Have what may lie under one token removed, as `clear` does, or leave it for later if that takes longer."""
        try:
            self._forget(token, within_s)
            self.gone(token)
        except ArtworkError as error:
            log.warning(
                f"what was uploaded as {token} may still lie there: {error.message}",
                extra={"token": token, "remedy": "The next run removes it."},
            )

    def _write(self) -> None:
        if self._tokens:
            write_text(self._path, json.dumps(self._tokens))
        else:
            self._path.unlink(missing_ok=True)


def forget_trace(analyzer: Analyzer, token: str) -> None:
    """Have an analyser remove what it left under a token; for a child."""
    analyzer.forget(token)


def _read(path: Path) -> list[str]:
    try:
        tokens = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    return [token for token in tokens if isinstance(token, str)] if isinstance(tokens, list) else []
