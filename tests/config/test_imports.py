"""`tilepress db import`: CSV, YAML and JSON into the database, every mistake named, all of it or nothing."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from config.database import Database, OrderLine
from config.errors import ConfigurationError, StorageError
from config.imports import import_file, import_files
from config.shoptables import Section
from config.templates import read_template, template_from_json
from config.templatetable import TemplateRecord, TemplateSection

SHOP = """\
printers:
  - {name: Main UV, max_width_inches: 16, max_height_inches: 20, dpi: 400, is_default: true}
canvas_configs:
  - {name: UVDTF 16oz, max_height_inches: 20, dpi: 400, spacing_width_inches: 0.125}
orders:
  - order: 1001
    items:
      - {design: sunset.png, quantity: 4, width_in: 4.5}
      - {design: cactus.png, height_in: 3}
"""


TEMPLATE = """\
background: mug.jpg
areas:
  - {name: front, corners: [[100, 100], [500, 120], [500, 400], [100, 380.5]], blend: multiply, mask: mask.png}
  - name: back
    box: {x: 700, y: 100, width: 400, height: 300, rotation: -5}
    design: none
    tint: "#c0ffee"
watermark: {text: PROOF, tile: true}
caption: {text: "{design} – {template}"}
"""
PLAIN = "{background: plain.jpg, areas: [{name: a, box: {x: 1, y: 1, width: 9, height: 9}}]}"
SECTIONS: tuple[Section | TemplateSection, ...] = ("printers", "canvas_configs", "orders", "mockup_templates")


@pytest.fixture
def database(any_database: str) -> Database:
    database = Database(any_database)
    database.init()
    return database


@pytest.fixture
def local(tmp_path: Path) -> Database:
    """A database for what never gets as far as it."""
    database = Database("sqlite:///local.db", tmp_path)
    database.init()
    return database


def bring(database: Database, folder: Path, text: str | bytes, name: str = "in.yaml", **environ: str) -> dict[str, int]:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return import_file(database, file, environ)


def complaints(
    database: Database, folder: Path, text: str | bytes, name: str = "in.yaml", **environ: str
) -> Sequence[str]:
    """Return the lines of the error, the folder left out; make sure that nothing was written."""
    before = [database.rows(section) for section in SECTIONS]
    with pytest.raises(ConfigurationError) as caught:
        bring(database, folder, text, name, **environ)
    assert before == [database.rows(section) for section in SECTIONS]
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_a_yaml_file_brings_printers_canvases_and_orders(database: Database, tmp_path: Path) -> None:
    assert bring(database, tmp_path, SHOP) == {"printers": 1, "canvas_configs": 1, "orders": 1}
    assert list(database.order_lines()) == [
        OrderLine("1001", 1, "sunset.png", 4, 4.5, None),
        OrderLine("1001", 2, "cactus.png", 1, None, 3.0),
    ]


def test_a_csv_of_orders_gathers_the_lines_of_an_order(database: Database, tmp_path: Path) -> None:
    text = "order,design,quantity,width_in,height_in\n1001,a.png,2,4.5,\n1002,b.png,1,,3\n1001,c.png,5,,\n"
    assert bring(database, tmp_path, text, "orders.csv") == {"orders": 2}
    assert list(database.order_lines(references=["1001"])) == [
        OrderLine("1001", 1, "a.png", 2, 4.5, None),
        OrderLine("1001", 2, "c.png", 5, None, None),
    ]


def test_a_csv_of_printers_is_known_by_its_columns(database: Database, tmp_path: Path) -> None:
    text = "name,max_width_inches,dpi,is_default\nMain UV,16,400,true\n007,22,300,no\n"
    assert bring(database, tmp_path, text, "PRINTERS.CSV") == {"printers": 2}
    rows = [(row["name"], row["max_width_inches"], row["is_default"]) for row in database.rows("printers")]
    assert rows == [("007", 22.0, False), ("Main UV", 16.0, True)]


def test_a_csv_of_canvases_is_known_by_its_columns(database: Database, tmp_path: Path) -> None:
    text = "name,max_height_inches,dpi\nUVDTF 16oz,20,\n"
    assert bring(database, tmp_path, text, "c.csv") == {"canvas_configs": 1}
    assert [(row["name"], row["dpi"]) for row in database.rows("canvas_configs")] == [("UVDTF 16oz", None)]


def test_a_csv_from_a_spreadsheet_with_a_byte_order_mark_and_blank_lines_is_read(
    database: Database, tmp_path: Path
) -> None:
    text = "\ufefforder,design,quantity\r\n\r\n 1001 , Été ☀.png ,2\r\n,,\r\n".replace(",,\r\n", "\r\n")
    assert bring(database, tmp_path, text, "o.csv") == {"orders": 1}
    assert list(database.order_lines()) == [OrderLine("1001", 1, "Été ☀.png", 2, None, None)]


@pytest.mark.parametrize("reference", ["007", "1.10", "12:30", "1e9", "2024-01-01"])
def test_a_csv_keeps_references_as_they_are_written(database: Database, tmp_path: Path, reference: str) -> None:
    bring(database, tmp_path, f"order,design,quantity\n{reference},a.png,1\n", "o.csv")
    assert [row["reference"] for row in database.rows("orders")] == [reference]


def test_a_yaml_reference_that_yaml_would_change_is_refused(local: Database, tmp_path: Path) -> None:
    text = "orders: [{order: 1.10, items: [{design: a.png}]}]"
    assert complaints(local, tmp_path, text)[0] == "in.yaml:1: orders[0].order: must be text in quotes"


def test_importing_twice_replaces_printers_and_refuses_orders(database: Database, tmp_path: Path) -> None:
    printers, _, _ = SHOP.partition("canvas_configs:\n")
    bring(database, tmp_path, SHOP)
    bring(database, tmp_path, printers.replace("16,", "22,"))
    assert [row["max_width_inches"] for row in database.rows("printers")] == [22.0]
    assert complaints(database, tmp_path, SHOP)[0].startswith("order 1001 is in ")


def test_several_files_go_in_together_or_not_at_all(database: Database, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.csv"
    good.write_text(SHOP)
    bad.write_text("order,design,quantity\n1002,a.png,none\n")
    with pytest.raises(ConfigurationError):
        import_files(database, [good, bad], {})
    assert database.rows("printers") == []
    bad.write_text("order,design,quantity\n1002,a.png,1\n")
    counts = import_files(database, [good, bad], {})
    assert counts == [{"printers": 1, "canvas_configs": 1, "orders": 1}, {"orders": 1}]


def test_a_name_that_comes_twice_names_both_places(local: Database, tmp_path: Path) -> None:
    row = "  - {name: A, max_width_inches: 16, dpi: 400}\n"
    assert complaints(local, tmp_path, f"printers:\n{row}{row}") == [
        "in.yaml:3: printers: the name was there already at in.yaml:2; keep one of them",
        "  Nothing was imported.",
    ]


def test_an_order_in_two_files_names_both_places(local: Database, tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    for file in (one, two):
        file.write_text("order,design,quantity\n1001,a.png,1\n")
    with pytest.raises(ConfigurationError) as caught:
        import_files(local, [one, two], {})
    assert f"{two}:2: orders: the name was there already at {one}:2" in str(caught.value)


def test_everything_wrong_in_a_yaml_file_is_said_at_once(local: Database, tmp_path: Path) -> None:
    text = """\
