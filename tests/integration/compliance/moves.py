# SPDX-License-Identifier: Apache-2.0
"""Ways by which units move besides a holder's own transfer, each as a real transaction, with what became of it."""

from copy import deepcopy
from typing import Any, NamedTuple

import msgspec
from eth_hash.auto import keccak

from stoken.chain import eip712
from stoken.chain.signatures import address_of, sign
from stoken.chain.statements import Encumber
from stoken.compliance.verdict import Channel, marked_verdict, transfer_verdict
from stoken.domain import facts
from stoken.domain.codes import EncumbranceKind
from stoken.issuance.calldata import interface
from stoken.parties import requests
from tests import consortium
from tests.consortium import BROKER_1, FOREVER, SENDER, Holder
from tests.integration.compliance.world import ACCOUNTS, World, revert_data

_INSTRUCTION = keccak(
    b"Instruction(address from,address to,address token,uint96 units,bytes32 reason,bytes32 document,uint256 nonce,"
    b"uint40 deadline)"
)
_MOVE_MARKED = keccak(b"MoveMarked(bytes32 id,address to,bytes32 salt,uint40 deadline)")
_PRICE = 1_000


class Asked(NamedTuple):
    """Units from one account to another, by their names."""

    pair: str
    units: int

    @property
    def sender(self) -> bytes:
        return ACCOUNTS[self.pair[0]]

    @property
    def receiver(self) -> bytes:
        return ACCOUNTS[self.pair[1]]


