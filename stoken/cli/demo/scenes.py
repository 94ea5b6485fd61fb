# SPDX-License-Identifier: Apache-2.0
"""Step 4: orders that must be refused, each by its own order and with its own reason."""

from collections.abc import Callable
from typing import Final

from stoken.cli.demo.play import Play
from stoken.domain.codes import Side

BUY, SELL = Side.BUY, Side.SELL
_UNADMITTED = "ZZMUSICRY011"


def before_the_opening(play: Play) -> None:
    """Send an order before nine o'clock."""
    buyer = play.investor("buyer")
    play.refused("MARKET_CLOSED", _house(play), play.ticket(buyer, "BPL1", BUY, 5_000, 1), buyer)


def form_and_price(play: Play) -> None:
    """Send orders whose form, price or quantity is wrong, whoever sends them."""
    buyer, seller, house = play.investor("buyer"), play.investor("seller"), _house(play)
    good = play.ticket(buyer, "BPL1", BUY, 5_000, 1)
    play.refused("INSTRUMENT_UNKNOWN", _UNADMITTED, good, buyer)
    play.refused("ORDER_TYPE_UNSUPPORTED", house, good, buyer, order_type="MARKET")
    short = play.ticket(seller, "BPL1", SELL, 5_000, 1)
    play.refused("SHORT_SALE_PROHIBITED", house, short, seller, short_sale=True)
    play.refused("PRICE_OUT_OF_BAND", house, play.ticket(buyer, "BPL1", BUY, 25_050, 1), buyer)
    play.refused("TICK_INVALID", house, play.ticket(buyer, "BPL1", BUY, 5_003, 1), buyer)
    play.refused("LOT_INVALID", house, play.ticket(buyer, "BPL1", BUY, 5_000, 0), buyer)
    stranger = play.cast.claim_issuer
    forged = play.desk.ticket(buyer, play.securities["BPL1"].token, BUY, 5_000, 1, key=stranger)
    play.refused("SIGNATURE_INVALID", house, forged, buyer)


def duplicate(play: Play) -> None:
    """Send two different orders under one client order id."""
    buyer, house = play.investor("buyer"), _house(play)
    broker = buyer.broker.institution
    play.client.order(house, play.ticket(buyer, "BPL1", BUY, 4_900, 1), "same-id", broker)
    play.accepted += 1
    other = play.ticket(buyer, "BPL1", BUY, 4_910, 1)
    play.refused("DUPLICATE_ORDER", house, other, buyer, client_order_id="same-id")


def investors(play: Play) -> None:
    """Let those buy and sell whom the contracts would refuse: the venue says so first, with the same reason."""
    house, ship = _house(play), play.securities["SHP1B"].issue.isin
    for name, code in (
        ("unverified", "INVESTOR_NOT_VERIFIED"),
        ("expired", "INVESTOR_CLAIM_EXPIRED"),
        ("quasi", "INVESTOR_CLASS_NOT_ELIGIBLE"),
        ("foreigner", "JURISDICTION_BARRED"),
    ):
        investor = play.investor(name)
        play.refused(code, house, play.ticket(investor, "BPL1", BUY, 5_000, 1), investor)
    sanctioned, entrustor = play.investor("sanctioned"), play.investor("entrustor")
    play.refused("SENDER_NOT_VERIFIED", house, play.ticket(sanctioned, "BPL1", SELL, 5_000, 1), sanctioned)
    near = play.investor("near-the-cap")
    play.refused("HOLDING_LIMIT", ship, play.ticket(near, "SHP1B", BUY, 10_000, 20), near)
    play.refused("LOCKUP_ACTIVE", house, play.ticket(entrustor, "BPL1", SELL, 5_000, 1), entrustor)


def cover(play: Play) -> None:
    """Send orders that cash, units or the yearly limit do not cover."""
    house = _house(play)
    buyer, poor, rich = (play.investor(name) for name in ("buyer", "poor", "rich"))
    play.refused("INSUFFICIENT_SECURITIES", house, play.ticket(buyer, "BPL1", SELL, 5_000, 1), buyer)
    play.refused("INSUFFICIENT_CASH", house, play.ticket(poor, "BPL1", BUY, 5_000, 1), poor)
    play.refused("ANNUAL_NET_PURCHASE_LIMIT", house, play.ticket(rich, "BPL1", BUY, 5_000, 20_001), rich)


def self_trade(play: Play) -> None:
    """Let one person meet itself at another broker: the incoming order is cancelled."""
    first, second = play.investor("twin-at-1"), play.investor("twin-at-2")
    ask = play.order("BPL1", play.ticket(first, "BPL1", SELL, 5_200, 5), first)
    bid = play.order("BPL1", play.ticket(second, "BPL1", BUY, 5_200, 5), second)
    view = play.client.get(second.broker.institution, f"/orders/{bid['order_id']}")
    play.expect(view["reject_code"], "SELF_TRADE_PREVENTED", "an order that meets its own person")
    play.refusals["SELF_TRADE_PREVENTED"] += 1
    play.cancel(int(str(ask["order_id"])), first)


def no_trade_at_different_prices(play: Play) -> None:
    """Show EQUAL_PRICE: a bid of 5,110 against an ask of 5,100 does not trade."""
    buyer, seller = play.investor("buyer"), play.investor("seller")
    ask = play.order("BPL1", play.ticket(seller, "BPL1", SELL, 5_100, 1), seller)
    bid = play.order("BPL1", play.ticket(buyer, "BPL1", BUY, 5_110, 1), buyer)
    play.expect((ask["status"], bid["status"]), ("new", "new"), "bid and ask at different prices")
    play.cancel(int(str(ask["order_id"])), seller)
    play.cancel(int(str(bid["order_id"])), buyer)


def _house(play: Play) -> str:
    return play.securities["BPL1"].issue.isin


#: Once the market is open, in this order.
OF_THE_DAY: Final[tuple[Callable[[Play], None], ...]] = (
    form_and_price,
    duplicate,
    investors,
    cover,
    self_trade,
    no_trade_at_different_prices,
)
