"""What a job may write where its files go: its own, and names nobody has taken. Nothing of others is overwritten."""

from collections.abc import Iterable

from config.errors import ArtworkError
from pipeline.delivery import Outbox
from tiles.sinks.sink import SheetFile


class Claim:
    """The names of files that a job asks for at a place, and whose they are."""

    def __init__(self, outbox: Outbox, asked: Iterable[str], own: Iterable[str]) -> None:
        """Look which of the files asked for lie there already; `own` are those that this job has made before."""
        self._outbox, self.own = outbox, set(own)
        self.strangers = {file for file in asked if file not in self.own and outbox.lies(file)}

    def check(self, file: str) -> None:
        """Raise ArtworkError if a file that is not this job's lies under the name, by now."""
        if file in self.strangers or (file not in self.own and self._outbox.lies(file)):
            self.strangers.add(file)
            remedy = "Move it away; if it is this job's and its manifest was lost, empty the folder."
            raise ArtworkError("a file of that name lies there that this job did not make", remedy)

    def put(self, made: SheetFile) -> None:
        """Bring a file to its place, over what this job had left there."""
        if made.path.name in self.own:
            self._outbox.replace(made)
        else:
            self._outbox.deliver(made)
