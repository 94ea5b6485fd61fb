# SPDX-License-Identifier: Apache-2.0
"""stoken: a permissioned Ethereum toolkit for exchanges of tokenised securities."""

import os

# Left alone, eth-hash takes the slower of the two backends that are installed, by a factor of three.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