printers:
  - {name: A, max_width_inches: wide, dpi: 5, finish: matt}
canvas_configs: {name: B}
orders:
  - order: 1001
    items: []
  - items:
      - {quantity: 0, width_in: -1}
      - {design: "", quantity: yes}
"""
    assert complaints(local, tmp_path, text) == [
        "in.yaml:2: printers[0].max_width_inches: must be a number, without quotes or unit",
        "in.yaml:2: printers[0].dpi: must be at least 10",
        "in.yaml:2: printers[0].finish: unknown key; remove it. Known here: dpi, is_active, is_default, "
        "max_height_inches, max_width_inches, name",
        "in.yaml:3: canvas_configs: must be a list",
        "in.yaml:6: orders[0].items: must be a list with at least one entry",
        "in.yaml:7: orders[1].order: missing; add this key",
        "in.yaml:8: orders[1].items[0].design: missing; add this key",
        "in.yaml:8: orders[1].items[0].quantity: must be at least 1",
        "in.yaml:8: orders[1].items[0].width_in: must be above 0",
        "in.yaml:9: orders[1].items[1].design: must be not empty",
        "in.yaml:9: orders[1].items[1].quantity: must be a whole number",
        "  Nothing was imported. See docs/first-steps.md for the form.",
    ]


def test_everything_wrong_in_a_csv_is_said_at_once(local: Database, tmp_path: Path) -> None:
    text = 'order,design,quantity,width_in\n1001,a.png,many,\n,a.png,1,nan\n1002,,1e9,"4"""\n1003,a.png,1,2,3,4\n'
    assert complaints(local, tmp_path, text, "o.csv") == [
        "o.csv:2: quantity: must be a whole number",
        "o.csv:3: width_in: must be a finite number",
        "o.csv:3: order: missing; add this key",
        "o.csv:4: design: missing; add this key",
        "o.csv:4: quantity: must be a whole number",
        "o.csv:4: width_in: must be a number, without quotes or unit",
        "o.csv:5: the line has more cells than the header",
        "  Nothing was imported.",
    ]


