"""`tilepress demo`: sheets, mock-ups and PDF sections from an embedded example, without any set-up."""

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
from pipeline.report import Report
from pipeline.runner import run_jobs
from pipeline.sections.summary import SUMMARY
from pipeline.surroundings import build_context
from tiles.preview import contact_sheet, shrink_sheet

SHEETS, MOCKUPS, SECTIONS, SHOP = "gangsheet.yaml", "mockups.yaml", "sections.yaml", "shop.yaml"
FILES = (SHEETS, MOCKUPS, SECTIONS, SHOP, "lessons.pdf")
FOLDERS = ("designs", "templates")
PREVIEW_PX = 1200
ALBUM_COLUMNS, ALBUM_PX = 5, 480  # of the overview of mock-ups: a design's in a row


def run_demo(folder: Path, environ: Mapping[str, str], progress: Progress, say: Callable[[str], None]) -> ExitCode:
    """Lay the example out in `folder`, run it, and say where the results are. Run again, it begins anew."""
    _lay_out(folder)
    environ = {name: value for name, value in environ.items() if name != "DATABASE_URL"}  # it has a database of its own
    database = Database("sqlite:///tilepress.db", folder)
    database.init()
    import_file(database, folder / SHOP, environ)
    say(f"The example is in {folder}: pipeline files, database, orders, artwork, templates, a PDF.")
    return max(work(folder, environ, progress, say) for work in (_print_sheets, _make_mockups, _take_apart))


def _print_sheets(folder: Path, environ: Mapping[str, str], progress: Progress, say: Callable[[str], None]) -> ExitCode:
    pipeline = load_pipeline(folder / SHEETS, environ)
    context = build_context(pipeline, folder / SHEETS, progress)
    jobs = [job for job in pipeline.jobs if isinstance(job, GangsheetJob)]
    drafts = [gangsheet.draft(job, context) for job in jobs]  # afterwards, nothing is left to print
    reports, code = run_jobs(jobs, context)
    for draft, report in zip(drafts, reports, strict=False):
        layout = write_preview(draw_plan(draft.plan), folder / "out" / "layout.png")
        sheets = [Path(file) for file in report.files]
        pictures = [_picture(sheet) for sheet in sheets]
        say("\nPrint-ready parts:")
        for sheet in sheets:
            say(f"  {sheet}  ({sheet.stat().st_size / 1e6:.1f} MB)")
        say(f"Layout:    {layout}")
        say("Previews:  " + "\n           ".join(map(str, pictures)))
        _sum_up(report, say)
    return code


def _make_mockups(folder: Path, environ: Mapping[str, str], progress: Progress, say: Callable[[str], None]) -> ExitCode:
    pipeline = load_pipeline(folder / MOCKUPS, environ)
    reports, code = run_jobs(pipeline.jobs, build_context(pipeline, folder / MOCKUPS, progress))
    for report in reports:
        photos = [Path(file) for file in report.files]
        say("\nMock-ups:")
        for photo in photos:
            say(f"  {photo}  ({photo.stat().st_size / 1e3:.0f} kB)")
        if photos:
            overview = contact_sheet(photos, ALBUM_COLUMNS, ALBUM_PX)
            say(f"All of them:  {write_bytes(folder / 'out' / 'mockups-preview.jpg', overview)}")
        _sum_up(report, say)
    return code


def _take_apart(folder: Path, environ: Mapping[str, str], progress: Progress, say: Callable[[str], None]) -> ExitCode:
    pipeline = load_pipeline(folder / SECTIONS, environ)
    reports, code = run_jobs(pipeline.jobs, build_context(pipeline, folder / SECTIONS, progress))
    for report in reports:
        say("\nPDF sections:")
        for file in report.files:
            say(f"  {file}  ({Path(file).stat().st_size / 1e3:.0f} kB)")
        if report.manifest:
            say(f"Summary:   {Path(report.manifest).with_name(SUMMARY)}")
        _sum_up(report, say)
    return code


def _sum_up(report: Report, say: Callable[[str], None]) -> None:
    say(f"Manifest:  {report.manifest}")
    say(f"{report.seconds:.1f} seconds, peak memory {report.peak_bytes / 1e6:.0f} MB")
    say(f"Prove it:  tilepress verify {report.manifest}")


def _lay_out(folder: Path) -> None:
    """Copy the shipped example into an empty folder, or one that holds a former demo."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder}: not a folder", "Name another one with --out.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / SHOP).exists():
        raise ConfigurationError(f"{folder}: not empty, and no former demo", "Name another folder with --out.")
    with storing(folder), as_file(files("config.examples")) as examples:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tilepress.db").unlink(missing_ok=True)
        for name in FILES:
            shutil.copyfile(examples / name, folder / name)
        for name in FOLDERS:
            (folder / name).mkdir(exist_ok=True)
            for file in sorted((examples / name).iterdir()):
                shutil.copyfile(file, folder / name / file.name)


def _picture(sheet: Path) -> Path:
    return write_bytes(sheet.parent.parent / f"{sheet.stem}-preview.png", shrink_sheet(sheet, PREVIEW_PX))
