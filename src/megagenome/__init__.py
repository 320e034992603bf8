# SPDX-License-Identifier: Apache-2.0
"""Megagenome: a national genome node and the network hub. One million genomes, one network, no central copy."""

__version__ = "0.1.0"
