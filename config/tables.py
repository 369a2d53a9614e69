"""tilepress's own database tables: printers, canvas configurations, orders and their items.

Plain SQLAlchemy types only, so that SQLite and PostgreSQL hold the same schema; defaults are the
database's, so that rows written by other programs get them too. Lengths are in inches.
"""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    false,
    func,
    true,
)

metadata = MetaData()

printers = Table(
    "printers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("max_width_inches", Float, nullable=False),
    Column("max_height_inches", Float),
    Column("dpi", Integer, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    Column("is_default", Boolean, nullable=False, server_default=false()),
)

canvas_configs = Table(
    "canvas_configs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("max_height_inches", Float),
    Column("dpi", Integer),
    Column("spacing_width_inches", Float),
    Column("spacing_height_inches", Float),
    Column("is_active", Boolean, nullable=False, server_default=true()),
)

orders = Table(
    "orders",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("reference", String(200), nullable=False, unique=True),
    Column("status", String(40), nullable=False, server_default="pending"),
    Column("created_at", DateTime, nullable=False, server_default=func.now()),
)

order_items = Table(
    "order_items",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", Uuid, ForeignKey("orders.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("design", String(2000), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("width_inches", Float),
    Column("height_inches", Float),
    UniqueConstraint("order_id", "position"),
)
