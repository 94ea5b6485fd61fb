# SPDX-License-Identifier: Apache-2.0
"""What an issue decides: splits and merges, step by step or at once, and ballots by record date."""

from collections.abc import Callable, Mapping
from typing import Final

from eth_hash.auto import keccak

from stoken.chain.signatures import sign
from stoken.issuance.calldata import interface
from tests.consortium import CASH, key_of
from tests.simulation.drawing import Draw, Operation
from tests.simulation.ending import released
from tests.simulation.market import ACCOUNTS
from tests.simulation.terms import Ballot, Conversion, Vote

_DOCUMENT: Final = b"\xdc" * 32
_RATIOS: Final = ((2, 1), (1, 2), (3, 2), (2, 3), (10, 9), (9, 10))
_VOTE: Final = keccak(b"Vote(bytes32 ballot,address account,uint8 option,uint32 sequence)")


def start(draw: Draw) -> Operation:
    """Begin a split or merge; some ids come twice, some ratios change nothing."""
    key = draw.choose.randrange(200).to_bytes(32)
    ratio = (1, 1) if draw.chance(0.1) else draw.choose.choice(_RATIOS)
    return _started(draw, key, Conversion(draw.world.token, *ratio, draw.account(), _DOCUMENT))


def _started(draw: Draw, key: bytes, terms: Conversion) -> Operation:
    packed = (terms.token, terms.numerator, terms.denominator, terms.residue, terms.document)
    return draw.own("conversions", "Conversions", "start", key, packed, promise=lambda m, _: m.start(key, terms))


def convert(draw: Draw) -> Operation:
    """Convert an account, of whatever runs."""
    return _converted(draw, _running(draw), draw.account())


def _converted(draw: Draw, key: bytes, address: bytes) -> Operation:
    model = draw.world.model
    records = {
        each: lockup for each, lockup in sorted(model.lockups.items()) if model.holder(lockup.account) == address
    }
    told = [
        (draw.world.token, each.units, each.account, each.until, 1, bytes(20), bytes(32)) for each in records.values()
    ]
    holding = (address, list(records), told)
    return draw.own(
        "conversions", "Conversions", "convert", key, [holding], promise=lambda m, _: m.convert(key, address, records)
    )


def finish(draw: Draw) -> Operation:
    """End whatever runs."""
    return _finished(draw, _running(draw))


def _finished(draw: Draw, key: bytes) -> Operation:
    return draw.own("conversions", "Conversions", "finish", key, promise=lambda m, _: m.finish(key))


def abandon(draw: Draw) -> Operation:
    """Abandon whatever runs."""
    key = _running(draw)
    return draw.own("conversions", "Conversions", "abandon", key, promise=lambda m, _: m.abandon(key))


def prepared(draw: Draw) -> list[Operation]:
    """Return the release of every held trade: what waits for a later day is not converted."""
    return [released(draw, trade) for trade in draw.world.model.held_trades.values()]


def decided(draw: Draw) -> list[Operation]:
    """Return a split or merge of everything in one block, in the order of sending."""
    key, act = draw.choose.randrange(2**64).to_bytes(32), draw.world.chain.authority
    terms = Conversion(draw.world.token, *draw.choose.choice(_RATIOS), draw.account(), _DOCUMENT)
    return [
        draw.call(act, "pause", promise=lambda m, _: m.pause(paused=True)),
        _started(draw, key, terms),
        *(_converted(draw, key, address) for address in ACCOUNTS),
        _finished(draw, key),
        draw.call(act, "unpause", promise=lambda m, _: m.pause(paused=False)),
    ]


def put(draw: Draw) -> Operation:
    """Put a question about the latest record dates; some ids come twice, some questions are none."""
    key = draw.choose.randrange(300).to_bytes(32)
    last, choose = len(draw.world.model.record_dates), draw.choose
    opens = draw.at.time + choose.choice((-1, 0, 10, 30, 30))
    options = choose.choice((1, 2, 2, 3, 5))
    record = max(0, last + choose.choice((1, 0, 0, 0, -1)))
    ballot = Ballot(record, options, opens, opens + choose.choice((0, 60, 400, 400)))
    packed = (draw.world.token, record, options, opens, ballot.closes, _DOCUMENT)
    return draw.own("ballot", "Ballot", "put", key, packed, promise=lambda m, b: m.put(key, ballot, b))


def bar(draw: Draw) -> Operation:
    """Bar some or all units of an account."""
    key, address, units = _ballot(draw), draw.account(), draw.choose.choice((1, 10, 10_000, 10_000))
    return draw.own(
        "ballot", "Ballot", "bar", key, address, units, _DOCUMENT, _DOCUMENT,
        promise=lambda m, b: m.bar(key, address, units, b),
    )  # fmt: skip


def vote(draw: Draw) -> Operation:
    """Vote, now and then again, out of turn, for no option or by another broker."""
    key, address = _ballot(draw), draw.account()
    cast = Vote(draw.choose.choice((0, 0, 1, 1, 2)), 0, draw.choose.choice((1, 1, 2, 3, 9)))
    broker = draw.choose.choice(list(CASH)) if draw.chance(0.1) else draw.world.holders[address].broker
    words = (_VOTE, key, address.rjust(32, b"\0"), cast.option.to_bytes(32), cast.sequence.to_bytes(32))
    digest = keccak(b"\x19\x01" + draw.world.chain.desk.domain("stoken Ballot", "ballot") + keccak(b"".join(words)))
    signature = sign(key_of(broker), digest)
    data = interface("Ballot").encode("vote", key, address, cast.option, cast.sequence, signature)
    to = draw.world.chain.suite["ballot"]
    return Operation("vote", draw.account(), to, data, lambda m, b: m.vote(key, address, cast, broker, b))


def _running(draw: Draw) -> bytes:
    return draw.world.model.running or draw.choose.randrange(200).to_bytes(32)


def _ballot(draw: Draw) -> bytes:
    known = list(draw.world.model.ballots)[-3:]
    return draw.choose.choice(known) if known and draw.chance(0.95) else b"\xba" * 32


DECISIONS: Final[Mapping[Callable[[Draw], Operation], int]] = {
    start: 1,
    convert: 1,
    finish: 1,
    abandon: 2,
    put: 2,
    bar: 4,
    vote: 8,
}
