# SPDX-License-Identifier: Apache-2.0
"""Suites that whoever writes another back end runs against it. They need pytest, and nothing else imports them."""
