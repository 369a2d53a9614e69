"""What a job may write where its files go: its own, and names nobody has taken; and which files a pattern means."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from config.errors import ArtworkError, ConfigurationError
from pipeline.claim import Claim
from pipeline.delivery import FolderOutbox
from pipeline.library import Library
from pipeline.patterns import matching
from tiles.sinks.sink import SheetFile


class Recorder(FolderOutbox):
    """A folder that tells how files were brought there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.brought: list[tuple[str, str]] = []

    def replace(self, sheet: SheetFile) -> None:
        self.brought.append(("replaced", sheet.path.name))

    def deliver(self, sheet: SheetFile) -> None:
        self.brought.append(("delivered", sheet.path.name))


def test_a_file_of_others_is_a_stranger_and_one_of_the_jobs_own_is_not(tmp_path: Path) -> None:
    for name in ("own.pdf", "other.pdf", "not asked for.pdf"):
        (tmp_path / name).touch()
    claim = Claim(Recorder(tmp_path), ["own.pdf", "other.pdf", "free.pdf"], ["own.pdf"])
    assert claim.strangers == {"other.pdf"}
    claim.check("own.pdf")
    claim.check("free.pdf")
    with pytest.raises(ArtworkError) as caught:
        claim.check("other.pdf")
    assert str(caught.value) == (
        "a file of that name lies there that this job did not make\n"
        "  Move it away; if it is this job's and its manifest was lost, empty the folder."
    )


def test_what_others_put_there_meanwhile_is_a_stranger_from_then_on(tmp_path: Path) -> None:
    claim = Claim(Recorder(tmp_path), ["own.pdf", "a.pdf", "b.pdf"], ["own.pdf"])
    for name in ("own.pdf", "a.pdf"):
        claim.check(name)
        (tmp_path / name).touch()
    assert claim.strangers == set()
    claim.check("own.pdf")
    with pytest.raises(ArtworkError, match="this job did not make"):
        claim.check("a.pdf")
    claim.check("b.pdf")
    assert claim.strangers == {"a.pdf"}


def test_even_a_broken_link_or_a_folder_is_a_stranger(tmp_path: Path) -> None:
    (tmp_path / "link.pdf").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder.pdf").mkdir()
    assert Claim(Recorder(tmp_path), ["link.pdf", "folder.pdf"], []).strangers == {"link.pdf", "folder.pdf"}


def test_what_the_job_had_left_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    outbox = Recorder(tmp_path)
    claim = Claim(outbox, ["own.pdf", "new.pdf"], ["own.pdf"])
    for name in ("own.pdf", "new.pdf"):
        claim.put(SheetFile(tmp_path / name, 1, "sha"))
    assert outbox.brought == [("replaced", "own.pdf"), ("delivered", "new.pdf")]


# Patterns


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "in"
    for name in ("b.pdf", "a.pdf", "deep/c.pdf", ".hidden.pdf", "notes.txt", "out/old.pdf"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "folder.pdf").mkdir()
    return root


def found(pattern: str, root: object, place: Path) -> list[str]:
    library = SimpleNamespace(root=root, root_name=str(root), check=lambda: None)
    return matching(pattern, cast(Library, library), place, "documents", "Name one.")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.pdf", ["a.pdf", "b.pdf"]),
        ("**/*.pdf", ["a.pdf", "b.pdf", "deep/c.pdf", "out/old.pdf"]),
        ("deep/*", ["deep/c.pdf"]),
        ("a.pdf", ["a.pdf"]),
    ],
)
def test_files_that_match_are_named_in_order(root: Path, pattern: str, names: list[str]) -> None:
    assert found(pattern, root, root / "results") == names


def test_nothing_below_the_place_of_results_is_read(root: Path) -> None:
    (root / "results" / "a").mkdir(parents=True)
    (root / "results" / "a" / "001.pdf").touch()
    assert found("**/*.pdf", root, root / "results") == ["a.pdf", "b.pdf", "deep/c.pdf", "out/old.pdf"]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("*.png", "{root}: no file matches *.png"),
        ("../*.pdf", "documents.glob: ../*.pdf leads out of documents.root"),
        ("/*.pdf", "documents.glob: /*.pdf leads out of documents.root"),
        ("out/*.pdf", "output.to is a folder of documents: {root}/out"),
    ],
)
def test_a_pattern_that_means_nothing_or_too_much_is_refused(root: Path, pattern: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        found(pattern, root, root / "out")
    assert caught.value.message == message.format(root=root)


def test_a_server_has_no_folder_to_be_listed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        found("*.pdf", "https://artwork.test/in", tmp_path)
    assert caught.value.message == "https://artwork.test/in: documents.glob needs a folder of this machine"
    assert caught.value.remedy == "Name one."
