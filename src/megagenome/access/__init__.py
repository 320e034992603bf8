# SPDX-License-Identifier: Apache-2.0
"""Access: the application process, from a saved cohort to a permit that each country decided on.

`process.Process` takes commands, `reading.Reader` shows what a caller may see, `routes.access_router` serves both;
`rules.TABLE` says who may do what. None is imported here, because whoever reads settings would then wait for the web.
"""

from megagenome.access.settings import AccessSettings

__all__ = ["AccessSettings"]
