"""A section job: PDFs taken apart, a section at a time. The whole story is `take_apart`; its steps stand beside."""

import logging
from collections.abc import Sequence

from config.errors import ArtworkError, ConfigurationError, StoppedError
from config.pageranges import pages_of
from config.sections import SectionsJob
from pipeline.context import Context, Stopwatch
from pipeline.delivery import open_outbox, storing
from pipeline.log import report_memory
from pipeline.report import Report, total
from pipeline.sections.bindery import MANIFEST, Bindery, about_document, is_the_jobs_own, open_bindery, public
from pipeline.sections.documents import OpenDocument, opened_document
from pipeline.sections.journal import Journal
from pipeline.sections.making import Making
from pipeline.sections.planning import SectionsPlan, describe_gaps, plan_sections
from pipeline.sections.register import JOURNAL, KIND, Register
from pipeline.sections.traces import Traces

log = logging.getLogger(__name__)


def run(job: SectionsJob, context: Context) -> Report:
    """Make what is missing of the sections of each document; a document that cannot be used costs no other one."""
    bindery, watch = open_bindery(job, context), Stopwatch()
    with context.governor, report_memory(lambda: context.governor.last_bytes):
        documents = bindery.documents()
        with storing(context.store.root), bindery.traces() as traces:
            traces.clear()
            reports = [_take_apart_or_tell(document, documents, bindery, traces) for document in documents]
    unusable = sum(report.manifest is None for report in reports)
    if len(reports) > 1:
        log.info(
            f"Job {job.name}: {len(reports) - unusable} of {len(reports)} documents were taken apart",
            extra={"documents": len(reports), "unusable": unusable},
        )
    with storing(context.store.root):
        context.store.prune(context.store_max_bytes)
    return total(reports, watch.seconds()["total"], context.governor.peak_bytes)


def _take_apart_or_tell(reference: str, documents: Sequence[str], bindery: Bindery, traces: Traces) -> Report:
    """Take one of the documents apart, or say why not; ConfigurationError if the job itself is wrong."""
    try:
        return take_apart(reference, bindery, traces)
    except (ArtworkError, ConfigurationError) as error:
        if is_the_jobs_own(error, documents):
            raise
        log.error(
            about_document(public(reference), error), extra={"document": public(reference), "remedy": error.remedy}
        )
        return Report(ordered=1, rejected=1)


def take_apart(reference: str, bindery: Bindery, traces: Traces) -> Report:
    """Make the sections of one document, in their order; each appears whole, and what cannot be made is told of."""
    context, job, watch = bindery.context, bindery.job, Stopwatch()
    with opened_document(reference, bindery, watch) as document:
        plan = plan_sections(job, document.survey, document.sha256, document.name)
        with (
            open_outbox(bindery.place_for(reference), job.name, context, KIND, MANIFEST) as outbox,
            storing(outbox.folder),
            Journal(outbox.folder / JOURNAL) as journal,
            bindery.bench() as bench,
        ):
            register = Register(plan, document, outbox, journal, bindery, watch)
            announce(document, plan, register)
            register.clear()
            try:
                Making(document, register, outbox, bindery, bench, traces).make_all()
            except StoppedError:
                with context.stop.delivery():
                    register.publish(finished=False)
                raise
            finally:
                register.note()
            traces.clear()
            with watch.step("deliver"), context.stop.delivery():
                manifest = register.publish(finished=True)
            return _report(document, register, manifest, bindery)


def announce(document: OpenDocument, plan: SectionsPlan, register: Register) -> None:
    """Log what is to be done."""
    missing = len(register.missing())
    log.info(
        f"{document.name}: {document.survey.pages:,} pages, {len(plan.sections):,} sections; {register.unchanged} are "
        f"there and unchanged, {missing} to be made",
        extra={"document": document.name, "sections": len(plan.sections), "unchanged": register.unchanged},
    )
    if document.survey.lost:
        log.error(
            f"{document.name}: {pages_of(document.survey.lost)} cannot be read, and will be in no section",
            extra={"document": document.name, "remedy": "Have the document exported again."},
        )
    if plan.gaps:
        log.warning(f"{document.name}: {describe_gaps(plan.gaps)}", extra={"document": document.name})


def _report(document: OpenDocument, register: Register, manifest: str, bindery: Bindery) -> Report:
    report = Report(
        files=register.files(),
        manifest=manifest,
        ordered=register.made + register.failed,
        placed=register.made,
        rejected=register.failed + document.survey.lost,
        seconds=register.watch.seconds()["total"],
        peak_bytes=bindery.context.governor.peak_bytes,
    )
    log.info(
        f"{document.name}: {report.placed} of {report.ordered} sections are complete, {register.unchanged} of them "
        f"unchanged, {register.failed} are not, {report.seconds:.1f} s, "
        f"peak memory {report.peak_bytes / 1e6:.0f} MB",
        extra={
            "document": document.name,
            "sections": report.ordered,
            "made": report.placed,
            "unchanged": register.unchanged,
            "failed": register.failed,
            "seconds": report.seconds,
        },
    )
    return report
