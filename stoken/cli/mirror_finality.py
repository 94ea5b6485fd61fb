# SPDX-License-Identifier: Apache-2.0
"""What `stoken mirror finality` shows: the records of final blocks, and whether a node still bears them out."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from stoken.chain.rpc import RpcClient
from stoken.ledger.final_blocks import FinalBlock
from stoken.mirror.finality import SEALED_RULE
from stoken.mirror.seals import NotSealedError, quorum, read_seals

COLUMNS: Final = ("block", "final_at", "commit_seals", "rule", "hash")


def document(record: FinalBlock) -> dict[str, Any]:
    """Return a record for programs; `commit_seals` is empty where the engine has none."""
    return {
        "block": record.number,
        "hash": f"0x{record.hash.hex()}",
        "block_time": record.time,
        "final_at": datetime.fromtimestamp(record.final_at_ns / 1_000_000_000, UTC).isoformat(timespec="milliseconds"),
        "rule": record.rule,
        "round": record.round,
        "commit_seals": len(record.signers),
        "quorum": quorum(len(record.validators)),
        "signers": [f"0x{signer.hex()}" for signer in record.signers],
        "validators": [f"0x{validator.hex()}" for validator in record.validators],
    }


def faults(rpc: RpcClient, records: Sequence[FinalBlock]) -> Iterator[str]:
    """Say, a line each, which records a node does not bear out: another block there, or seals that are not those."""
    answers = rpc.batch([("eth_getBlockByNumber", (hex(record.number), False)) for record in records])
    for record, answer in zip(records, answers, strict=True):
        if answer is None or bytes.fromhex(answer["hash"][2:]) != record.hash:
            yield f"block {record.number}: the node has another block, or none"
        elif record.validators or record.rule.startswith(SEALED_RULE):
            yield from _sealed_otherwise(record, answer)


def _sealed_otherwise(record: FinalBlock, header: dict[str, Any]) -> Iterator[str]:
    signers, validators = set(record.signers), set(record.validators)
    if not signers <= validators or len(signers) < max(1, quorum(len(validators))):
        yield f"block {record.number}: the record names no quorum of validators"
        return
    try:
        found = read_seals(header, record.hash)
    except NotSealedError as error:
        yield f"block {record.number}: {error}"
        return
    # Nodes may hold different seals of one block: each a quorum.
    if found.validators != record.validators:
        yield f"block {record.number}: the header names other validators"
