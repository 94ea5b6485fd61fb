# SPDX-License-Identifier: Apache-2.0
"""What the contracts are asked about each row of the ledger, and what they must answer."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from stoken.chain import artifacts
from stoken.chain.codec import CodecError, Interface
from stoken.domain.facts import Address
from stoken.ledger.rows import (
    ROWS,
    Account,
    Anchor,
    CashAccount,
    CashTotal,
    Claim,
    ClaimIssuer,
    ClaimTopic,
    Encumbrance,
    Fill,
    Instrument,
    Key,
    Measure,
    Member,
    Node,
    Position,
    RecordDate,
    RuleSet,
    Trade,
)

#: A field's name and its value, None for a part of the answer that the row does not keep.
Expected = tuple[tuple[str, Any] | None, ...]
_NOBODY: Final = bytes(20)
_WORD: Final = 32
_ADDRESS: Final = 20
#: What the contract answers for a fill that a cancelation made void.
_VOID: Final = 2**64 - 1
_ACTIVE, _LIFTED = 1, 2


class Question(NamedTuple):
    """A view to call, and what it must answer if the row is right."""

    to: Address
    contract: str
    function: str
    arguments: tuple[Any, ...]
    expected: Expected
    #: Turns the decoded answer into values in the order of `expected`.
    shape: Callable[[tuple[Any, ...]], tuple[Any, ...]] = lambda answer: answer

    @property
    def calldata(self) -> bytes:
        """Return the call's data."""
        return _interface(self.contract).encode(self.function, *self.arguments)

    def differences(self, answer: bytes | None) -> Iterator[tuple[str, Any, Any]]:
        """Yield field, what the mirror says, and what the chain says, for each field in which they differ."""
        found = self._decode(answer)
        for at, expected in enumerate(self.expected):
            if expected is None:
                continue
            name, value = expected
            if found is None:
                yield name, value, None
            elif found[at] != value:
                yield name, value, found[at]

    def _decode(self, answer: bytes | None) -> tuple[Any, ...] | None:
        """Return the answer's values, None where the contract refused or is not one of ours."""
        if answer is None:
            return None
        try:
            return self.shape(_interface(self.contract).functions[self.function].outputs.decode(answer, 0))
        except CodecError:
            return None


class Contracts(NamedTuple):
    """Where the suite's contracts are, and which token a compliance contract belongs to."""

    suite: Mapping[str, Address]
    tokens: Mapping[Address, Address]


Ask = Callable[[Contracts, Any], Iterator[Question]]


def questions(contracts: Contracts, table: str, row: tuple[Any, ...]) -> list[Question]:
    """Return what is to be asked about a row of one of the tables of `QUESTIONS`."""
    row_type, _ = ROWS[table]
    return list(QUESTIONS[table](contracts, row_type(*row)))


def token_of(contracts: Contracts, row: Any) -> Address:  # noqa: ANN401 - any row of the ledger
    """Return the token whose orders depend on a row, nothing where orders in every token may."""
    if isinstance(row, RuleSet):
        return contracts.tokens.get(row.compliance, b"")
    is_bound = isinstance(row, Position | Instrument | Encumbrance | RecordDate | Trade)
    return row.token if is_bound else b""


@lru_cache(maxsize=32)
def _interface(contract: str) -> Interface:
    return Interface(artifacts.load(contract).abi)


def _position(contracts: Contracts, row: Position) -> Iterator[Question]:
    account = (row.account,)
    held = (("balance", row.balance), ("frozen_units", row.frozen_units), None, ("frozen", bool(row.frozen)))
    yield Question(row.token, "SecurityToken", "accountOf", account, held)
    sums = (("lockup", row.lockup), ("pledged", row.pledged), ("restricted", row.restricted))
    yield Question(contracts.suite["encumbrances"], "Encumbrances", "sums", (row.token, row.account), sums)


def _instrument(contracts: Contracts, row: Instrument) -> Iterator[Question]:
    if not row.compliance:
        return
    for function, field, value in (
        ("totalSupply", "supply", row.supply),
        ("paused", "paused", bool(row.paused)),
        ("terminated", "terminated", bool(row.terminated)),
        ("compliance", "compliance", row.compliance),
        ("isin", "isin", row.isin.encode()),
    ):
        yield Question(row.token, "SecurityToken", function, (), ((field, value),))
    registered = (("registered", row.registered),)
    yield Question(contracts.suite["quantity"], "RegisteredQuantity", "quantityOf", (row.token,), registered)


def _rule_set(_contracts: Contracts, row: RuleSet) -> Iterator[Question]:
    words = tuple(int.from_bytes(row.countries[at : at + _WORD]) for at in range(0, len(row.countries), _WORD))
    fields = row._asdict() | {"countries": words}
    skipped = {"compliance", "version", "modules"}
    expected = tuple((name, value) for name, value in fields.items() if name not in skipped)
    flat = lambda answer: (answer[0], *answer[1])  # noqa: E731 - a name for the shape
    yield Question(row.compliance, "ModularCompliance", "ruleSet", (row.version,), expected, flat)
    modules = tuple(row.modules[at : at + _ADDRESS] for at in range(0, len(row.modules), _ADDRESS))
    ordered = lambda answer: (tuple(sorted(answer[0])),)  # noqa: E731 - likewise
    yield Question(row.compliance, "ModularCompliance", "modules", (row.version,), (("modules", modules),), ordered)


def _account(contracts: Contracts, row: Account) -> Iterator[Question]:
    registry, account = contracts.suite["registry"], (row.account,)
    manager = (("manager", row.manager), ("owner_type", row.owner_type))
    yield Question(registry, "IdentityRegistry", "managerOf", account, manager)
    word = (("identity", row.identity), ("country", row.country), ("investor_class", row.investor_class))
    yield Question(registry, "IdentityRegistry", "wordOf", account, word, _split_word)


