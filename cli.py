"""The command line: parses, builds one context, calls the pipeline, and maps errors to exit codes. Nothing else.

Modules that cost time to import are imported by the commands that use them, so that `--help` is there at once.
"""

import atexit
import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config import VERSION
from config.errors import ExitCode, Terminated, as_explained

if TYPE_CHECKING:
    from config.database import Database
    from config.schema import Job, Pipeline
    from config.shoptables import Section
    from config.templatetable import TemplateSection
    from pipeline.context import Context, Progress
    from pipeline.log import LogFormat

DEFAULT_DATABASE = "sqlite:///tilepress.db"
_SHOWN: "tuple[Section | TemplateSection, ...]" = ("printers", "canvas_configs", "orders", "mockup_templates")

_EPILOG = (
    "Exit codes: 0 all done; 2 usage or configuration; 3 done, but some items were rejected or failed; "
    "4 storage or database out of reach, or stopped by its deadline or SIGTERM; "
    "5 memory or disk would not suffice; 6 another run is at work; 70 a bug; 130 interrupted."
)

_pipeline_argument = click.argument("pipeline", type=click.Path(path_type=Path))
_format_option = click.option(
    "--log-format",
    type=click.Choice(["auto", "text", "json"]),
    default="auto",
    show_default=True,
    help="auto: text and a progress bar on a terminal, JSON lines elsewhere.",
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a command about a pipeline file was asked: the file, what of it, and what counts over it."""

    file: Path
    jobs: tuple[str, ...]
    orders: tuple[str, ...]
    settings: tuple[str, ...]
    dynamic_sizing: bool | None
    out: str | None

    def settle(self, progress: "Progress", *, opens_artwork: bool = True) -> "tuple[list[Job], Context]":
        """Return the jobs asked for, and the context to do them in.

        Called before anything large is imported: what it starts early is then ready when it is needed.
        """
        if opens_artwork:
            from pipeline.headstart import start_early

            start_early(self.file, os.environ)
        from config.loader import Overrides, load_pipeline
        from pipeline.runner import choose_jobs
        from pipeline.surroundings import build_context

        overrides = Overrides(self.settings, self.dynamic_sizing, self.out)
        pipeline = load_pipeline(self.file, os.environ, overrides)
        return choose_jobs(pipeline, self.jobs, self.orders), build_context(pipeline, self.file, progress, self.orders)


def _about_a_pipeline(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the argument and options that make a `Request`, and hand it that as `request`."""

    @wraps(command)
    def asked(pipeline: Path, **options: Any) -> None:
        asked_for = {name: options.pop(name) for name in ("jobs", "orders", "settings", "dynamic_sizing", "out")}
        command(request=Request(pipeline, **asked_for), **options)

    for option in (
        click.option(
            "--out",
            metavar="URL",
            help="Deliver to this folder or URL instead of output.to; of several jobs, each to its own below.",
        ),
        click.option(
            "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a key, e.g. jobs.uvdtf.sheet.dpi=300."
        ),
        click.option(
            "--dynamic-sizing/--full-size",
            "dynamic_sizing",
            default=None,
            help="Shrink each part to its content, or keep the sheet's full size.",
        ),
        click.option(
            "--order",
            "orders",
            multiple=True,
            metavar="ID",
            help="Only this order, and no job without orders; may be repeated.",
        ),
        click.option("--job", "jobs", multiple=True, metavar="NAME", help="Only this job; may be repeated."),
        _pipeline_argument,
    ):
        asked = option(asked)
    return asked


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="tilepress")
@click.option("-v", "--verbose", is_flag=True, help="Show where an error came from.")
@click.pass_context
def command_line(context: click.Context, verbose: bool) -> None:
    """Gang sheets, mock-ups and PDFs taken apart, in memory that does not grow with the work."""
    context.obj = verbose


@command_line.command()
@_about_a_pipeline
@_format_option
@click.pass_obj
def run(verbose: bool, request: Request, log_format: "LogFormat") -> None:
    """Run the jobs of PIPELINE: plan, render, deliver."""
    from pipeline.log import start_logging

    jobs, context = request.settle(start_logging(log_format, verbose=verbose))
    from pipeline.runner import run_jobs

    _, code = run_jobs(jobs, context)
    sys.exit(code)


@command_line.command()
@_about_a_pipeline
@click.option("--preview", type=click.Path(path_type=Path), metavar="FILE", help="Draw the parts: .svg or .png.")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Write the plan as JSON.")
def plan(request: Request, preview: Path | None, save: Path | None) -> None:
    """Show what PIPELINE would make: parts, film, rejects, mock-ups, sections, memory. Renders nothing."""
    from pipeline.log import NoProgress, quiet_logging

    quiet_logging()
    jobs, context = request.settle(NoProgress())
    from pipeline.planview import show_plans

    sys.exit(show_plans(jobs, context, preview, save, _say))


