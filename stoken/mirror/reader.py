# SPDX-License-Identifier: Apache-2.0
"""Reads heads, headers and complete blocks from a node: batched, checked, never trusted on one answer."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from stoken.chain.rpc import NodeError, RpcClient
from stoken.mirror.blocks import Header, Log, MinedBlock, decode_header, decode_log
from stoken.mirror.completeness import EMPTY_ROOT, IncompleteBlockError, LogsBloom, check_logs, read_receipts
from stoken.mirror.seals import check_from

Json = Any
_METHOD_NOT_FOUND = -32601


class ChainReader:
    """One node as the mirror sees it."""

    def __init__(self, rpc: RpcClient, *, sealed_from: int | None = None) -> None:
        """Take the node's client; a header from `sealed_from` on that does not give its hash raises NotSealedError."""
        self._rpc = rpc
        self._sealed_from = sealed_from
        self._bloom = LogsBloom()
        self._block_receipts = True

    def identity(self) -> tuple[int, bytes]:
        """Return chain id and genesis hash."""
        chain_id, genesis = self._rpc.batch([("eth_chainId", ()), ("eth_getBlockByNumber", ("0x0", False))])
        return int(chain_id, 16), bytes.fromhex(genesis["hash"][2:])

    def head(self, tag: str | None) -> tuple[Header, int | None]:
        """Return the head and the number of the block that the node's tag names, None where it names none yet."""
        names = ("latest",) if tag is None else ("latest", tag)
        latest, *tagged = self._rpc.batch([("eth_getBlockByNumber", (name, False)) for name in names])
        return self._decode(latest), int(tagged[0]["number"], 16) if tagged and tagged[0] else None

    def headers(self, numbers: Sequence[int]) -> list[Header]:
        """Return headers by number; raises IncompleteBlockError where the node lacks one."""
        answers = self._rpc.batch([("eth_getBlockByNumber", (hex(number), False)) for number in numbers])
        if any(answer is None for answer in answers):
            raise IncompleteBlockError(f"the node lacks blocks within {numbers[0]}-{numbers[-1]}")
        headers = [self._decode(answer) for answer in answers]
        if any(header.number != number for header, number in zip(headers, numbers, strict=True)):
            raise IncompleteBlockError(f"the node answers with other blocks than {numbers[0]}-{numbers[-1]}")
        return headers

    def blocks(self, first: int, last: int) -> list[MinedBlock]:
        """Return the blocks of a range, by one unfiltered request for logs, checked by their blooms and indices."""
        headers = self.headers(range(first, last + 1))
        logs = self._logs(headers)
        return [self._complete(header, logs.get(header.number, [])) for header in headers]

    def verified_block(self, number: int) -> MinedBlock:
        """Return one block from its receipts, which must hash to the root in its header."""
        (block,) = self.verified_blocks(self.headers([number]))
        return block

    def verified_blocks(self, headers: Sequence[Header]) -> list[MinedBlock]:
        """Return blocks from their receipts, which must hash to the roots in their headers; the empty root has none."""
        asked = [header for header in headers if header.receipts_root != EMPTY_ROOT]
        receipts = {header.number: held for header, held in zip(asked, self.receipts(asked), strict=True)}
        return [self._complete(header, read_receipts(header, receipts.get(header.number, ()))) for header in headers]

    def receipts(self, headers: Sequence[Header]) -> list[list[Json]]:
        """Return the receipts of each block, unchecked: by block where the node knows how to, else by transaction."""
        if self._block_receipts and headers:
            try:
                return [list(answer or []) for answer in self._receipts_by_block(headers)]
            except NodeError as error:
                if error.rpc_code != _METHOD_NOT_FOUND:
                    raise
                self._block_receipts = False
        calls = [("eth_getTransactionReceipt", (f"0x{item.hex()}",)) for each in headers for item in each.transactions]
        answers = iter(self._rpc.batch(calls))
        found = [list(islice(answers, len(header.transactions))) for header in headers]
        for header, receipts in zip(headers, found, strict=True):
            if any(receipt is None for receipt in receipts):
                raise IncompleteBlockError(f"block {header.number}: the node lacks receipts")
        return found

    def _decode(self, answer: Json) -> Header:
        check_from(self._sealed_from, answer)
        return decode_header(answer)

    def _logs(self, headers: Sequence[Header]) -> dict[int, list[Log]]:
        first, last = headers[0].number, headers[-1].number
        logs: dict[int, list[Log]] = {}
        name, held = "", list[Log]()
        for answer in self._rpc.call("eth_getLogs", {"fromBlock": hex(first), "toBlock": hex(last)}):
            log = decode_log(answer)
            if answer["blockHash"] != name:
                name, held = answer["blockHash"], logs.setdefault(log.block_number, [])
                at = log.block_number - first
                if not 0 <= at < len(headers) or bytes.fromhex(name[2:]) != headers[at].hash:
                    raise IncompleteBlockError(f"block {log.block_number} changed while it was read")
            held.append(log)
        return logs

    def _complete(self, header: Header, logs: Sequence[Log]) -> MinedBlock:
        check_logs(header, logs, self._bloom)
        return MinedBlock(header.number, header.hash, header.parent_hash, header.time, header.transactions, logs)

    def _receipts_by_block(self, headers: Sequence[Header]) -> list[Json]:
        calls = [("eth_getBlockReceipts", (hex(header.number),)) for header in headers]
        return self._rpc.batch(calls) if len(calls) > 1 else [self._rpc.call(calls[0][0], *calls[0][1])]
