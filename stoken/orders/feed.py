# SPDX-License-Identifier: Apache-2.0
"""Brings final blocks to the venue: tails the ledger's feed and journals each block before it decides anything."""

from typing import Final

import msgspec

from stoken.domain.facts import Fact

_BATCH: Final = 500
_decode_facts = msgspec.msgpack.Decoder(tuple[Fact, ...]).decode
