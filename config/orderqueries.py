"""What is asked of a shop's orders and their lines, as statements; none is run here.

Orders and lines are two tables, or one where each line names its order itself. A statement's size may grow with the
number of orders that it names, never the number of statements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from config.schema import Choice, Mark
from config.shoptables import Column, Shop, ShopTable, as_text, is_number

_LINE = ("position", "design", "quantity", "width_inches", "height_inches")


@dataclass(frozen=True, slots=True)
class OrderQueries:
    """The statements about orders, for a shop's two tables of them. `orders` has its status where that is asked for."""

    shop: Shop
    orders: ShopTable
    items: ShopTable

    def lines(self, choice: Choice, references: Sequence[str]) -> sa.Select[Any]:
        """Select the lines of the orders chosen, an order's one after another, the oldest order first.

        The columns: the order's reference as text, its key, position, design, quantity, width_inches, height_inches.
        """
        position = [self.items["position"].nulls_last()] if "position" in self.items else []
        return (
            sa.select(as_text(self.orders["reference"]), self._key, *map(self.items.value, _LINE))
            .select_from(self._source(outer=False))
            .where(self._chosen(choice, references))
            .order_by(*self._by_age(), *position, *self.items.key)
        )

    def references(self, choice: Choice, references: Sequence[str]) -> sa.Select[str]:
        """Select the references of the orders chosen, as text."""
        return sa.select(as_text(self.orders["reference"])).where(self._chosen(choice, references))

    def summary(self) -> sa.Select[Any]:
        """Select reference, status, items and copies of every order, the last three as far as they can be told."""
        columns: list[sa.ColumnElement[Any]] = [as_text(self.orders["reference"]).label("reference")]
        grouped: list[Column] = [self.orders["reference"]]
        if "status" in self.orders:
            columns.append(as_text(self.orders["status"]).label("status"))
            grouped.append(self.orders["status"])
        columns.append(sa.func.count(self.items["design" if self.shop.has_one_table else "order_id"]).label("items"))
        if is_number(self.items["quantity"]):
            columns.append(sa.func.coalesce(sa.func.sum(self.items["quantity"]), 0).label("copies"))
        if not self.shop.has_one_table:
            grouped.append(self._key)
        age = [sa.func.min(column).nulls_last() for column in self._age]
        return sa.select(*columns).select_from(self._source(outer=True)).group_by(*grouped).order_by(*age, *grouped)

    def mark(self, mark: Mark, references: Sequence[str], expected_status: str | None) -> sa.Update:
        """Set what `mark` says for these orders; only where it is the status and is as expected, if that is given."""
        column = self._marked_column(mark)
        update = sa.update(self.orders.source).where(self.shop.is_one_of(self.orders["reference"], references))
        if expected_status is not None and column is self.orders.columns.get("status"):
            update = update.where(self.shop.equals(column, expected_status))
        return update.values({column: self.shop.literal(column, mark.value)})

    def marked(self, mark: Mark, references: Sequence[str]) -> sa.Select[str]:
        """Select those of the references, as text, whose orders have what `mark` says."""
        column = self._marked_column(mark)
        named = self.shop.is_one_of(self.orders["reference"], references)
        is_set = column == self.shop.literal(column, mark.value)
        return sa.select(as_text(self.orders["reference"])).where(named, is_set)

    def _marked_column(self, mark: Mark) -> Column:
        return self.shop.column_of("orders", self.orders, mark.column)

    @property
    def _key(self) -> Column:
        """What tells one order from another."""
        return self.orders["reference" if self.shop.has_one_table else "id"]

    @property
    def _age(self) -> list[Column]:
        return [self.orders["created_at"]] if "created_at" in self.orders else []

    def _source(self, *, outer: bool) -> sa.FromClause:
        if self.shop.has_one_table:
            return self.orders.source
        return self.orders.source.join(self.items.source, self.items["order_id"] == self.orders["id"], isouter=outer)

    def _by_age(self) -> list[sa.ColumnElement[Any]]:
        if self.shop.has_one_table:  # where an order is as old as its oldest line
            age = [sa.func.min(column).over(partition_by=self._key).nulls_last() for column in self._age]
        else:
            age = [column.nulls_last() for column in self._age]
        return [*age, self.orders["reference"].nulls_last(), self._key]

    def _chosen(self, choice: Choice, references: Sequence[str]) -> sa.ColumnElement[bool]:
        """Return the condition on orders: those named by `references` if any are, else what `choice` says."""
        if references:
            return self.shop.is_one_of(self.orders["reference"], references)
        conditions = []
        if choice.status is not None:
            conditions.append(self.shop.equals(self.orders["status"], choice.status))
        if choice.ids is not None:
            conditions.append(self.shop.is_one_of(self.orders["reference"], choice.references))
        chosen = sa.and_(*conditions)
        return chosen if choice.limit is None else sa.and_(chosen, self._key.in_(self._oldest(chosen, choice.limit)))

    def _oldest(self, chosen: sa.ColumnElement[bool], limit: int) -> sa.Select[Any]:
        """Select the keys of the oldest orders that have lines: others would hold up those behind them for ever."""
        if self.shop.has_one_table:
            age = [sa.func.min(column).nulls_last() for column in self._age]
            query = sa.select(self._key).where(chosen).group_by(self._key).order_by(*age, self._key)
        else:
            with_lines = sa.select(self.items["order_id"]).correlate(None)
            query = sa.select(self._key).where(chosen, self._key.in_(with_lines)).order_by(*self._by_age())
        return query.limit(limit).correlate(None)
