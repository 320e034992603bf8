# SPDX-License-Identifier: Apache-2.0
"""`megagenome demo`: a whole network on one machine, and questions to it whose answers are known another way."""
