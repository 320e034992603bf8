# SPDX-License-Identifier: Apache-2.0
"""What every part stands on: errors, ids, coordinates, callers, settings, database, files, keys, ledger, output."""
