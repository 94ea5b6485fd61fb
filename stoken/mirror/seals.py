# SPDX-License-Identifier: Apache-2.0
"""Commit seals of QBFT and IBFT 2.0: who sealed a block, shown from its header alone.

The extra data of a header is the list of vanity, validators, vote, round and seals. A validator signs the header
with its seals left out; the block's hash leaves out the round too. QBFT writes what it leaves out as empty items
and the round as a scalar, IBFT 2.0 drops the items and writes the round in four bytes.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import rlp
import structlog
from eth_hash.auto import keccak
from rlp.exceptions import RLPException

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import recover
from stoken.chain.transactions import rlp_bytes, rlp_integer, rlp_list
from stoken.domain.facts import Address
from stoken.errors import LedgerUnavailableError
from stoken.mirror.blocks import MinedBlock, Sealed
from stoken.mirror.finality import FirstSealed
from stoken.mirror.store import Checkpoint

Json = dict[str, Any]
_log = structlog.get_logger(__name__)
_FIELDS: Final = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"),
)
#: From London on, each fork adds to the end.
_LATER_FIELDS: Final = (
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
)
_INTEGERS: Final = frozenset(
    ("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas")
)
_ITEMS: Final = 5
_IBFT_ROUND_BYTES: Final = 4
_SEAL_BYTES: Final = 65
_ADDRESS_BYTES: Final = 20


class NotSealedError(LedgerUnavailableError):
    """A block's seals do not make it final: it is not written, and nothing in it is shown."""

    code = "LEDGER_NOT_FINAL"
    title = "The validators' seals do not make the block final."


class OtherEngineError(NotSealedError):
    """A header is none of QBFT or IBFT 2.0, or does not name its validators: seals cannot be shown on such a chain."""


class _Extra(NamedTuple):
    """Extra data taken apart: as the block's hash sees it, as a seal sees it, and what it says."""

    hashed: bytes
    signed: bytes
    round: int
    validators: tuple[Address, ...]
    seals: tuple[bytes, ...]


