# SPDX-License-Identifier: Apache-2.0
"""What a hub does with catalogues: it harvests those of its nodes and foreign ones, lists, searches and serves them."""
