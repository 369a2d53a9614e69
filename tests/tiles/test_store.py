"""The tile store: an entry is whole or not there, built once, and the longest unused goes first."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import LockError
from tiles.design import Design, Geometry, Header, PreparedDesign
from tiles.geometry import Rect
from tiles.store import V_HEADER_BYTES, Original, StoreStats, TileStore, hash_file, stamp_of

REPOSITORY = Path(__file__).parents[2]
HEADER = Header("png", 30, 20, 4, 8, 300.0, 1, True, False, ("its colour profile is damaged and was ignored",))
GEOMETRY = Geometry(10, 20)
ENTRY_BYTES = V_HEADER_BYTES + 10 * 20 * 4


def design(sha256: str = "ab" * 32) -> Design:
    return Design(sha256, Path("artwork.png"), 1, (1, 2, 3, 4), HEADER)


def build(target: Path) -> None:
    target.write_bytes(bytes(ENTRY_BYTES))


def must_not_build(target: Path) -> None:
    pytest.fail("built again")


def files(store: TileStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file() and path.suffix != ".lock"]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def store(tmp_path: Path) -> TileStore:
    return TileStore(tmp_path / "store")


def test_what_was_put_is_found_by_another_run(store: TileStore) -> None:
    put = store.put(design(), GEOMETRY, build)
    assert put == PreparedDesign(put.path, 10, 20)
    assert TileStore(store.root).find(design(), GEOMETRY) == put
    assert files(store) == [put.path]


def test_nothing_is_found_in_an_empty_store(store: TileStore) -> None:
    assert store.find(design(), GEOMETRY) is None
    assert store.stats() == StoreStats(0, 0, None)
    assert store.prune(0) == 0


def test_an_entry_is_built_once(store: TileStore) -> None:
    assert store.put(design(), GEOMETRY, build) == store.put(design(), GEOMETRY, must_not_build)


def test_every_content_size_and_box_has_an_entry_of_its_own(store: TileStore) -> None:
    keys = [
        (sha256, Geometry(width, height, box))
        for sha256 in ("ab" * 32, "ac" * 32)
        for width, height in ((10, 20), (20, 10), (102, 1))
        for box in (None, Rect(0, 0, 10, 20), Rect(1, 0, 10, 20), Rect(10, 0, 1, 20))
    ]
    paths = [store.put(design(sha256), geometry, build).path for sha256, geometry in keys]
    assert len(set(paths)) == len(keys)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failing_build_leaves_nothing(error: type[BaseException], store: TileStore) -> None:
    def fail(target: Path) -> None:
        target.write_bytes(b"half of it")
        raise error

    with pytest.raises(error):
        store.put(design(), GEOMETRY, fail)
    assert files(store) == []
    assert store.put(design(), GEOMETRY, build) == store.find(design(), GEOMETRY)


def test_a_build_that_makes_nothing_is_an_error(store: TileStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.put(design(), GEOMETRY, lambda target: None)
    assert store.find(design(), GEOMETRY) is None


@pytest.mark.parametrize("size", [0, V_HEADER_BYTES, ENTRY_BYTES - 1])
def test_a_truncated_entry_is_not_found_and_is_built_again(size: int, store: TileStore) -> None:
    path = store.put(design(), GEOMETRY, build).path
    os.truncate(path, size)
    assert store.find(design(), GEOMETRY) is None
    assert store.put(design(), GEOMETRY, build).path == path
    assert path.stat().st_size == ENTRY_BYTES


@pytest.mark.parametrize("place", [V_HEADER_BYTES, ENTRY_BYTES - 1, V_HEADER_BYTES - 1])
def test_an_entry_with_a_changed_byte_is_not_found_and_is_built_again(place: int, store: TileStore) -> None:
    path = store.put(design(), GEOMETRY, build).path
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(place)
        file.write(bytes([whole[place] ^ 1]))
    assert store.has(design(), GEOMETRY)
    assert store.find(design(), GEOMETRY) is None
    assert store.put(design(), GEOMETRY, build).path == path
    assert path.read_bytes() == whole
    assert store.find(design(), GEOMETRY) is not None


def test_a_store_is_empty_until_something_is_put_there(store: TileStore) -> None:
    assert store.is_empty()
    store.put(design(), GEOMETRY, build)
    assert not store.is_empty()


BUILDER = """
import sys, time
from pathlib import Path
from tests.tiles.test_store import GEOMETRY, TileStore, build, design

