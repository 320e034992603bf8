# SPDX-License-Identifier: Apache-2.0
"""Reception: what data providers hand over, and whether it is what they say.

Import from its modules: `reception` has the door (`Reception`), `validate` what reads files, `settings` the
settings, which start with every node and so bring nothing else with them.
"""
