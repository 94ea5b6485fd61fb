# SPDX-License-Identifier: Apache-2.0
"""After an old back-up was restored: what our keys have sent since is taken back into the outbox, from the chain.

It waits there under keys of its own. The first request or batch of trades that would be the very same call claims it
instead of being sent a second time: calls carry signed statements, so that equal ones are one.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from eth_hash.auto import keccak
from sqlalchemy import Connection, Engine, func, insert, select

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import recover
from stoken.chain.transactions import legacy_fields, signed_legacy, signing_payload
from stoken.db import reading
from stoken.domain.transaction_states import LIVE, TransactionStatus
from stoken.errors import StartupError
from stoken.transactions import recovered, senders
from stoken.transactions.tables import outbox

_BLOCKS: Final = 50
_LIVE: Final = select(outbox.c.sender, outbox.c.nonce).where(
    outbox.c.status.in_(tuple(status.value for status in LIVE))
)


class Gaps(NamedTuple):
    """What the chain knows of our keys beyond a database."""

    #: By key, the next nonce here and the next one there.
    ends: Mapping[bytes, tuple[int, int]]
    #: Nonces that the chain has used, and of whose transaction this database knows no end: another one may hold them.
    open: frozenset[tuple[bytes, int]] = frozenset()

    @property
    def wanted(self) -> set[tuple[bytes, int]]:
        """The nonces whose transactions are to be found, by key."""
        beyond = {(address, nonce) for address, (first, end) in self.ends.items() for nonce in range(first, end)}
        return beyond | self.open


class Found(NamedTuple):
    """A transaction of one of our keys in a block."""

    sender: bytes
    nonce: int
    hash: bytes
    raw: bytes
    receiver: bytes
    data: bytes
    gas: int


def gaps(engine: Engine, rpc: RpcClient, addresses: Iterable[bytes] = ()) -> Gaps:
    """Return which nonces of the keys, these and those on record, the chain has beyond this database.

    Raises StartupError while one of them waits at the node: nobody knows yet which block will hold it.
    """
    with reading(engine) as connection:
        known = dict.fromkeys(addresses, 0) | senders.next_nonces(connection)
        live = [(row.sender, row.nonce) for row in connection.execute(_LIVE)]
    ends, mined = {}, {}
    for address, following in known.items():
        mined[address], pending = senders.sent(rpc, address)
        if pending > max(mined[address], following):
            raise StartupError(f"transactions of the key 0x{address.hex()} wait at the node: try again later")
        if mined[address] > following:
            ends[address] = (following, mined[address])
    return Gaps(ends, frozenset((address, nonce) for address, nonce in live if nonce < mined.get(address, 0)))


def search(rpc: RpcClient, chain_id: int, missing: Gaps, advance: Callable[[int], object] = int) -> list[Found]:
    """Read blocks backwards from the head until each missing nonce is found; return them in the chain's order.

    Raises StartupError where one is in no block, or was not signed by this program.
    """
    wanted = missing.wanted
    found: list[tuple[int, int, Found]] = []
    number = int(rpc.call("eth_blockNumber"), 16)
    while wanted and number >= 0:
        numbers = range(number, max(-1, number - _BLOCKS), -1)
        blocks = rpc.batch([("eth_getBlockByNumber", (hex(each), True)) for each in numbers])
        for height, block in zip(numbers, blocks, strict=True):
            if block is None:
                raise StartupError(f"the node does not have block {height}")
            for place, transaction in _of_keys(block, wanted):
                index = int(transaction["transactionIndex"], 16)
                found.append((height, index, _read(transaction, place, chain_id)))
                wanted.remove(place)
        advance(len(numbers))
        number -= len(numbers)
    if wanted:
        raise StartupError("the node counts transactions that its blocks do not hold: it prunes them, or errs")
    return [each for _, _, each in sorted(found)]


def store(connection: Connection, missing: Gaps, found: Sequence[Found]) -> list[Found]:
    """Put into the outbox as sent what was found and is not there, go on with the nonces after it, and return it.

    Raises FencedError, and nothing may be kept then, where a worker took a nonce meanwhile.
    """
    for address, (first, end) in missing.ends.items():
        senders.skip(connection, address, first, end)
    last = int(connection.execute(select(func.coalesce(func.max(outbox.c.sequence), 0))).scalar_one())
    versions = {place: _versions(connection, place) for place in missing.open}
    new = [each for each in found if each.hash not in versions.get((each.sender, each.nonce), {})]
    rows = [
        {
            "sender": each.sender,
            "nonce": each.nonce,
            "version": len(versions.get((each.sender, each.nonce), ())),
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
        for at, each in enumerate(new, 1)
    ]
    if rows:
        connection.execute(insert(outbox), rows)
    return new


def _versions(connection: Connection, place: tuple[bytes, int]) -> set[bytes]:
    rows = select(outbox.c.hash).where(outbox.c.sender == place[0], outbox.c.nonce == place[1])
    return set(connection.execute(rows).scalars())


def _of_keys(
    block: Mapping[str, Any], wanted: Collection[tuple[bytes, int]]
) -> list[tuple[tuple[bytes, int], Mapping[str, Any]]]:
    placed = [((_bytes(each["from"]), int(each["nonce"], 16)), each) for each in block["transactions"]]
    return [(place, each) for place, each in placed if place in wanted]


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
