# SPDX-License-Identifier: Apache-2.0
"""The web application of the demo's OpenID provider."""

from litestar import Router

from megagenome.app.web import WebApp, elsewhere
from megagenome.identity.provider import DemoProvider
from megagenome.identity.provider_routes import provider_router
from megagenome.portal.demo_sign_in import demo_sign_in_page
from megagenome.portal.node_home import show_node_error
from megagenome.portal.site import static_file


def provider_app(provider: DemoProvider) -> WebApp:
    """The application of a provider: its routes, its form, the files of the style."""
    return WebApp(
        [provider_router(provider, demo_sign_in_page), Router("/", route_handlers=[static_file])],
        exception_handlers=elsewhere(show_node_error),
        openapi_config=None,
    )
