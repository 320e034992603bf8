# SPDX-License-Identifier: Apache-2.0
"""The hub's part of federated studies: asks nodes round by round, opens sums only, and turns them into results."""
