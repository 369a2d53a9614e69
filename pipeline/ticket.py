"""The job ticket: a run as it was planned, complete enough to be printed by another process on another day. Pure.

A run is named by what it is to print: the same orders of the same pipeline, laid out alike, give the same name.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from pipeline.plan import Plan

SCHEMA = 1
DATE, RUN = "{date}", "{run}"  # stand in names until a ticket is issued
_NAME_CHARACTERS = 12  # of 64; 2⁴⁸ names


@dataclass(frozen=True, slots=True)
class Ticket:
    """What one run prints, where it goes, and under which names.

    `date` is the UTC date of planning (ISO 8601), `place` a folder or URL, `ordered` the run's copies by (order,
    design). `artwork` says of each design's name what its header says: format, width and height in pixels.
    `references` says where artwork is found whose name does not say it whole, as of a signed URL. `warnings` are what
    the operator should know of what is printed, as of coarse artwork. `status` is what the orders were chosen by, None
    if it was something else.
    """

    run: str
    job: str
    date: str
    place: str
    format: str
    designs_root: str
    plan: Plan
    ordered: Mapping[tuple[str, str], int]
    artwork: Mapping[str, Mapping[str, Any]]
    references: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    status: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the ticket as plain values for JSON."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "job": self.job,
            "date": self.date,
            "place": self.place,
            "format": self.format,
            "designs_root": self.designs_root,
            "plan": self.plan.as_json(),
            "ordered": [[order, design, copies] for (order, design), copies in self.ordered.items()],
            "artwork": {name: dict(header) for name, header in self.artwork.items()},
            "references": dict(self.references),
            "warnings": list(self.warnings),
            "status": self.status,
        }

    @classmethod
    def from_json(cls, stated: Mapping[str, Any]) -> Self:
        """Return the ticket that `as_json` stated; KeyError, TypeError or ValueError if it is none."""
        if stated["schema"] != SCHEMA:
            raise ValueError(f"a ticket of schema {stated['schema']}")
        names = ("run", "job", "date", "place", "format", "designs_root", "artwork", "references", "status")
        return cls(
            **{name: stated[name] for name in names},
            plan=Plan.from_json(stated["plan"]),
            ordered={(order, design): copies for order, design, copies in stated["ordered"]},
            warnings=tuple(stated["warnings"]),
        )

    def without(self, parts: Collection[int]) -> Self:
        """Return the ticket of what is left when these parts, by number, are not printed."""
        ordered = Counter(self.ordered)
        for part in self.plan.parts:
            if part.number in parts:
                ordered.subtract(Counter((placement.order, placement.design) for placement in part.placements))
        kept = tuple(part for part in self.plan.parts if part.number not in parts)
        return replace(self, plan=replace(self.plan, parts=kept), ordered={k: n for k, n in ordered.items() if n > 0})


def name_run(pipeline: str, job: str, to: str, kind: str, plan: Plan) -> str:
    """Return the name of the run that prints `plan` to wherever `output.to` says, in files of a kind.

    It does not depend on the day, nor on where exactly its parts come to lie.
    """
    said = json.dumps([pipeline, job, to, kind, plan.digest()]).encode()
    return hashlib.sha256(said).hexdigest()[:_NAME_CHARACTERS]


def issue_ticket(
    run: str,
    plan: Plan,
    *,
    job: str,
    date: str,
    place: str,
    format: str,
    designs_root: str,
    ordered: Mapping[tuple[str, str], int],
    artwork: Mapping[str, Mapping[str, Any]],
    references: Mapping[str, str],
    warnings: tuple[str, ...] = (),
    status: str | None = None,
) -> Ticket:
    """Return the ticket of a plan: the run's name and the date come to stand in its files' names."""
    parts = tuple(replace(part, file=part.file.replace(DATE, date).replace(RUN, run)) for part in plan.parts)
    return Ticket(
        run=run,
        job=job,
        date=date,
        place=place,
        format=format,
        designs_root=designs_root,
        plan=replace(plan, parts=parts),
        ordered=ordered,
        artwork=artwork,
        references=references,
        warnings=warnings,
        status=status,
    )
