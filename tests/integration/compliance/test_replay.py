# SPDX-License-Identifier: Apache-2.0
"""A day replayed from the chain alone: the verdict before each transaction is what the transaction then did."""

import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from stoken.chain.rpc import RpcClient
from stoken.compliance.verdict import Channel, transfer_verdict
from stoken.db import reading
from stoken.domain import facts
from stoken.domain.chain_state import ChainState
from stoken.issuance.calldata import interface
from stoken.ledger.feed import FeedBlock, decode_facts, final_blocks
from tests.integration.compliance.moves import Asked, Moves, reasons
from tests.integration.compliance.test_conformance import steps
from tests.integration.compliance.world import World, revert_data
from tests.requirements import requirement

_PAIRS = ("ab", "ba", "ac", "cb", "bc", "da", "cd")


class Told(NamedTuple):
    """A move that a transaction tried, and the revert data with which it failed, empty where units moved."""

    token: bytes
    sender: bytes
    receiver: bytes
    units: int
    channel: Channel
    reason: bytes


def told_by(world: World, transaction: dict[str, Any]) -> Iterator[Told]:
    """Read what a transaction tried and did from its calldata, its logs and its trace."""
    to, data = bytes.fromhex((transaction["to"] or "0x")[2:]), bytes.fromhex(transaction["input"][2:])
    receipt = world.rpc.call("eth_getTransactionReceipt", transaction["hash"])
    transfer = interface("SecurityToken").functions["transfer"]
    batch = interface("Instructions").functions["instructEach"]
    settle = interface("DvpSettlement").functions["settleBatch"]
    if to == world.token and data[:4] == transfer.selector:
        receiver, units = transfer.decode_call(data)
        sender = bytes.fromhex(transaction["from"][2:])
        yield Told(to, sender, receiver, units, Channel.PLAIN, revert_of(world, receipt))
    elif to == world.suite["instructions"] and data[:4] == batch.selector:
        failed = reasons(receipt, b"InstructionFailed(bytes32,bytes)")
        for item in batch.decode_call(data)[0]:
            sender, receiver, token, units = item[:4]
            digest = world.ask("Instructions", to, "instructionDigest", tuple(item))
            yield Told(token, sender, receiver, units, Channel.INSTRUCTED, failed.get(int.from_bytes(digest), b""))
    elif to == world.suite["settlement"] and data[:4] == settle.selector:
        failures = reasons(receipt, b"TradeFailed(bytes20,uint64,bytes)")
        orders, _, trades = settle.decode_call(data)
        for trade_id, buy, sell, units, _, _ in trades:
            buyer, seller = orders[buy][1], orders[sell][1]
            yield Told(orders[sell][3], seller, buyer, units, Channel.VENUE, failures.get(trade_id, b""))


def revert_of(world: World, receipt: dict[str, Any]) -> bytes:
    """What a transaction reverted with: anvil traces it again as it was."""
    if receipt["status"] == "0x1":
        return b""
    trace = world.rpc.call("debug_traceTransaction", receipt["transactionHash"], {"tracer": "callTracer"})
    return bytes.fromhex(trace["output"][2:])


def replay(world: World, first: int) -> Iterator[tuple[Told, bytes]]:
    """Yield each move of the blocks from a number on, with what the verdict before it says the contracts do."""
    state = ChainState()
    with reading(world.engine) as connection:
        blocks = final_blocks(connection, -1, 100_000)
    for block in blocks:
        if block.number >= first:
            yield from replay_block(world, state, block)
        state.apply_block(block.number, block.hash, block.time, decode_facts(block.facts))


def replay_block(world: World, state: ChainState, block: FeedBlock) -> Iterator[tuple[Told, bytes]]:
    # The state must stay as whole blocks make it, so the moves within one are folded into a copy.
    within = deepcopy(state)
    for transaction in world.rpc.call("eth_getBlockByNumber", hex(block.number), True)["transactions"]:  # noqa: FBT003
        for told in told_by(world, transaction):
            found = transfer_verdict(within, *told[:4], block.number, block.time, told.channel)
            yield told, revert_data(found)
            if found is None:
                within.block_number = block.number - 1
                moved = facts.Transferred(told.token, told.sender, told.receiver, told.units)
                within.apply_block(block.number, block.hash, block.time, [moved])


def live(world: World, choose: random.Random, moves: Moves, rounds: int) -> None:
    """A day: rules, claims and measures change at random, and everybody tries to move units by every way."""
    for _ in range(rounds):
        choose.choice(list(steps(world, choose)))()
        if world.state.tokens[world.token].paused:
            world.on_token("unpause")
        asked = [Asked(choose.choice(_PAIRS), choose.choice((1, 7, 21, 60))) for _ in "123"]
        choose.choice((moves.instruct_each, moves.settle))(*asked)
        world.transfer(choose.choice(_PAIRS), choose.choice((1, 7, 30, 90)))


@requirement("TRF-01")
def test_a_day_replayed_gives_before_each_move_what_the_transaction_then_did(rpc: RpcClient, tmp_path: Path) -> None:
    world = World(rpc, tmp_path)
    world.on_token("unpause")
    moves = Moves(world)
    moves.fund()
    first = world.state.block_number + 1
    live(world, random.Random(7), moves, rounds=14)  # noqa: S311 - a seed, no secret
    found = list(replay(world, first))
    assert [(told, said) for told, said in found if told.reason != said] == []
    assert {told.channel for told, _ in found} == set(Channel)
    assert len({said[:4] for _, said in found}) > 4, "a day in which too little was refused"
    assert any(not said for _, said in found)
    assert len(found) > 40
