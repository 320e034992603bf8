# SPDX-License-Identifier: Apache-2.0
"""Schema migrations of the node's database, run by `kernel.database.upgrade`."""
