# SPDX-License-Identifier: Apache-2.0
"""What happens beside the market of the day: trades held for a later day, instructions, cash in and out, the end."""

from typing import Final

from eth_hash.auto import keccak

from stoken.chain import eip712
from stoken.chain.signatures import sign
from stoken.chain.statements import CashEntry, OrderCancel
from stoken.issuance.calldata import interface
from stoken.orders.outcomes import Stamp, Trade
from stoken.parties import requests
from stoken.settlement import encode
from tests.consortium import CASH, CASH_AGENT, FOREVER, VENUE, key_of
from tests.deployed import START
from tests.simulation.drawing import Draw, Operation, Promise
from tests.simulation.market import ACCOUNTS
from tests.simulation.terms import Deal, Move

_STAMP: Final = Stamp(0, bytes(32), 0, bytes(32))
_ENDS: Final = (5, 60, 60, 400)
#: Below this supply no block of operations burns it all, so that the issue does not end by chance.
_SUPPLY_MIN: Final = 1_500
_INSTRUCTION: Final = keccak(
    b"Instruction(address from,address to,address token,uint96 units,bytes32 reason,bytes32 document,uint256 nonce,"
    b"uint40 deadline)"
)


def matched(draw: Draw, settle_by: int = FOREVER) -> Trade:
    """Return a trade of two signed orders of two accounts."""
    seller, buyer = draw.choose.sample(ACCOUNTS, 2)
    units, price = max(1, draw.units(seller)), draw.choose.choice((1, 5, 90, 900))
    chain, holders = draw.world.chain, draw.world.holders
    buy, buy_signature = chain.order(holders[buyer], draw.world.token, 1, price, units, settle_by)
    sell, sell_signature = chain.order(holders[seller], draw.world.token, 2, price, units, settle_by)
    draw.trades += 1
    brokers = holders[buyer].broker, holders[seller].broker
    return Trade(
        draw.trades, "", draw.world.token, price, units, START, 0, 0, 0, *brokers,
        buy, buy_signature, sell, sell_signature, "", "", _STAMP,
    )  # fmt: skip


def deal(trade: Trade) -> Deal:
    """Return what the model is told of a trade."""
    buy, sell = trade.buy, trade.sell
    return Deal(
        VENUE, trade.trade_id, buy.token, buy.cash, sell.account, buy.account, sell.cash_account, buy.cash_account,
        trade.seller_broker, trade.buyer_broker, sell.nonce, buy.nonce, trade.quantity, trade.price, buy.settle_by,
    )  # fmt: skip


def settled(draw: Draw, trade: Trade) -> Operation:
    """Return the batch of one trade."""
    told = deal(trade)
    return _at_settlement(draw, "settle", encode.calldata(encode.batch([trade])), lambda m, b: m.settle(told, b))


def cancel(draw: Draw) -> Operation:
    """Cancel one of the latest orders, whatever became of it."""
    deals = [*draw.holds[-20:], *map(deal, draw.sent[-40:])] or [deal(matched(draw))]
    chosen = draw.choose.choice(deals)
    order = chosen.buyer_broker, chosen.buy_nonce
    if draw.chance(0.5):
        order = chosen.seller_broker, chosen.sell_nonce
    domain = draw.world.chain.desk.domain(eip712.DVP_SETTLEMENT, "settlement")
    signature = sign(key_of(order[0]), eip712.order_cancel(domain, OrderCancel(*order)))
    data = interface("DvpSettlement").encode("cancelOrder", *order, signature)
    return _at_settlement(draw, "cancelOrder", data, lambda m, _: m.cancel(*order))


def hold_trade(draw: Draw) -> Operation:
    """Hold a trade for a while."""
    trade = matched(draw, draw.at.time + draw.choose.choice(_ENDS))
    held = deal(trade)
    draw.holds.append(held)
    selector = interface("SettlementModes").functions["holdBatch"].selector
    data = selector + encode.calldata(encode.batch([trade]))[len(selector) :]
    return _at_settlement(draw, "holdBatch", data, lambda m, _: m.hold_trade(held))


def settle_held(draw: Draw) -> Operation:
    """Settle a held trade, now and then one that is over or told wrongly."""
    held = _known(draw)
    data = interface("SettlementModes").encode("settleHeld", (tuple(held),))
    return _at_settlement(draw, "settleHeld", data, lambda m, b: m.settle_held(held, b))


