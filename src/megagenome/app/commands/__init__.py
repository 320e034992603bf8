# SPDX-License-Identifier: Apache-2.0
"""Commands of those who run a node or a hub, and the demo of both."""