def quorum(validators: int) -> int:
    """Return how many of so many validators must seal a block: two thirds, rounded up."""
    return -(-2 * validators // 3)


def read_validators(header: Json, block_hash: bytes) -> tuple[Address, ...]:
    """Return the validators that a block names, without a look at its seals: for one that is trusted already."""
    extra = _read_extra(header)
    _check_hash(header, extra, block_hash)
    return extra.validators


def check_from(first: int | None, header: Json) -> None:
    """Check a header where it is that of a block from `first` on; None checks none."""
    if first is not None and int(header["number"], 16) >= first:
        check_header(header)


def check_header(header: Json) -> None:
    """Raise NotSealedError, after an alarm, unless a header gives the hash that it names: what it says is sealed."""
    try:
        _check_hash(header, _read_extra(header), bytes.fromhex(header["hash"][2:]))
    except NotSealedError as error:
        raise _alarmed(error) from None


def read_seals(header: Json, block_hash: bytes) -> Sealed:
    """Return who sealed a block; NotSealedError unless a quorum of the validators it names did, and nobody else."""
    extra = _read_extra(header)
    _check_hash(header, extra, block_hash)
    number = int(header["number"], 16)
    digest = keccak(_encode(header, extra.signed))
    signers = tuple(_signer(digest, seal) for seal in extra.seals)
    distinct = set(signers)
    if len(distinct) != len(signers) or not distinct <= set(extra.validators):
        raise NotSealedError(f"block {number} has a seal twice, or one of no validator", {"block": number})
    needed = quorum(len(extra.validators))
    if len(distinct) < max(1, needed):
        raise NotSealedError(
            f"block {number} has {len(distinct)} seals of {needed}",
            {"block": number, "seals": len(distinct), "quorum": needed},
        )
    return Sealed(number, block_hash, extra.round, extra.validators, signers)


class SealCheck:
    """Confirms that blocks are sealed by validators it trusts: those of the block before, on from the genesis block.

    Or on from the first sealed block, which the operator names by its hash: its own validators are trusted, and those
    before it have no seals to look at.

    What is written is the header's that was sealed: number, parent and time are compared here, and the reader takes
    no header that does not give its hash. A block that names other validators is trusted where more than a third of
    those before sealed it: one of them is honest. A range is confirmed by its last block, which the hashes of
    parents tie the others to, and by each block with logs, whose seals are on record; by every block where
    validators changed faster than that shows.
    """

    def __init__(self, rpc: RpcClient, first: FirstSealed | None = None) -> None:
        """Take the node's client, and the first sealed block of a chain that ran on another engine before."""
        self._rpc = rpc
        self._first = first
        self._at = b""
        self._trusted: frozenset[Address] = frozenset()

    def confirm(self, at: Checkpoint, blocks: Sequence[MinedBlock]) -> list[Sealed]:
        """Return the seals of those with logs of blocks that follow a confirmed one.

        Raises NotSealedError, after an alarm, where they do not suffice.
        """
        try:
            return self._confirm(at, blocks)
        except NotSealedError as error:
            raise _alarmed(error) from None

    def _confirm(self, at: Checkpoint, blocks: Sequence[MinedBlock]) -> list[Sealed]:
        blocks = self._with_seals(blocks)
        if not blocks:
            return []
        trusted = self._trust(at, blocks[0])
        chosen = [block for block in blocks[:-1] if block.logs] + [blocks[-1]]
        try:
            sealed, trusted_next = self._follow(trusted, chosen)
        except NotSealedError:
            if len(chosen) == len(blocks):
                raise
            sealed, trusted_next = self._follow(trusted, blocks)
        self._at, self._trusted = blocks[-1].hash, trusted_next
        return sealed

    def _with_seals(self, blocks: Sequence[MinedBlock]) -> Sequence[MinedBlock]:
        first = self._first
        if first is None:
            return blocks
        if any(block.number == first.number and block.hash != first.hash for block in blocks):
            raise NotSealedError(f"block {first.number} is not the first sealed one: it has another hash")
        return [block for block in blocks if block.number >= first.number]

    def _trust(self, at: Checkpoint, first: MinedBlock) -> frozenset[Address]:
        """Return the validators of the last block written; those of the first of all, which the operator chose."""
        begins = at.number < (0 if self._first is None else self._first.number)
        if begins or at.hash != self._at:
            trusted = first.hash if begins else at.hash
            (header,) = self._headers([trusted])
            return frozenset(read_validators(header, trusted))
        return self._trusted

    def _follow(
        self, trusted: frozenset[Address], blocks: Sequence[MinedBlock]
    ) -> tuple[list[Sealed], frozenset[Address]]:
        sealed = []
        blocks = [block for block in blocks if block.number]  # nobody seals the genesis block
        for block, header in zip(blocks, self._headers([block.hash for block in blocks]), strict=True):
            found = read_seals(header, block.hash)
            _check_content(header, block)
            named = frozenset(found.validators)
            if named != trusted and 3 * len(trusted.intersection(found.signers)) <= len(trusted):
                raise NotSealedError(
                    f"block {block.number} is sealed by validators that the block before does not vouch for",
                    {"block": block.number},
                )
            trusted = named
            if block.logs:
                sealed.append(found)
        return sealed, trusted

    def _headers(self, hashes: Sequence[bytes]) -> list[Json]:
        # By hash: a number would be answered from whatever block has it by then.
        calls = [("eth_getBlockByHash", (f"0x{item.hex()}", False)) for item in hashes]
        answers: list[Json] = self._rpc.batch(calls) if calls else []
        if any(answer is None for answer in answers):
            raise LedgerUnavailableError("the node no longer has a block that it named")
        return answers


def _alarmed(error: NotSealedError) -> NotSealedError:
    _log.error("mirror.not_sealed", reason=str(error), **error.details)
    return error


def _check_content(header: Json, block: MinedBlock) -> None:
    said = int(header["number"], 16), bytes.fromhex(header["parentHash"][2:]), int(header["timestamp"], 16)
    if said != (block.number, block.parent_hash, block.time):
        raise NotSealedError(f"block {block.number} is not what was sealed under its hash", {"block": block.number})


def _read_extra(header: Json) -> _Extra:
    number = int(header["number"], 16)
    try:
        items = rlp.decode(bytes.fromhex(header["extraData"][2:]))
    except (RLPException, ValueError) as error:
        raise OtherEngineError(f"block {number} has no seals: not QBFT or IBFT 2.0", {"block": number}) from error
    if not isinstance(items, list) or len(items) != _ITEMS:
        raise OtherEngineError(f"block {number} has no seals: not QBFT or IBFT 2.0", {"block": number})
    vanity, validators, vote, round_, seals = items
    if not validators:
        said = f"block {number} names no validators: a contract selects them, and no header shows which"
        raise OtherEngineError(said, {"block": number})
    if any(not _is_bytes(item, _ADDRESS_BYTES) for item in validators) or not isinstance(round_, bytes):
        raise NotSealedError(f"block {number} has malformed extra data", {"block": number})
    if len(round_) == _IBFT_ROUND_BYTES:
        hashed, signed = [vanity, validators, vote], [vanity, validators, vote, round_]
    else:
        hashed, signed = [vanity, validators, vote, b"", []], [vanity, validators, vote, round_, []]
    return _Extra(_list(hashed), _list(signed), int.from_bytes(round_), tuple(validators), tuple(seals))


def _list(items: Sequence[Any]) -> bytes:
    """Return as RLP what was RLP; the library infers the type of each item anew, which costs more than the seals."""
    return rlp_list(b"".join(rlp_bytes(item) if isinstance(item, bytes) else _list(item) for item in items))


def _is_bytes(item: object, length: int) -> bool:
    return isinstance(item, bytes) and len(item) == length


def _check_hash(header: Json, extra: _Extra, block_hash: bytes) -> None:
    if keccak(_encode(header, extra.hashed)) != block_hash:
        number = int(header["number"], 16)
        raise NotSealedError(f"the header of block {number} does not give its hash", {"block": number})


def _encode(header: Json, extra_data: bytes) -> bytes:
    """Return a header as RLP with other extra data."""
    fields = [*_FIELDS, *(name for name in _LATER_FIELDS if header.get(name) is not None)]
    return rlp_list(b"".join(_field(name, header, extra_data) for name in fields))


def _field(name: str, header: Json, extra_data: bytes) -> bytes:
    if name == "extraData":
        return rlp_bytes(extra_data)
    if name in _INTEGERS:
        return rlp_integer(int(header[name], 16))
    return rlp_bytes(bytes.fromhex(header[name][2:]))


def _signer(digest: bytes, seal: object) -> Address:
    """Return who made a seal, empty for nobody; engines write v as 0 or 1."""
    if not isinstance(seal, bytes) or len(seal) != _SEAL_BYTES:
        return b""
    return recover(digest, seal[:64] + bytes(((seal[64] + 27) & 0xFF,)))
