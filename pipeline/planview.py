"""`tilepress plan`: what a pipeline would do, in words, as JSON and as a drawing."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from config.errors import ConfigurationError, ExitCode
from config.schema import Job
from pipeline.context import Context
from pipeline.delivery import write_bytes, write_text
from pipeline.kinds import kind_of
from pipeline.runner import for_each_job


def show_plans(
    jobs: Sequence[Job], context: Context, preview: Path | None, save: Path | None, say: Callable[[str], None]
) -> ExitCode:
    """Look ahead at each job, say what it comes to, write drawing and JSON where asked for; return the exit code."""
    if preview is not None and preview.suffix.lower() not in {".svg", ".png"}:
        raise ConfigurationError(f"{preview}: a preview is .svg or .png", "Name the file accordingly.")

    def show(job: Job) -> ExitCode:
        outlook = kind_of(job).look_ahead(job, context)
        for line in outlook.lines:
            say(line)
        if preview is not None and outlook.drawing is not None:
            say(f"Drawn: {write_preview(outlook.drawing, _for_job(preview, job, jobs))}")
        if save is not None:
            say(f"Saved: {write_text(_for_job(save, job, jobs), json.dumps(outlook.content, indent=1))}")
        return ExitCode.DONE if outlook.complete else ExitCode.INCOMPLETE

    return for_each_job(jobs, show, lambda job, error: say(f"{job.name}: {error}"))


def write_preview(svg: str, target: Path) -> Path:
    """Write a drawing into an .svg or .png file; return it."""
    if target.suffix.lower() == ".svg":
        return write_text(target, svg)
    from tiles.preview import draw_svg  # noqa: PLC0415 - libvips is needed for this only
    from tiles.vips import start  # noqa: PLC0415

    start(threads=1)
    return write_bytes(target, draw_svg(svg))


def _for_job(path: Path, job: Job, jobs: Sequence[Job]) -> Path:
    """Return the path itself for a single job, one with the job's name in it where there are several."""
    return path if len(jobs) == 1 else path.with_name(f"{path.stem}-{job.name}{path.suffix}")
