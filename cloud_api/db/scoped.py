"""The ways to the rows: those of one organisation, or of any with a reason on a short list.

A session of an organisation adds `tenant_id = ...` to every statement it sends and refuses
those it cannot add it to, so that a forgotten filter finds nothing of anybody else. The two
shortest transactions go without a session: one row found by its key, and rows that are only added.
`tests/contract/test_tenant_scope.py` holds that no session is opened anywhere else and that each
reason is used where it belongs.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, String, Table, TextClause, event, insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column, with_loader_criteria
from sqlalchemy.sql import visitors

from cloud_api.db.one_step import OneStep

TENANT_CHARS: Final = 64
_TENANT: Final = "tenant_id"

DEFAULT_TENANT: Final = "default"
"""The organisation of a service that knows only one, and of its rows before migration 0006."""


class TenantRow:
    """Mixin of every table whose rows belong to one organisation."""

    tenant_id: Mapped[str] = mapped_column(String(TENANT_CHARS))


class Reason(StrEnum):
    """Why a session may see rows of every organisation."""

    AUTHENTICATION = "the caller's organisation is what is being found out"
    DEVICE = "every statement names the one device that signed"
    STREAM = "the event log is carried on whole, to the lake of the service"
    COUNTS = "rows are counted over all organisations and none is named"
    SERVICE = "rows the operator set for everybody"


class ScopeError(RuntimeError):
    """A statement that the scope of its session cannot hold: a fault of the program."""


class ScopedSession(Session):
    """A session that knows whose rows it may touch (`info["tenant"]`, None for any)."""


@asynccontextmanager
async def tenant_session(engine: AsyncEngine, tenant_id: str) -> AsyncIterator[AsyncSession]:
    """Open a transaction on the rows of one organisation; committed at the end of the block."""
    if not tenant_id:
        raise ScopeError("no organisation")
    async with _open(engine, tenant_id) as session, session.begin():
        yield session


@asynccontextmanager
async def unscoped_session(engine: AsyncEngine, reason: Reason) -> AsyncIterator[AsyncSession]:  # noqa: ARG001 - read by the lint
    """Open a transaction on the rows of every organisation; committed at the end of the block."""
    async with _open(engine, None) as session, session.begin():
        yield session


async def unscoped_row(
    database: OneStep,
    reason: Reason,  # noqa: ARG001 - read by the lint
    statement: Select[*tuple[Any, ...]],
    **values: Any,
) -> Row[*tuple[Any, ...]] | None:
    """Return the one row `statement` finds with `values` bound, None when there is none."""
    return await database.read(lambda to: to.execute(statement, values).one_or_none())


async def add_rows(
    database: OneStep, table: type[TenantRow], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Add rows in one transaction, each to the organisation it names; nothing can be read here.

    Durable when it returns; none is there when it raises.
    """
    if not all(row[_TENANT] for row in rows):
        raise ScopeError("no organisation")
    await database.write(lambda to: to.execute(insert(table), rows))


def _open(engine: AsyncEngine, tenant_id: str | None) -> AsyncSession:
    return AsyncSession(
        engine,
        sync_session_class=ScopedSession,
        expire_on_commit=False,
        info={"tenant": tenant_id},
    )


@event.listens_for(ScopedSession, "do_orm_execute")
def _add_the_tenant(state: ORMExecuteState) -> None:
    tenant: str | None = state.session.info["tenant"]
    if tenant is None or not _touches_tenants(state.statement):
        return
    if state.is_insert or not state.is_orm_statement:
        raise ScopeError("write rows with session.add, read them through their class")

    def own(row: type[TenantRow]) -> ColumnElement[bool]:
        belongs: ColumnElement[bool] = row.tenant_id == tenant
        return belongs

    criteria = with_loader_criteria(
        TenantRow, own, include_aliases=True, track_closure_variables=True
    )
    state.statement = state.statement.options(criteria)


@event.listens_for(ScopedSession, "before_flush")
def _refuse_rows_of_others(session: Session, _context: Any, _instances: Any) -> None:
    tenant = session.info["tenant"]
    for row in (*session.new, *session.dirty, *session.deleted):
        if tenant is not None and isinstance(row, TenantRow) and row.tenant_id != tenant:
            raise ScopeError("a row of another organisation")


def _touches_tenants(statement: Any) -> bool:
    """Return whether rows of organisations may be meant; text may mean any."""
    return any(
        isinstance(part, TextClause) or (isinstance(part, Table) and _TENANT in part.columns)
        for part in visitors.iterate(statement)
    )
