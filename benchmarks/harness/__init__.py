# SPDX-License-Identifier: Apache-2.0
"""What areas measure with: claims, whole processes' CPU time beside a peer's, load over HTTP."""
