# SPDX-License-Identifier: Apache-2.0
"""What a market of the simulated chain is founded on: members, keys, accounts, units, cash, and its first entries."""

from typing import Final, NamedTuple

from stoken.domain.codes import InvestorClass, OwnerType, Role, Scope
from stoken.domain.rulebook import Rulebook
from stoken.ledger.signatures import ContractKind
from stoken.mirror import Log
from stoken.orders.entries import DECISIONS, AccountOpened, CashAllocated, Entry, InstrumentAdmitted, VenueOpened
from tests.ledger_events import ISIN, NOBODY, SUITE, TOKEN, emitted, encode_log
from tests.simulation.faults import chain

VENUE: Final = b"ZZZZ0000000000000113"
BROKERS: Final = (b"ZZZZ0000000000001665", b"ZZZZ0000000000001762")
UNITS: Final = 80
CASH: Final = 500_000
PRICE: Final = 5_000
FAR: Final = 2**37
_KOREA: Final = 410
_CLAIM: Final = 1
_ISSUER: Final = b"\x7c" * 20
_K: Final = ContractKind


class Account(NamedTuple):
    """An account that trades, and the cash behind it."""

    address: bytes
    cash: bytes
    broker: bytes
    owner: OwnerType


def key_of(broker: bytes) -> bytes:
    """Return the address of the key that signs a broker's orders."""
    return b"\x7b" * 19 + broker[-1:]


#: Of each broker a customer's account and its own.
ACCOUNTS: Final = tuple(
    Account(bytes((0x7A, number, owner)) * 6 + b"aa", bytes((0x7D, number, owner)) * 6 + b"cc", broker, owner)
    for number, broker in enumerate(BROKERS)
    for owner in (OwnerType.CUSTOMER, OwnerType.OWN)
)


def founding() -> list[Log]:
    """Return the logs of the block that founds the market."""
    events = [
        emitted(_K.QUANTITY, "QuantityRegistered", TOKEN, 10**9),
        emitted(_K.TOKEN, "Unpaused", NOBODY),
        emitted(_K.TOPICS, "ClaimTopicAdded", _CLAIM),
        emitted(_K.ISSUERS, "TrustedIssuerAdded", _ISSUER, [_CLAIM]),
    ]
    for broker in BROKERS:
        events += [
            emitted(_K.MEMBERS, "MemberAdmitted", broker, Role.ACCOUNT_MANAGER),
            emitted(_K.MEMBERS, "KeyAdded", key_of(broker), broker, Scope.ORDER | Scope.CASH, 0, FAR),
        ]
    for address, cash, broker, owner in ACCOUNTS:
        identity = b"\x1d" + address[1:]
        bound = (address, broker, identity, _KOREA, InvestorClass.GENERAL, owner)
        events += [
            emitted(_K.REGISTRY, "AccountBound", *bound),
            emitted(_K.REGISTRY, "ClaimAttested", identity, _ISSUER, 1 << _CLAIM, FAR),
            emitted(_K.DEPOSIT, "CashAccountOpened", cash, broker, owner),
            emitted(_K.DEPOSIT, "Transfer", NOBODY, cash, CASH),
            emitted(_K.TOKEN, "Transfer", NOBODY, address, UNITS),
        ]
    return [encode_log(event, 0, 0) for event in events]


def opening() -> VenueOpened:
    """Return the first entry of the venue's journal."""
    return VenueOpened(
        0, VENUE, chain.CHAIN_ID, SUITE["settlement"], SUITE["deposit"], "STKN", Rulebook(), DECISIONS
    )  # fmt: skip


def admissions() -> list[Entry]:
    """Return what the venue's operator and the brokers enter before the first order."""
    accounts = [AccountOpened(0, each.address, each.broker, each.address, owner_type=each.owner) for each in ACCOUNTS]
    return [InstrumentAdmitted(0, ISIN, TOKEN, "BENEFICIARY_CERTIFICATE", 1, PRICE, PRICE), *accounts]


def allocations() -> list[Entry]:
    """Return the entries that give the customers their cash; repeated they change nothing."""
    return [
        CashAllocated(0, each.broker, each.address, each.cash, CASH, 1, FAR, b"s" * 65, key_of(each.broker))
        for each in ACCOUNTS
        if each.owner is OwnerType.CUSTOMER
    ]
