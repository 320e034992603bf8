# SPDX-License-Identifier: Apache-2.0
"""Wire formats, one module per specification: frozen types from and to bytes and JSON. No file, no clock, no web."""
