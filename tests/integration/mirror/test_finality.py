# SPDX-License-Identifier: Apache-2.0
"""Nothing is final before its rule says so, nothing final is ever taken back, and each final block is on record."""

from itertools import count
from random import Random
from typing import NamedTuple

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import Json, RpcClient
from stoken.chain.signatures import address_of
from stoken.cli.mirror_finality import faults
from stoken.db import reading
from stoken.domain.refusals import Refusal
from stoken.errors import NotFoundError, RefusedError, StartupError
from stoken.ledger import queries
from stoken.ledger.feed import FeedBlock, final_blocks
from stoken.ledger.final_blocks import FinalBlock, FinalBlocks, final_block_record, final_block_records
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import Finality, MirrorStep
from stoken.mirror.completeness import EMPTY_ROOT, IncompleteBlockError
from stoken.mirror.finality import FirstSealed
from stoken.mirror.reader import ChainReader
from stoken.mirror.seals import NotSealedError
from stoken.mirror.store import read_checkpoint
from tests.emitter import mine
from tests.ledger_events import ISIN, NOBODY, SUITE, address, issue, transfer
from tests.requirements import requirement
from tests.sealing import FOUR, KEYS, SealedNode, hash_of, sealed

HISTORY = ([issue(), transfer(NOBODY, address(0), 1_000_000)], [], [transfer(address(0), address(1), 5)])


def mirror(engine: Engine, rpc: RpcClient, finality: Finality) -> MirrorStep:
    clock = count(1_000)
    projections = [LedgerProjection(SUITE), FinalBlocks(lambda: next(clock), finality)]
    return MirrorStep(engine, rpc, projections, finality)


def records(engine: Engine) -> list[FinalBlock]:
    with reading(engine) as connection:
        return final_block_records(connection)


def final_number(engine: Engine) -> int:
    with reading(engine) as connection:
        return read_checkpoint(connection).final_number


@requirement("SET-09")
class TestDepth:
    def test_a_block_is_on_record_once_it_is_deep_enough_and_refused_before(
        self, engine: Engine, rpc: RpcClient
    ) -> None:
        mine(rpc, *HISTORY)
        following = mirror(engine, rpc, Finality(depth=2))
        following.run_to_head()
        with reading(engine) as connection, pytest.raises(RefusedError) as caught:
            final_block_record(connection, 3)
        assert caught.value.refusal is Refusal.LEDGER_NOT_FINAL
        assert caught.value.details == {"block": 3, "final": 1}
        mine(rpc, [], [])
        following.run_to_head()
        first, second = records(engine)
        assert (first.number, second.number) == (1, 3)
        assert (second.rule, second.round, second.validators, second.signers) == ("no seals, depth 2", None, (), ())
        assert first.final_at_ns < second.final_at_ns
        assert second.hash.hex() == rpc.call("eth_getBlockByNumber", "0x3", False)["hash"][2:]  # noqa: FBT003
        with reading(engine) as connection:
            assert final_block_record(connection, 3) == second
            with pytest.raises(NotFoundError, match="says nothing of ours"):
                final_block_record(connection, 2)

    def test_catching_up_in_ranges_leaves_the_records_of_each_block(self, engine: Engine, rpc: RpcClient) -> None:
        mine(rpc, *HISTORY, *([transfer(address(0), address(1), 1)] for _ in range(20)))
        mirror(engine, rpc, Finality(depth=1)).run_to_head()
        assert [record.number for record in records(engine)] == [1, *range(3, 23)]

    def test_followed_block_by_block_a_block_is_on_record_though_those_after_it_are_empty(
        self, engine: Engine, rpc: RpcClient
    ) -> None:
        mine(rpc, *HISTORY)
        following = mirror(engine, rpc, Finality(depth=2))
        following.run_to_head()
        for _ in range(2):
            mine(rpc, [])
            following.run_to_head()
        assert (final_number(engine), [record.number for record in records(engine)]) == (3, [1, 3])

    def test_what_grows_final_without_a_new_block_is_on_record(self, engine: Engine, rpc: RpcClient) -> None:
        mine(rpc, *HISTORY)
        mirror(engine, rpc, Finality(depth=9)).run_to_head()
        assert records(engine) == []
        mirror(engine, rpc, Finality(depth=0)).run_to_head()
        assert [record.number for record in records(engine)] == [1, 3]

    @pytest.mark.parametrize("seed", range(3))
    def test_reorgs_take_back_nothing_that_was_ever_shown(self, engine: Engine, rpc: RpcClient, seed: int) -> None:
        random, shown = Random(seed), _Shown([], [], {})  # noqa: S311 - it need not be secret
        depth = random.randint(1, 4)
        following = mirror(engine, rpc, Finality(depth=depth))
        mine(rpc, *HISTORY)
        for _ in range(12):
            fork = rpc.call("evm_snapshot")
            branch = random.randint(1, depth)
            _grow(rpc, random, branch)
            if random.random() < 0.8:
                following.run_to_head()
                shown = _look_again(engine, shown)
            if random.random() < 0.5:
                rpc.call("evm_revert", fork)
                _grow(rpc, random, branch + 1)
                following.run_to_head()
                shown = _look_again(engine, shown)
        assert len(shown.records) > 5


