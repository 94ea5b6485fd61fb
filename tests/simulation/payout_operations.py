# SPDX-License-Identifier: Apache-2.0
"""Payouts by record date: announced, paid line by line with a proof for each, and ended."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Final

from eth_hash.auto import keccak

from stoken.chain.signatures import sign
from stoken.issuance.calldata import interface
from tests.consortium import BROKER_1, CASH_AGENT, FOREVER, key_of
from tests.simulation.drawing import Draw, Operation
from tests.simulation.market import ACCOUNTS
from tests.simulation.terms import Line, Payout, RecordDate

_DOCUMENT: Final = b"\xdd" * 32
_REFERENCE: Final = b"\xef" * 32
_PAYMENT: Final = keccak(b"Payment(bytes32 id,bytes32[] leaves,bytes32 ref,uint40 deadline)")
_UNKNOWN: Final = b"\xdb" * 32


def open_payout(draw: Draw) -> Operation:
    """Announce a payout on the latest record dates; some say other totals than their lines, some ids come twice."""
    key, dates, choose = draw.choose.randrange(150).to_bytes(32), draw.world.model.record_dates, draw.choose
    record = max(0, len(dates) + choose.choice((1, 0, 0, 0, -1)))
    date = dates[record - 1] if 0 < record <= len(dates) else RecordDate({}, 0)
    rate = choose.choice((0, 1, 7, 7, 30))
    lines = {each: _line(each, date.balances.get(each, 0), rate) for each in ACCOUNTS}
    pool = reduce(Line.plus, lines.values())
    units, amount, withheld = choose.choice(((0, 0, 0),) * 6 + ((1, 0, 0), (0, -1, 0), (0, 0, -1), (0, 0, 10**6)))
    pool = Line(b"", pool.units + units, max(0, pool.amount + amount), max(0, pool.withheld + withheld))
    root = _root([_leaf(key, each) for each in lines.values()])
    payout = Payout(draw.world.token, record, CASH_AGENT, pool, root, _DOCUMENT, lines)
    packed = (payout.token, record, CASH_AGENT, *pool[1:], root, _DOCUMENT)
    return draw.own(
        "distribution", "Distribution", "open", key, packed, promise=lambda m, _: m.open_payout(key, payout)
    )


def pay(draw: Draw) -> Operation:
    """Pay one to three lines, now and then one told wrongly, or by somebody who is not the payer."""
    key = _payout(draw)
    payout = draw.world.model.payouts.get(key)
    known = payout.lines if payout else {each: Line(each) for each in ACCOUNTS}
    chosen = [known[each] for each in draw.choose.sample(ACCOUNTS, draw.choose.choice((1, 1, 2, 3)))]
    proofs = [_proof([_leaf(key, each) for each in known.values()], ACCOUNTS.index(each.account)) for each in chosen]
    if draw.chance(0.05):
        chosen[0] = chosen[0]._replace(amount=chosen[0].amount + 1)
    signer = BROKER_1 if draw.chance(0.05) else CASH_AGENT
    leaves = keccak(b"".join(_leaf(key, each) for each in chosen))
    words = b"".join((_PAYMENT, key, leaves, _REFERENCE, FOREVER.to_bytes(32)))
    domain = draw.world.chain.desk.domain("stoken Distribution", "distribution")
    signature = sign(key_of(signer), keccak(b"\x19\x01" + domain + keccak(words)))
    lines = [tuple(each) for each in chosen]
    data = interface("Distribution").encode("pay", key, lines, proofs, _REFERENCE, FOREVER, signature)
    to = draw.world.chain.suite["distribution"]
    return Operation("pay", draw.account(), to, data, lambda m, _: m.pay(key, chosen, signer))


def close_payout(draw: Draw) -> Operation:
    """End a payout, now and then with a document that says why it is incomplete."""
    key, document = _payout(draw), draw.choose.choice((bytes(32), bytes(32), _DOCUMENT))
    return draw.own(
        "distribution", "Distribution", "close", key, document, promise=lambda m, _: m.close_payout(key, document)
    )


def _line(account: bytes, units: int, rate: int) -> Line:
    return Line(account, units, units * rate, units * rate // 10)


def _payout(draw: Draw) -> bytes:
    known = list(draw.world.model.payouts)[-3:]
    return draw.choose.choice(known) if known and draw.chance(0.95) else _UNKNOWN


def _leaf(key: bytes, line: Line) -> bytes:
    amounts = (each.to_bytes(32) for each in line[1:])
    return keccak(keccak(b"".join((key, line.account.rjust(32, b"\0"), *amounts))))


def _above(level: Sequence[bytes]) -> list[bytes]:
    return [keccak(min(pair) + max(pair)) for pair in zip(level[::2], level[1::2], strict=True)]


def _root(leaves: Sequence[bytes]) -> bytes:
    return leaves[0] if len(leaves) == 1 else _root(_above(leaves))


def _proof(leaves: Sequence[bytes], place: int) -> list[bytes]:
    return [] if len(leaves) == 1 else [leaves[place ^ 1], *_proof(_above(leaves), place // 2)]


PAYOUTS: Final[Mapping[Callable[[Draw], Operation], int]] = {open_payout: 2, pay: 6, close_payout: 1}
