"""The version of a store's tables: bringing them up to date step by step, and refusing a newer store."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from serving.errors import StoreError

NEWEST = "7"
_FIRST = "1"
_KNOWN = (_FIRST, "2", "3", "4", "5", "6", NEWEST)
_STEPS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, to: str = NEWEST) -> None:
    """
    Bring a store up to a step, from an empty database or from an earlier release.

    Raises:
        StoreError: a later release made the store.
    """
    step = recorded_step(connection)
    if step == _FIRST and not _counts_steps(connection):
        _adopt(connection)
    if step == to:
        return
    if step is not None and step not in _KNOWN:
        connection.detach()  # nothing will use this store, so the connection is closed, not pooled
        where = connection.engine.url.render_as_string()
        message = (
            f"the store {where} was made by a newer leadscore (step {step}, this one knows {NEWEST}): "
            "install that release again, or restore a backup."
        )
        raise StoreError(message)
    _run(connection, "upgrade", to)


def downgrade(connection: Connection, to: str) -> None:
    """Take a store back to an earlier step; what only later steps store is lost. ``base`` leaves no table."""
    _run(connection, "downgrade", to)


def recorded_step(connection: Connection) -> str | None:
    """Return the step that a store is at; None for an empty database."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" in tables:
        step: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return step
    return _FIRST if "leads" in tables else None


def _counts_steps(connection: Connection) -> bool:
    return "alembic_version" in inspect(connection).get_table_names()


def _adopt(connection: Connection) -> None:
    """Adopt a store of a release that did not count its steps."""
    if "above_for" not in {column["name"] for column in inspect(connection).get_columns("leads")}:
        connection.execute(text("ALTER TABLE leads ADD COLUMN above_for TEXT"))
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:step)"), {"step": _FIRST})


def _run(connection: Connection, command_name: str, to: str) -> None:
    from alembic import command  # noqa: PLC0415 - slow to load, and rarely needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(command, command_name)(config, to)