class _Shown(NamedTuple):
    """Everything that was shown as final so far."""

    records: list[FinalBlock]
    feed: list[FeedBlock]
    registers: dict[int, tuple[queries.Holding, ...]]


def _grow(rpc: RpcClient, random: Random, blocks: int) -> None:
    for _ in range(blocks):
        # Block time differs between branches, so that their blocks do.
        rpc.call("evm_increaseTime", random.randint(1, 1_000))
        mine(rpc, [transfer(address(0), address(random.randint(1, 3)), random.randint(1, 9))])


def _look_again(engine: Engine, before: _Shown) -> _Shown:
    """Read what is shown as final; what was shown before is still shown, the same."""
    with reading(engine) as connection:
        final = read_checkpoint(connection).final_number
        found, feed = final_block_records(connection), final_blocks(connection, -1)
        registers = dict(before.registers)
        for number in range(1, final + 1):
            holdings = queries.register(connection, ISIN, at_block=number).holdings
            assert registers.setdefault(number, holdings) == holdings
        for above in range(final + 1, final + 4):
            with pytest.raises(RefusedError, match="not final"):
                queries.register(connection, ISIN, at_block=above)
    assert found[: len(before.records)] == before.records
    assert feed[: len(before.feed)] == before.feed
    assert all(item.number <= final for item in (*found, *feed))
    return _Shown(found, feed, registers)


@pytest.fixture
def sealing(rpc: RpcClient) -> SealedNode:
    """The node of the test, as it would be if four validators sealed its blocks."""
    return SealedNode(rpc)


@pytest.fixture
def client(sealing: SealedNode) -> RpcClient:
    return RpcClient("http://sealed", transport=sealing)


class _TwoFacedNode(SealedNode):
    """Answers by hash with the empty block that was sealed, by number with a mint under the same hash."""

    def _result(self, method: str, params: Json) -> Json:
        result = super()._result(method, params)
        return {**result, **result.get("forged", {})} if method == "eth_getBlockByNumber" else result


def _empty_in_truth(block: Json) -> Json:
    forged = {name: block[name] for name in ("receiptsRoot", "logsBloom")}
    truth = {**block, "receiptsRoot": f"0x{EMPTY_ROOT.hex()}", "logsBloom": "0x" + "00" * 256}
    return {**sealed(truth), "forged": forged}