def release_held(draw: Draw) -> Operation:
    """Release a held trade, mostly one that is due."""
    held = _known(draw, due=draw.chance(0.7))
    data = interface("SettlementModes").encode("releaseHold", tuple(held))
    return _at_settlement(draw, "releaseHold", data, lambda m, b: m.release_held(held, b))


def instruct(draw: Draw) -> Operation:
    """Move units as both managers sign, now and then without saying why."""
    giver = draw.account()
    move = Move(giver, draw.account(), draw.units(giver), plain=False)
    explained = draw.chance(0.85)
    why = b"GIFT".ljust(32, b"\0") if explained else bytes(32)
    deed = (
        move.sender,
        move.receiver,
        draw.world.token,
        move.units,
        why,
        why,
        draw.world.chain.desk.number(),
        FOREVER,
    )
    words = (each.rjust(32, b"\0") if isinstance(each, bytes) else each.to_bytes(32) for each in deed)
    domain = draw.world.chain.desk.domain("stoken Instructions", "instructions")
    digest = keccak(b"\x19\x01" + domain + keccak(_INSTRUCTION + b"".join(words)))
    signatures = [sign(key_of(draw.world.holders[each].broker), digest) for each in (move.sender, move.receiver)]
    data = interface("Instructions").encode("instruct", deed, signatures)
    to = draw.world.chain.suite["instructions"]
    return Operation(
        "instruct", draw.world.chain.venue, to, data, lambda m, b: m.instruct(move, b, explained=explained)
    )


def pay_in(draw: Draw) -> Operation:
    """Credit a broker's cash."""
    entry = _entry(draw, draw.choose.choice((10, 500, 2_000)))
    digest = eip712.cash_credit(draw.world.chain.desk.domain(eip712.DEPOSIT_TOKEN, "deposit"), entry)
    body = requests.CashCreditRequest(entry, sign(key_of(CASH_AGENT), digest))
    return draw.relayed(body, lambda m, _: m.pay_in(entry.account, entry.amount))


def pay_out(draw: Draw) -> Operation:
    """Debit a broker's cash, at times more than is free."""
    free = draw.world.model.free_cash(CASH[draw.choose.choice(list(CASH))])
    entry = _entry(draw, max(1, draw.choose.choice((10, 500, free, free // 10))))
    digest = eip712.cash_debit(draw.world.chain.desk.domain(eip712.DEPOSIT_TOKEN, "deposit"), entry)
    body = requests.CashDebitRequest(entry, sign(key_of(CASH_AGENT), digest))
    return draw.relayed(body, lambda m, _: m.pay_out(entry.account, entry.amount))


def terminate(draw: Draw) -> Operation:
    """Try to end the instrument while units are outstanding."""
    document = bytes(32)
    if draw.world.model.supply > _SUPPLY_MIN and draw.chance(0.7):
        document = b"\xdd" * 32
    return draw.call(draw.world.chain.authority, "terminate", document, promise=lambda m, _: m.terminate(document))


def _entry(draw: Draw, amount: int) -> CashEntry:
    account = CASH[draw.choose.choice(list(CASH))]
    return CashEntry(account, amount, draw.world.chain.desk.number().to_bytes(32), FOREVER)


def _known(draw: Draw, *, due: bool = False) -> Deal:
    """Return a held trade that is open, mostly; the latest ones are more interesting."""
    open_trades = [each for each in draw.world.model.held_trades.values() if not due or each.expires_at < draw.at.time]
    if open_trades and draw.chance(0.8):
        held = draw.choose.choice(open_trades)
    elif draw.holds:
        held = draw.choose.choice(draw.holds[-40:])
    else:
        held = Deal(VENUE, 10**9, *(bytes(20),) * 6, *(bytes(20),) * 2, 1, 1, 1, 1, draw.at.time)
    return held._replace(price=held.price + 1) if draw.chance(0.05) else held


def _at_settlement(draw: Draw, what: str, data: bytes, promise: Promise) -> Operation:
    return Operation(what, draw.world.chain.venue, draw.world.chain.suite["settlement"], data, promise)
