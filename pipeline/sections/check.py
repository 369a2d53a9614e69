"""What keeps a section job from being done, found without doing it: documents, page ranges, output."""

from collections.abc import Callable

from config.errors import ArtworkError, ConfigurationError
from config.sections import SectionsJob
from pipeline.checkup import check_output
from pipeline.context import Context, Stopwatch
from pipeline.delivery import storing
from pipeline.sections.bindery import about_document, is_the_jobs_own, open_bindery, public
from pipeline.sections.documents import opened_document
from pipeline.sections.planning import describe_gaps, plan_sections


def check(job: SectionsJob, context: Context, say: Callable[[str], None]) -> list[str]:
    """Look at everything the job needs; return what is wrong with it. Documents are opened, and not taken apart."""
    bindery = open_bindery(job, context)
    problems: list[str] = []
    documents = bindery.documents()
    sections = 0
    with storing(context.store.root), context.store.held(), context.governor:
        for reference in documents:
            name = public(reference)
            try:
                with opened_document(reference, bindery, Stopwatch()) as document:
                    plan = plan_sections(job, document.survey, document.sha256, document.name)
            except (ArtworkError, ConfigurationError) as error:
                if is_the_jobs_own(error, documents):
                    raise
                problems.append(about_document(name, error))
                continue
            if document.survey.repairs:
                told = problems.append if document.survey.lost else say
                told(f"{name} is damaged, and would be mended: {'; '.join(document.survey.repairs)}")
            sections += len(plan.sections)
            if plan.gaps:
                say(f"{job.name}: {name}: {describe_gaps(plan.gaps)}")
    problems += check_output(job.output.to, context)
    say(f"{job.name}: {len(documents)} documents, {sections} sections, {len(problems)} problems")
    return problems
