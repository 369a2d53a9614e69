"""What a section job is about: which documents, where the results of each go, and whose traces it may touch."""

import unicodedata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from config.errors import ArtworkError, ConfigurationError, LockError
from config.sections import SectionsJob
from pipeline.context import Context
from pipeline.governor import Governor
from pipeline.machine import MemoryLimit
from pipeline.sections.bindery import LEAST_BYTES, MANIFEST, Bindery, open_bindery


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def bindery(folder: Path, *, limit_bytes: int = 10**12, name: str = "job", to: str = "out", **keys: Any) -> Bindery:
    """Return the bindery of a job whose documents are in a folder `in`, unless it names one."""
    if "document" not in keys:
        keys.setdefault("documents", {"root": "in", "glob": "**/*"})
    context = SimpleNamespace(
        folder=folder,
        servers=None,
        store=SimpleNamespace(root=folder / ".tilepress" / "store"),
        governor=Governor(MemoryLimit(limit_bytes, "a test"), lambda: 0),
        threads=4,
    )
    said = {"kind": "sections", "name": name, "sections": {"every": 2}, "output": {"to": to}, **keys}
    return open_bindery(SectionsJob.model_validate(said), cast(Context, context))


def documents(folder: Path, *names: str, **keys: Any) -> list[str]:
    """Return which documents a job has among these of its folder."""
    for name in names:
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "in" / name).touch()
    return bindery(folder, **keys).documents()


# Folders of several documents


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.PDF", "a.pdf"),
        ("A.pdf", "a.pdf"),
        ("deep/Größe.pdf", "deep/GRÖSSE.pdf"),
        (f"{unicodedata.normalize('NFD', 'ü')}.pdf", "ü.pdf"),
        (f"{unicodedata.normalize('NFD', 'Ü')}.pdf", "ü.pdf"),
        ("A/x.pdf", "a/x.pdf"),
    ],
)
def test_documents_whose_results_would_go_to_one_folder_are_named(folder: Path, one: str, other: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        documents(folder, one, other, "b.pdf")
    first, second = sorted([one, other])
    assert caught.value.message == f"the results of {first} and {second} would go to the same folder"
    assert caught.value.remedy == "Rename one of them."


def test_documents_of_other_names_or_other_folders_are_well(folder: Path) -> None:
    names = ["a.pdf", "a1.pdf", "b/a.pdf", "b/c/a.pdf", "c.d.pdf", "c.pdf"]
    assert documents(folder, *names) == names
    shop = bindery(folder)
    assert [shop.place_for(name) for name in names[:3]] == [
        str(folder / "out" / stem) for stem in ("a", "a1", "b/a")
    ]  # fmt: skip


def test_a_document_whose_name_no_server_takes_costs_itself(folder: Path) -> None:
    shop = bindery(folder, to="s3://bucket/out")
    assert shop.place_for("b/a.pdf") == "s3://bucket/out/b/a"
    with pytest.raises(ArtworkError, match="its name cannot be that of a folder on a server"):
        shop.place_for("b/..pdf/../a.pdf")


# What is no document


def test_results_of_earlier_runs_are_no_documents(folder: Path) -> None:
    """A run of another day, or of another job, may have had its results put below the documents."""
    for name in ("monday/a/001.pdf", f"monday/a/{MANIFEST}", "monday/b/001.pdf", "deep/c.pdf"):
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "in" / name).touch()
    assert documents(folder, "x.pdf") == ["deep/c.pdf", "monday/b/001.pdf", "x.pdf"]


def test_where_there_are_results_alone_that_is_told(folder: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        documents(folder, "001.pdf", MANIFEST)
    assert caught.value.message == f"{folder / 'in'}: what matches lies beside a sections.json, as results of a run do"


@pytest.mark.parametrize("document", ["x.pdf#page=3", "in/x.pdf#page=1", "https://a.test/x.pdf#page=3"])
def test_a_page_is_no_document(folder: Path, document: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        bindery(folder, document=document)
    assert caught.value.message == "document: a whole document is taken apart, not a page"


# Memory


@pytest.mark.parametrize(
    ("limit_bytes", "workers", "memory", "expected"),
    [
        (4_000_000_000, 1, "1GB", 1_000_000_000),
        (800_000_000, 1, "1GB", 800_000_000),
        (800_000_000, 2, "1GB", 400_000_000),  # both fit
        (800_000_000, 8, "1GB", LEAST_BYTES),  # with less, none could work
        (800_000_000, 8, "100MB", 100_000_000),
        (150_000_000, 2, "1GB", 150_000_000),
    ],
)
def test_sections_that_are_made_at_once_share_the_memory(
    folder: Path, limit_bytes: int, workers: int, memory: str, expected: int
) -> None:
    shop = bindery(folder, limit_bytes=limit_bytes, workers=workers, limits={"memory": memory})
    assert shop.section_bytes == expected


# Traces


def test_a_job_is_run_once_at_a_time_where_it_leaves_traces(folder: Path) -> None:
    analyzer = {"kind": "gemini", "model": "m", "api_key": "canary"}
    with bindery(folder, analyzer=analyzer).traces():
        with pytest.raises(LockError), bindery(folder, analyzer=analyzer).traces():
            pass
        with bindery(folder, analyzer=analyzer, to="elsewhere").traces():  # which is another one's
            pass
        with bindery(folder, analyzer=analyzer, name="other").traces():
            pass


def test_traces_are_found_the_next_day(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bindery(folder, to="out/{date}")
    with first.traces() as traces:
        traces.add("a")
    forgotten: list[str] = []
    monkeypatch.setattr(Bindery, "forget", lambda _, token, within_s: forgotten.append(token))
    later = bindery(folder, to="out/{date}")
    with later.traces() as traces:
        traces.clear()
    assert forgotten == ["a"]
    assert not list(folder.rglob("*.json"))


def test_the_api_key_stands_in_no_trace(folder: Path) -> None:
    shop = bindery(folder, analyzer={"kind": "gemini", "model": "m", "api_key": "canary"})
    with shop.traces() as traces:
        traces.add("a")
    (path,) = folder.rglob("*.json")
    assert b"canary" not in path.read_bytes()
    assert shop.analyzer.account.encode() in path.read_bytes()


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"model": "n"}, True),
        ({"api_key": "other"}, False),
        ({"endpoint": "https://localhost:1"}, False),
    ],
)
def test_an_account_is_where_and_by_which_key(folder: Path, changes: dict[str, str], same: bool) -> None:
    said = {"kind": "gemini", "model": "m", "api_key": "canary"}
    accounts = {bindery(folder, analyzer=analyzer).analyzer.account for analyzer in (said, said | changes)}
    assert (len(accounts) == 1) == same
