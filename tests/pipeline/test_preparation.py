"""Preparing designs in children that may die, within the memory there is."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pyvips

from config.errors import ArtworkError, BudgetError
from config.schema import Quality
from pipeline import preparation
from pipeline.governor import Governor
from pipeline.items import Item
from pipeline.machine import MemoryLimit
from pipeline.plan import PreparedKey
from pipeline.preparation import prepare_designs, size_items
from pipeline.workplace import Workplace
from tiles.design import Design, Geometry, Header, PreparedDesign
from tiles.store import TileStore, hash_file, stamp_of
from tiles.workbench import Workbench

GENEROUS = MemoryLimit(8_000_000_000, "a test")


def make_design(folder: Path, name: str, *, buffered: bool = False, side: int = 40) -> Design:
    path = folder / name
    pyvips.Image.black(40, 40, bands=4).draw_rect([len(name), 9, 9, 255], 5, 5, 9, 9, fill=True).cast("uchar").copy(
        interpretation="srgb"
    ).pngsave(str(path))
    header = Header("png", side, side, 4, 8, None, 1, has_profile=False, buffered=buffered)
    return Design(hash_file(path), path, path.stat().st_size, stamp_of(path), header)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[..., Workplace]]:
    benches: list[Workbench] = []

    def make(limit: MemoryLimit, used: int = 0, workers: int = 2) -> Workplace:
        benches.append(Workbench(workers, 2_000_000_000, 60.0))
        return Workplace(TileStore(tmp_path / "store"), benches[-1], Governor(limit, lambda: used))

    yield make
    for bench in benches:
        bench.close()


def work_of(designs: list[Design]) -> dict[PreparedKey, tuple[Design, Geometry]]:
    return {PreparedKey(design.sha256, 20, 20): (design, Geometry(20, 20)) for design in designs}


def test_a_decoder_that_dies_costs_its_design_alone(
    tmp_path: Path, place: Callable[[MemoryLimit], Workplace], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fragile.py").write_text(
        "import os\n"
        "from tiles.tasks import prepare_into\n"
        "def prepare(store, design, geometry):\n"
        "    if design.path.name == 'deadly.png':\n"
        "        os.abort()\n"
        "    return prepare_into(store, design, geometry)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import fragile  # type: ignore[import-not-found]  # noqa: PLC0415

    monkeypatch.setattr(preparation, "prepare_into", fragile.prepare)
    designs = [make_design(tmp_path, name) for name in ("a.png", "deadly.png", "bbb.png")]

    outcomes = prepare_designs(work_of(designs), work_of(designs), place(GENEROUS))

    by_name = {design.path.name: outcomes[key] for key, (design, _) in work_of(designs).items()}
    assert isinstance(by_name["a.png"], PreparedDesign)
    assert isinstance(by_name["bbb.png"], PreparedDesign)
    assert str(by_name["deadly.png"]).startswith("the decoder died (SIGABRT)")
    sys.modules.pop("fragile")


def test_artwork_that_no_memory_here_would_suffice_for_fails_for_itself(
    tmp_path: Path, place: Callable[[MemoryLimit], Workplace]
) -> None:
    small, huge = make_design(tmp_path, "a.png"), make_design(tmp_path, "huge.png", buffered=True, side=20_000)
    work = work_of([small, huge])

    outcomes = prepare_designs(work, work, place(MemoryLimit(256_000_000, "a test")))

    first, second = (outcomes[key] for key in work)
    assert isinstance(first, PreparedDesign)
    assert isinstance(second, ArtworkError)
    assert re.fullmatch(r"it needs about \d\.\d GB of memory; the limit is 256\.0 MB", second.message)


@pytest.mark.parametrize(("limit_bytes", "at_once"), [(256_000_000, 1), (2_000_000_000, 4 + 1)])
def test_as_many_designs_are_prepared_at_once_as_memory_and_cpus_admit(
    limit_bytes: int, at_once: int, tmp_path: Path, place: Callable[..., Workplace], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = finished = most = 0
    workplace = place(MemoryLimit(limit_bytes, "a test"), used=80_000_000, workers=4)
    submit = workplace.bench.submit

    def counted(*args: Any) -> object:
        nonlocal begun, most
        begun += 1
        most = max(most, begun - finished)
        return submit(*args)

    def advance(count: int) -> None:
        nonlocal finished
        finished += count

    monkeypatch.setattr(workplace.bench, "submit", counted)
    work = work_of([make_design(tmp_path, f"{'x' * number}.png", side=6000) for number in range(1, 9)])
    prepare_designs(work, work, workplace, advance)
    assert (begun, finished, most) == (8, 8, at_once)  # where there is room, one waits for its turn


def test_when_memory_is_used_up_the_next_design_is_refused(
    tmp_path: Path, place: Callable[[MemoryLimit], Workplace]
) -> None:
    workplace = place(GENEROUS)
    full = Workplace(workplace.store, workplace.bench, Governor(GENEROUS, lambda: 7_000_000_000))
    work = work_of([make_design(tmp_path, "a.png")])

    with pytest.raises(BudgetError, match="memory: the next design needs"):
        prepare_designs(work, work, full)


def test_a_disk_too_small_for_the_store_is_said_before_anything_is_decoded(
    tmp_path: Path, place: Callable[[MemoryLimit], Workplace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "free_disk_bytes", lambda folder: 100)
    work = work_of([make_design(tmp_path, "a.png")])

    with pytest.raises(BudgetError, match=r"disk: the designs to prepare need 1\.6 kB; .* has 100 B free"):
        prepare_designs(work, work, place(GENEROUS))


def test_an_item_is_judged_by_its_own_design(tmp_path: Path) -> None:
    design = make_design(tmp_path, "a.png")
    items = [Item("1", name, 2, 1.0, None, f"orders.csv:{line}") for line, name in enumerate(("a.png", "b.png"), 2)]

    sized = size_items(items, {"a.png": design, "b.png": ArtworkError("not found: b.png")}, {}, 100, Quality())

    assert [printable.item.design for printable in sized.printables] == ["a.png"]
    assert [(rejection.design, rejection.copies, rejection.reason) for rejection in sized.rejected] == [
        ("b.png", 2, "not found: b.png")
    ]
    assert sized.work == {PreparedKey(design.sha256, 100, 100): (design, Geometry(100, 100))}
