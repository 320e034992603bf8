# SPDX-License-Identifier: Apache-2.0
"""What may be asked of an application. On the wire a command is its JSON with its name as `type`."""
