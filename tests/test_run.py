"""Whole runs: from orders and artwork to parts, proven afterwards."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    import subprocess

    from tests.conftest import Outcome, Shop

    Begin = Callable[..., "subprocess.Popen[bytes]"]


def order_15_designs(shop: "Shop", designs: Path) -> None:
    for index, design in enumerate(sorted(designs.glob("*.png"))):
        shutil.copyfile(design, shop.folder / "designs" / design.name)
        shop.job["sheet"] = {"width_in": 16, "height_in": 20, "dpi": 400, "spacing_in": 0.1}
        with (shop.folder / "orders.csv").open("a") as file:
            if index == 0:
                file.write("order,design,quantity,width_in,height_in\n")
            file.write(f"{1000 + index % 7},{design.name},{5 if index < 5 else 4},3.1,3.1\n")


def test_65_copies_of_15_designs_fill_three_sheets_as_png_as_tiff_and_shrunk_to_content(
    shop: "Shop", shared_designs: Path
) -> None:
    order_15_designs(shop, shared_designs)

    assert shop.run().exit_code == 0
    assert [path.name for path in shop.parts()] == [f"GangSheet_Part_{part}.png" for part in (1, 2, 3)]
    assert shop.manifest["totals"] == {"ordered": 65, "placed": 65, "rejected": 0}
    assert {shop.size_of(path) for path in shop.parts()} == {(6400, 8000)}
    assert shop.verify().exit_code == 0

    assert shop.run("--set", "jobs.job.output.format=tiff").exit_code == 0
    assert [path.suffix for path in shop.parts()] == [".tif"] * 3
    assert shop.verify().exit_code == 0

    assert shop.run("--dynamic-sizing").exit_code == 0
    sizes = [shop.size_of(path) for path in shop.parts()]
    assert max(width for width, _ in sizes) <= 6400
    assert max(height for _, height in sizes) <= 8000
    assert sizes[2][1] < sizes[0][1]
    assert shop.verify().exit_code == 0


def test_a_part_shows_each_design_where_the_manifest_says(shop: "Shop") -> None:
    shop.design("tall.png", 50, 120)
    shop.design("wide.png", 300, 40)
    shop.orders([("1", "tall.png", 3), ("2", "wide.png", 2)])

    shop.run()

    (part,) = shop.manifest["parts"]
    sheet = shop.pixels_of(shop.out / part["file"])
    for placement in part["placements"]:
        artwork = np.rot90(shop.pixels_of(shop.folder / "designs" / placement["design"]), placement["rotation"] // 90)
        x, y = placement["x_px"], placement["y_px"]
        shown = sheet[y : y + placement["height_px"], x : x + placement["width_px"]]
        assert np.array_equal(artwork, shown)
        sheet[y : y + placement["height_px"], x : x + placement["width_px"]] = 0
    assert not sheet.any()


def test_the_same_orders_give_the_same_bytes_twice_and_on_one_or_four_threads(shop: "Shop") -> None:
    for index in range(6):
        shop.design(f"{index}.png", 90 + 10 * index, 70, seed=index, noise=True)
    shop.orders([(index, f"{index}.png", 5) for index in range(6)])

    def hashes(*arguments: str) -> list[str]:
        shutil.rmtree(shop.out, ignore_errors=True)
        assert shop.run(*arguments).exit_code == 0
        return [part["sha256"] for part in shop.manifest["parts"]]

    first = hashes("--set", "threads=1")
    assert hashes("--set", "threads=1") == first
    assert hashes("--set", "threads=4") == first
    assert hashes("--set", "threads=4", "--set", "store.path=another") == first


def test_an_artwork_under_three_names_is_prepared_once(shop: "Shop") -> None:
    original = shop.design("a.png")
    for name in ("b.png", "c.png"):
        shutil.copyfile(original, original.with_name(name))
    shop.orders([("1", name, 4) for name in ("a.png", "b.png", "c.png")])

    outcome = shop.run()

    assert "3 design names, 1 distinct artworks, 0 unusable" in outcome.messages
    assert "1 designs ready: 0 from the store, 1 prepared" in outcome.messages
    assert len(list((shop.folder / ".tilepress/store/designs").glob("*/*.v"))) == 1


def test_a_second_run_takes_every_design_from_the_store(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 4)])
    shop.run()

    assert "1 designs ready: 1 from the store, 0 prepared" in shop.run().messages


def test_trimming_holds_the_ordered_size_for_what_is_left(shop: "Shop") -> None:
    pixels = np.zeros((200, 300, 4), np.uint8)
    pixels[50:100, 20:120] = [200, 30, 30, 255]
    Image.fromarray(pixels).save(shop.folder / "designs" / "bordered.png", dpi=(100, 100))
    shop.orders([("1", "bordered.png", 1, 2, "")])
    shop.job["layout"] = {"trim": True}

    assert shop.run().exit_code == 0

    (placement,) = shop.manifest["parts"][0]["placements"]
    assert (placement["width_px"], placement["height_px"]) == (200, 100)
    assert shop.manifest["designs"]["bordered.png"]["trim"] == {"x": 20, "y": 50, "width": 100, "height": 50}
    assert shop.verify().exit_code == 0


def test_a_former_runs_parts_do_not_lie_beside_the_new_ones(shop: "Shop") -> None:
    shop.design("a.png", 390, 490)
    shop.orders([("1", "a.png", 3)])
    shop.run()
    (shop.out / "notes.txt").write_text("kept")
    shop.orders([("1", "a.png", 1)])

    outcome = shop.run()

    assert [path.name for path in shop.parts()] == ["GangSheet_Part_1.png", "notes.txt"]
    assert "Removed GangSheet_Part_3.png: it was part of a former run" in outcome.messages


def test_without_orders_nothing_is_printed_and_nothing_is_touched(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    shop.run()
    before = [(path.name, path.stat().st_mtime_ns) for path in shop.parts()]
    shop.orders([])

    outcome = shop.run()

    assert outcome.exit_code == 0
    assert outcome.messages[-2] == "Nothing to print: no order lines were found"
    assert [(path.name, path.stat().st_mtime_ns) for path in shop.parts()] == before


@pytest.mark.parametrize(
    ("arguments", "environment", "sizes"),
    [
        ((), {}, (400, 500)),
        (("--dynamic-sizing",), {}, (80, 60)),
        ((), {"GANGSHEET_DYNAMIC_SIZING": "true"}, (80, 60)),
        (("--full-size",), {"GANGSHEET_DYNAMIC_SIZING": "true"}, (400, 500)),
        (("--set", "jobs.job.sheet.dynamic_sizing=true"), {}, (80, 60)),
        (("--set", "jobs.job.sheet.dynamic_sizing=true"), {"GANGSHEET_DYNAMIC_SIZING": "false"}, (80, 60)),
    ],
)
def test_dynamic_sizing_shrinks_a_part_to_content_and_margin(
    shop: "Shop", arguments: tuple[str, ...], environment: dict[str, str], sizes: tuple[int, int]
) -> None:
    shop.design("a.png", 60, 40)
    shop.orders([("1", "a.png", 1)])
    shop.job["sheet"]["margin_in"] = 0.1
    shop.job["layout"] = {"rotate": False}

    assert shop.run(*arguments, **environment).exit_code == 0

    (part,) = shop.manifest["parts"]
    assert (part["width_px"], part["height_px"]) == sizes


def test_a_reader_that_has_had_enough_does_not_stop_the_run(shop: "Shop", begin: "Begin") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 3)])
    process = begin("run", shop.write())
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0
    assert shop.verify().exit_code == 0


def test_artwork_is_never_printed_over(shop: "Shop") -> None:
    artwork = shop.design("GangSheet_Part_1.png").read_bytes()
    shop.orders([("1", "GangSheet_Part_1.png", 1)])
    shop.job["output"]["to"] = "designs"

    outcome = shop.run()

    assert outcome.exit_code == 2
    assert "Job job: output.to and designs.root are the same folder" in outcome.messages
    assert (shop.folder / "designs" / "GangSheet_Part_1.png").read_bytes() == artwork


def test_a_failing_job_does_not_hide_the_next_ones_plan(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    shop.write()
    text = shop.pipeline.read_text()
    job = text[text.index("- kind") :]
    broken = job.replace("name: job", "name: broken").replace("csv: orders.csv", "csv: gone.csv")
    shop.pipeline.write_text(text.replace(job, broken.replace("to: out", "to: broken") + job))

    outcome = shop.run(command="plan")

    assert outcome.exit_code == 2
    assert "gone.csv: no such file" in outcome.stdout
    assert "1 copies ordered, 1 placed, 0 rejected" in outcome.stdout


def test_a_design_larger_than_allowed_is_refused_even_if_its_header_is_known(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    assert shop.run().exit_code == 0
    assert shop.run("--set", "jobs.job.designs.max_bytes=10B").exit_code == 3
    assert "the file has " in shop.manifest["rejected"][0]["reason"]


def test_a_store_that_cannot_be_used_ends_with_4(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    (shop.folder / "file").write_text("")
    outcome = shop.run("--set", "store.path=file/store")
    assert outcome.exit_code == 4
    assert any("file/store: Not a directory" in message for message in outcome.messages)
    assert outcome.stderr == ""


def test_designs_may_lie_beside_the_pipelines_folder(shop: "Shop") -> None:
    shop.design("a.png")
    (shop.folder / "designs").rename(shop.folder.parent / "art")
    shop.orders([("1", "a.png", 1), ("2", "./a.png", 1)])
    shop.job["designs"]["root"] = "../art"

    assert shop.run().exit_code == 0


def test_the_log_tells_the_story(shop: "Shop") -> None:
    shop.design("a.png", 390, 490)
    shop.orders([("1", "a.png", 2)])

    messages = shop.run().messages

    assert messages[0] == 'Gang sheet dimensions: 4.0"×5.0" = 400×500 pixels at 100 DPI'
    assert "Part 1/2: 1 copies of 1 designs on 400×500 pixels; 1 copies remain after it" in messages
    assert "Released 1 designs after their last copies: a.png" in messages
    assert any(message.startswith("Memory usage after part 2/2: ") for message in messages)
    assert messages[-1].startswith("Job job: 2 copies ordered, 2 placed on 2 parts, 0 rejected, ")


def test_running_again_takes_over_what_is_whole_and_makes_what_is_gone(shop: "Shop") -> None:
    shop.design("a.png", 390, 490)
    shop.orders([("1", "a.png", 3)])
    shop.run()
    before = {path.name: path.stat().st_ino for path in shop.parts()}
    (shop.out / "GangSheet_Part_2.png").unlink()

    again = shop.run()

    assert again.exit_code == 0
    assert [text for text in again.messages if "whole already" in text] == [
        "Part 1 is whole already: GangSheet_Part_1.png",
        "Part 3 is whole already: GangSheet_Part_3.png",
    ]
    after = {path.name: path.stat().st_ino for path in shop.parts()}
    assert after["GangSheet_Part_1.png"] == before["GangSheet_Part_1.png"]
    assert sorted(after) == sorted(before)
    assert shop.verify().exit_code == 0


def test_empty_rows_of_a_spreadsheet_are_nobodys_order(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1), ("", "", "", "", ""), (" ", "", "", "", "")])
    assert shop.run().exit_code == 0
    assert shop.manifest["totals"]["ordered"] == 1


def test_a_plan_warns_as_the_run_will(shop: "Shop") -> None:
    shop.design("a.png", 60, 60)
    shop.orders([("1", "a.png", 1, 2, "")])
    shop.job["quality"] = {"min_dpi": 50}
    warning = "orders.csv:2: a.png: effective 30 DPI is below the minimum of 50"
    assert f"{warning}\n" in shop.run(command="plan").stdout
    assert any(text.endswith(warning) for text in shop.run().messages)


def test_only_the_orders_and_jobs_asked_for_are_printed(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1), ("2", "a.png", 2), ("3", "a.png", 4)])

    assert shop.run("--order", "1", "--order", "3").exit_code == 0
    assert shop.manifest["totals"]["ordered"] == 5

    missing = shop.run("--order", "9")
    assert missing.exit_code == 2
    assert "Job job: no such order, or none with items: 9" in missing.messages
    assert shop.run("--job", "other").stderr == "error: no such job: other\n  The pipeline has: job.\n"


def test_5000_copies_and_500_designs_lie_on_one_roll_each(shop: "Shop") -> None:
    shop.design("a.png", 30, 20)
    shop.orders([("1", "a.png", 5000)])
    shop.job["sheet"] = {"width_in": 10, "height_in": 60, "dpi": 100, "spacing_in": 0.01}
    assert shop.run().exit_code == 0
    assert [len(part["placements"]) for part in shop.manifest["parts"]] == [5000]
    assert shop.verify().exit_code == 0

    for index in range(500):
        shop.design(f"{index}.png", 20 + index % 13, 20 + index % 17, seed=index)
    shop.orders([(index // 5, f"{index}.png", 1) for index in range(500)])
    assert shop.run().exit_code == 0
    assert shop.manifest["totals"] == {"ordered": 500, "placed": 500, "rejected": 0}
    assert shop.verify().exit_code == 0


def test_a_plan_renders_nothing_and_says_what_it_would_take(shop: "Shop", tilepress: "Callable[..., Outcome]") -> None:
    shop.design("a.png", 390, 490)
    shop.orders([("1", "a.png", 2), ("2", "gone.png", 3)])

    outcome = shop.run("--preview", shop.folder / "layout.svg", "--save", shop.folder / "plan.json", command="plan")

    assert outcome.exit_code == 3
    assert "  2 parts, 10.00 in of film; 5 copies ordered, 2 placed, 3 rejected\n" in outcome.stdout
    assert "  rejected: order 2, gone.png ×3: not found: gone.png\n" in outcome.stdout
    assert "predicted peak memory: " in outcome.stdout
    assert "a.png" in (shop.folder / "layout.svg").read_text()
    assert (shop.folder / "plan.json").read_text().startswith("{")
    assert not shop.out.exists()


def test_check_names_what_is_not_sound(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    assert shop.run(command="check").exit_code == 0

    shop.orders([("1", "a.png", 1), ("2", "gone.png", 1), ("3", "a.png", 0)])
    outcome = shop.run(command="check")
    assert outcome.exit_code == 3
    assert "job: design gone.png: not found: gone.png\n" in outcome.stdout
    assert "orders.csv:4: the quantity is 0; it must be at least 1\n" in outcome.stdout
