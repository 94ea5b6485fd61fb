# SPDX-License-Identifier: Apache-2.0
"""The keyed pseudonym of a person: what links accounts at several brokers, and says nothing else."""

from hashlib import sha256
from hmac import new

_OCTETS = 32


class Pseudonyms:
    """HMAC-SHA256 over the key's id and the connecting information (CI); the CI itself is never kept."""

    def __init__(self, key_id: str, key: bytes) -> None:
        """Take the venue's key and the id that names it; raises ValueError for a key under 32 bytes."""
        if len(key) < _OCTETS:
            raise ValueError("a pseudonym key has at least 32 bytes")
        self.key_id = key_id
        self._key = key

    def of(self, ci: str) -> bytes:
        """Return the pseudonym of a person."""
        return new(self._key, f"{self.key_id}:{ci}".encode(), sha256).digest()
