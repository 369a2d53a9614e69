"""What keeps a mock-up job from being done, found without doing it: templates, their pictures, designs, output."""

from collections.abc import Callable, Iterator, Sequence

from config.errors import ArtworkError
from config.mockups import MockupJob
from pipeline.checkup import check_output
from pipeline.context import Context
from pipeline.delivery import storing
from pipeline.mockups.artwork import MockupDesign, list_designs
from pipeline.mockups.planning import misfit, pairs
from pipeline.mockups.studio import Studio, open_studio
from pipeline.mockups.templates import Templates, open_templates


def check(job: MockupJob, context: Context, say: Callable[[str], None]) -> list[str]:
    """Look at everything the job needs; return what is wrong with it. Of pictures, headers are read."""
    studio = open_studio(job, context)
    with storing(context.store.root), context.store.held(), context.governor, studio.workbench() as bench:
        templates = open_templates(studio, bench)
    designs = list_designs(job.designs, studio.designs, studio.place)
    problems = [f"template {name}: {reason}" for name, reason in templates.broken.items()]
    for reference in dict.fromkeys(reference for design in designs for reference in design.sides.values()):
        if not studio.designs.is_remote(reference):
            try:
                studio.designs.locate(reference)
            except ArtworkError as error:
                problems.append(f"design {reference}: {error.message}")
    problems += _misfits(designs, templates, studio)
    problems += check_output(job.output.to, context)
    say(
        f"{job.name}: {len(designs)} designs on {len(templates.usable) + len(templates.broken)} templates, "
        f"{len(problems)} problems"
    )
    return problems


def _misfits(designs: Sequence[MockupDesign], templates: Templates, studio: Studio) -> Iterator[str]:
    """Yield which mock-ups cannot be made, whatever the artwork holds; what is wrong with a template once."""
    usable = {template.name: template for template in templates.usable}
    told: set[tuple[str, str]] = set()
    for design, name, file, problem in pairs(designs, (*usable, *templates.broken), studio.file_name):
        reason = problem or (misfit(design, usable[name], studio.job.output) if name in usable else "")
        if reason and (name, reason) not in told:
            told.add((name, reason))
            yield f"{file}: {reason}"
