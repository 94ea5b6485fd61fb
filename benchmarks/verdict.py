# SPDX-License-Identifier: Apache-2.0
"""The local verdict on a transfer, against the node's answer to the same question; both must say the same."""

from collections.abc import Sequence
from time import perf_counter
from typing import Final

from benchmarks.market import Market
from benchmarks.report import Row, expect
from stoken.chain import artifacts
from stoken.chain.codec import Interface
from stoken.chain.reverts import encode_refusal
from stoken.cli.demo import issuing
from stoken.compliance.verdict import Verdict, transfer_verdict
from stoken.db import open_engine, reading
from stoken.domain.chain_state import ChainState
from stoken.ledger.feed import decode_facts, final_blocks

#: Units asked for; the last is more than anybody has.
_UNITS: Final = (1, 100, 10**9)
#: A node answers so much more slowly that fewer questions give a figure as good.
_ASKED: Final = 300
_Pair = tuple[bytes, bytes, int]


def measure(market: Market, verdicts: int, rounds: int) -> list[Row]:
    """Return the row; the market stays as it is."""
    state = _state(market)
    pairs = _pairs(market)
    questions = [pairs[place % len(pairs)] for place in range(verdicts)]
    asked = questions[:_ASKED]
    calls = [_call(market, pair) for pair in asked]
    expect("both verdicts", _said(market, state, asked), _answers(market, state, calls))
    ours, node = [], []
    for _ in range(rounds):
        node.append(len(calls) / _time_node(market, state, calls))
        ours.append(verdicts / _time_local(market, state, questions))
    note = f"{verdicts:,} local verdicts, {len(calls):,} calls of the view one by one over one connection, anvil"
    return [Row("verdicts from mirrored state", "`eth_call` of the token's verdict", ours, node, 50, note)]


def _state(market: Market) -> ChainState:
    """Fold what the worker's database holds."""
    state = ChainState()
    engine = open_engine(market.stage.database_url)
    with reading(engine) as connection:
        while blocks := final_blocks(connection, state.block_number):
            for block in blocks:
                state.apply_block(block.number, block.hash, block.time, decode_facts(block.facts))
    engine.dispose()
    return state


def _pairs(market: Market) -> list[_Pair]:
    sellers = [each.account for each in issuing.holders(market.play)]
    buyers = [each.account for each in issuing.buyers(market.play)]
    return [(sender, receiver, units) for sender in sellers for receiver in buyers for units in _UNITS]


def _local(market: Market, state: ChainState, pair: _Pair) -> Verdict | None:
    sender, receiver, units = pair
    return transfer_verdict(state, market.token, sender, receiver, units, state.block_number, state.block_time)


def _said(market: Market, state: ChainState, pairs: Sequence[_Pair]) -> list[bytes]:
    found = [_local(market, state, pair) for pair in pairs]
    return [b"" if each is None else encode_refusal(each.refusal, each.arguments) for each in found]


def _call(market: Market, pair: _Pair) -> dict[str, str]:
    data = Interface(artifacts.load("SecurityToken").abi).encode("verdict", *pair, bytes(20))
    return {"to": f"0x{market.token.hex()}", "data": f"0x{data.hex()}"}


def _answers(market: Market, state: ChainState, calls: Sequence[dict[str, str]]) -> list[bytes]:
    verdict = Interface(artifacts.load("SecurityToken").abi).functions["verdict"]
    at = hex(state.block_number)
    found = [market.rpc.call("eth_call", call, at) for call in calls]
    return [bytes(verdict.decode_output(bytes.fromhex(each[2:]))) for each in found]


def _time_local(market: Market, state: ChainState, questions: Sequence[_Pair]) -> float:
    started = perf_counter()
    for pair in questions:
        _local(market, state, pair)
    return perf_counter() - started


def _time_node(market: Market, state: ChainState, calls: Sequence[dict[str, str]]) -> float:
    at, ask = hex(state.block_number), market.rpc.call
    started = perf_counter()
    for call in calls:
        ask("eth_call", call, at)
    return perf_counter() - started
