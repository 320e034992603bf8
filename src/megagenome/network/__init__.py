# SPDX-License-Identifier: Apache-2.0
"""The hub over a list of nodes: one question to all of them at once, their answers in one, each node's part labelled.

It knows nodes by the Beacon that they serve and by nothing else, so any GA4GH Beacon v2 can be one. Nothing is
imported here: `ask` starts without the web parts, and the web parts without the command line.
"""
