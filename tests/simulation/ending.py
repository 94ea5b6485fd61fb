# SPDX-License-Identifier: Apache-2.0
"""The end of an issue: what holds units back is released, then everything is canceled and the instrument ends."""

from stoken.issuance.calldata import interface
from tests.simulation.drawing import Draw, Operation
from tests.simulation.terms import Deal, Lockup, Move


def cleared(draw: Draw) -> list[Operation]:
    """Return the release of every lock-up and every held trade, whose times have come."""
    model = draw.world.model
    return [
        *(_unlocked(draw, key, lockup) for key, lockup in model.lockups.items()),
        *(released(draw, trade) for trade in model.held_trades.values()),
    ]


def ended(draw: Draw) -> list[Operation]:
    """Return the cancellation of all units, the end, and what is refused afterwards; in the order of sending."""
    model, act = draw.world.model, draw.world.chain.authority
    document = b"\xdd" * 32
    return [
        *(_burnt(draw, address, each.balance) for address, each in model.accounts.items()),
        draw.call(act, "terminate", document, promise=lambda m, _: m.terminate(document)),
        draw.call(act, "terminate", document, promise=lambda m, _: m.terminate(document)),
        _minted(draw, next(iter(model.accounts))),
        _sent(draw, *list(model.accounts)[:2]),
    ]


def _unlocked(draw: Draw, key: bytes, lockup: Lockup) -> Operation:
    record = (draw.world.token, lockup.units, lockup.account, lockup.until, 1, bytes(20), bytes(32))
    data = interface("Encumbrances").encode("release", key, record)
    to = draw.world.chain.suite["encumbrances"]
    return Operation("release", draw.world.chain.venue, to, data, lambda m, b: m.end_lock_up(key, lockup, b))


def released(draw: Draw, trade: Deal) -> Operation:
    """Return the release of a held trade, whose time has come."""
    data = interface("SettlementModes").encode("releaseHold", tuple(trade))
    to = draw.world.chain.suite["settlement"]
    return Operation("releaseHold", draw.world.chain.venue, to, data, lambda m, b: m.release_held(trade, b))


def _burnt(draw: Draw, address: bytes, units: int) -> Operation:
    return draw.call(draw.world.chain.authority, "burn", address, units, promise=lambda m, _: m.burn(address, units))


def _minted(draw: Draw, address: bytes) -> Operation:
    return draw.call(draw.world.chain.authority, "mint", address, 1, promise=lambda m, b: m.mint(address, 1, b))


def _sent(draw: Draw, sender: bytes, receiver: bytes) -> Operation:
    move = Move(sender, receiver, 1)
    return draw.call(sender, "transfer", receiver, 1, promise=lambda m, b: m.transfer(move, b))
