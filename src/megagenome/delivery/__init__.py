# SPDX-License-Identifier: Apache-2.0
"""Delivery: exactly the permitted part leaves, sealed. htsget and DRS are two doors to one range service.
`delivery.Delivery` has everything; none is imported here, because whoever reads settings would then wait for
cryptography."""

from megagenome.delivery.settings import DeliverySettings

__all__ = ["DeliverySettings"]