@command_line.command()
@_about_a_pipeline
def check(request: Request) -> None:
    """Check that PIPELINE, its database and its sources are sound. Does no work."""
    from pipeline.checkup import check_jobs
    from pipeline.log import NoProgress, quiet_logging

    quiet_logging()
    sys.exit(check_jobs(*request.settle(NoProgress(), opens_artwork=False), _say))


@command_line.command()
@click.argument("manifest", metavar="MANIFEST")
@click.option("--designs", metavar="DIR", help="Where the run's artwork is now: a folder, or the URL of one.")
@click.option("--work", type=click.Path(path_type=Path), metavar="DIR", help="Where to put temporary files.")
@click.option(
    "--pipeline", type=click.Path(path_type=Path), metavar="FILE", help="How servers are reached: as in this file."
)
def verify(manifest: str, designs: str | None, work: Path | None, pipeline: Path | None) -> None:
    """Open again everything that MANIFEST, a path or URL, lists, and prove it pixel by pixel."""
    from pipeline.log import progress_only
    from pipeline.verify import verify_run

    settled, folder = (_load(pipeline), pipeline.absolute().parent) if pipeline else (None, None)
    verdict = verify_run(manifest, progress_only(), designs, work, settled, folder)
    for problem in verdict.problems:
        _say(problem)
    state = f"{len(verdict.problems)} problems" if verdict.problems else "all is as the manifest says"
    _say(f"{verdict.checked} verified: {state}")
    sys.exit(ExitCode.INCOMPLETE if verdict.problems else ExitCode.DONE)


@command_line.command()
@click.option("--out", type=click.Path(path_type=Path), default="tilepress-demo", show_default=True, metavar="DIR")
@click.pass_obj
def demo(verbose: bool, out: Path) -> None:
    """Print an embedded example: no set-up, nothing needed beside it."""
    from pipeline.demo import run_demo
    from pipeline.log import start_logging

    progress = start_logging("text", verbose=verbose)
    sys.exit(run_demo(out, os.environ, progress, _say))


@command_line.command()
@click.option("--database", "url", metavar="URL", help="Default: DATABASE_URL, else tilepress.db if it is there.")
def doctor(url: str | None) -> None:
    """Show what tilepress sees of this machine, and whether it can work here: ends with 2, 4 or 5 if it cannot."""
    from pipeline.doctor import examine

    named = url or os.environ.get("DATABASE_URL") or (DEFAULT_DATABASE if Path("tilepress.db").exists() else None)
    code = ExitCode.DONE
    for finding in examine(Path.cwd(), named, os.environ):
        _say(str(finding))
        code = max(code, finding.code)  # of those it gives, the higher is the worse
    sys.exit(code)


@command_line.group()
def db() -> None:
    """Printers, canvas configurations, orders and mock-up templates in the database."""


