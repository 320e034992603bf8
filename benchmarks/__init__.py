# SPDX-License-Identifier: Apache-2.0
"""What Megagenome claims about its speed and size, measured anew: one module per area, with `claims(seed)`.

`python -m benchmarks NAME` runs one area, `make bench` all. Whoever claims a number elsewhere points here.
"""
