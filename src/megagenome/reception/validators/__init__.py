# SPDX-License-Identifier: Apache-2.0
"""What reads submitted files, one kind each, in a process of their own (`reception.inspector`), and only there."""
