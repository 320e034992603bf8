# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: migrate on the connection that `kernel.database.upgrade` opened; its transaction holds it all."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
