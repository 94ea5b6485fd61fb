# SPDX-License-Identifier: Apache-2.0
"""The local verdict against the contracts' own: the same revert data, whatever happened before."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stoken.chain.rpc import RpcClient
from stoken.domain.refusals import Refusal
from tests.consortium import FOREVER, ISSUER
from tests.integration.compliance.world import ACCOUNTS, COUNTRIES, World


def steps(world: World, choose: random.Random) -> Iterator[Callable[[], str]]:
    """Everything that may change a verdict, at random; some of it reverts, which is as good."""
    name = choose.choice("abcd")
    now = world.state.block_time
    yield lambda: world.on_token("unpause")
    yield lambda: world.on_token("pause")
    yield lambda: world.on_token("setAddressFrozen", ACCOUNTS[name], choose.random() < 0.4)
    yield lambda: world.on_token("freezePartialTokens", ACCOUNTS[name], choose.randrange(1, 50))
    yield lambda: world.on_token("mint", ACCOUNTS[name], choose.randrange(1, 60), first=ISSUER)
    yield lambda: world.on_token("forcedTransfer", ACCOUNTS[name], ACCOUNTS["b"], choose.randrange(1, 40))
    yield lambda: world.lock(name, choose.randrange(1, 40))
    yield lambda: world.attest(name, now + choose.choice((1, 2, 3, 10_000)))
    yield lambda: world.revoke(name, for_cause=choose.random() < 0.5)
    yield lambda: world.announce(lot=choose.choice((0, 1, 7)), classes=choose.choice((0, 2, 4, 6)))
    yield lambda: world.announce(cap_units=choose.randrange(1, 120), cap_bps=choose.choice((0, 500, 5_000)))
    yield lambda: world.announce(holder_limit=choose.randrange(1, 4))
    yield lambda: world.announce(countries=choose.sample(COUNTRIES, choose.randrange(3)), allowed=choose.random() < 0.5)
    yield world.announce


@pytest.fixture
def world(rpc: RpcClient, tmp_path: Path) -> World:
    return World(rpc, tmp_path)


class TestConformance:
    def test_each_rule_alone_gives_the_contracts_own_revert_data(self, world: World) -> None:
        met = world.compare()
        assert world.on_token("unpause") == "0x1"
        met |= world.compare()
        for change in (
            lambda: world.on_token("setAddressFrozen", ACCOUNTS["b"], True),  # noqa: FBT003 - the contract's argument
            lambda: world.on_token("setAddressFrozen", ACCOUNTS["b"], False),  # noqa: FBT003
            lambda: world.on_token("freezePartialTokens", ACCOUNTS["a"], 20),
            lambda: world.lock("a", 60),
            lambda: world.attest("b", world.state.block_time + 2),
            lambda: world.attest("b", FOREVER),
            lambda: world.announce(lot=7),
            lambda: world.announce(countries=(840,)),
            lambda: world.announce(classes=2),
            lambda: world.announce(cap_units=45),
            lambda: world.announce(holder_limit=2),
            lambda: world.revoke("c", for_cause=True),
        ):
            assert change() == "0x1"
            for _ in range(4):
                met |= world.compare()
                world.mine()
        assert met == {
            None,
            Refusal.TOKEN_PAUSED,
            Refusal.ACCOUNT_LEGAL_HOLD,
            Refusal.SENDER_NOT_VERIFIED,
            Refusal.INVESTOR_NOT_VERIFIED,
            Refusal.INVESTOR_CLAIM_EXPIRED,
            Refusal.LOT_INVALID,
            Refusal.JURISDICTION_BARRED,
            Refusal.INVESTOR_CLASS_NOT_ELIGIBLE,
            Refusal.HOLDING_LIMIT,
            Refusal.HOLDER_COUNT_LIMIT,
            Refusal.INSUFFICIENT_SECURITIES,
            Refusal.LOCKUP_ACTIVE,
            Refusal.SECURITIES_FROZEN,
        }

    @pytest.mark.parametrize("seed", [1, 2])
    def test_a_random_history_never_parts_them(self, world: World, seed: int) -> None:
        choose = random.Random(seed)  # noqa: S311 - a seed, no secret
        world.on_token("unpause")
        met: set[Refusal | None] = set()
        for _ in range(30):
            choose.choice(list(steps(world, choose)))()
            met |= world.compare()
            if world.state.tokens[world.token].paused:
                world.on_token("unpause")
        assert len(met) > 5

    def test_a_terminated_instrument_refuses_every_transfer(self, world: World) -> None:
        assert world.on_token("unpause") == "0x1"
        assert world.on_token("setRecordDate") == "0x1"
        assert world.on_token("terminate", b"D" * 32) == "0x0"
        for name, units in (("a", 100), ("c", 40)):
            assert world.on_token("burn", ACCOUNTS[name], units) == "0x1"
        assert world.on_token("terminate", b"D" * 32) == "0x1"
        assert world.compare() == {Refusal.INSTRUMENT_TERMINATED}
        assert world.on_token("pause") == "0x1"
        assert world.compare() == {Refusal.TOKEN_PAUSED}
