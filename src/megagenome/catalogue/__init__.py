# SPDX-License-Identifier: Apache-2.0
"""The catalogue: what a node tells of its datasets, as a FAIR Data Point."""
