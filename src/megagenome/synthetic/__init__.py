# SPDX-License-Identifier: Apache-2.0
"""Countries that do not exist, for demonstrations, tests and benchmarks: `europe.simulate`, `recount.count_truth`.

Nothing is imported here: msprime takes half a second to import, and the command line asks for this package first.
"""