def _database_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which database is meant."""
    for option in (
        click.option("--pipeline", type=click.Path(path_type=Path), metavar="FILE", help="The database of this file."),
        click.option("--database", "url", metavar="URL", help=f"Default: DATABASE_URL, else {DEFAULT_DATABASE}."),
    ):
        command = option(command)
    return command


@db.command("init")
@_database_options
def db_init(url: str | None, pipeline: Path | None) -> None:
    """Make tilepress's tables, or bring them up to date; a shop's own are left alone."""
    database = _database(url, pipeline)
    done = database.init()
    for what, names in (
        ("made", done.made),
        ("took over, from before versions were kept:", done.taken_over),
        ("left alone, as the shop's own:", done.left),
    ):
        if names:
            _say(f"{what} {', '.join(names)}")
    _say(f"{database.address} has tilepress's tables, version {done.version}")


@db.command("show")
@_database_options
@click.argument("table", type=click.Choice(_SHOWN), required=False)
def db_show(url: str | None, pipeline: Path | None, table: "Section | TemplateSection | None") -> None:
    """List printers, canvas configurations, orders and mock-up templates, or one TABLE of them."""
    database = _database(url, pipeline)
    for section in (table,) if table else _SHOWN:
        rows = database.rows(section)
        _say(f"{section}:")
        for row in rows:
            _say("  " + ", ".join(f"{key} {value}" for key, value in row.items() if value is not None))


@db.command("import")
@_database_options
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
def db_import(url: str | None, pipeline: Path | None, files: tuple[Path, ...]) -> None:
    """Bring printers, canvas configurations, orders and templates in from YAML, JSON or CSV: all files or nothing."""
    from config.imports import import_files

    for file, counts in zip(files, import_files(_database(url, pipeline), files, os.environ), strict=True):
        _say(f"{file}: " + (", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"))


@command_line.group()
def runs() -> None:
    """Look after runs: what was planned, how far each part came, and what is to be done again.

    RUN is a run's id, or as much of its beginning as no other run's has.
    """


@runs.command("list")
@_database_options
@click.option("--job", metavar="NAME", help="Only runs of this job.")
@click.option("--unfinished", is_flag=True, help="Only runs that are not finished.")
def runs_list(url: str | None, pipeline: Path | None, job: str | None, unfinished: bool) -> None:
    """List runs, one a line, the one planned last at the end."""
    from config.runs import list_runs
    from pipeline.runview import describe_runs

    for line in describe_runs(list_runs(_database(url, pipeline), job, unfinished=unfinished)):
        _say(line)


@runs.command("show")
@_database_options
@click.argument("run_id", metavar="RUN")
def runs_show(url: str | None, pipeline: Path | None, run_id: str) -> None:
    """Show RUN: its parts with their files, how far each came, and the orders on it."""
    from config.runs import find_run
    from pipeline.runview import describe_run

    for line in describe_run(find_run(_database(url, pipeline), run_id)):
        _say(line)


@runs.command("retry")
@_database_options
@click.option("--part", "parts", type=int, multiple=True, metavar="N", help="Only this part; may be repeated.")
@click.argument("run_id", metavar="RUN")
def runs_retry(url: str | None, pipeline: Path | None, parts: tuple[int, ...], run_id: str) -> None:
    """Have the next run make the parts of RUN again, under the same names."""
    from config.runs import find_run, open_run_book
    from pipeline.runview import describe_retry

    database = _database(url, pipeline)
    found = find_run(database, run_id).run
    with open_run_book(database, found.pipeline) as book:
        again = book.retry(found.id, parts)
    for line in describe_retry(found, again):
        _say(line)


@runs.command("forget")
@_database_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.argument("run_id", metavar="RUN")
def runs_forget(url: str | None, pipeline: Path | None, yes: bool, run_id: str) -> None:
    """Forget RUN: its copies count as not printed, and the next run prints those still chosen."""
    from config.runs import find_run, open_run_book
    from pipeline.runview import describe_forget, question_forget

    if not yes and not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on; give --yes to forget the run without being asked")
    database = _database(url, pipeline)
    found = find_run(database, run_id)
    if not yes and not click.confirm(question_forget(found)):
        _say("Nothing was forgotten.")
        return
    with open_run_book(database, found.run.pipeline) as book:
        held = book.forget(found.run.id)
    _say(describe_forget(found.run, held))


@command_line.group()
def mockups() -> None:
    """Look after mock-ups: designs on photographs of products."""


@mockups.command("outline")
@click.argument("template", type=click.Path(path_type=Path), metavar="TEMPLATE")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="Default: TEMPLATE-outline.png.")
@click.option(
    "--longest", type=click.IntRange(100, 10_000), default=2000, show_default=True, help="Of the picture, in pixels."
)
@click.option(
    "--root", type=click.Path(path_type=Path), metavar="DIR", help="templates.root, if the template is below."
)
def mockups_outline(template: Path, out: Path | None, longest: int, root: Path | None) -> None:
    """Draw the areas of TEMPLATE, a YAML, on its background: with their names and the order of their corners."""
    from pipeline.log import quiet_logging
    from pipeline.mockups.outline import draw_template

    quiet_logging()
    target = out or template.with_name(f"{template.stem}-outline.png")
    sys.exit(draw_template(template, target, longest, _say, root))


@command_line.group()
def sections() -> None:
    """Look into PDFs that are to be taken apart."""


@sections.command("outline")
@click.argument("document", type=click.Path(path_type=Path), metavar="DOCUMENT")
@click.option("--depth", type=click.IntRange(1, 10), default=1, show_default=True, help="Of the outline's levels.")
@click.option("--password-from", "variable", metavar="NAME", help="The environment variable that has its password.")
def sections_outline(document: Path, depth: int, variable: str | None) -> None:
    """Show the outline of DOCUMENT, a PDF, as the `sections` of a pipeline file."""
    from pipeline.log import quiet_logging
    from pipeline.sections.outline import show_outline

    if variable is not None and not os.environ.get(variable):
        raise click.UsageError(f"the environment variable {variable} is not set")
    quiet_logging()
    sys.exit(show_outline(document, depth, os.environ[variable] if variable else "", _say))


@command_line.group()
def store() -> None:
    """Look after the tile store: prepared designs that outlive the run."""


@store.command("stats")
@_pipeline_argument
def store_stats(pipeline: Path) -> None:
    """Show what the store of PIPELINE holds."""
    from datetime import UTC, datetime

    from config.units import format_bytes
    from tiles.store import TileStore

    settled = _load(pipeline)
    tiles = TileStore(pipeline.absolute().parent / settled.store.path)
    stats = tiles.stats()
    _say(f"{tiles.root}: {stats.designs} designs, {format_bytes(stats.bytes)} of {settled.store.max_bytes}")
    if stats.oldest_use is not None:
        _say(f"longest unused: since {datetime.fromtimestamp(stats.oldest_use, UTC):%Y-%m-%d %H:%M} UTC")


@store.command("prune")
@_pipeline_argument
@click.option("--all", "everything", is_flag=True, help="Remove every design; refused while a run is at work.")
def store_prune(pipeline: Path, everything: bool) -> None:
    """Remove the least recently used designs until the store of PIPELINE fits its max_bytes."""
    from config.units import format_bytes, parse_bytes
    from tiles.store import TileStore

    settled = _load(pipeline)
    tiles = TileStore(pipeline.absolute().parent / settled.store.path)
    freed = tiles.clear() if everything else tiles.prune(parse_bytes(settled.store.max_bytes))
    _say(f"{format_bytes(freed)} freed")


def main() -> None:
    """Run the command line; the program's only entry, and its only exit."""
    signal.signal(signal.SIGTERM, _terminate)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's BLAS: threads that would wait for work, busily
    with _explained():
        command_line.main(prog_name="tilepress", standalone_mode=False)


