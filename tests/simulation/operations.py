# SPDX-License-Identifier: Apache-2.0
"""What may happen, as a table: how often, and how it is drawn. A new part of the suite adds rows."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from stoken.chain import eip712
from stoken.chain.signatures import address_of, sign
from stoken.chain.statements import Attest, Attested, Revoke
from stoken.issuance.calldata import interface
from stoken.parties import requests
from tests.consortium import CASH, CLAIM_ISSUER, FOREVER, TOPIC
from tests.simulation.decision_operations import DECISIONS
from tests.simulation.drawing import Draw, Operation
from tests.simulation.later_operations import (
    cancel,
    hold_trade,
    instruct,
    matched,
    pay_in,
    pay_out,
    release_held,
    settle_held,
    settled,
    terminate,
)
from tests.simulation.market import (
    ACCOUNTS,
    CLASSES,
    COUNTRIES,
    NOBODY,
    NOTICE,
    OTHER_ISSUER,
    SECOND_TOPIC,
    identity,
)
from tests.simulation.member_operations import MEMBERS
from tests.simulation.payout_operations import PAYOUTS
from tests.simulation.terms import Claim, Lockup, Move, Rules

_ISSUERS: Final = (CLAIM_ISSUER, OTHER_ISSUER)
_FULL: Final = 2**256 - 1
_BITS: Final = 256


# --- units ------------------------------------------------------------------------------------------------------------


def transfer(draw: Draw) -> Operation:
    """Send units to somebody, now and then to nobody known."""
    sender = draw.account()
    receiver = NOBODY if draw.chance(0.03) else draw.account()
    move = Move(sender, receiver, draw.units(sender))
    return draw.call(sender, "transfer", receiver, move.units, promise=lambda m, b: m.transfer(move, b))


def transfer_from(draw: Draw) -> Operation:
    """Send somebody else's units."""
    sender, spender = draw.account(), draw.account()
    move = Move(sender, draw.account(), draw.units(sender))
    return draw.call(
        spender, "transferFrom", sender, move.receiver, move.units, promise=lambda m, b: m.transfer(move, b, spender)
    )


def approve(draw: Draw) -> Operation:
    """Allow somebody some or all units."""
    owner, spender, units = draw.account(), draw.account(), draw.choose.choice((0, 50, 500, _FULL))
    return draw.call(owner, "approve", spender, units, promise=lambda m, _: m.approve(owner, spender, units))


def settle(draw: Draw) -> Operation:
    """Settle one trade of two signed orders."""
    trade = matched(draw)
    draw.sent.append(trade)
    return settled(draw, trade)


def settle_again(draw: Draw) -> Operation:
    """Send a trade again, whether it settled, failed or was canceled meanwhile."""
    return settled(draw, draw.choose.choice(draw.sent[-60:])) if draw.sent else settle(draw)


def mint(draw: Draw) -> Operation:
    """Create units, seldom too many."""
    receiver = draw.account()
    units = draw.choose.choice((1, 10, 70, 70, 300, 3_000))
    return draw.call(
        draw.world.chain.authority, "mint", receiver, units, promise=lambda m, b: m.mint(receiver, units, b)
    )


def burn(draw: Draw) -> Operation:
    """Cancel units."""
    address = draw.account()
    units = draw.units(address)
    return draw.call(draw.world.chain.authority, "burn", address, units, promise=lambda m, _: m.burn(address, units))


def force(draw: Draw) -> Operation:
    """Move units without their owner."""
    sender = draw.account()
    move = Move(sender, draw.account(), draw.units(sender))
    return draw.call(
        draw.world.chain.authority,
        "forcedTransfer",
        sender,
        move.receiver,
        move.units,
        promise=lambda m, b: m.force(move, b),
    )


def recover(draw: Draw) -> Operation:
    """Recover to a later account, so that no recovery leads back; mostly to one of the same identity."""
    lost, successor = sorted((draw.account(), draw.account()))
    if draw.chance(0.8):
        lost, successor = draw.choose.choice((ACCOUNTS[0:2], ACCOUNTS[2:4]))
    owner = identity(lost)
    return draw.call(
        draw.world.chain.authority,
        "recoveryAddress",
        lost,
        successor,
        owner,
        promise=lambda m, _: m.recover(lost, successor, owner),
    )


# --- what holds units back --------------------------------------------------------------------------------------------


def freeze(draw: Draw) -> Operation:
    """Freeze units."""
    address = draw.account()
    units = draw.units(address) // 2
    act = draw.world.chain.authority
    return draw.call(act, "freezePartialTokens", address, units, promise=lambda m, _: m.freeze(address, units))


def unfreeze(draw: Draw) -> Operation:
    """Unfreeze units."""
    address = draw.account()
    units = draw.units(address)
    act = draw.world.chain.authority
    return draw.call(act, "unfreezePartialTokens", address, units, promise=lambda m, _: m.unfreeze(address, units))


