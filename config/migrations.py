"""tilepress's own tables: made and brought up to date in one transaction, by version; a shop's are left alone.

What was made is written down in `tilepress_schema`: tables that are not named there are not tilepress's, whatever they
are called, and nothing is ever written to them from here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from config import runs_tables, tables, templatetable
from config.errors import ConfigurationError
from config.schema import DatabaseSettings
from config.shoptables import SECTIONS

_VERSIONS: dict[int, tuple[sa.Table, ...]] = {
    1: tuple(tables.metadata.sorted_tables),
    2: tuple(runs_tables.metadata.sorted_tables),
    3: tuple(templatetable.metadata.sorted_tables),
}
_LATEST = max(_VERSIONS)
_LOCK = 0x74696C6570726573  # "tilepres", as PostgreSQL's advisory locks are numbers
_REMEDY = "Make them, or bring them up to date, with: tilepress db init --pipeline FILE (or --database URL)"

_metadata = sa.MetaData()
_schema = sa.Table(
    "tilepress_schema",
    _metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("made", sa.Text, nullable=False),  # the tables of this version that tilepress made, by name
    sa.Column("applied_at", runs_tables.UtcTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Migration:
    """What was done to a database: tables made, taken over from before versions were kept, left as a shop's own."""

    version: int
    made: tuple[str, ...]
    taken_over: tuple[str, ...]
    left: tuple[str, ...]


def migrate(connection: sa.Connection, settings: DatabaseSettings, address: str) -> Migration:
    """Make what is missing of tilepress's tables, but for those that the settings say a shop has.

    Whoever does the same at the same time waits for the end of the transaction. Raises ConfigurationError, with
    `address` in it, if a newer tilepress made the tables, or another program has one of the names that only
    tilepress's can have.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    recorded = _recorded(connection)
    _check_known(recorded, address)
    there = {table.name for version in _VERSIONS.values() for table in version if _has(connection, table)}
    taken_over = _former(connection, there) if not recorded else ()
    ours = {*taken_over, *(name for names in recorded.values() for name in names)}
    strangers = sorted(there - ours - set(SECTIONS))
    if strangers:
        raise ConfigurationError(
            f"{address}: the table {', '.join(strangers)} is there, and tilepress did not make it here", "Rename it."
        )
    wanted = _wanted(settings, there)
    made: list[str] = []
    _metadata.create_all(connection)
    for version, its_tables in _VERSIONS.items():
        missing = [table for table in its_tables if table.name in wanted]
        if missing:
            missing[0].metadata.create_all(connection, missing, checkfirst=False)
        made += [table.name for table in missing]
        _record(connection, version, [table.name for table in its_tables if table.name in {*ours, *made}], recorded)
    foreign = [name for name in SECTIONS if name in there - ours and getattr(settings, name).table == name]
    return Migration(_LATEST, tuple(made), tuple(taken_over), tuple(foreign))


def tables_made(connection: sa.Connection, address: str) -> frozenset[str]:
    """Return the names of the tables that tilepress made here; ConfigurationError if they are not of this version."""
    recorded = _recorded(connection)
    _check_known(recorded, address)
    if _LATEST not in recorded:
        state = f"are of version {max(recorded)}, not {_LATEST}" if recorded else "have not been made"
        raise ConfigurationError(f"{address}: tilepress's own tables {state}", _REMEDY)
    return frozenset(name for names in recorded.values() for name in names)


def is_made(connection: sa.Connection, table: sa.Table) -> bool:
    """Tell whether tilepress made this table here, of whichever version its tables are."""
    return any(table.name in names for names in _recorded(connection).values())


def _recorded(connection: sa.Connection) -> dict[int, list[str]]:
    if not _has(connection, _schema):
        return {}
    return {row.version: row.made.split() for row in connection.execute(sa.select(_schema.c.version, _schema.c.made))}


def _check_known(recorded: Collection[int], address: str) -> None:
    if max(recorded, default=0) > _LATEST:
        raise ConfigurationError(
            f"{address}: a newer tilepress made its tables, version {max(recorded)}; this one knows {_LATEST}",
            "Install that tilepress here too.",
        )


def _former(connection: sa.Connection, there: Collection[str]) -> tuple[str, ...]:
    """Return the tables that a tilepress without versions made: all four of them, with its columns and no others."""
    inspector = sa.inspect(connection)
    for table in _VERSIONS[1]:
        if table.name not in there:
            return ()
        if {column["name"] for column in inspector.get_columns(table.name)} != set(table.columns.keys()):
            return ()
    return tuple(table.name for table in _VERSIONS[1])


def _wanted(settings: DatabaseSettings, there: Collection[str]) -> set[str]:
    """Return the tables to make: none that a shop has. Orders without lines of their own would be of no use."""
    defaults = DatabaseSettings.model_construct(url="")
    own = {name for name in SECTIONS if getattr(settings, name) == getattr(defaults, name) and name not in there}
    if not {"orders", "order_items"} <= own:
        own -= {"orders", "order_items"}
    later = {table.name for version in _VERSIONS if version > 1 for table in _VERSIONS[version]}
    return own | (later - set(there))


def _record(connection: sa.Connection, version: int, names: list[str], recorded: dict[int, list[str]]) -> None:
    if version not in recorded:
        row = {"version": version, "made": " ".join(names), "applied_at": datetime.now(UTC)}
        connection.execute(_schema.insert().values(**row))
    elif set(names) != set(recorded[version]):
        connection.execute(_schema.update().where(_schema.c.version == version).values(made=" ".join(names)))


def _has(connection: sa.Connection, table: sa.Table) -> bool:
    return sa.inspect(connection).has_table(table.name)
