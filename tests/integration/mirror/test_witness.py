# SPDX-License-Identifier: Apache-2.0
"""Two nodes: the mirror writes what both have, and stops where they disagree."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from stoken.chain.rpc import Json, RpcClient
from stoken.db import reading
from stoken.errors import LedgerUnavailableError
from stoken.mirror import MirrorStep, Witness, store
from stoken.mirror.witness import WitnessDisagreesError
from stoken.network.anvil import Anvil


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil(block_seconds=None) as anvil, RpcClient(anvil.url) as rpc:
        for _ in range(30):
            rpc.call("evm_mine")
        yield anvil


class _Witness(RpcClient):
    """A second node that answers of block 20 what it is told to."""

    answer: Json = None

    def call(self, method: str, *params: object) -> Json:
        found = super().call(method, *params)
        return self.answer if found["number"] == hex(20) else found


def _number(engine: Engine) -> int:
    with reading(engine) as connection:
        return store.read_checkpoint(connection).number


def _mirror(engine: Engine, rpc: RpcClient, second: RpcClient, *, required: bool = False) -> MirrorStep:
    return MirrorStep(engine, rpc, witness=Witness(second, required=required))


class TestWitness:
    def test_what_both_nodes_have_is_written(self, engine: Engine, node: Anvil) -> None:
        with RpcClient(node.url) as rpc, RpcClient(node.url) as second:
            assert _mirror(engine, rpc, second, required=True).run_to_head().number == 30

    def test_a_disagreement_on_a_hash_stops_writing_until_it_is_gone(self, engine: Engine, node: Anvil) -> None:
        with RpcClient(node.url) as rpc, _Witness(node.url) as second:
            second.answer = {"hash": "0x" + "ee" * 32}
            mirror = _mirror(engine, rpc, second)
            mirror.run_to_head(19)
            for _ in range(2):
                with capture_logs() as logs, pytest.raises(WitnessDisagreesError, match="block 20 is"):
                    mirror.run_to_head(20)
                assert [line["log_level"] for line in logs if line["event"] == "mirror.witness_disagrees"] == ["error"]
                assert _number(engine) == 19
            second.answer = rpc.call("eth_getBlockByNumber", hex(20), False)  # noqa: FBT003 - JSON-RPC
            assert mirror.run_to_head().number == 30

    @pytest.mark.parametrize("answer", [None, {}, "nonsense"])
    def test_one_that_says_nothing_is_passed_over_unless_it_is_required(
        self, engine: Engine, node: Anvil, answer: Json
    ) -> None:
        with RpcClient(node.url) as rpc, _Witness(node.url) as second:
            second.answer = answer
            strict = _mirror(engine, rpc, second, required=True)
            strict.run_to_head(19)
            with pytest.raises(LedgerUnavailableError):
                strict.run_to_head(20)
            assert _number(engine) == 19
            with capture_logs() as logs:
                assert _mirror(engine, rpc, second).run_to_head(20).number == 20
            assert [line["event"] for line in logs] == ["mirror.witness_silent"]

    def test_one_that_is_down_is_said_once(self, engine: Engine, node: Anvil) -> None:
        with RpcClient(node.url) as rpc, RpcClient("http://127.0.0.1:9", timeout=1) as second, capture_logs() as logs:
            mirror = _mirror(engine, rpc, second)
            mirror.run_to_head(29)
            mirror.run_to_head(30)
        assert [line["event"] for line in logs] == ["mirror.witness_silent"]
