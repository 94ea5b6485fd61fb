# SPDX-License-Identifier: Apache-2.0
"""The local verdict against what transactions did, by every way units move: instructions, trust marks, trades, batches.

Equal means the same revert data: selector and arguments.
"""

import random
from pathlib import Path

import pytest

from stoken.chain.rpc import RpcClient
from stoken.domain.refusals import Refusal
from tests.integration.compliance.moves import Asked, Moves
from tests.integration.compliance.test_conformance import steps
from tests.integration.compliance.world import ACCOUNTS, World


@pytest.fixture
def world(rpc: RpcClient, tmp_path: Path) -> World:
    world = World(rpc, tmp_path)
    assert world.on_token("unpause") == "0x1"
    return world


def in_force(world: World, **rules: object) -> None:
    """Announce rules and mine until they hold."""
    assert world.announce(**rules) == "0x1"
    while world.state.tokens[world.token].rules[-1].effective_block > world.state.block_number:
        world.mine()


class TestInstructions:
    def test_each_item_of_a_batch_is_judged_after_the_earlier_ones(self, world: World) -> None:
        moves = Moves(world)
        in_force(world, off_venue_barred=True, cap_units=110, window_units=50, window_seconds=1_000)
        foretold, done = moves.instruct_each(
            Asked("ab", 30), Asked("ab", 30), Asked("ab", 20), Asked("ba", 5), Asked("ac", 80), Asked("ac", 45)
        )
        assert foretold == done
        assert [bool(reason) for reason in done] == [False, True, False, False, True, False]

    def test_a_balance_that_an_earlier_item_used_up(self, world: World) -> None:
        foretold, done = Moves(world).instruct_each(Asked("cb", 40), Asked("cb", 1), Asked("ac", 1), Asked("cb", 1))
        assert foretold == done
        assert [bool(reason) for reason in done] == [False, True, False, False]


class TestTrustMarks:
    def test_marked_units_off_the_venue(self, world: World) -> None:
        moves = Moves(world)
        mark = moves.mark("a", 60)
        assert moves.compare_marked(mark, "a") == {None}
        assert Refusal.SECURITIES_RESTRICTED in world.compare()
        in_force(world, off_venue_barred=True)
        assert moves.compare_marked(mark, "a") == {Refusal.OFF_VENUE_SALE_BARRED}
        in_force(world, cap_units=90)
        assert moves.compare_marked(mark, "a") == {None, Refusal.HOLDING_LIMIT}
        assert world.on_token("freezePartialTokens", ACCOUNTS["a"], 41) == "0x0", "only 40 are free"
        assert world.on_token("setAddressFrozen", ACCOUNTS["a"], True) == "0x1"  # noqa: FBT003 - the contract's argument
        assert moves.compare_marked(mark, "a") == {Refusal.ACCOUNT_LEGAL_HOLD}

    def test_a_mark_follows_its_units(self, world: World) -> None:
        moves = Moves(world)
        mark = moves.mark("a", 60)
        assert world.call(world.suite["encumbrances"], moves.marked_move(mark, "b")) == "0x1"
        held = world.state.tokens[world.token].held_by(ACCOUNTS["b"])
        assert (held.balance, held.restricted) == (60, 60)
        assert Refusal.SECURITIES_RESTRICTED in world.compare()
        assert moves.compare_marked(mark, "b") == {None}

    def test_an_instruction_does_not_open_a_mark(self, world: World) -> None:
        moves = Moves(world)
        moves.mark("a", 60)
        foretold, done = moves.instruct_each(Asked("ab", 41), Asked("ab", 40))
        assert foretold == done
        assert [bool(reason) for reason in done] == [True, False]


