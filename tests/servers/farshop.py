"""A shop all of whose things are elsewhere: orders in a database of its own making, artwork and sheets on servers."""

import hashlib
import io
import itertools
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sqlalchemy as sa
import yaml
from PIL import Image

from tests.conftest import REPOSITORY, Outcome, environment, tilepress
from tests.servers.sftp import USER

if TYPE_CHECKING:
    from tests.servers.http import HttpServer
    from tests.servers.s3 import S3Server
    from tests.servers.sftp import SftpServer

DEADLINE_S = 120.0

_metadata = sa.MetaData()
devices = sa.Table(
    "devices",
    _metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("max_width_inches", sa.Numeric(8, 3)),
    sa.Column("max_height_inches", sa.Numeric(8, 3)),
    sa.Column("dpi", sa.Integer),
    sa.Column("is_active", sa.Boolean),
    sa.Column("colour", sa.Text),
)
canvas_configs = sa.Table(
    "canvas_configs",
    _metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("width_inches", sa.Float),
    sa.Column("height_inches", sa.Float),
    sa.Column("dpi", sa.Integer),
    sa.Column("spacing_width_inches", sa.Float),
    sa.Column("spacing_height_inches", sa.Float),
    sa.Column("is_active", sa.Boolean),
)
purchases = sa.Table(
    "purchases",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Text, unique=True),
    sa.Column("state", sa.Text),
    sa.Column("placed_at", sa.DateTime(timezone=True)),
    sa.Column("note", sa.Text),
)
purchase_lines = sa.Table(
    "purchase_lines",
    _metadata,
    sa.Column("purchase", sa.Integer, sa.ForeignKey("purchases.id")),
    sa.Column("line", sa.Integer),
    sa.Column("artwork", sa.Text),
    sa.Column("copies", sa.Integer),
    sa.Column("w", sa.Numeric(8, 3)),
    sa.Column("h", sa.Numeric(8, 3)),
)
MAPPING = {
    "printers": {"table": "devices"},
    "orders": {"table": "purchases", "columns": {"reference": "number", "status": "state", "created_at": "placed_at"}},
    "order_items": {
        "table": "purchase_lines",
        "columns": {
            "order_id": "purchase",
            "position": "line",
            "design": "artwork",
            "quantity": "copies",
            "width_inches": "w",
            "height_inches": "h",
        },
    },
}