@requirement("SET-09")
class TestSeals:
    def test_who_sealed_what_says_something_of_ours_is_on_record(
        self, engine: Engine, rpc: RpcClient, client: RpcClient, sealing: SealedNode
    ) -> None:
        sealing.seal = lambda block: sealed(block, signers=FOUR[:3], round_=2)
        mine(rpc, *HISTORY, *([transfer(address(0), address(1), 1)] for _ in range(20)))
        mirror(engine, client, Finality(sealed=True)).run_to_head()
        found = records(engine)
        assert [record.number for record in found] == [1, *range(3, 24)]
        for record in found:
            assert record.hash == hash_of(sealing.blocks[record.number])
            assert (record.round, record.signers) == (2, tuple(map(address_of, FOUR[:3])))
            assert record.validators == tuple(sorted(map(address_of, FOUR)))
            assert record.rule == "commit seals of two thirds of the validators, depth 0"

    @pytest.mark.parametrize(
        "signers", [FOUR[:2], [*FOUR[:2], KEYS[6]], [FOUR[0], FOUR[0], FOUR[0]], KEYS[4:7]], ids=str
    )
    def test_a_forged_block_is_not_written_and_nothing_in_it_is_final(
        self, engine: Engine, rpc: RpcClient, client: RpcClient, sealing: SealedNode, signers: list[bytes]
    ) -> None:
        mine(rpc, *HISTORY[:1])
        following = mirror(engine, client, Finality(sealed=True))
        following.run_to_head()
        sealing.seal = lambda block: sealed(block, signers=signers)
        mine(rpc, [transfer(address(0), address(1), 1)])
        for _ in range(2):
            with pytest.raises(NotSealedError):
                following.run_to_head()
        assert (final_number(engine), [record.number for record in records(engine)]) == (1, [1])
        with reading(engine) as connection, pytest.raises(RefusedError, match="not final"):
            queries.register(connection, ISIN, at_block=2)
        sealing.seal = sealed
        sealing.blocks.pop()
        following.run_to_head()
        assert [record.number for record in records(engine)] == [1, 2]

    def test_validators_of_the_forgers_own_are_refused(
        self, engine: Engine, rpc: RpcClient, client: RpcClient, sealing: SealedNode
    ) -> None:
        mine(rpc, *HISTORY)
        following = mirror(engine, client, Finality(sealed=True))
        following.run_to_head()
        sealing.seal = lambda block: sealed(block, KEYS[4:7])
        mine(rpc, [])
        with pytest.raises(NotSealedError, match="the block before does not vouch for"):
            following.run_to_head()
        assert final_number(engine) == 3

    @pytest.mark.parametrize("ahead", [1, 12])
    def test_contents_that_were_not_sealed_under_the_hash_are_refused(
        self, engine: Engine, rpc: RpcClient, ahead: int
    ) -> None:
        node = _TwoFacedNode(rpc)
        following = mirror(engine, RpcClient("http://sealed", transport=node), Finality(sealed=True))
        mine(rpc, *HISTORY[:1])
        following.run_to_head()
        node.seal = lambda block: _empty_in_truth(block) if block["number"] == "0x2" else sealed(block)
        mine(rpc, *([transfer(NOBODY, address(0), 1)] for _ in range(ahead)))
        with pytest.raises(NotSealedError, match="the header of block 2 does not give its hash"):
            following.run_to_head()
        assert (final_number(engine), [record.number for record in records(engine)]) == (1, [1])
        with reading(engine) as connection:
            assert read_checkpoint(connection).number == 1
            assert [holding.units for holding in queries.register(connection, ISIN, at_block=1).holdings] == [1_000_000]

    def test_an_old_sealed_block_served_as_the_next_is_refused(
        self, engine: Engine, rpc: RpcClient, client: RpcClient, sealing: SealedNode
    ) -> None:
        mine(rpc, *HISTORY)
        following = mirror(engine, client, Finality(sealed=True))
        following.run_to_head()
        old = sealing.blocks[2]
        sealing.seal = lambda _: {**old, "number": "0x4", "parentHash": sealing.blocks[3]["hash"]}
        mine(rpc, [])
        with pytest.raises(NotSealedError, match="block 4 does not give its hash"):
            following.run_to_head()
        sealing.blocks[4] = old
        with pytest.raises(IncompleteBlockError, match="other blocks than 4-4"):
            ChainReader(client, sealed_from=0).blocks(4, 4)
        assert final_number(engine) == 3

    def test_an_engine_without_seals_is_never_final_by_them(self, engine: Engine, rpc: RpcClient) -> None:
        mine(rpc, *HISTORY)
        with pytest.raises(StartupError, match="block 3 has no seals"):
            mirror(engine, rpc, Finality(sealed=True)).run_to_head()
        assert final_number(engine) == -1

    def test_validators_that_a_contract_selects_are_refused_at_the_start(
        self, engine: Engine, rpc: RpcClient, client: RpcClient, sealing: SealedNode
    ) -> None:
        sealing.seal = lambda block: sealed(block, [])
        mine(rpc, *HISTORY)
        with pytest.raises(StartupError, match="block 3 names no validators: a contract selects them"):
            mirror(engine, client, Finality(sealed=True)).run_to_head()


