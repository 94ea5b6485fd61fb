# SPDX-License-Identifier: Apache-2.0
"""What happens to a venue that goes round its own gateway: the contracts refuse, with the same reasons.

The venue's second sender key puts trades straight on the chain, with orders that brokers did sign.
"""

import time
from functools import cache
from typing import Any, Final

from stoken.chain.artifacts import load
from stoken.chain.codec import Interface
from stoken.chain.reverts import decode_revert
from stoken.chain.transactions import sign_legacy
from stoken.cli.demo.desk import Ticket
from stoken.cli.demo.play import DemoError, Play
from stoken.domain.codes import Side

#: Far beyond the ids of real trades: a trade that fails leaves its id open for ever.
_FIRST_ID: Final = 1 << 40
_GAS: Final = 15_000_000
_SECONDS: Final = 60
_PAUSE_SECONDS: Final = 0.05


def _cases(play: Play) -> dict[str, tuple[Ticket, Ticket]]:
    """Return a purchase and a sale that match, by the reason for which the chain must refuse them."""
    buyer, seller = play.investor("buyer"), play.investor("seller")

    def buys(name: str, short_code: str = "BPL1", price: int = 5_000, quantity: int = 1) -> Ticket:
        return play.ticket(play.investor(name), short_code, Side.BUY, price, quantity)

    def sells(name: str, short_code: str = "BPL1", price: int = 5_000, quantity: int = 1) -> Ticket:
        return play.ticket(play.investor(name), short_code, Side.SELL, price, quantity)

    house = play.securities["BPL1"].token
    forged = play.desk.ticket(buyer, house, Side.BUY, 5_000, 1, key=play.cast.claim_issuer)
    return {
        "INVESTOR_NOT_VERIFIED": (buys("unverified"), sells("seller")),
        "INVESTOR_CLAIM_EXPIRED": (buys("expired"), sells("seller")),
        "INVESTOR_CLASS_NOT_ELIGIBLE": (buys("quasi"), sells("seller")),
        "JURISDICTION_BARRED": (buys("foreigner"), sells("seller")),
        "SENDER_NOT_VERIFIED": (buys("buyer"), sells("sanctioned")),
        "HOLDING_LIMIT": (buys("near-the-cap", "SHP1B", 10_000, 20), sells("ship-seller", "SHP1B", 10_000, 20)),
        "LOCKUP_ACTIVE": (buys("buyer"), sells("entrustor")),
        "INSUFFICIENT_SECURITIES": (buys("rich"), play.ticket(buyer, "BPL1", Side.SELL, 5_000, 1)),
        "INSUFFICIENT_CASH": (buys("rich", "BPL1", 25_000, 2_000_000), sells("seller", "BPL1", 25_000, 2_000_000)),
        "SIGNATURE_INVALID": (forged, play.ticket(seller, "BPL1", Side.SELL, 5_000, 1)),
    }


#: Decided by the settlement contract and the deposit token, which a security's verdict knows nothing of.
_BEYOND_THE_TOKEN: Final = {"INSUFFICIENT_CASH", "SIGNATURE_INVALID"}


def bypass(play: Play) -> None:
    """Settle each case directly on chain, see it fail with its custom error, and the token's verdict foretell it."""
    cases = _cases(play)
    for code, pair in cases.items():
        if code not in _BEYOND_THE_TOKEN:
            play.expect(_verdict(play, *pair), code, "the token's verdict ahead of a trade")
    sent = _send(play, [_settlement(play, _FIRST_ID + at, *pair) for at, pair in enumerate(cases.values())])
    for code, transaction in zip(cases, sent, strict=True):
        play.expect(_failure(_receipt(play, transaction)), code, "a trade that bypasses the gateway")
        play.chain_refusals[code] += 1


def _verdict(play: Play, buy: Ticket, sell: Ticket) -> str:
    """Ask the token what it would say of a trade that settlement brings."""
    units, settlement = buy.order.quantity, play.desk.suite["settlement"]
    call = _token().encode("verdict", sell.order.account, buy.order.account, units, settlement)
    refusal = _token().functions["verdict"].decode_output(play.node.call(buy.order.token, call))
    return decode_revert(refusal).code


def _settlement(play: Play, trade_id: int, buy: Ticket, sell: Ticket) -> bytes:
    """Return the call that settles one trade."""
    trade = (trade_id, 0, 1, buy.order.quantity, buy.order.price, play.node.time())
    orders, signatures = (buy.order, sell.order), (buy.signature, sell.signature)
    return _contract().encode("settleBatch", orders, signatures, (trade,))


def _send(play: Play, calls: list[bytes]) -> list[str]:
    """Sign and send the calls one after the other, and return the hashes of their transactions."""
    key = play.institution("VENUE").senders[1]
    nonce = int(play.node.ask("eth_getTransactionCount", _hex(key.address), "latest"), 16)
    sent = []
    for number, data in enumerate(calls):
        settlement = play.desk.suite["settlement"]
        raw, digest = sign_legacy(key.secret, nonce + number, _GAS, settlement, data, play.desk.chain_id)
        play.node.ask("eth_sendRawTransaction", _hex(raw))
        sent.append(_hex(digest))
    return sent


def _receipt(play: Play, transaction: str) -> dict[str, Any]:
    deadline = time.monotonic() + _SECONDS
    while (receipt := play.node.ask("eth_getTransactionReceipt", transaction)) is None:
        if time.monotonic() > deadline:
            raise DemoError(f"transaction {transaction} was not mined")
        time.sleep(_PAUSE_SECONDS)
    return dict(receipt)


def _failure(receipt: dict[str, Any]) -> str:
    """Return the code with which the trade of a transaction failed."""
    contract = _contract()
    for log in receipt["logs"]:
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        event = contract.events.get(topics[0])
        if event is not None and event.name == "TradeFailed":
            reason = event.decode(topics, bytes.fromhex(log["data"][2:]))["reason"]
            return decode_revert(reason).code
    return "settled"


@cache
def _contract() -> Interface:
    return Interface(load("DvpSettlement").abi)


@cache
def _token() -> Interface:
    return Interface(load("SecurityToken").abi)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