def artwork(seed: int, width: int = 60, height: int = 40) -> bytes:
    """Return a PNG of its own, tagged 100 DPI."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png", dpi=(100, 100))
    return buffer.getvalue()


@dataclass
class FarShop:
    """The shop; `run` runs the program on it in a process of its own."""

    folder: Path
    database: str
    sftp: "SftpServer"
    s3: "S3Server | None" = None
    http: "HttpServer | None" = None
    job: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.sftp.root / "art").mkdir(exist_ok=True)
        self._numbers = itertools.count(1)
        self._engine = sa.create_engine(self.database.replace("postgresql://", "postgresql+psycopg://"))
        _metadata.create_all(self._engine)
        with self._engine.begin() as connection:
            device = {"name": "Main UV", "max_width_inches": 4, "max_height_inches": 5, "dpi": 100, "is_active": True}
            connection.execute(devices.insert().values(id=uuid.uuid4(), **device))
            canvas = {"name": "Small", "width_inches": 4, "height_inches": 9, "dpi": 100, "is_active": True}
            spacing = {"spacing_width_inches": 0.1, "spacing_height_inches": 0.1}
            connection.execute(canvas_configs.insert().values(id=uuid.uuid4(), **canvas, **spacing))
        self.job = {
            "kind": "gangsheet",
            "name": "night",
            "sheet": {"printer": "Main UV", "canvas": "Small"},
            "orders": {"database": "pending", "mark": {"column": "state", "value": "printed"}},
            "designs": {"root": self.sftp.url("/art")},
            "quality": {"min_dpi": 0},
            "output": {"to": self.sftp.url("/sheets")},
        }

    @property
    def pipeline(self) -> Path:
        return self.folder / "pipeline.yaml"

    @property
    def environment(self) -> dict[str, str]:
        """What the program is told besides."""
        s3 = self.s3.environment if self.s3 is not None else {}
        http = {"SSL_CERT_FILE": str(self.http.ca_file)} if self.http is not None else {}
        return {"DATABASE_URL": self.database, **s3, **http, **self.extra}

    @property
    def sheets(self) -> Path:
        """Where parts are delivered to by SFTP, as the server sees it."""
        return self.sftp.root / "sheets"

    @property
    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.sheets / "manifest.json").read_text())
        return content

    def write(self) -> Path:
        access = {"known_hosts": str(self.sftp.known_hosts), "key_file": str(self.sftp.key_file), "user": USER}
        content = {
            "version": 1,
            "name": "far",
            "database": {"url": "${DATABASE_URL}", **MAPPING},
            "storage": {"attempts": 2, "connect_timeout_s": 5, "read_timeout_s": 5, "sftp": access},
            **self.keys,
            "jobs": [self.job],
        }
        self.pipeline.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return self.pipeline

    def order(self, lines: Sequence[tuple[str, int]], *, state: str = "pending", number: str = "") -> str:
        """Place an order; return its number."""
        key = next(self._numbers)
        number = number or f"A-{key:04}"
        placed_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=key)
        with self._engine.begin() as connection:
            order = {"id": key, "number": number, "state": state, "placed_at": placed_at, "note": "theirs"}
            connection.execute(purchases.insert().values(**order))
            for line, (name, copies) in enumerate(lines, start=1):
                item = {"purchase": key, "line": line, "artwork": name, "copies": copies}
                connection.execute(purchase_lines.insert().values(**item))
        return number

    def states(self) -> dict[str, str]:
        with self._engine.begin() as connection:
            return {row.number: row.state for row in connection.execute(sa.select(purchases).order_by(purchases.c.id))}

    def execute(self, sql: str) -> Sequence[sa.Row[Any]]:
        with self._engine.begin() as connection:
            result = connection.execute(sa.text(sql))
            return result.all() if result.returns_rows else []

    def init(self) -> None:
        """Write the pipeline file, and make the ledger's tables."""
        outcome = tilepress("db", "init", "--pipeline", self.write(), **self.environment)
        assert outcome.exit_code == 0, outcome.text

    def run(self, *arguments: object, command: str = "run", **extra: str) -> Outcome:
        return tilepress(command, self.write(), *arguments, **{**self.environment, **extra})

    def verify(self, manifest: str | None = None) -> Outcome:
        where = manifest or self.sftp.url("/sheets/manifest.json")
        return tilepress("verify", where, "--pipeline", self.pipeline, "--work", self.folder, **self.environment)

    def delivered_files(self) -> dict[str, str]:
        """Return the SHA-256 of every file below `sheets`, hidden ones too, the manifest's left out."""
        return {
            str(path.relative_to(self.sheets)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.sheets.rglob("*"))
            if path.is_file() and path.name != "manifest.json"
        }

    def close(self) -> None:
        self._engine.dispose()


def begin(shop: FarShop, stderr: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    """Start a run without waiting for it."""
    command = [sys.executable, str(REPOSITORY / "cli.py"), "run", str(shop.write())]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, env=environment(shop.environment))


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Poll until the condition holds."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.002)


def copies_printed(manifests: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, int]]:
    """Return every copy that these manifests list as placed, sorted."""
    return sorted(
        (place["order"], place["design"], place["copy"])
        for manifest in manifests
        for part in manifest["parts"]
        for place in part["placements"]
    )


@pytest.fixture
def far_shop(tmp_path: Path, any_database: str, sftp_server: "SftpServer") -> Iterator[FarShop]:
    """The shop, with its database in SQLite and then in PostgreSQL, and a NAS."""
    shop = FarShop(tmp_path / "far", any_database, sftp_server)
    yield shop
    shop.close()