class TestTrades:
    def test_a_batch_of_trades_where_some_fail(self, world: World) -> None:
        moves = Moves(world)
        moves.fund()
        in_force(world, cap_units=105, off_venue_barred=True, lot=5)
        foretold, done = moves.settle(
            Asked("ab", 40), Asked("cb", 40), Asked("ca", 45), Asked("cb", 40), Asked("bc", 7)
        )
        assert foretold == done
        assert [bool(reason) for reason in done] == [False, False, True, True, True]

    def test_units_held_for_a_later_day(self, world: World) -> None:
        moves = Moves(world)
        moves.fund()
        moves.hold(Asked("ab", 70), Asked("ac", 20))
        assert world.state.tokens[world.token].held_by(ACCOUNTS["a"]).held == 90
        assert Refusal.SECURITIES_FROZEN in world.compare()
        assert world.lock("a", 5) == "0x1"
        assert Refusal.SECURITIES_FROZEN in world.compare()
        foretold, done = moves.instruct_each(Asked("ab", 6), Asked("ab", 5))
        assert foretold == done
        assert [bool(reason) for reason in done] == [True, False]


class TestInstants:
    def test_a_claim_expires_exactly_after_its_last_second(self, world: World) -> None:
        until = world.state.block_time + 30
        assert world.attest("b", until) == "0x1"
        for at, expected in ((until - 1, None), (until, None), (until + 1, Refusal.INVESTOR_CLAIM_EXPIRED)):
            self.mine_at(world, at)
            assert world.verdict(ACCOUNTS["a"], ACCOUNTS["b"]) is expected
            world.compare()

    def test_a_window_ends_exactly_with_its_last_second(self, world: World) -> None:
        in_force(world, window_units=10, window_seconds=30)
        assert world.transfer("ab", 7) == "0x1"
        _, since = world.state.tokens[world.token].windows[world.state.counted_as(ACCOUNTS["b"], world.token)]
        for at, expected in ((since + 29, Refusal.SUBSCRIPTION_LIMIT), (since + 30, None)):
            self.mine_at(world, at)
            assert world.verdict(ACCOUNTS["a"], ACCOUNTS["b"], 7) is expected
            world.compare()

    def test_an_approval_ends_exactly_with_its_last_second(self, world: World) -> None:
        module = world.deploy("ConditionalApproval")
        assert world.bind(module) == "0x1"
        until = world.state.block_time + 30
        assert world.approve(module, "ab", 7, until) == "0x1"
        for at, expected in ((until, None), (until + 1, Refusal.DUAL_CONTROL_REQUIRED)):
            self.mine_at(world, at)
            assert world.verdict(ACCOUNTS["a"], ACCOUNTS["b"], 7) is expected

    def test_rules_change_exactly_at_their_block(self, world: World) -> None:
        effective = world.state.block_number + 12
        world.soon = lambda: effective  # type: ignore[method-assign] - a notice of known length
        assert world.announce(lot=7) == "0x1"
        met = {}
        while world.state.block_number <= effective:
            if world.state.block_number >= effective - 1:
                world.compare()
                met[world.state.block_number - effective] = world.verdict(ACCOUNTS["a"], ACCOUNTS["b"], 1)
            world.mine()
        assert met | {1: world.verdict(ACCOUNTS["a"], ACCOUNTS["b"], 1)} == {
            -1: None,
            0: Refusal.LOT_INVALID,
            1: Refusal.LOT_INVALID,
        }

    def mine_at(self, world: World, time: int) -> None:
        world.rpc.call("evm_setNextBlockTimestamp", time)
        world.rpc.call("evm_mine")
        world.follow()
        assert world.state.block_time == time


class TestRandomWorlds:
    @pytest.mark.parametrize("seed", [5, 6])
    def test_no_channel_parts_them_whatever_happened_before(self, world: World, seed: int) -> None:
        choose = random.Random(seed)  # noqa: S311 - a seed, no secret
        moves = Moves(world)
        moves.fund()
        marks = [(moves.mark("a", 15), "a")]
        judged = refused = 0
        for _ in range(12):
            choose.choice(list(steps(world, choose)))()
            if world.state.tokens[world.token].paused:
                world.on_token("unpause")
            asked = [
                Asked(choose.choice(("ab", "ba", "ac", "cb", "bc", "da")), choose.choice((1, 7, 21))) for _ in "123"
            ]
            send = choose.choice((moves.instruct_each, moves.settle))
            foretold, done = send(*asked)
            assert foretold == done, asked
            judged, refused = judged + len(done), refused + sum(1 for reason in done if reason)
            for mark, holder in marks:
                moves.compare_marked(mark, holder)
            world.compare()
        assert 0 < refused < judged
