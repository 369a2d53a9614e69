"""The ledger's tables: runs as they were planned, their parts, and the copies of orders on each part.

The same schema in SQLite and PostgreSQL. A run's `number` says which was planned first, whatever clocks say. Order
ids and names of designs may be longer than a B-tree of PostgreSQL takes; what is looked up by them is hashed there.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()


class UtcTime(TypeDecorator[datetime]):
    """A moment: aware on both ways, in UTC on the way out. SQLite stores no zone, so what it stores is UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment as it is stored."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment that was stored."""
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


runs = Table(
    "tilepress_runs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("pipeline", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("place", Text, nullable=False),  # where the parts go
    Column("ticket", Text, nullable=False),  # JSON, understood by the pipeline alone
    Column("planned_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("version", Text, nullable=False),  # of the program that planned it
)

parts = Table(
    "tilepress_parts",
    metadata,
    Column("run_id", Text, ForeignKey("tilepress_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("file", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("bytes", BigInteger),
    Column("sha256", Text),
    Column("rendered_at", UtcTime),
    Column("delivered_at", UtcTime),
    CheckConstraint("state IN ('planned', 'rendered', 'delivered')", name="tilepress_parts_state"),
)

copies = Table(
    "tilepress_copies",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … on each part
    Column("order_ref", Text, nullable=False),
    Column("design", Text, nullable=False),
    Column("first", Integer, nullable=False),  # copies `first` … `first + count - 1` of the order's design
    Column("count", Integer, nullable=False),
    ForeignKeyConstraint(["run_id", "part"], ["tilepress_parts.run_id", "tilepress_parts.part"], ondelete="CASCADE"),
)

Index("tilepress_copies_order", copies.c.order_ref, postgresql_using="hash")
