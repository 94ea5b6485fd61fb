# SPDX-License-Identifier: Apache-2.0
"""Signs what the institutions of the demo say: each statement with the keys of those who say it."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stoken.chain import eip712
from stoken.chain.artifacts import load
from stoken.chain.codec import Interface
from stoken.chain.signatures import sign
from stoken.chain.statements import (
    Act,
    CashAccount,
    CashAllocation,
    CashEntry,
    Encumber,
    Onboarding,
    OnboardingBatch,
    OrderCancel,
    Revoke,
)
from stoken.cli.demo.cast import Broker, Cast, Investor, Key
from stoken.domain.codes import EncumbranceKind, OwnerType, Side
from stoken.domain.signed_order import SignedOrder
from stoken.parties.requests import (
    ActRequest,
    CashAccountRequest,
    CashCreditRequest,
    EncumberRequest,
    OnboardRequest,
    RevokeRequest,
)

_HOUR = 3_600
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Ticket:
    """A signed order as a broker sends it, with the signer that the venue must recover."""

    order: SignedOrder
    signature: bytes


@dataclass(slots=True)
class Desk:
    """Signs for the cast on one chain: `suite` maps names to addresses, `now` is block time in seconds."""

    cast: Cast
    suite: Mapping[str, bytes]
    chain_id: int
    now: int
    _salts: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _nonces: "dict[bytes, itertools.count[int]]" = field(default_factory=dict)

    def act(
        self,
        contract: str,
        target: bytes,
        function: str,
        *arguments: object,
        approvers: Sequence[str],
        basis: bytes = bytes(32),
    ) -> ActRequest:
        """Return an act of Authority, approved by institutions in the order of its policy."""
        document = next(self._salts)
        statement = Act(
            target=target,
            data=Interface(load(contract).abi).encode(function, *arguments),
            basis=basis,
            document=document.to_bytes(32),
            salt=document,
            deadline=self.now + _DAY,
        )
        digest = eip712.act(self._domain(eip712.AUTHORITY, "authority"), statement)
        keys = [self.cast.institutions[name].signing for name in approvers]
        return ActRequest(statement, tuple(sign(key.secret, digest) for key in keys))

    def onboarding(self, broker: Broker, investors: Sequence[Investor]) -> OnboardRequest:
        """Return accounts that their broker binds and the claim issuer attests."""
        items = tuple(
            Onboarding(
                account=investor.account,
                identity=investor.identity,
                country=investor.country,
                investor_class=investor.investor_class,
                owner_type=investor.owner_type,
                topics=investor.topics,
                until=self.now + investor.claim_seconds if investor.topics else 0,
            )
            for investor in investors
        )
        issuer = self.cast.claim_issuer
        batch = OnboardingBatch(broker.institution.member, issuer.address, next(self._salts), self.now + _DAY, items)
        digest = eip712.onboarding_batch(self._domain(eip712.IDENTITY_REGISTRY, "registry"), batch)
        return OnboardRequest(batch, sign(broker.institution.signing.secret, digest), sign(issuer.secret, digest))

    def revocation(self, investor: Investor) -> RevokeRequest:
        """Return the claim issuer's withdrawal of an identity, for cause."""
        issuer = self.cast.claim_issuer
        statement = Revoke(
            issuer.address, investor.identity, for_cause=True, nonce=next(self._salts), deadline=self.now + _DAY
        )
        digest = eip712.revoke(self._domain(eip712.IDENTITY_REGISTRY, "registry"), statement)
        return RevokeRequest(statement, sign(issuer.secret, digest))

    def pledge(self, security: bytes, pledgor: Investor, pledgee: Investor, units: int) -> EncumberRequest:
        """Return a pledge of units that the managers of both accounts signed."""
        statement = Encumber(
            encumbrance_id=next(self._salts).to_bytes(32),
            token=security,
            units=units,
            account=pledgor.account,
            until=0,
            encumbrance_kind=int(EncumbranceKind.PLEDGE),
            party=pledgee.account,
            reason=bytes(32),
            deadline=self.now + _DAY,
        )
        digest = eip712.encumber(self._domain(eip712.ENCUMBRANCES, "encumbrances"), statement)
        keys = (investor.broker.institution.signing for investor in (pledgor, pledgee))
        return EncumberRequest(statement, *(sign(key.secret, digest) for key in keys))

    def cash_account(self, broker: Broker) -> CashAccountRequest:
        """Return the cash agent's opening of a broker's customer-cash account."""
        statement = CashAccount(
            broker.cash_account,
            broker.institution.member,
            int(OwnerType.CUSTOMER),
            next(self._salts),
            self.now + _DAY,
        )
        digest = eip712.cash_account(self._domain(eip712.DEPOSIT_TOKEN, "deposit"), statement)
        return CashAccountRequest(statement, sign(self.cast.institutions["CASH_AGENT"].signing.secret, digest))

    def cash_credit(self, broker: Broker, amount: int) -> CashCreditRequest:
        """Return the cash agent's credit of KRW that a broker's customers paid in."""
        statement = CashEntry(broker.cash_account, amount, next(self._salts).to_bytes(32), self.now + _DAY)
        digest = eip712.cash_credit(self._domain(eip712.DEPOSIT_TOKEN, "deposit"), statement)
        return CashCreditRequest(statement, sign(self.cast.institutions["CASH_AGENT"].signing.secret, digest))

    def allocation(self, investor: Investor, amount: int) -> tuple[CashAllocation, bytes]:
        """Return a broker's allocation of customer cash to one investor, and its signature."""
        broker = investor.broker
        statement = CashAllocation(
            venue=self.cast.institutions["VENUE"].member,
            account=investor.account,
            cash_account=broker.cash_account,
            amount=amount,
            nonce=next(self._salts),
            deadline=self.now + _DAY,
        )
        digest = eip712.cash_allocation(self._domain(eip712.DVP_SETTLEMENT, "settlement"), statement)
        return statement, sign(broker.institution.signing.secret, digest)

    def ticket(
        self, investor: Investor, token: bytes, side: Side, price: int, quantity: int, key: Key | None = None
    ) -> Ticket:
        """Return an order signed by the investor's broker, or by `key` to forge one; nonces are dense a broker."""
        member = investor.broker.institution.member
        nonces = self._nonces.setdefault(member, itertools.count(1))
        order = SignedOrder(
            venue=self.cast.institutions["VENUE"].member,
            account=investor.account,
            cash_account=investor.broker.cash_account,
            token=token,
            cash=self.suite["deposit"],
            side=int(side),
            price=price,
            quantity=quantity,
            nonce=next(nonces),
            tradable_until=self.now + _DAY,
            settle_by=self.now + 2 * _DAY,
        )
        digest = eip712.order(self._domain(eip712.DVP_SETTLEMENT, "settlement"), order)
        return Ticket(order, sign((key or investor.broker.institution.signing).secret, digest))

    def cancellation(self, broker: Broker, nonce: int) -> bytes:
        """Return a broker's signature that voids one of its orders."""
        statement = OrderCancel(broker.institution.member, nonce)
        digest = eip712.order_cancel(self._domain(eip712.DVP_SETTLEMENT, "settlement"), statement)
        return sign(broker.institution.signing.secret, digest)

    def _domain(self, name: str, contract: str) -> bytes:
        return eip712.domain(name, self.chain_id, self.suite[contract])
