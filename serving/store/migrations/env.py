"""What Alembic runs: the steps, on the connection it was handed, inside its transaction."""

from alembic import context

from serving.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
