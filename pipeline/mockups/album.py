"""The album of a mock-up job: what was made, under which key, in the manifest beside the files.

It is written down as the run goes, a few seconds apart at most, so that a killed run goes on where it ended: a file
that is not written down is made again. What is no longer asked for is removed. What was made of other inputs lies there
until the new one takes its place; where that cannot be made now, it is listed as stale.
"""

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config import VERSION
from pipeline.claim import Claim
from pipeline.delivery import MANIFEST, Outbox, as_text, planned_files
from pipeline.mockups.planning import Failure, Mockup, MockupPlan
from pipeline.mockups.studio import Studio
from pipeline.mockups.templates import OpenTemplate
from tiles.design import Design
from tiles.sinks.sink import SheetFile

SCHEMA = 1
KIND = "mockups"
NOTE_EVERY_S = 2.0  # writing thousands of entries takes as long as making a mock-up;
NOTE_SHARE = 20.0  # so many times as long as the last one took, at least

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A mock-up that lies in its place."""

    key: str
    bytes: int
    sha256: str
    width_px: int
    height_px: int
    seconds: float


class Album:
    """The mock-ups of one run as they come to be."""

    def __init__(self, plan: MockupPlan, outbox: Outbox, studio: Studio) -> None:
        """Look at what a former run has left at the place."""
        self._plan, self._outbox, self._studio = plan, outbox, studio
        manifest = outbox.former()
        self._former = former_entries(manifest)
        self._entries = {
            mockup.file: entry_of(self._former[mockup.file])
            for mockup in plan.mockups
            if mockup.file in self._former and self._is_there(mockup)
        }
        self.unchanged = len(self._entries)
        own = (*planned_files(manifest), *self._former)
        self._claim = Claim(outbox, (mockup.file for mockup in plan.mockups), own)
        self.failures = list(plan.failures)
        self._noted_at = self._noting_s = 0.0

    def _is_there(self, mockup: Mockup) -> bool:
        entry = entry_of(self._former[mockup.file])
        return entry.key == mockup.key and self._outbox.keeps(mockup.file, entry.bytes, entry.sha256)

    @property
    def made(self) -> int:
        """How many mock-ups lie in their place by now."""
        return len(self._entries)

    def missing(self) -> list[Mockup]:
        """Return the mock-ups that are still to be made."""
        return [mockup for mockup in self._plan.mockups if mockup.file not in self._entries]

    def clear(self) -> None:
        """Make the place ready: what former runs left there and nobody asks for any more is removed."""
        asked = self._asked()
        for name in self._outbox.begin(asked, asked):
            log.info(f"Removed {name}: it is not asked for any more", extra={"file": name})
        self._outbox.publish(as_text(self._manifest(None)))  # whoever comes next knows what is this job's

    def check_place(self, mockup: Mockup) -> None:
        """Raise ArtworkError if a file that is not this job's lies where a mock-up would go."""
        self._claim.check(mockup.file)

    def add(self, mockup: Mockup, made: SheetFile, size: tuple[int, int], seconds: float) -> None:
        """Deliver a mock-up, and enter it."""
        self._claim.put(made)
        self._entries[mockup.file] = Entry(mockup.key, made.bytes, made.sha256, *size, round(seconds, 3))
        if time.monotonic() - self._noted_at > max(NOTE_EVERY_S, NOTE_SHARE * self._noting_s):
            self.note()

    def fail(self, mockup: Mockup, reason: str) -> None:
        """Enter why a mock-up could not be made."""
        self.failures.append(Failure(mockup.file, mockup.design, mockup.template.name, reason))

    def note(self) -> None:
        """Write down how far the run has come."""
        began = time.monotonic()
        self._outbox.note(as_text(self._manifest(None)))
        self._noted_at = time.monotonic()
        self._noting_s = self._noted_at - began

    def pause(self) -> None:
        """Write down where the files are how far the run has come: the next one may be another machine's."""
        self._outbox.publish(as_text(self._manifest(None)))

    def publish(self) -> str:
        """Write down that the run is over; return where."""
        self._outbox.publish(as_text(self._manifest(datetime.now(UTC).isoformat(timespec="seconds"))))
        return self._outbox.locate(MANIFEST)

    def files(self) -> tuple[str, ...]:
        """Return where the mock-ups lie, in the order of the plan."""
        return tuple(self._outbox.locate(mockup.file) for mockup in self._plan.mockups if mockup.file in self._entries)

    def _asked(self) -> list[str]:
        """Return the files of all mock-ups asked for that are this job's: made, to be made, or made once."""
        made = [mockup.file for mockup in self._plan.mockups if mockup.file not in self._claim.strangers]
        once = [failure.file for failure in self._plan.failures if failure.file in self._claim.own]
        return list(dict.fromkeys([*made, *once]))

    def _stale(self) -> list[Any]:
        """Return what former manifests say of mock-ups that cannot be made now, and lie there still."""
        failed = dict.fromkeys(failure.file for failure in self.failures)
        return [self._former[file] for file in failed if file in self._former and file not in self._entries]

    def _manifest(self, finished_at: str | None) -> dict[str, Any]:
        studio, plan = self._studio, self._plan
        context, output = studio.context, studio.job.output
        templates = {mockup.template.name: mockup.template for mockup in plan.mockups}
        return {
            "schema": SCHEMA,
            "kind": KIND,
            "tilepress": VERSION,
            "job": studio.job.name,
            "run": run_name(plan.mockups),
            "started_at": context.started_at,
            "finished_at": finished_at,
            "output": output.model_dump(mode="json", exclude={"to", "filename"}),
            "designs_root": studio.designs.root_name,
            "templates_root": studio.photos.root_name,
            "templates": {name: _stated(template) for name, template in templates.items()},
            "mockups": [
                _made(mockup, self._entries[mockup.file]) for mockup in plan.mockups if mockup.file in self._entries
            ],
            "stale": self._stale(),
            "planned": self._asked(),
            "failed": [asdict(failure) for failure in self.failures],
            "totals": {
                "asked": plan.asked,
                "made": self.made,
                "unchanged": self.unchanged,
                "failed": len(self.failures),
            },
            "memory": {
                "limit_bytes": context.governor.limit.bytes,
                "limit_source": context.governor.limit.source,
                "peak_bytes": context.governor.peak_bytes,
            },
            "seconds": studio.watch.seconds(),
        }


