# SPDX-License-Identifier: Apache-2.0
"""After an old back-up was restored: what our keys have sent since is taken back into the outbox, from the chain.

It waits there under keys of its own. The first request or batch of trades that would be the very same call claims it
instead of being sent a second time: calls carry signed statements, so that equal ones are one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from eth_hash.auto import keccak
from sqlalchemy import Connection, Engine, func, insert, select

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import recover
from stoken.chain.transactions import legacy_fields, signed_legacy, signing_payload
from stoken.db import reading
from stoken.domain.transaction_states import TransactionStatus
from stoken.errors import StartupError
from stoken.transactions import recovered, senders
from stoken.transactions.tables import outbox

#: Nonces by key: the next one here, and the next one on the chain.
Gaps = Mapping[bytes, tuple[int, int]]

_BLOCKS: Final = 50


class Found(NamedTuple):
    """A transaction of one of our keys that this database did not know."""

    sender: bytes
    nonce: int
    hash: bytes
    raw: bytes
    receiver: bytes
    data: bytes
    gas: int


def gaps(engine: Engine, rpc: RpcClient) -> Gaps:
    """Return which nonces of this database's keys the chain has beyond it.

    Raises StartupError while one of them waits at the node: nobody knows yet which block will hold it.
    """
    with reading(engine) as connection:
        known = senders.next_nonces(connection)
    missing = {}
    for address, following in known.items():
        mined, pending = senders.sent(rpc, address)
        if pending > max(mined, following):
            raise StartupError(f"transactions of the key 0x{address.hex()} wait at the node: try again later")
        if mined > following:
            missing[address] = (following, mined)
    return missing


def search(rpc: RpcClient, chain_id: int, missing: Gaps, advance: Callable[[int], object] = int) -> list[Found]:
    """Read blocks backwards from the head until each missing nonce is found; return them by key and nonce.

    Raises StartupError where one is in no block, or was not signed by this program.
    """
    wanted = {(address, nonce) for address, (first, end) in missing.items() for nonce in range(first, end)}
    found: dict[tuple[bytes, int], Found] = {}
    number = int(rpc.call("eth_blockNumber"), 16)
    while wanted - found.keys() and number >= 0:
        numbers = range(number, max(-1, number - _BLOCKS), -1)
        blocks = rpc.batch([("eth_getBlockByNumber", (hex(each), True)) for each in numbers])
        for transaction in (each for block in blocks for each in block["transactions"]):
            place = (_bytes(transaction["from"]), int(transaction["nonce"], 16))
            if place in wanted:
                found[place] = _read(transaction, place, chain_id)
        advance(len(numbers))
        number -= len(numbers)
    if wanted - found.keys():
        raise StartupError("the node counts transactions that its blocks do not hold: it prunes them, or errs")
    return [found[place] for place in sorted(found)]


def store(connection: Connection, missing: Gaps, found: Sequence[Found]) -> None:
    """Put what was found into the outbox as sent, and go on with the nonces after it.

    Raises FencedError, and nothing may be kept then, where a worker took a nonce meanwhile.
    """
    for address, (first, end) in missing.items():
        senders.skip(connection, address, first, end)
    last = int(connection.execute(select(func.coalesce(func.max(outbox.c.sequence), 0))).scalar_one())
    rows = [
        {
            "sender": each.sender,
            "nonce": each.nonce,
            "version": 0,
            "sequence": last + at,
            "key": recovered.key_of(each.hash),
            "body": keccak(each.receiver + each.data),
            "hash": each.hash,
            "raw": each.raw,
            "receiver": each.receiver,
            "gas": each.gas,
            "purpose": recovered.PURPOSE,
            "owner": "",
            "status": TransactionStatus.BROADCAST.value,
        }
        for at, each in enumerate(found, 1)
    ]
    if rows:
        connection.execute(insert(outbox), rows)


def _read(answer: Mapping[str, Any], place: tuple[bytes, int], chain_id: int) -> Found:
    """Read a transaction, and make the bytes anew that were signed: they hash to what the node calls it."""
    address, nonce = place
    receiver = _bytes(answer["to"]) if answer["to"] else b""
    gas, data = int(answer["gas"], 16), _bytes(answer["input"])
    fields = legacy_fields(nonce, gas, receiver, data)
    r_and_s = b"".join(int(answer[name], 16).to_bytes(32) for name in ("r", "s"))
    signature = r_and_s + bytes((int(answer["v"], 16) - 8 - 2 * chain_id & 0xFF,))
    raw, digest = signed_legacy(fields, signature, chain_id)
    signer = recover(keccak(signing_payload(fields, chain_id)), signature)
    if digest != _bytes(answer["hash"]) or signer != address:
        raise StartupError(f"nonce {nonce} of the key 0x{address.hex()} was used by another program: who else has it?")
    return Found(address, nonce, digest, raw, receiver, data, gas)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