def _split_word(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    """Take identity, country and class from a verification word."""
    (word,) = answer
    return (word >> 96).to_bytes(20), word >> 80 & 0xFFFF, word >> 72 & 0xFF


def _claim(contracts: Contracts, row: Claim) -> Iterator[Question]:
    topics = 0 if row.revoked else row.topics
    until = None if row.revoked else ("until", row.until)
    expected = (("topics", topics), until, ("for_cause", bool(row.for_cause)))
    yield Question(
        contracts.suite["registry"], "IdentityRegistry", "attestationOf", (row.identity, row.issuer), expected
    )


def _claim_issuer(contracts: Contracts, row: ClaimIssuer) -> Iterator[Question]:
    topics = tuple(msgspec.msgpack.decode(row.topics))
    function = "getTrustedIssuerClaimTopics"
    sets = lambda answer: (tuple(sorted(answer[0])),)  # noqa: E731 - a name for the shape
    expected = (("topics", tuple(sorted(topics))),)
    yield Question(contracts.suite["issuers"], "TrustedIssuersRegistry", function, (row.issuer,), expected, sets)


def _claim_topic(contracts: Contracts, row: ClaimTopic) -> Iterator[Question]:
    listed = lambda answer: (row.topic in answer[0],)  # noqa: E731 - a name for the shape
    yield Question(contracts.suite["topics"], "ClaimTopicsRegistry", "getClaimTopics", (), (("topic", True),), listed)


def _encumbrance(contracts: Contracts, row: Encumbrance) -> Iterator[Question]:
    record = (row.token, row.units, row.account, row.until, row.kind, row.party, row.reason)
    expected = (("record", not row.released),)
    yield Question(contracts.suite["encumbrances"], "Encumbrances", "isActive", (row.id, record), expected)


def _record_date(_contracts: Contracts, row: RecordDate) -> Iterator[Question]:
    expected = (("block_number", row.block_number), ("time", row.time))
    yield Question(row.token, "SecurityToken", "recordDateOf", (row.id,), expected)


def _cash_account(contracts: Contracts, row: CashAccount) -> Iterator[Question]:
    expected = (("member", row.member or _NOBODY), ("kind", row.kind), ("balance", row.balance))
    yield Question(contracts.suite["deposit"], "DepositToken", "accountOf", (row.account,), expected)


def _cash_total(_contracts: Contracts, row: CashTotal) -> Iterator[Question]:
    yield Question(row.token, "DepositToken", "totalSupply", (), (("credited", row.credited - row.debited),))


def _member(contracts: Contracts, row: Member) -> Iterator[Question]:
    expected = (("roles", row.roles), ("status", row.status))
    yield Question(contracts.suite["members"], "MemberRegistry", "memberOf", (row.member,), expected)


def _key(contracts: Contracts, row: Key) -> Iterator[Question]:
    names = ("member", "scopes", "status", "since", "until")
    expected = tuple((name, getattr(row, name)) for name in names)
    yield Question(contracts.suite["members"], "MemberRegistry", "keyOf", (row.key,), expected)


def _trade(contracts: Contracts, row: Trade) -> Iterator[Question]:
    if row.settled:
        arguments, expected = (row.venue, row.trade_id), (("settled", True),)
        yield Question(contracts.suite["settlement"], "DvpSettlement", "settled", arguments, expected)


def _fill(contracts: Contracts, row: Fill) -> Iterator[Question]:
    expected = (("filled", _VOID if row.canceled else row.filled),)
    yield Question(contracts.suite["settlement"], "DvpSettlement", "filled", (row.broker, row.nonce), expected)


def _measure(contracts: Contracts, row: Measure) -> Iterator[Question]:
    names = ("scope", "effect", "until", "token", "subject", "units")
    terms = tuple((name, getattr(row, name)) for name in names)
    state = (("lifted", _LIFTED if row.lifted else _ACTIVE), ("provisional", bool(row.provisional)))
    flat = lambda answer: (*answer[0][0], *answer[0][1:3])  # noqa: E731 - a name for the shape
    yield Question(contracts.suite["legal"], "LegalActions", "measureOf", (row.id,), (*terms, *state), flat)


def _node(contracts: Contracts, row: Node) -> Iterator[Question]:
    names = ("member", "public_key", "role", "since", "until")
    expected = tuple((name, getattr(row, name)) for name in names)
    flat = lambda answer: (answer[0], answer[1][0] + answer[1][1], *answer[1][2:])  # noqa: E731 - likewise
    yield Question(contracts.suite["members"], "MemberRegistry", "nodeOf", (row.id,), expected, flat)


def _anchor(contracts: Contracts, row: Anchor) -> Iterator[Question]:
    arguments = (row.member, row.kind, row.period)
    yield Question(contracts.suite["anchors"], "Anchors", "rootOf", arguments, (("root", row.root),))


#: The tables that are compared row by row, in this order, with what is asked about each row.
QUESTIONS: Final[dict[str, Ask]] = {
    "instruments": _instrument,
    "positions": _position,
    "encumbrances": _encumbrance,
    "rule_sets": _rule_set,
    "accounts": _account,
    "claims": _claim,
    "claim_topics": _claim_topic,
    "claim_issuers": _claim_issuer,
    "record_dates": _record_date,
    "cash_accounts": _cash_account,
    "cash_totals": _cash_total,
    "members": _member,
    "keys": _key,
    "trades": _trade,
    "fills": _fill,
    "measures": _measure,
    "nodes": _node,
    "anchors": _anchor,
}
