# SPDX-License-Identifier: Apache-2.0
"""What happens to a venue that goes round its own gateway: the contracts refuse, with the same reasons.

The venue's second sender key puts trades straight on the chain, with orders that brokers did sign.
"""

import time
from typing import Final

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


def bypass(play: Play) -> None:
    """Settle each case directly on chain, and see it fail with its custom error."""
    for number, (code, (buy, sell)) in enumerate(_cases(play).items()):
        seen = _settle(play, _FIRST_ID + number, buy, sell)
        play.expect(seen, code, "a trade that bypasses the gateway")
        play.chain_refusals[code] += 1


def _settle(play: Play, trade_id: int, buy: Ticket, sell: Ticket) -> str:
    """Send one trade straight to the settlement contract and return the code with which it failed."""
    settlement = Interface(load("DvpSettlement").abi)
    matched_at = play.node.time()
    trade = (trade_id, 0, 1, buy.order.quantity, buy.order.price, matched_at)
    data = settlement.encode("settleBatch", (buy.order, sell.order), (buy.signature, sell.signature), (trade,))
    receipt = _send(play, play.desk.suite["settlement"], data)
    for log in receipt["logs"]:  # type: ignore[attr-defined]
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        event = settlement.events.get(topics[0])
        if event is not None and event.name == "TradeFailed":
            reason = event.decode(topics, bytes.fromhex(log["data"][2:]))["reason"]
            return decode_revert(reason).code
    raise DemoError(f"trade {trade_id} bypassed the gateway and did not fail")


def _send(play: Play, to: bytes, data: bytes) -> dict[str, object]:
    key = play.institution("VENUE").senders[1]
    nonce = int(play.node.ask("eth_getTransactionCount", "0x" + key.address.hex(), "latest"), 16)
    raw, digest = sign_legacy(key.secret, nonce, _GAS, to, data, play.desk.chain_id)
    play.node.ask("eth_sendRawTransaction", "0x" + raw.hex())
    deadline = time.monotonic() + _SECONDS
    while (receipt := play.node.ask("eth_getTransactionReceipt", "0x" + digest.hex())) is None:
        if time.monotonic() > deadline:
            raise DemoError(f"transaction 0x{digest.hex()} was not mined")
        time.sleep(0.1)
    return dict(receipt)
