"""The studio of a mock-up job: what every step of it has at hand, and how its settings are read."""

from dataclasses import dataclass
from datetime import UTC, datetime

from config.designs import Designs
from config.errors import ConfigurationError
from config.mockups import MockupJob
from pipeline.context import Context, Stopwatch
from pipeline.desk import place_of, same_place
from pipeline.library import Library
from pipeline.workplace import Workplace
from tiles.sinks import SUFFIXES
from tiles.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Studio:
    """What every step of a mock-up job has at hand: where artwork, templates' pictures and finished files are."""

    job: MockupJob
    context: Context
    designs: Library
    photos: Library
    watch: Stopwatch
    place: str

    @property
    def workers(self) -> int:
        """How many mock-ups may be made at once, if memory admits it."""
        return self.context.threads if self.job.workers == "auto" else self.job.workers

    @property
    def threads(self) -> int:
        """How many threads work on each mock-up."""
        return max(1, self.context.threads // self.workers)

    def file_name(self, design: str, template: str) -> str:
        """Return what the mock-up of a design on a template is called."""
        output = self.job.output
        return output.filename.format(design=design, template=template, job=self.job.name) + SUFFIXES[output.format]

    def workbench(self) -> Workbench:
        """Return the job's child processes, one for each mock-up at a time; none is started before there is work."""
        return Workbench(self.workers, self.context.governor.limit.bytes, self.job.designs.timeout_s)

    def workplace(self, bench: Workbench) -> Workplace:
        """Return where designs and pictures are worked on."""
        return Workplace(self.context.store, bench, self.context.governor)


def open_studio(job: MockupJob, context: Context) -> Studio:
    """Return the studio for a job; ConfigurationError if files would be written where they are read."""
    designs = Library(job.designs, context.folder, context.servers, context.store)
    said = job.designs.model_dump(include=set(Designs.model_fields)) | {"root": job.templates.root}
    photos = Library(Designs.model_validate(said), context.folder, context.servers, context.store, "templates.root")
    place = place_of(job.output.to, context.folder, datetime.now(UTC).date().isoformat())
    for library, key in ((designs, "designs.root"), (photos, "templates.root")):
        if same_place(place, library.root_name):
            raise ConfigurationError(
                f"output.to and {key} are the same folder", "Mock-ups could overwrite pictures: name another folder."
            )
    return Studio(job, context, designs, photos, Stopwatch(), place)