def former_entries(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what a manifest says was made, now or by earlier runs, by file: plain names, whatever stands there."""
    entries: dict[str, Mapping[str, Any]] = {}
    for listed in (manifest.get("stale"), manifest.get("mockups")):
        for stated in listed if isinstance(listed, list) else []:
            try:
                entry_of(stated)
                if Path(stated["file"]).name == stated["file"]:
                    entries[stated["file"]] = stated
            except (KeyError, TypeError):
                continue
    return entries


def entry_of(stated: Mapping[str, Any]) -> Entry:
    """Return the entry that a manifest states; KeyError or TypeError if it states none."""
    return Entry(**{name: stated[name] for name in Entry.__dataclass_fields__})


def run_name(mockups: Sequence[Mockup]) -> str:
    """Return the name of a run that makes these mock-ups."""
    digest = hashlib.sha256()
    for mockup in mockups:
        digest.update(f"{mockup.file}\0{mockup.key}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:12]


def _made(mockup: Mockup, entry: Entry) -> dict[str, Any]:
    return {
        "file": mockup.file,
        "design": mockup.design,
        "template": mockup.template.name,
        "artwork": {
            area: {"file": mockup.references[area], **_header(found)} for area, found in mockup.artwork.items()
        },
        "inputs": mockup.inputs,
        **asdict(entry),
    }


def _stated(template: OpenTemplate) -> dict[str, Any]:
    """Return a template as it was used, complete enough to make its mock-ups again."""
    mark = template.watermark_picture
    return {
        "template": template.template.model_dump(mode="json", exclude={"watermark", "caption"}, exclude_none=True),
        "pictures": {
            name: {"file": template.files[name], **_header(picture)} for name, picture in template.pictures.items()
        },
        "watermark": template.watermark.model_dump(mode="json", exclude_none=True) if template.watermark else None,
        "watermark_picture": {"file": template.watermark_file, **_header(mark)} if mark else None,
        "caption": template.caption.model_dump(mode="json", exclude_none=True) if template.caption else None,
    }


def _header(design: Design) -> dict[str, Any]:
    header = design.header
    return {
        "sha256": design.sha256,
        "format": header.format,
        "width_px": header.width_px,
        "height_px": header.height_px,
    }
