# SPDX-License-Identifier: Apache-2.0
"""What reads submitted files, one kind each. They run in a process of their own, `reception.worker`, and only there."""
