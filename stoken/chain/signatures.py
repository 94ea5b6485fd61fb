# SPDX-License-Identifier: Apache-2.0
"""secp256k1 signatures as the contracts take them: 65 bytes r, s, v with v 27 or 28 and a low s."""

from coincurve import PrivateKey, PublicKey
from eth_hash.auto import keccak

#: A secret of 32 bytes, or the loaded key, which signs four times as fast.
Key = bytes | PrivateKey

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF_ORDER = (_ORDER // 2).to_bytes(32)
_V = (27, 28)


def load_key(secret: Key) -> PrivateKey:
    """Return the key of a secret; do it once for a key that signs often."""
    return secret if isinstance(secret, PrivateKey) else PrivateKey(secret)


def sign(key: Key, digest: bytes) -> bytes:
    """Sign a 32-byte digest."""
    signature = load_key(key).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes((27 + signature[64],))


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the signer's address; empty where the signature is malformed, malleable or recovers nobody."""
    if len(signature) != 65 or signature[64] not in _V or signature[32:64] > _HALF_ORDER:  # noqa: PLR2004
        return b""
    try:
        public = PublicKey.from_signature_and_message(
            signature[:64] + bytes((signature[64] - 27,)), digest, hasher=None
        )
    except ValueError:
        return b""
    return _address(public)


def complete(digest: bytes, r_and_s: bytes, address: bytes) -> bytes:
    """Return what a plain ECDSA signature of 64 bytes is to the contracts: s made low, v found by recovery.

    Empty where it is not by the key of this address, or over something else.
    """
    if len(r_and_s) != 64:  # noqa: PLR2004
        return b""
    s = int.from_bytes(r_and_s[32:])
    low = r_and_s[:32] + (min(s, _ORDER - s) % _ORDER).to_bytes(32)
    signatures = (low + bytes((v,)) for v in _V)
    return next((each for each in signatures if recover(digest, each) == address), b"")


def address_of(key: Key) -> bytes:
    """Return the address of a key."""
    return _address(load_key(key).public_key)


def address_of_point(point: bytes) -> bytes:
    """Return the address of a public key as tokens give it: the point, or a DER octet string of it.

    Empty where that is no point of secp256k1.
    """
    bare = point[2:] if len(point) in {35, 67} and point[:2] == bytes((4, len(point) - 2)) else point
    try:
        return _address(PublicKey(bare))
    except ValueError:
        return b""


def _address(public: PublicKey) -> bytes:
    return keccak(public.format(compressed=False)[1:])[12:]
