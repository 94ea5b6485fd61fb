# SPDX-License-Identifier: Apache-2.0
"""A small consortium with known keys, for tests that deploy the suite and sign what institutions sign."""

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from stoken.chain import eip712
from stoken.chain.signatures import address_of, sign
from stoken.chain.statements import (
    Act,
    CashAccount,
    CashEntry,
    MemberKey,
    Onboarding,
    OnboardingBatch,
)
from stoken.domain.codes import Role, Scope
from stoken.domain.signed_order import SignedOrder
from stoken.issuance.calldata import interface
from stoken.issuance.deploy import Charter, Founder
from stoken.parties import requests

VENUE: Final = b"ZZZZ0000000000000113"
REGISTRAR: Final = b"ZZZZ0000000000000307"
CASH_AGENT: Final = b"ZZZZ0000000000000404"
ISSUER: Final = b"ZZZZ0000000000000598"
BROKER_1: Final = b"ZZZZ0000000000001665"
BROKER_2: Final = b"ZZZZ0000000000001762"
ROLES: Final = {
    VENUE: Role.VENUE,
    REGISTRAR: Role.REGISTRAR,
    CASH_AGENT: Role.CASH_AGENT,
    ISSUER: Role.ISSUER,
    BROKER_1: Role.ACCOUNT_MANAGER,
    BROKER_2: Role.ACCOUNT_MANAGER,
}
SENDER: Final = b"\x2a" * 32
CLAIM_ISSUER: Final = b"\x2b" * 32
TOPIC: Final = 1
FOREVER: Final = 2**33
SIGNING: Final = Scope.ORDER | Scope.INSTRUCTION | Scope.CASH


class Holder(NamedTuple):
    """An investor's account at a broker."""

    account: bytes
    broker: bytes


SELLER: Final = Holder(b"\x51" * 20, BROKER_1)
BUYER: Final = Holder(b"\x52" * 20, BROKER_2)
STRANGER: Final = Holder(b"\x53" * 20, BROKER_2)
CASH: Final = {BROKER_1: b"\x61" * 20, BROKER_2: b"\x62" * 20}


def key_of(member: bytes) -> bytes:
    """The member's signing key."""
    return b"\x01" * 12 + member


def charter(*, sender: bool = True) -> Charter:
    """All members with a signing key each, the venue's sender key or none, one topic, one trusted issuer."""
    founders = []
    for member, role in ROLES.items():
        keys = [MemberKey(address_of(key_of(member)), SIGNING, 0, FOREVER)]
        if member == VENUE and sender:
            keys.append(MemberKey(address_of(SENDER), Scope.SENDER, 0, FOREVER))
        founders.append(Founder(member, role, tuple(keys)))
    return Charter(tuple(founders), (TOPIC,), ((address_of(CLAIM_ISSUER), (TOPIC,)),))


class Desk:
    """Signs for every member on one deployed suite."""

    def __init__(self, suite: Mapping[str, bytes], chain_id: int) -> None:
        self.suite = suite
        self.chain_id = chain_id
        self._count = 0

    def domain(self, name: str, contract: str) -> bytes:
        return eip712.domain(name, self.chain_id, self.suite[contract])

    def number(self) -> int:
        self._count += 1
        return self._count

    def act(self, target: bytes, data: bytes, first: bytes, second: bytes) -> requests.ActRequest:
        statement = Act(target, data, b"B" * 32, b"D" * 32, self.number(), FOREVER)
        digest = eip712.act(self.domain(eip712.AUTHORITY, "authority"), statement)
        return requests.ActRequest(statement, (sign(key_of(first), digest), sign(key_of(second), digest)))

    def issue(self, isin: bytes) -> requests.ActRequest:
        rules = (0, 0, 0, 0, 0, False, (0, 0, 0, 0), 0, 0, False)
        data = interface("SuiteFactory").encode("createIssue", (isin, "Busan", "BPL1", rules, 100, bytes(32)))
        return self.act(self.suite["factory"], data, ISSUER, REGISTRAR)

    def register(self, token: bytes, quantity: int) -> requests.ActRequest:
        data = interface("RegisteredQuantity").encode("register", token, quantity)
        return self.act(self.suite["quantity"], data, ISSUER, REGISTRAR)

    def mint(self, token: bytes, holder: Holder, units: int) -> requests.ActRequest:
        return self.act(token, interface("SecurityToken").encode("mint", holder.account, units), ISSUER, REGISTRAR)

    def unpause(self, token: bytes) -> requests.ActRequest:
        return self.act(token, interface("SecurityToken").encode("unpause"), REGISTRAR, VENUE)

    def pause(self, token: bytes) -> requests.ActRequest:
        return self.act(token, interface("SecurityToken").encode("pause"), REGISTRAR, VENUE)

    def onboard(self, *holders: Holder) -> requests.OnboardRequest:
        items = tuple(
            Onboarding(holder.account, holder.account[::-1], 410, 1, 1, 1 << TOPIC, FOREVER) for holder in holders
        )
        batch = OnboardingBatch(holders[0].broker, address_of(CLAIM_ISSUER), self.number(), FOREVER, items)
        digest = eip712.onboarding_batch(self.domain(eip712.IDENTITY_REGISTRY, "registry"), batch)
        return requests.OnboardRequest(batch, sign(key_of(holders[0].broker), digest), sign(CLAIM_ISSUER, digest))

    def open_cash(self, broker: bytes) -> requests.CashAccountRequest:
        statement = CashAccount(CASH[broker], broker, 1, self.number(), FOREVER)
        digest = eip712.cash_account(self.domain(eip712.DEPOSIT_TOKEN, "deposit"), statement)
        return requests.CashAccountRequest(statement, sign(key_of(CASH_AGENT), digest))

    def credit(self, broker: bytes, amount: int) -> requests.CashCreditRequest:
        statement = CashEntry(CASH[broker], amount, self.number().to_bytes(32), FOREVER)
        digest = eip712.cash_credit(self.domain(eip712.DEPOSIT_TOKEN, "deposit"), statement)
        return requests.CashCreditRequest(statement, sign(key_of(CASH_AGENT), digest))

    def order(self, holder: Holder, token: bytes, side: int, price: int, quantity: int) -> tuple[SignedOrder, bytes]:
        until = int(time.time()) + 86_400
        order = SignedOrder(
            venue=VENUE,
            account=holder.account,
            cash_account=CASH[holder.broker],
            token=token,
            cash=self.suite["deposit"],
            side=side,
            price=price,
            quantity=quantity,
            nonce=self.number(),
            tradable_until=until,
            settle_by=until + 86_400,
        )
        digest = eip712.order(self.domain(eip712.DVP_SETTLEMENT, "settlement"), order)
        return order, sign(key_of(holder.broker), digest)
