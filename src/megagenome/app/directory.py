# SPDX-License-Identifier: Apache-2.0
"""For whom people act at this server, from the roles that its operator granted (`megagenome … role grant`)."""

import sqlalchemy as sa

from megagenome.identity.roles import Grant, grants_of
from megagenome.kernel.callers import Role


class RoleDirectory:
    """`megagenome.access.needs.Directory` over identity's roles. A role without a place has none."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def organisations(self, subject: str, role: Role, /) -> frozenset[str]:
        """Organisations for which the person has the role."""
        return frozenset(each.scope.organisation for each in self._grants(subject, role) if each.scope.organisation)

    def countries(self, subject: str, role: Role, /) -> frozenset[str]:
        """Countries for which the person has the role."""
        return frozenset(each.scope.country for each in self._grants(subject, role) if each.scope.country)

    def _grants(self, subject: str, role: Role) -> list[Grant]:
        with self._engine.connect() as connection:
            return [each for each in grants_of(connection, subject) if each.role is role]