log, go = Path(sys.argv[2]), Path(sys.argv[3])

def slowly(target):
    with log.open("a") as file:
        file.write("built ")
    while not go.exists():
        time.sleep(0.01)
    build(target)

print("ready", flush=True)
print(TileStore(Path(sys.argv[1])).put(design(), GEOMETRY, slowly).path)
"""


def test_two_processes_at_once_build_once(store: TileStore, tmp_path: Path) -> None:
    log, go = tmp_path / "log", tmp_path / "go"
    command: list[str | Path] = [sys.executable, "-c", BUILDER, store.root, log, go]
    processes = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    wait_until(log.exists)
    go.touch()
    paths = [process.communicate(timeout=30)[0] for process in processes]
    assert paths[0] == paths[1] == f"{store.root / paths[0].strip()}\n"
    assert log.read_text() == "built "
    assert len(files(store)) == 1


# -- pruning ---------------------------------------------------------------------------------------


def fill(store: TileStore, ages_s: dict[str, float]) -> dict[str, Path]:
    paths = {}
    for name, age_s in ages_s.items():
        paths[name] = store.put(design(name * 64), GEOMETRY, build).path
        os.utime(paths[name], (time.time() - age_s,) * 2)
    return paths


def test_the_longest_unused_are_removed_until_the_rest_fits(store: TileStore) -> None:
    paths = fill(store, {"a": 300, "b": 500, "c": 100, "d": 400})
    assert store.prune(2 * ENTRY_BYTES, idle_s=0) == 2 * ENTRY_BYTES
    assert {name for name, path in paths.items() if path.exists()} == {"a", "c"}


def test_nothing_is_removed_from_a_store_that_fits(store: TileStore) -> None:
    fill(store, {"a": 300, "b": 500})
    assert store.prune(2 * ENTRY_BYTES, idle_s=0) == 0
    assert store.stats().designs == 2


def test_what_was_used_lately_is_kept_whatever_its_size(store: TileStore) -> None:
    paths = fill(store, {"a": 10, "b": 5000})
    assert store.prune(0, idle_s=1000) == ENTRY_BYTES
    assert {name for name, path in paths.items() if path.exists()} == {"a"}


def test_finding_a_design_is_using_it(store: TileStore) -> None:
    paths = fill(store, {"a": 300, "b": 500})
    store.find(design("b" * 64), GEOMETRY)
    store.prune(ENTRY_BYTES, idle_s=0)
    assert {name for name, path in paths.items() if path.exists()} == {"b"}


def test_what_killed_processes_left_aside_is_swept(store: TileStore) -> None:
    old, fresh = store.scratch("old.v"), store.scratch("fresh.v")
    for path in (old, fresh):
        path.touch()
    os.utime(old, (0, 0))
    store.prune(0, idle_s=1000)
    assert (old.exists(), fresh.exists()) == (False, True)


def test_the_store_counts_what_it_holds(store: TileStore) -> None:
    paths = fill(store, {"a": 300, "b": 500})
    assert store.stats() == StoreStats(2, 2 * ENTRY_BYTES, paths["b"].stat().st_mtime)


def test_temporary_files_of_the_same_name_never_meet(store: TileStore) -> None:
    assert len({store.scratch("same.v") for _ in range(100)}) == 100


# -- notes -----------------------------------------------------------------------------------------

headers = st.builds(
    Header,
    st.sampled_from(["png", "jpeg"]),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.integers(1, 5),
    st.sampled_from([8, 16]),
    st.none() | st.floats(0.1, 5000),
    st.integers(1, 8),
    st.booleans(),
    st.booleans(),
    st.lists(st.text(max_size=20), max_size=2).map(tuple),
)
boxes = st.builds(Rect, *[st.integers(0, 10**6)] * 4)


@settings(deadline=None)
@given(header=headers, box=boxes)
def test_notes_are_read_as_they_were_written(
    header: Header, box: Rect, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = TileStore(tmp_path_factory.getbasetemp() / "notes")
    store.put_header("ab" * 32, header)
    store.put_box("ab" * 32, box)
    assert (store.find_header("ab" * 32), store.find_box("ab" * 32)) == (header, box)


def test_what_was_never_noted_is_not_found(store: TileStore) -> None:
    assert (store.find_header("ab" * 32), store.find_box("ab" * 32)) == (None, None)


@settings(deadline=None)
@given(data=st.data())
def test_a_damaged_note_counts_as_none(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    store = TileStore(tmp_path_factory.mktemp("garbage"))
    store.put_header("ab" * 32, HEADER)
    store.put_box("ab" * 32, Rect(1, 2, 3, 4))
    for note in files(store):
        whole = note.read_bytes()
        place = data.draw(st.integers(0, len(whole) - 1))
        flipped = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        garbage = st.one_of(
            st.binary(max_size=40),
            st.sampled_from([whole[:place], flipped, b"", b"{}", b"[]", b"null", b'{"x": 1, "y": 2}', whole * 2]),
        )
        note.write_bytes(data.draw(garbage))
    assert (store.find_header("ab" * 32), store.find_box("ab" * 32)) == (None, None)
    store.put_box("ab" * 32, Rect(1, 2, 3, 4))
    assert store.find_box("ab" * 32) == Rect(1, 2, 3, 4)


def test_a_file_is_known_by_the_hash_of_its_bytes(tmp_path: Path) -> None:
    content = os.urandom(100_000)
    (tmp_path / "file").write_bytes(content)
    assert hash_file(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_what_a_killed_process_left_aside_is_gone_when_the_next_one_is_at_work(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    left = store.scratch("half.v")
    left.write_bytes(b"half")
    with store.held():
        assert not left.exists()
        mine = store.scratch("mine.v")
        mine.write_bytes(b"mine")
        with TileStore(tmp_path).held():
            assert mine.exists()
    with store.held():
        assert not mine.exists()


def test_a_store_in_which_a_run_is_at_work_is_not_cleared(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    with store.held(), pytest.raises(LockError, match="a run is at work in"):
        TileStore(tmp_path).clear()
    assert store.clear() == 0


def test_fetched_artwork_is_found_by_its_key_until_its_bytes_are_others(tmp_path: Path) -> None:
    store = TileStore(tmp_path)

    def fetched(content: bytes, etag: str) -> Path:
        path = store.scratch("fetched")
        path.write_bytes(content)
        return store.put_original("ab12", Original(path, hash_file(path), {"etag": etag}))

    assert store.find_original("ab12") is None
    path = fetched(b"one", "1")
    before = stamp_of(path)
    assert store.find_original("ab12") == Original(path, hash_file(path), {"etag": "1"})
    assert stamp_of(fetched(b"one", "2")) == before
    known = store.find_original("ab12")
    assert known is not None
    assert known.said == {"etag": "2"}
    path.write_bytes(b"damaged")
    assert store.find_original("ab12") is None


def test_fetched_artwork_counts_towards_the_size_of_the_store(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    path = store.scratch("fetched")
    path.write_bytes(bytes(1000))
    store.put_original("ab12", Original(path, hash_file(path), {}))
    assert store.stats().bytes == 1000
    assert store.prune(999) == 0  # it may belong to a run at work
    assert store.prune(999, idle_s=0) == 1000
    assert store.find_original("ab12") is None