@pytest.mark.parametrize("quantity", ["0", "-3", "nan", "inf", "1e9", "2.5", "9" * 30])
def test_a_quantity_that_cannot_be_meant_is_refused(local: Database, tmp_path: Path, quantity: str) -> None:
    text = f"order,design,quantity\n1001,a.png,{quantity}\n"
    assert complaints(local, tmp_path, text, "o.csv")[0].startswith("o.csv:2: quantity: must be ")


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("", "o.csv:1: the header is that of no table: nothing"),
        ("foo,bar", "o.csv:1: the header is that of no table: foo,bar"),
        ("order;design;quantity", "o.csv:1: the header is that of no table: order;design;quantity"),
        ("order,quantity", "o.csv:1: the header is order,quantity"),
        ("order,design,quantity,colour", "o.csv:1: the header is order,design,quantity,colour"),
        ("order,design,quantity,", "o.csv:1: the header is order,design,quantity,"),
        ("order,design,quantity,design", "o.csv:1: the header is order,design,quantity,design"),
        ("name,max_width_inches", "o.csv:1: the header is name,max_width_inches"),
    ],
)
def test_a_header_that_fits_no_table_says_what_would(
    local: Database, tmp_path: Path, header: str, complaint: str
) -> None:
    first, remedy = complaints(local, tmp_path, header + "\n1,2,3\n", "o.csv")
    assert first == complaint
    assert "columns of" in remedy or "Orders have order,design,quantity,width_in,height_in" in remedy


@pytest.mark.parametrize(
    ("text", "name"), [("{}", "in.yaml"), ("orders: []", "in.yaml"), ("order,design,quantity\n", "o.csv")]
)
def test_a_file_without_rows_is_an_error_not_a_success(local: Database, tmp_path: Path, text: str, name: str) -> None:
    assert "holds no rows" in complaints(local, tmp_path, text, name)[0]


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"order,design,quantity\n1,\xe9.png,1\n", "o.csv:2: not UTF-8 text"),
        (b"order,design,quantity\n1,a\0.png,1\n", "o.csv: not a text file"),
        ("order,design,quantity\n1,a.png,1\n".encode("utf-16"), "o.csv: not a text file"),
        (b"order,design,quantity\n1," + b"x" * 200_000 + b",1\n", "o.csv:2: not a CSV file: field larger than"),
    ],
    ids=["latin-1", "nul", "utf-16", "huge cell"],
)
def test_what_is_no_csv_is_said_so(local: Database, tmp_path: Path, raw: bytes, complaint: str) -> None:
    assert complaints(local, tmp_path, raw, "o.csv")[0].startswith(complaint)


@pytest.mark.parametrize("text", ["[1]", "words", "null"])
def test_a_yaml_file_that_is_no_mapping_is_refused(local: Database, tmp_path: Path, text: str) -> None:
    assert complaints(local, tmp_path, text)[0].startswith("in.yaml:1: ")


