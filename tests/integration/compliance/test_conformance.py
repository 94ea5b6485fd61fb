# SPDX-License-Identifier: Apache-2.0
"""The local verdict against the contracts' own: the same revert data, whatever happened before."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stoken.chain.rpc import NodeError, RpcClient
from stoken.compliance.verdict import Verdict, buyer_verdict, seller_verdict
from stoken.db import reading
from stoken.domain.codes import HoldEffect
from stoken.domain.refusals import Refusal
from stoken.issuance.calldata import interface
from stoken.ledger import queries
from tests.consortium import BROKER_1, BROKER_2, FOREVER, ISSUER
from tests.integration.compliance.world import ACCOUNTS, COUNTRIES, IDENTITIES, ISIN, World, revert_data
from tests.requirements import requirement

#: Scopes of measures.
INSTITUTION, ACCOUNT, NETWORK = 2, 3, 4


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
    yield lambda: world.encumber(name, choose.choice((2, 4)), choose.randrange(1, 30))
    yield lambda: world.attest(name, now + choose.choice((1, 2, 3, 10_000)))
    yield lambda: world.revoke(name, for_cause=choose.random() < 0.5)
    yield lambda: world.announce(lot=choose.choice((0, 1, 7)), classes=choose.choice((0, 2, 4, 6)))
    yield lambda: world.announce(cap_units=choose.randrange(1, 120), cap_bps=choose.choice((0, 500, 5_000)))
    yield lambda: world.announce(holder_limit=choose.randrange(1, 4))
    yield lambda: world.announce(countries=choose.sample(COUNTRIES, choose.randrange(3)), allowed=choose.random() < 0.5)
    yield lambda: world.announce(window_units=choose.randrange(1, 60), window_seconds=choose.randrange(1, 8))
    yield lambda: world.announce(off_venue_barred=True, window_units=30, window_seconds=100)
    yield lambda: world.transfer(choose.choice(("ab", "ac", "ca", "bc", "cd", "da")), choose.choice((1, 7, 30)))
    yield lambda: world.transfer("ab", choose.choice((1, 7)))
    yield lambda: world.move_identity(name, choose.choice(list(IDENTITIES.values())))
    yield lambda: world.hold(name, choose.randrange(4))
    yield lambda: world.restrict(every_issue=choose.random() < 0.5, restricted=choose.random() < 0.3)
    yield lambda: world.suspend(suspended=choose.random() < 0.2)
    yield world.announce


def module_steps(world: World, choose: random.Random, approval: bytes, blackout: bytes) -> Iterator[Callable[[], str]]:
    """Everything that module contracts may be told."""
    name, pair = choose.choice("abcd"), choose.choice(("ab", "ba", "ac", "ca"))
    until = world.state.block_time + choose.choice((1, 3, 10_000))
    yield lambda: world.bind(choose.choice((approval, blackout)))
    yield lambda: world.unbind(choose.choice((approval, blackout)))
    yield lambda: world.approve(approval, pair, choose.choice((1, 7, 30)), choose.choice((until, 0)))
    yield lambda: world.black_out(blackout, name, choose.randrange(4), until)
    yield lambda: world.transfer(pair, choose.choice((1, 7, 30)))


@pytest.fixture
def world(rpc: RpcClient, tmp_path: Path) -> World:
    return World(rpc, tmp_path)


class TestConformance:
    @requirement("KYC-07")
    @requirement("TRF-08")
    def test_each_rule_alone_gives_the_contracts_own_revert_data(self, world: World) -> None:
        met = world.compare()
        assert world.on_token("unpause") == "0x1"
        met |= world.compare()
        for change in (
            lambda: world.on_token("setAddressFrozen", ACCOUNTS["b"], True),  # noqa: FBT003 - the contract's argument
            lambda: world.on_token("setAddressFrozen", ACCOUNTS["b"], False),  # noqa: FBT003
            lambda: world.on_token("freezePartialTokens", ACCOUNTS["a"], 20),
            lambda: world.encumber("a", 4, 10),
            lambda: world.encumber("a", 2, 15),
            lambda: world.lock("a", 50),
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
            Refusal.SECURITIES_PLEDGED,
            Refusal.SECURITIES_RESTRICTED,
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

    @requirement("TRF-03")
    def test_the_version_of_a_decision_is_the_one_in_force_at_its_block(self, world: World) -> None:
        assert world.announce(lot=7) == world.announce(lot=5) == "0x1"
        for _ in range(6):
            world.mine()
        versions = world.state.rule_sets[world.compliance]
        for number in range(versions[0].effective_block, world.state.block_number + 1):
            version, _ = world.ask("ModularCompliance", world.compliance, "rules", at=number)
            assert world.state.tokens[world.token].rules_at(number).version == version
        for rules in versions:
            block, announced = world.ask("ModularCompliance", world.compliance, "ruleSet", rules.version)
            assert (block, announced[4]) == (rules.effective_block, rules.lot)
        unknown = revert_data(Verdict(Refusal.RULE_VERSION_UNKNOWN, (99,))).hex()
        with pytest.raises(NodeError) as refused:
            world.ask("ModularCompliance", world.compliance, "ruleSet", 99)
        assert unknown in str(refused.value.data)

    def test_a_window_ends_when_the_contracts_say_so(self, world: World) -> None:
        world.on_token("unpause")
        assert world.announce(window_units=30, window_seconds=6) == "0x1"
        met = world.compare()
        while world.state.tokens[world.token].rules_at(world.state.block_number).window_units == 0:
            world.mine()
        assert world.transfer("ab", 7) == "0x1"
        assert world.transfer("ab", 30) == "0x0"
        assert world.on_token("forcedTransfer", ACCOUNTS["a"], ACCOUNTS["b"], 30) == "0x1"
        assert world.on_token("mint", ACCOUNTS["b"], 20, first=ISSUER) == "0x1"
        for _ in range(8):
            met |= world.compare()
            world.mine()
        assert world.transfer("ab", 30) == "0x1"
        assert Refusal.SUBSCRIPTION_LIMIT in met | world.compare()

    def test_a_sale_off_the_venue_is_barred_there_alone(self, world: World) -> None:
        world.on_token("unpause")
        world.announce(off_venue_barred=True)
        for _ in range(3):
            world.mine()
        assert {None, Refusal.OFF_VENUE_SALE_BARRED} < world.compare()
        assert world.transfer("ab", 1) == "0x0"

    def test_units_counted_anew_count_the_same_here(self, world: World) -> None:
        world.on_token("unpause")
        world.announce(cap_units=100)
        assert world.move_identity("c", IDENTITIES["a"]) == "0x1"
        for _ in range(3):
            world.mine()
        assert Refusal.HOLDING_LIMIT in world.compare()

    def test_modules_are_foretold_from_their_events(self, world: World) -> None:
        world.on_token("unpause")
        approval, blackout = world.deploy("ConditionalApproval"), world.deploy("Blackout")
        assert world.approve(approval, "ab", 7, FOREVER) == "0x0"
        assert world.bind(approval) == world.bind(blackout) == "0x1"
        met = world.compare()
        assert world.approve(approval, "ab", 7, world.state.block_time + 4) == "0x1"
        assert world.approve(approval, "ac", 30, FOREVER) == "0x1"
        assert world.black_out(blackout, "b", 2, world.state.block_time + 9) == "0x1"
        for _ in range(6):
            met |= world.compare()
            world.mine()
        assert world.transfer("ac", 30) == "0x1"
        met |= world.compare()
        assert world.transfer("ac", 30) == "0x0"
        assert world.unbind(approval) == "0x1"
        for _ in range(4):
            met |= world.compare()
            world.mine()
        assert {None, Refusal.DUAL_CONTROL_REQUIRED, Refusal.INSIDER_BLACKOUT} < met

    @pytest.mark.parametrize("seed", [3, 4])
    def test_a_random_history_of_modules_never_parts_them(self, world: World, seed: int) -> None:
        choose = random.Random(seed)  # noqa: S311 - a seed, no secret
        world.on_token("unpause")
        modules = world.deploy("ConditionalApproval"), world.deploy("Blackout")
        assert world.bind(modules[1]) == "0x1"
        for _ in range(25):
            choose.choice([*steps(world, choose), *module_steps(world, choose, *modules)])()
            world.compare()
            if world.state.tokens[world.token].paused:
                world.on_token("unpause")

    @requirement("ISS-12")
    def test_a_terminated_instrument_refuses_every_transfer(self, world: World) -> None:
        assert world.on_token("unpause") == "0x1"
        assert world.on_token("setRecordDate") == "0x1"
        assert world.on_token("terminate", b"D" * 32) == "0x0"
        for name, units in (("a", 100), ("c", 40)):
            assert world.on_token("burn", ACCOUNTS[name], units) == "0x1"
        assert world.on_token("terminate", b"D" * 32) == "0x1"
        assert world.compare() == {Refusal.INSTRUMENT_TERMINATED}
        with reading(world.engine) as connection:
            report = queries.termination(connection, ISIN)
        assert (report.minted, report.burned, report.residual) == (140, 140, 0)
        assert 0 < report.block.time <= world.state.block_time
        assert world.on_token("pause") == "0x1"
        assert world.compare() == {Refusal.TOKEN_PAUSED}

    def test_a_suspended_network_and_restricted_institutions_refuse_alike(self, world: World) -> None:
        assert world.on_token("unpause") == "0x1"
        open_to = world.compare()
        assert None in open_to
        assert world.impose(INSTITUTION, BROKER_1, every_issue=False) == "0x1"
        assert Refusal.INSTITUTION_TRANSFER_RESTRICTED in world.compare()
        assert world.transfer("ab", 1) == "0x0"
        assert world.impose(INSTITUTION, BROKER_1) == world.lift(1) == "0x1"
        assert Refusal.INSTITUTION_TRANSFER_RESTRICTED in world.compare()
        assert world.on_token("setAddressFrozen", ACCOUNTS["a"], True) == "0x1"  # noqa: FBT003 - the contract's argument
        assert world.impose(NETWORK, bytes(20)) == "0x1"
        assert world.compare() == {Refusal.EMERGENCY_SUSPENSION}
        assert world.lift(3) == world.lift(2) == "0x1"
        assert world.compare() == open_to | {Refusal.ACCOUNT_LEGAL_HOLD}

    def test_a_restriction_of_another_institution_bars_nobody(self, world: World) -> None:
        assert world.on_token("unpause") == "0x1"
        assert world.impose(INSTITUTION, BROKER_2) == "0x1"
        assert world.impose(INSTITUTION, BROKER_2, every_issue=False) == "0x1"
        assert Refusal.INSTITUTION_TRANSFER_RESTRICTED not in world.compare()

    @requirement("KYC-08")
    @pytest.mark.parametrize(
        "effect", [HoldEffect.NO_SALE, HoldEffect.NO_PURCHASE, HoldEffect.NO_SALE | HoldEffect.NO_PURCHASE]
    )
    def test_a_legal_hold_bars_the_sides_it_names_from_its_beginning_to_its_end(
        self, world: World, effect: HoldEffect
    ) -> None:
        assert world.on_token("unpause") == "0x1"
        held, barred = ACCOUNTS["a"], (Refusal.ACCOUNT_LEGAL_HOLD, (ACCOUNTS["a"],))
        until = world.state.block_time + 20
        assert world.impose(ACCOUNT, held, effect=effect, until=until) == "0x1"
        assert Refusal.ACCOUNT_LEGAL_HOLD in world.compare()
        no_sale, no_purchase = bool(effect & HoldEffect.NO_SALE), bool(effect & HoldEffect.NO_PURCHASE)
        assert (seller_verdict(world.state, world.token, held, 1) == barred) == no_sale
        assert (buyer_verdict(world.state, world.token, held, 1) == barred) == no_purchase
        assert (world.verdict(held, ACCOUNTS["b"]) is Refusal.ACCOUNT_LEGAL_HOLD) == no_sale
        assert (world.verdict(ACCOUNTS["c"], held) is Refusal.ACCOUNT_LEGAL_HOLD) == no_purchase
        lift = interface("LegalActions").encode("lift", 1)
        assert world.call(world.suite["legal"], lift) == "0x0"
        while world.state.block_time <= until:
            world.mine()
        assert world.call(world.suite["legal"], lift) == "0x1"
        assert Refusal.ACCOUNT_LEGAL_HOLD not in world.compare()
