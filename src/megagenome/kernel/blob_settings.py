# SPDX-License-Identifier: Apache-2.0
"""Where a node's sealed files lie, the table `[blobs]` of a settings file."""

import msgspec

from megagenome.kernel.secret import Secret


class BlobSettings(msgspec.Struct, frozen=True):
    """`[blobs]`: where sealed files lie.

    url                a folder, `file:///folder` or `s3://bucket/prefix`; empty: `blobs` in the node's folder
    endpoint           of the object store, where it is not Amazon's
    region             of the object store
    access_key_id      as whom it is asked; empty: as the environment or the machine says (`AWS_ACCESS_KEY_ID` ...)
    secret_access_key  its secret; better by the environment than in the file
    """

    url: str = ""
    endpoint: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: Secret = Secret()
