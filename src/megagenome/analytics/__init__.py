# SPDX-License-Identifier: Apache-2.0
"""One node's part of federated studies: reads its own people's genotypes by permit and answers in sums."""