def _say(text: str) -> None:
    """Print to standard output; where that cannot be, there is nothing left to do."""
    try:
        click.echo(_clean(text))
    except OSError as error:
        from pipeline.log import silence_output

        silence_output()
        if isinstance(error, BrokenPipeError):  # who read it has gone, and may have read enough
            sys.exit(ExitCode.DONE)
        click.echo(f"error: standard output cannot be written: {error.strerror}", err=True)
        sys.exit(ExitCode.BUDGET if error.errno == errno.ENOSPC else ExitCode.STORAGE)


def _load(pipeline: Path) -> "Pipeline":
    from config.loader import load_pipeline

    return load_pipeline(pipeline, os.environ)


def _database(url: str | None, pipeline: Path | None) -> "Database":
    from config.database import Database

    if pipeline is not None and url is not None:
        raise click.UsageError("give --database or --pipeline, not both")
    if pipeline is not None:
        settled = _load(pipeline)
        if settled.database is None:
            raise click.UsageError(f"{pipeline} names no database")
        return Database(settled.database, pipeline.absolute().parent)
    return Database(url or os.environ.get("DATABASE_URL") or DEFAULT_DATABASE)


def _terminate(*_: object) -> None:
    """Have whatever is at work clean up behind itself."""
    raise Terminated("stopped by SIGTERM")


@contextmanager
def _explained() -> Iterator[None]:
    """End the program with the exit code, and the words, for whatever happened within."""
    code: int = ExitCode.DONE
    verbose = "-v" in sys.argv[1:2] or "--verbose" in sys.argv[1:2]
    try:
        yield
    except click.ClickException as error:
        said = StringIO()
        error.show(said)
        click.echo(_clean(said.getvalue()), err=True, nl=False)
        code = ExitCode.CONFIGURATION
    except Terminated as error:
        click.echo(f"{error}; what is done is kept: run again, and the rest is made", err=True)
        code = ExitCode.STORAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        code = ExitCode.INTERRUPTED
    except Exception as error:
        explained = as_explained(error)
        click.echo(_clean(f"error: {explained}"), err=True)
        if verbose:
            click.echo(_clean(traceback.format_exc()), err=True, nl=False)
        code = explained.exit_code
    except SystemExit as end:
        code = int(end.code or ExitCode.DONE)
    _leave(code)


def _leave(code: int) -> None:
    """End the program at once.

    Threads may wait for servers, and to take apart what was imported takes a sixth of the time of a small run.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):  # closed, or full: that was told, or cannot be
            stream.flush()
    os._exit(code)


def _clean(text: str) -> str:
    """Return a text without the secrets that are known by now."""
    from pipeline.redaction import redactor

    return redactor().clean(text)


if __name__ == "__main__":
    main()
