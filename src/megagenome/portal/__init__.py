# SPDX-License-Identifier: Apache-2.0
"""Server-rendered pages for people: the hub's portal (`routes.portal_router`) and a node's start page (`node_home`).

It calls the hub's own JSON API in process and knows nothing but `standards.federation`, so a page can show no more
than the API tells. Nothing is imported here: a node that only needs its start page loads only that.
"""
