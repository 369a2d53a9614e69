"""`tilepress verify`: a finished run opened again, wherever it was delivered to, and held against what it was made of.

Nothing of the run is trusted: what its kind of job proves is proven with artwork prepared anew.
"""

import tempfile
from pathlib import Path

from config import schema
from config.designs import Designs
from config.errors import ConfigurationError
from config.sections import SectionsJob
from pipeline.context import Progress
from pipeline.delivered import open_delivered
from pipeline.delivery import storing
from pipeline.evidence import Evidence, Verdict
from pipeline.governor import Governor
from pipeline.kinds import KINDS
from pipeline.library import Library
from pipeline.machine import anonymous_bytes, cpu_count, memory_limit
from pipeline.manifest import read_manifest
from pipeline.servers import Servers
from pipeline.storage.address import is_url
from pipeline.workplace import Workplace
from tiles.store import TileStore
from tiles.vips import start
from tiles.workbench import Workbench

OWN_ROOTS = {"designs.root", "documents.root"}  # what --designs says is somewhere else now
PREPARE_TIMEOUT_S = 3600.0
ACCEPTED_PX = 2**40  # whatever was printed was accepted once


def verify_run(
    manifest: str,
    progress: Progress,
    designs_root: str | None = None,
    work: Path | None = None,
    pipeline: schema.Pipeline | None = None,
    folder: Path | None = None,
) -> Verdict:
    """Prove the run of the manifest at a path or URL, with temporary files below the folder `work`.

    `designs_root` says where its artwork is now; `pipeline`, whose relative paths count from `folder`, how servers
    are reached. Raises ConfigurationError if the file is no manifest, or damaged.
    """
    start(cpu_count())
    governor = Governor(memory_limit(), anonymous_bytes)
    work = work or (Path() if is_url(manifest) else Path(manifest).parent)
    with (
        storing(work),
        tempfile.TemporaryDirectory(prefix=".tilepress-verify-", dir=work) as scratch,
        Workbench(cpu_count(), governor.limit.bytes, PREPARE_TIMEOUT_S) as bench,
        Servers(pipeline.storage if pipeline else schema.Storage(), folder or Path()) as servers,
        open_delivered(manifest, servers, Path(scratch)) as delivered,
    ):
        place = Workplace(TileStore(Path(scratch) / "store"), bench, governor)
        stated = read_manifest(delivered.manifest)

        job = next((job for job in (pipeline.jobs if pipeline else ()) if job.name == stated.get("job")), None)

        def library(root: str, key: str, allow_svg: bool) -> Library:
            said = (job.designs if job else Designs()).model_dump(include={"urls", "private_hosts"})
            root = designs_root if designs_root and key in OWN_ROOTS else root
            there = {"root": root, "max_bytes": "1TB", "max_pixels": ACCEPTED_PX, "allow_svg": allow_svg}
            return Library(Designs.model_validate(said | there), Path(), servers, place.store, key)

        password = (job.password or "") if isinstance(job, SectionsJob) else ""
        evidence = Evidence(delivered, stated, place, progress, library, password)
        try:
            return KINDS[stated["kind"]].prove(evidence)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigurationError(
                f"{delivered.manifest.name}: the manifest is damaged ({type(error).__name__}: {error})",
                "Run the job again.",
            ) from error
