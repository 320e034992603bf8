# SPDX-License-Identifier: Apache-2.0
"""What every part stands on and nothing of the field: errors, ids, coordinates, settings, database, files."""
