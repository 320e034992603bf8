# SPDX-License-Identifier: Apache-2.0
"""Who somebody is: sign-in at an OpenID provider, sessions, roles. Modules are imported by name; none is heavy."""