def test_no_message_repeats_what_the_environment_said(local: Database, tmp_path: Path) -> None:
    text = "printers: [{name: A, max_width_inches: '${SECRET}', dpi: ${SECRET}}]\norders: ${SECRET}\n"
    assert "hunter2" not in "\n".join(complaints(local, tmp_path, text, SECRET="hunter2"))


@pytest.mark.parametrize("name", ["none.yaml", "none.csv"])
def test_a_file_that_is_not_there_is_named(local: Database, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        import_file(local, tmp_path / name, {})


def test_a_file_that_cannot_be_read_is_out_of_reach(local: Database, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(StorageError, match="Is a directory"):
        import_file(local, tmp_path / "folder.csv", {})


def test_names_are_imported_without_the_blanks_around_them(database: Database, tmp_path: Path) -> None:
    bring(database, tmp_path, 'orders: [{order: " 1001 ", items: [{design: " a.png"}]}]')
    assert list(database.order_lines(references=["1001"])) == [OrderLine("1001", 1, "a.png", 1, None, None)]


def test_a_yes_is_no_name(local: Database, tmp_path: Path) -> None:
    text = "orders: [{order: yes, items: [{design: a.png}]}]"
    assert complaints(local, tmp_path, text)[0] == "in.yaml:1: orders[0].order: must be text in quotes"


# Mock-up templates


def as_row(name: str | int, text: str) -> str:
    """Return a template's own YAML as the only row of a file of rows."""
    return f"mockup_templates:\n  - name: {name}\n    template:\n" + "".join(
        f"      {line}" for line in text.splitlines(keepends=True)
    )


def test_a_template_comes_by_its_own_file_and_is_called_as_that(database: Database, tmp_path: Path) -> None:
    assert bring(database, tmp_path, TEMPLATE, "mug-11oz.yaml") == {"mockup_templates": 1}
    assert database.templates() == [TemplateRecord("mug-11oz", yaml.safe_load(TEMPLATE))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mug.yaml", TEMPLATE),
        ("mug.json", json.dumps(yaml.safe_load(TEMPLATE), indent=2)),
        ("mug.JSON", json.dumps(yaml.safe_load(TEMPLATE), separators=(",", ":"))),
    ],
)
def test_a_template_of_the_database_is_the_one_of_its_file(
    database: Database, tmp_path: Path, name: str, text: str
) -> None:
    bring(database, tmp_path, text, name)
    (record,) = database.templates()
    stored = template_from_json(record.name, record.data, "the database")
    written = read_template(tmp_path / name, tmp_path)
    assert (stored.name, stored.template) == (written.name, written.template)
    assert list(stored.pictures()) == list(written.pictures())


def test_a_yaml_file_of_rows_may_hold_templates(database: Database, tmp_path: Path) -> None:
    text = f"{SHOP}{as_row(16, TEMPLATE)}  - {{name: old, is_active: no, template: {PLAIN}}}\n"
    assert bring(database, tmp_path, text) == {"printers": 1, "canvas_configs": 1, "orders": 1, "mockup_templates": 2}
    assert database.templates() == [TemplateRecord("16", yaml.safe_load(TEMPLATE))]
    states = [(row["name"], row["is_active"]) for row in database.rows("mockup_templates")]
    assert states == [("16", True), ("old", False)]


def test_a_template_takes_the_place_of_the_one_of_its_name(database: Database, tmp_path: Path) -> None:
    bring(database, tmp_path, f"mockup_templates: [{{name: mug, is_active: false, template: {PLAIN}}}]")
    assert database.templates() == []
    bring(database, tmp_path, TEMPLATE, "mug.yaml")
    assert database.templates() == [TemplateRecord("mug", yaml.safe_load(TEMPLATE))]


def test_templates_and_rows_of_several_files_go_in_together_or_not_at_all(local: Database, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("mug.yaml", "shop.yaml", "cup.yaml")]
    for file, text in zip(files, (TEMPLATE, SHOP, "background: cup.jpg\n"), strict=True):
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"cup\.yaml:1: areas: missing; add this key"):
        import_files(local, files, {})
    assert [local.rows(section) for section in SECTIONS] == [[], [], [], []]
    files[2].write_text(TEMPLATE)
    import_files(local, files, {})
    assert [record.name for record in local.templates()] == ["cup", "mug"]