_SEALED = "commit seals of two thirds of the validators, depth 0"


class TestChainThatMovedToSeals:
    """Blocks 0 to 3 are another engine's."""

    @pytest.fixture
    def moved(self, rpc: RpcClient, sealing: SealedNode) -> SealedNode:
        sealing.seal = lambda block: block if int(block["number"], 16) < 4 else sealed(block)
        mine(rpc, *HISTORY, *([transfer(address(0), address(1), 1)] for _ in range(20)))
        RpcClient("http://sealed", transport=sealing).call("eth_blockNumber")
        return sealing

    def test_what_is_below_the_first_sealed_block_is_on_record_as_final_without(
        self, engine: Engine, client: RpcClient, moved: SealedNode
    ) -> None:
        first = FirstSealed(4, hash_of(moved.blocks[4]))
        following = mirror(engine, client, Finality(sealed=True, first_sealed=first))
        following.run_to_head(3)
        following.run_to_head()
        found = {record.number: (record.rule, len(record.signers)) for record in records(engine)}
        assert found == {1: ("no seals, depth 0", 0), 3: ("no seals, depth 0", 0)} | dict.fromkeys(
            range(4, 24), (_SEALED, 4)
        )
        assert list(faults(client, records(engine))) == []

    def test_another_first_sealed_block_than_the_operator_names_is_refused(
        self, engine: Engine, client: RpcClient, moved: SealedNode
    ) -> None:
        first = FirstSealed(4, hash_of(moved.blocks[5]))
        with pytest.raises(NotSealedError, match="block 4 is not the first sealed one"):
            mirror(engine, client, Finality(sealed=True, first_sealed=first)).run_to_head()
        assert final_number(engine) < 4

    def test_without_its_name_nothing_is_read(self, engine: Engine, client: RpcClient, moved: SealedNode) -> None:
        with pytest.raises(NotSealedError, match="has no seals"):
            mirror(engine, client, Finality(sealed=True)).run_to_head()
        assert (final_number(engine), len(moved.blocks)) == (-1, 24)

    def test_validators_later_on_still_follow_from_the_first(
        self, engine: Engine, rpc: RpcClient, client: RpcClient, moved: SealedNode
    ) -> None:
        following = mirror(engine, client, Finality(sealed=True, first_sealed=FirstSealed(4, hash_of(moved.blocks[4]))))
        following.run_to_head()
        moved.seal = lambda block: sealed(block, KEYS[4:7])
        mine(rpc, [])
        with pytest.raises(NotSealedError, match="does not vouch for"):
            following.run_to_head()


class TestSwitchToSeals:
    def test_blocks_that_were_mirrored_before_are_recorded_as_final_without(
        self, engine: Engine, rpc: RpcClient, client: RpcClient
    ) -> None:
        mine(rpc, *HISTORY)
        mirror(engine, client, Finality(depth=9)).run_to_head()
        mine(rpc, [transfer(address(0), address(1), 1)])
        mirror(engine, client, Finality(sealed=True)).run_to_head()
        assert {record.number: record.rule for record in records(engine)} == {
            1: "no seals, depth 0",
            3: "no seals, depth 0",
            4: _SEALED,
        }
        assert list(faults(client, records(engine))) == []
