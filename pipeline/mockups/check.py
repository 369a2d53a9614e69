"""What keeps a mock-up job from being done, found without doing it: templates, their pictures, designs, output."""

from collections.abc import Callable

from config.errors import ArtworkError
from config.mockups import MockupJob
from pipeline.checkup import check_output
from pipeline.context import Context
from pipeline.delivery import storing
from pipeline.mockups.artwork import list_designs
from pipeline.mockups.planning import areas_with_artwork
from pipeline.mockups.studio import open_studio
from pipeline.mockups.templates import open_templates


def check(job: MockupJob, context: Context, say: Callable[[str], None]) -> list[str]:
    """Look at everything the job needs; return what is wrong with it. Of pictures, headers are read."""
    studio = open_studio(job, context)
    with storing(context.store.root), context.store.held(), context.governor, studio.workbench() as bench:
        templates = open_templates(studio, bench)
    designs = list_designs(job.designs, studio.designs)
    problems = [f"template {name}: {reason}" for name, reason in templates.broken.items()]
    for reference in dict.fromkeys(reference for design in designs for reference in design.sides.values()):
        if not studio.designs.is_remote(reference):
            try:
                studio.designs.locate(reference)
            except ArtworkError as error:
                problems.append(f"design {reference}: {error.message}")
    for template in templates.usable:
        wanted = {area.design for area in areas_with_artwork(template)}
        problems += [
            f"design {design.name}: it has no side {side}, which template {template.name} shows"
            for design in designs
            for side in sorted(filter(None, wanted))
            if design.artwork(side) is None
        ]
    problems += check_output(job.output.to, context)
    say(
        f"{job.name}: {len(designs)} designs on {len(templates.usable) + len(templates.broken)} templates, "
        f"{len(problems)} problems"
    )
    return problems
