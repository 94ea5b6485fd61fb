# SPDX-License-Identifier: Apache-2.0
"""What a node keeps refusing in words that nobody listed is held on record for an operator, and never failed."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from typing_extensions import override

from stoken.chain.rpc import NodeError, RpcClient
from stoken.db import reading, unit_of_work
from stoken.network.anvil import Anvil
from stoken.transactions import measures, queries
from stoken.transactions.holds import HELD_AFTER
from tests.integration.transactions.write_path import WritePath

_SEND = "eth_sendRawTransaction"


class Refusing(RpcClient):
    """A node that says something strange to what it is sent; `keeps` where it has taken it nevertheless."""

    said = ""
    keeps = False

    @override
    def call(self, method: str, *params: object) -> Any:
        if method != _SEND or not self.said:
            return super().call(method, *params)
        if self.keeps:
            super().call(method, *params)
            self.keeps = False
        raise NodeError(-32603, self.said)


@pytest.fixture
def node_that_refuses(node: Anvil) -> Iterator[Refusing]:
    with Refusing(node.url) as rpc:
        yield rpc


@pytest.fixture
def refused(engine: Engine, node_that_refuses: Refusing) -> WritePath:
    """Return a path with one transaction, which the node refuses."""
    path = WritePath(engine, node_that_refuses)
    path.take_over()
    path.enqueue("one")
    node_that_refuses.said = "Internal error"
    return path


def _send(path: WritePath, times: int) -> None:
    for _ in range(times):
        path.broadcast.execute()
        path.now += 5


def _held(path: WritePath) -> tuple[str | None, int]:
    """Return the words on record, and how many are counted."""
    with reading(path.engine) as connection:
        return queries.find(connection, "one")[0].held, measures.held(connection)


class TestHeld:
    def test_the_nodes_words_are_on_record_after_so_many_refusals(self, refused: WritePath) -> None:
        _send(refused, HELD_AFTER - 1)
        assert _held(refused) == (None, 0)
        _send(refused, 1)
        words, count = _held(refused)
        assert (words, count) == ("the node answers -32603: Internal error", 1)
        assert (refused.row("one").status, refused.row("one").failure) == ("broadcast", None)

    def test_it_is_sent_on_and_the_mark_goes_once_it_is_taken(
        self, refused: WritePath, node_that_refuses: Refusing
    ) -> None:
        _send(refused, HELD_AFTER)
        node_that_refuses.said = ""
        refused.settle()
        assert (refused.row("one").status, _held(refused)) == ("mined", (None, 0))

    def test_other_words_take_the_place_of_the_first(self, refused: WritePath, node_that_refuses: Refusing) -> None:
        _send(refused, HELD_AFTER)
        node_that_refuses.said = "plugin says no"
        _send(refused, 1)
        assert _held(refused)[0] == "the node answers -32603: plugin says no"

    def test_a_full_pool_holds_nothing(self, refused: WritePath, node_that_refuses: Refusing) -> None:
        node_that_refuses.said = "txpool is full"
        _send(refused, HELD_AFTER + 1)
        assert _held(refused) == (None, 0)

    def test_a_full_pool_in_between_begins_no_new_count_and_takes_no_mark_away(
        self, refused: WritePath, node_that_refuses: Refusing
    ) -> None:
        for said in ("Internal error", "txpool is full") * HELD_AFTER:
            node_that_refuses.said = said
            _send(refused, 1)
        assert _held(refused) == ("the node answers -32603: Internal error", 1)

    def test_one_that_the_node_took_all_the_same_is_mined(
        self, refused: WritePath, node_that_refuses: Refusing
    ) -> None:
        node_that_refuses.keeps = True
        _send(refused, HELD_AFTER)
        refused.settle()
        assert (refused.row("one").status, refused.row("one").failure) == ("mined", None)
        assert _held(refused)[1] == 0

    def test_it_does_not_hold_up_other_traffic(self, refused: WritePath) -> None:
        _send(refused, HELD_AFTER)
        window = refused.broadcast.window
        _send(refused, 5)
        assert refused.broadcast.window > window


class TestOperator:
    def test_may_withdraw_it_on_any_engine(self, refused: WritePath, node_that_refuses: Refusing) -> None:
        _send(refused, HELD_AFTER)
        with unit_of_work(refused.engine) as connection:
            queries.ask(connection, "one", "replace", "the node will not have it")
        refused.withdraw.execute()
        node_that_refuses.said = ""
        refused.settle()
        row = refused.row("one")
        assert (row.status, row.without_effect) == ("replaced", True)
        assert row.failure is not None
        assert row.failure.code == "TRANSACTION_WITHDRAWN"

    def test_and_if_the_node_had_it_after_all_it_counts(self, refused: WritePath, node_that_refuses: Refusing) -> None:
        node_that_refuses.keeps = True
        _send(refused, HELD_AFTER)
        with unit_of_work(refused.engine) as connection:
            queries.ask(connection, "one", "replace", "the node will not have it")
        refused.withdraw.execute()
        node_that_refuses.said = ""
        refused.settle()
        assert (refused.row("one").status, refused.nonce_on_chain()) == ("mined", 1)
