"""`tilepress demo`: the main job on an embedded example, without any set-up."""

import shutil
from collections.abc import Callable, Mapping
from importlib.resources import as_file, files
from pathlib import Path

from config.database import Database
from config.errors import ConfigurationError, ExitCode
from config.imports import import_file
from config.loader import load_pipeline
from config.schema import GangsheetJob
from pipeline import gangsheet
from pipeline.context import Progress
from pipeline.delivery import storing, write_bytes
from pipeline.planview import write_preview
from pipeline.preview import draw_plan
from pipeline.runner import run_jobs
from pipeline.surroundings import build_context
from tiles.preview import shrink_sheet

PIPELINE = "gangsheet.yaml"
SHOP = "shop.yaml"
PREVIEW_PX = 1200


def run_demo(folder: Path, environ: Mapping[str, str], progress: Progress, say: Callable[[str], None]) -> ExitCode:
    """Lay the example out in `folder`, run it, and say where the results are. Run again, it begins anew."""
    _lay_out(folder)
    environ = {name: value for name, value in environ.items() if name != "DATABASE_URL"}  # it has a database of its own
    database = Database("sqlite:///tilepress.db", folder)
    database.init()
    import_file(database, folder / SHOP, environ)
    pipeline = load_pipeline(folder / PIPELINE, environ)
    context = build_context(pipeline, folder / PIPELINE, progress)
    say(f"The example is in {folder}: pipeline file, database, orders, artwork.")
    printed = [job for job in pipeline.jobs if isinstance(job, GangsheetJob)]
    drafts = [gangsheet.draft(job, context) for job in printed]  # afterwards, nothing is left to print
    reports, code = run_jobs(pipeline.jobs, context)
    for draft, report in zip(drafts, reports, strict=False):
        layout = write_preview(draw_plan(draft.plan), folder / "out" / "layout.png")
        sheets = [Path(file) for file in report.files]
        pictures = [_picture(sheet) for sheet in sheets]
        say("\nPrint-ready parts:")
        for sheet in sheets:
            say(f"  {sheet}  ({sheet.stat().st_size / 1e6:.1f} MB)")
        say(f"Manifest:  {report.manifest}\nLayout:    {layout}")
        say("Previews:  " + "\n           ".join(map(str, pictures)))
        say(f"{report.seconds:.1f} seconds, peak memory {report.peak_bytes / 1e6:.0f} MB")
        say(f"Prove it:  tilepress verify {report.manifest}")
    return code


def _lay_out(folder: Path) -> None:
    """Copy the shipped example into an empty folder, or one that holds a former demo."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder}: not a folder", "Name another one with --out.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / SHOP).exists():
        raise ConfigurationError(f"{folder}: not empty, and no former demo", "Name another folder with --out.")
    with storing(folder), as_file(files("config.examples")) as examples:
        (folder / "designs").mkdir(parents=True, exist_ok=True)
        (folder / "tilepress.db").unlink(missing_ok=True)
        for name in (PIPELINE, SHOP):
            shutil.copyfile(examples / name, folder / name)
        for design in sorted((examples / "designs").iterdir()):
            shutil.copyfile(design, folder / "designs" / design.name)


def _picture(sheet: Path) -> Path:
    return write_bytes(sheet.parent.parent / f"{sheet.stem}-preview.png", shrink_sheet(sheet, PREVIEW_PX))