class Moves:
    """Signs and sends for the brokers of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._trade = 0

    # --- what the venue's gateway says beforehand ---------------------------------------------------------------------

    def foretold(self, asked: list[Asked], channel: Channel, number: int, time: int) -> list[bytes]:
        """What each item of a batch would revert with, each after the earlier ones, in a block of this time."""
        state = deepcopy(self.world.state)
        found = []
        for item in asked:
            verdict = transfer_verdict(
                state, self.world.token, item.sender, item.receiver, item.units, number, time, channel
            )
            found.append(revert_data(verdict))
            if verdict is None:
                moved = facts.Transferred(self.world.token, item.sender, item.receiver, item.units)
                # The state of a block is told in one piece: here each move is one of its own, at the same time.
                state.block_number, state.block_time = number - 1, time
                state.apply_block(number, bytes(32), time, [moved])
        return found

    # --- instructions -------------------------------------------------------------------------------------------------

    def instruct_each(self, *asked: Asked) -> tuple[list[bytes], list[bytes]]:
        """Send instructions as a batch that lets each fail alone; return what was foretold, and what the chain said."""
        world = self.world
        separator = eip712.domain("stoken Instructions", world.desk.chain_id, world.suite["instructions"])
        items, signatures, digests = [], [], []
        for item in asked:
            values = (item.sender, item.receiver, world.token, item.units, b"R" * 32, b"D" * 32, world.desk.number())
            digest = _digest(separator, _INSTRUCTION, *values, FOREVER)
            signed = sign(consortium.key_of(BROKER_1), digest)
            items.append((*values, FOREVER))
            signatures.append((signed, signed))
            digests.append(digest)
        data = interface("Instructions").encode("instructEach", tuple(items), tuple(signatures))
        before = deepcopy(world.state)
        receipt = world.send({"from": world.funded, "to": hexed(world.suite["instructions"]), "data": hexed(data)})
        assert receipt["status"] == "0x1"
        number, time = self._mined(receipt)
        after, world.state = world.state, before
        foretold = self.foretold(list(asked), Channel.INSTRUCTED, number, time)
        world.state = after
        failed = reasons(receipt, b"InstructionFailed(bytes32,bytes)")
        return foretold, [failed.get(int.from_bytes(digest), b"") for digest in digests]

    # --- trust marks --------------------------------------------------------------------------------------------------

    def mark(self, name: str, units: int, trustee: str = "d") -> Encumber:
        """Trust-mark units of an account."""
        world = self.world
        statement = Encumber(
            world.desk.number().to_bytes(32), world.token, units, ACCOUNTS[name], 0, EncumbranceKind.TRUST_MARK,
            ACCOUNTS[trustee], b"R" * 32, FOREVER,
        )  # fmt: skip
        digest = eip712.encumber(world.desk.domain(eip712.ENCUMBRANCES, "encumbrances"), statement)
        signed = sign(consortium.key_of(BROKER_1), digest)
        assert world.relay(requests.EncumberRequest(statement, signed, signed)) == "0x1"
        return statement

    def marked_move(self, mark: Encumber, receiver: str, holder: str | None = None) -> bytes:
        """The calldata by which marked units go to another account, signed by both managers."""
        world = self.world
        separator = world.desk.domain(eip712.ENCUMBRANCES, "encumbrances")
        salt = world.desk.number().to_bytes(32)
        digest = _digest(separator, _MOVE_MARKED, mark.encumbrance_id, ACCOUNTS[receiver], salt, FOREVER)
        signed = sign(consortium.key_of(BROKER_1), digest)
        _, *record, _ = msgspec.structs.astuple(mark)
        if holder is not None:
            record[2] = ACCOUNTS[holder]
        return interface("Encumbrances").encode(
            "moveMarked", mark.encumbrance_id, tuple(record), ACCOUNTS[receiver], salt, FOREVER, signed, signed
        )

    def compare_marked(self, mark: Encumber, holder: str) -> set[str | None]:
        """Ask both for a move of the mark to each account at the last block; return the refusals that were met."""
        world, met = self.world, set[str | None]()
        at = world.state.block_number, world.state.block_time
        for receiver in ACCOUNTS:
            if receiver == holder:
                continue
            found = marked_verdict(world.state, mark.encumbrance_id, ACCOUNTS[receiver], *at)
            call = {"to": hexed(world.suite["encumbrances"]), "data": hexed(self.marked_move(mark, receiver, holder))}
            (answer,) = world.rpc.batch_each([("eth_call", (call, hex(at[0])))])
            chain = bytes.fromhex(str(answer.data)[2:]) if hasattr(answer, "data") else b""
            assert revert_data(found) == chain, (receiver, found)
            met.add(None if found is None else found.refusal)
        return met

    # --- trades -------------------------------------------------------------------------------------------------------

    def fund(self) -> None:
        """Give the broker of all accounts cash to buy with."""
        world = self.world
        assert world.relay(world.desk.open_cash(BROKER_1)) == "0x1"
        assert world.relay(world.desk.credit(BROKER_1, 10**9)) == "0x1"

    def trade(self, function: str, *asked: Asked) -> tuple[dict[str, Any], list[int]]:
        """Send trades of fresh orders to the settlement contract as the venue does; return receipt and trade ids."""
        world = self.world
        orders, signatures, trades = [], [], []
        for item in asked:
            self._trade += 1
            buy = world.desk.order(Holder(item.receiver, BROKER_1), world.token, 1, _PRICE, item.units)
            sell = world.desk.order(Holder(item.sender, BROKER_1), world.token, 2, _PRICE, item.units)
            for order, signature in (buy, sell):
                orders.append(msgspec.structs.astuple(order))
                signatures.append(signature)
            at = world.state.block_time
            trades.append((self._trade, len(orders) - 2, len(orders) - 1, item.units, _PRICE, at))
        name = "DvpSettlement" if function == "settleBatch" else "SettlementModes"
        data = interface(name).encode(function, tuple(orders), tuple(signatures), tuple(trades))
        sender = hexed(address_of(SENDER))
        world.rpc.call("anvil_impersonateAccount", sender)
        receipt = world.send({"from": sender, "to": hexed(world.suite["settlement"]), "data": hexed(data)})
        return receipt, [trade[0] for trade in trades]

    def settle(self, *asked: Asked) -> tuple[list[bytes], list[bytes]]:
        """Settle trades in one batch; return what was foretold, and what the chain said, trade by trade."""
        before = deepcopy(self.world.state)
        receipt, trade_ids = self.trade("settleBatch", *asked)
        assert receipt["status"] == "0x1", receipt
        number, time = self._mined(receipt)
        after, self.world.state = self.world.state, before
        foretold = self.foretold(list(asked), Channel.VENUE, number, time)
        self.world.state = after
        failed = reasons(receipt, b"TradeFailed(bytes20,uint64,bytes)")
        return foretold, [failed.get(trade_id, b"") for trade_id in trade_ids]

    def hold(self, *asked: Asked) -> None:
        """Hold both legs of trades until a later day."""
        receipt, trade_ids = self.trade("holdBatch", *asked)
        assert receipt["status"] == "0x1", receipt
        held = self.world.state.trade_holds
        assert {trade_id for _, trade_id in held} >= set(trade_ids)

    def _mined(self, receipt: dict[str, Any]) -> tuple[int, int]:
        block = self.world.rpc.call("eth_getBlockByNumber", receipt["blockNumber"], False)  # noqa: FBT003
        return int(block["number"], 16), int(block["timestamp"], 16)


def hexed(value: bytes) -> str:
    return "0x" + value.hex()


def reasons(receipt: dict[str, Any], event: bytes) -> dict[int, bytes]:
    """The revert data that events of failure carry, by the last of their topics."""
    found = {}
    for log in receipt["logs"]:
        if log["topics"][0] == hexed(keccak(event)):
            data = bytes.fromhex(log["data"][2:])
            found[int(log["topics"][-1], 16)] = data[64 : 64 + int.from_bytes(data[32:64])]
    return found


def _digest(separator: bytes, kind: bytes, *values: bytes | int) -> bytes:
    words = [value.to_bytes(32) if isinstance(value, int) else value.rjust(32, b"\0") for value in values]
    return keccak(b"\x19\x01" + separator + keccak(kind + b"".join(words)))