def hold(draw: Draw) -> Operation:
    """Freeze an account, or release it, which is likelier."""
    address, frozen = draw.account(), draw.chance(0.1)
    act = draw.world.chain.authority
    return draw.call(act, "setAddressFrozen", address, frozen, promise=lambda m, _: m.hold(address, frozen=frozen))


def pause(draw: Draw) -> Operation:
    """Pause the issue, or release it, which is likelier."""
    paused = draw.chance(0.1)
    act = draw.world.chain.authority
    return draw.call(act, "pause" if paused else "unpause", promise=lambda m, _: m.pause(paused=paused))


def lock_up(draw: Draw) -> Operation:
    """Lock up units for a moment or for long; some ids come twice."""
    address = draw.account()
    key = draw.choose.randrange(400).to_bytes(32)
    lockup = Lockup(address, max(1, draw.units(address) // 2), draw.at.time + draw.choose.choice((-1, 5, 50, 500)))
    arguments = (key, draw.world.token, address, 1, lockup.units, lockup.until)
    return draw.own("encumbrances", "Encumbrances", "lock", *arguments, promise=lambda m, b: m.lock_up(key, lockup, b))


def end_lock_up(draw: Draw) -> Operation:
    """Release a lock-up, mostly one that is there, as anybody."""
    known = draw.world.model.lockups
    key = draw.choose.choice(list(known)) if known and draw.chance(0.8) else draw.choose.randrange(400).to_bytes(32)
    lockup = known.get(key, Lockup(draw.account(), 10, draw.at.time))
    if draw.chance(0.05):
        lockup = lockup._replace(units=lockup.units + 1)
    record = (draw.world.token, lockup.units, lockup.account, lockup.until, 1, bytes(20), bytes(32))
    data = interface("Encumbrances").encode("release", key, record)
    to = draw.world.chain.suite["encumbrances"]
    return Operation("release", draw.account(), to, data, lambda m, b: m.end_lock_up(key, lockup, b))


def record(draw: Draw) -> Operation:
    """Set a record date."""
    return draw.call(draw.world.chain.authority, "setRecordDate", promise=lambda m, _: m.record())


# --- what the supervisor and courts stop ------------------------------------------------------------------------------


def restrain(draw: Draw) -> Operation:
    """Hold an account for every issue, for sales, purchases or both, or release it, which is likelier."""
    address, effect = draw.account(), draw.choose.choice((*[0] * 9, 1, 2, 3))
    no_sale, no_purchase = bool(effect & 1), bool(effect & 2)
    return draw.legal(
        "setHold", address, effect, promise=lambda m, _: m.restrain(address, no_sale=no_sale, no_purchase=no_purchase)
    )


def restrict(draw: Draw) -> Operation:
    """Restrict the accounts of a broker, or release them, which is likelier."""
    broker, restricted = draw.choose.choice(list(CASH)), draw.chance(0.1)
    return draw.legal(
        "setRestriction",
        broker,
        draw.world.token,
        restricted,
        promise=lambda m, _: m.restrict(broker, restricted=restricted),
    )


def suspend(draw: Draw) -> Operation:
    """Suspend the network, or release it, which is likelier."""
    suspended = draw.chance(0.1)
    return draw.legal("setSuspended", suspended, promise=lambda m, _: m.suspend(suspended=suspended))


# --- who may receive --------------------------------------------------------------------------------------------------


def announce(draw: Draw) -> Operation:
    """Announce a rule set, mostly a mild one, now and then without notice."""
    choose = draw.choose
    effective = draw.at.number + choose.choice((0, NOTICE, NOTICE + 1, NOTICE + 1, NOTICE + 2))
    values: dict[str, Any] = choose.choice(
        (
            {},
            {"lot": choose.choice((5, 10))},
            {"classes": choose.choice((0b0110, 0b1000))},
            {"classes": choose.choice((0b0110, 0b1110, 0b1000))},
            {"holder_limit": choose.choice((1, 2, 3, 4))},
            {"holder_limit": choose.choice((1, 2, 3, 4))},
            {"holder_limit": choose.choice((3, 4, 5))},
            {"cap_units": choose.choice((100, 400, 1_000)), "cap_bps": choose.choice((0, 2_500, 9_000))},
            {"cap_bps": choose.choice((1_500, 5_000)), "holder_limit": 6},
            {"countries": frozenset(choose.sample(COUNTRIES, choose.choice((1, 2))))},
            {"countries": frozenset(COUNTRIES[:2]), "countries_allowed": True, "classes": 0b1110},
            {"window_units": choose.choice((100, 500)), "window_seconds": choose.choice((60, 600))},
            {"off_venue_barred": True},
        )
    )
    rules = Rules(effective, **values)
    words = [sum(1 << each % _BITS for each in rules.countries if each // _BITS == word) for word in range(4)]
    packed = draw.world.chain.rule_set(
        capUnits=rules.cap_units,
        capBps=rules.cap_bps,
        classes=rules.classes,
        holderLimit=rules.holder_limit,
        lot=rules.lot,
        countriesAllowed=rules.countries_allowed,
        countries=tuple(words),
        windowUnits=rules.window_units,
        windowSeconds=rules.window_seconds,
        offVenueBarred=rules.off_venue_barred,
    )
    return draw.own(
        "compliance",
        "ModularCompliance",
        "announceRules",
        packed,
        effective,
        promise=lambda m, b: m.announce(rules, b),
    )


def attest(draw: Draw) -> Operation:
    """Attest an identity for a moment or for ever, now and then a topic that the issuer is not trusted for."""
    key, owner = draw.choose.choice(_ISSUERS), identity(draw.account())
    both = 1 << TOPIC | 1 << SECOND_TOPIC
    topics = draw.choose.choice((both, both, both, both, 1 << TOPIC, 1 << TOPIC, 1 << SECOND_TOPIC, 1 << 9))
    until = draw.choose.choice((draw.at.time + 5, draw.at.time + 40, FOREVER, FOREVER, FOREVER))
    issuer = address_of(key)
    statement = Attest(issuer, (Attested(owner, topics, until),), draw.world.chain.desk.number(), FOREVER)
    digest = eip712.attest(draw.world.chain.desk.domain(eip712.IDENTITY_REGISTRY, "registry"), statement)
    return draw.relayed(
        requests.AttestRequest(statement, sign(key, digest)),
        lambda m, _: m.attest(issuer, owner, Claim(topics, until)),
    )


def revoke(draw: Draw) -> Operation:
    """Revoke a claim, now and then for cause."""
    key, owner, cause = draw.choose.choice(_ISSUERS), identity(draw.account()), draw.chance(0.15)
    issuer = address_of(key)
    statement = Revoke(issuer, owner, cause, draw.world.chain.desk.number(), FOREVER)
    digest = eip712.revoke(draw.world.chain.desk.domain(eip712.IDENTITY_REGISTRY, "registry"), statement)
    return draw.relayed(
        requests.RevokeRequest(statement, sign(key, digest)), lambda m, _: m.revoke(issuer, owner, for_cause=cause)
    )


def trust(draw: Draw) -> Operation:
    """Trust the second issuer for both topics or for one."""
    topics, issuer = draw.choose.choice(((TOPIC, SECOND_TOPIC), (TOPIC,))), address_of(OTHER_ISSUER)
    mask = sum(1 << topic for topic in topics)
    arguments = (issuer, topics)
    return draw.own(
        "issuers",
        "TrustedIssuersRegistry",
        "addTrustedIssuer",
        *arguments,
        promise=lambda m, _: m.trust(issuer, mask),
    )


def distrust(draw: Draw) -> Operation:
    """Trust the second issuer no longer."""
    issuer = address_of(OTHER_ISSUER)
    return draw.own(
        "issuers", "TrustedIssuersRegistry", "removeTrustedIssuer", issuer, promise=lambda m, _: m.distrust(issuer)
    )


def require(draw: Draw) -> Operation:
    """Require the second topic, or no longer, which is likelier."""
    required = draw.chance(0.15)
    function = "addClaimTopic" if required else "removeClaimTopic"
    return draw.own(
        "topics",
        "ClaimTopicsRegistry",
        function,
        SECOND_TOPIC,
        promise=lambda m, _: m.require(SECOND_TOPIC, required=required),
    )


def describe(draw: Draw) -> Operation:
    """Change an investor's country or class."""
    address = draw.account()
    country, kind = draw.choose.choice(COUNTRIES), draw.choose.choice(CLASSES)
    if draw.chance(0.5):
        return draw.own(
            "registry",
            "IdentityRegistry",
            "updateCountry",
            address,
            country,
            promise=lambda m, _: m.describe(address, country=country),
        )
    return draw.own(
        "registry",
        "IdentityRegistry",
        "updateClass",
        address,
        kind,
        promise=lambda m, _: m.describe(address, investor_class=kind),
    )


TABLE: Final[Mapping[Callable[[Draw], Operation], int]] = {
    transfer: 34,
    transfer_from: 8,
    approve: 4,
    settle: 8,
    settle_again: 3,
    cancel: 2,
    mint: 8,
    burn: 7,
    force: 4,
    recover: 1,
    freeze: 3,
    unfreeze: 4,
    hold: 3,
    pause: 3,
    lock_up: 4,
    end_lock_up: 6,
    record: 1,
    restrain: 3,
    restrict: 3,
    suspend: 3,
    announce: 4,
    attest: 9,
    revoke: 2,
    trust: 1,
    distrust: 1,
    require: 2,
    describe: 1,
    hold_trade: 5,
    settle_held: 5,
    release_held: 4,
    instruct: 4,
    pay_in: 2,
    pay_out: 2,
    terminate: 1,
    **DECISIONS,
    **PAYOUTS,
    **MEMBERS,
}


def operation(draw: Draw) -> Operation:
    """Return the next operation."""
    (row,) = draw.choose.choices(list(TABLE), list(TABLE.values()))
    return row(draw)
