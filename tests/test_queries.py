"""How often a run asks its database: a thousand orders are no more questions than ten."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from config.errors import ExitCode
from config.loader import load_pipeline
from pipeline.log import NoProgress
from pipeline.runner import run_jobs
from pipeline.surroundings import build_context
from tests.servers.farshop import FarShop, artwork

if TYPE_CHECKING:
    from tests.servers.sftp import SftpServer


def statements_of_a_run(shop: FarShop, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run the shop's pipeline in this process, and return what it asked the database, and told it."""
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    pipeline = load_pipeline(shop.write(), shop.environment)
    context = build_context(pipeline, shop.pipeline, NoProgress())
    assert context.database is not None
    said: list[str] = []

    def listen(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    sa.event.listen(context.database.engine, "before_cursor_execute", listen)
    _, code = run_jobs(pipeline.jobs, context)
    assert code == ExitCode.DONE
    return said


def test_questions_do_not_grow_with_the_number_of_orders(
    tmp_path: Path, postgres: str, sftp_server: "SftpServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = FarShop(tmp_path / "far", postgres, sftp_server)
    for index in range(3):
        (sftp_server.root / "art" / f"{index}.png").write_bytes(artwork(index, 20, 10))
    shop.job["sheet"] = {"width_in": 20, "height_in": 20, "dpi": 100}
    shop.job["output"] = {"to": "out"}
    shop.init()

    counts = []
    for orders in (10, 400):
        for index in range(orders):
            shop.order([(f"{index % 3}.png", 1), (f"{(index + 1) % 3}.png", 1)])
        counts.append(len(statements_of_a_run(shop, monkeypatch)))
    shop.close()

    assert counts[0] == counts[1]