def test_everything_wrong_in_a_template_is_said_at_once(local: Database, tmp_path: Path) -> None:
    text = """\
background: mug.jpg
areas:
  - {name: front, corners: [[1, 1], [9, 1], [9, 9]]}
  - name: back
    boxx: {x: 1}
printers: []
"""
    assert complaints(local, tmp_path, text, "mug.yaml") == [
        "mug.yaml:3: areas[0].corners: must be four corners, [[x, y], [x, y], [x, y], [x, y]], clockwise from the top "
        "left; there are 3",
        "mug.yaml:5: areas[1].boxx: unknown key; did you mean box?",
        "mug.yaml:6: printers: unknown key; remove it. Known here: areas, background, caption, version, watermark",
        "  See docs/mockups.md.",
    ]


def test_everything_wrong_in_templates_among_rows_is_said_at_once(local: Database, tmp_path: Path) -> None:
    text = """\
mockup_templates:
  - name: mug
    template:
      background: mug.jpg
      areas:
        - {name: front, box: {x: 1, y: 1, width: 9, height: 9}}
        - name: back
          corners: [[1, 1], [9, 9], [9, 1], [1, 9]]
  - {name: "a/b", is_active: maybe, template: {background: x.jpg, areas: []}}
  - {template: mug.yaml}
"""
    assert complaints(local, tmp_path, text) == [
        "in.yaml:8: mockup_templates[0].template.areas[1].corners: the sides cross each other; name the corners "
        "clockwise from the top left",
        "in.yaml:9: mockup_templates[1].name: must be 1 to 64 letters, digits and . _ -, beginning with a letter or "
        "digit",
        "in.yaml:9: mockup_templates[1].is_active: must be true or false",
        "in.yaml:9: mockup_templates[1].template.areas: must be a list with at least one entry",
        "in.yaml:10: mockup_templates[2].name: missing; add this key",
        "in.yaml:10: mockup_templates[2].template: must be a mapping of keys",
        "  Nothing was imported. See docs/first-steps.md for the form.",
    ]


@pytest.mark.parametrize("name", ["my mug.yaml", "-mug.yaml", "x" * 65 + ".yaml", "tasse-à-café.json"])
def test_a_file_whose_name_no_template_can_have_is_to_be_renamed(local: Database, tmp_path: Path, name: str) -> None:
    stem = name.rpartition(".")[0]
    assert complaints(local, tmp_path, PLAIN, name) == [
        f"{name}: a template is called as its file, and cannot be called {stem!r}",
        "  Rename it: 1 to 64 letters, digits and . _ -, beginning with a letter or digit.",
    ]


def test_a_template_in_two_files_names_both_places(local: Database, tmp_path: Path) -> None:
    one, two = tmp_path / "mug.yaml", tmp_path / "shop.yaml"
    one.write_text(TEMPLATE)
    two.write_text(as_row("mug", TEMPLATE))
    with pytest.raises(ConfigurationError) as caught:
        import_files(local, [one, two], {})
    assert f"{two}:2: mockup_templates: the name was there already at {one}:1; keep one of them" in str(caught.value)


def test_a_template_s_own_file_reads_no_variables(local: Database, tmp_path: Path) -> None:
    text = PLAIN.replace("plain.jpg", "'${SECRET}'").replace("name: a", "name: '${SECRET:-a}'")
    assert complaints(local, tmp_path, text, "mug.yaml", SECRET="hunter2") == [
        "mug.yaml:1: background: variables are not read here; write the value itself",
        "mug.yaml:1: areas[0].name: variables are not read here; write the value itself",
        "  See docs/mockups.md.",
    ]


def test_a_template_among_the_shop_s_own_rows_reads_variables(database: Database, tmp_path: Path) -> None:
    text = as_row("mug", TEMPLATE)
    bring(database, tmp_path, text.replace("mug.jpg", "${PHOTO}"), PHOTO="new.jpg")
    assert [record.data["background"] for record in database.templates()] == ["new.jpg"]
