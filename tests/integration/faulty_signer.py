# SPDX-License-Identifier: Apache-2.0
"""A signer that fails on some payloads, as a remote one does that refuses them or is gone."""

from stoken.transactions.signer import KeystoreSigner, SignerError


class FaultySigner:
    """Fails on what holds any of these bytes, and counts how often it was asked."""

    def __init__(self, secret: bytes, *marks: bytes) -> None:
        self._signer = KeystoreSigner(secret)
        self.marks = marks
        self.asked = 0

    @property
    def address(self) -> bytes:
        return self._signer.address

    def sign(self, payload: bytes) -> bytes:
        self.asked += 1
        if any(mark in payload for mark in self.marks):
            raise SignerError("no answer")
        return self._signer.sign(payload)
