# SPDX-License-Identifier: Apache-2.0
"""The archive: files of genomes as Crypt4GH, each with a key of its own, so that nothing is lost and nobody who holds
the disk reads them. `archive.Archive` has everything; none is imported here, because whoever reads settings would then
wait for cryptography."""

from megagenome.archive.settings import ArchiveSettings

__all__ = ["ArchiveSettings"]
