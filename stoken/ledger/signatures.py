# SPDX-License-Identifier: Apache-2.0
"""The events that the ledger reads, as one table: who emits what, and the fact it becomes.

A kind of contract and a signature name a builder. It takes the emitter and the decoded arguments in the
order of the event, indexed or not. What is not listed here changes no state the ledger keeps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stoken.domain import facts
from stoken.domain.facts import Fact


class ContractKind(StrEnum):
    """What a contract of the suite is; the values are the names of the suite file."""

    MEMBERS = "members"
    AUTHORITY = "authority"
    REGISTRY = "registry"
    TOPICS = "topics"
    ISSUERS = "issuers"
    QUANTITY = "quantity"
    ENCUMBRANCES = "encumbrances"
    DEPOSIT = "deposit"
    SETTLEMENT = "settlement"
    RELEASES = "releases"
    LEGAL = "legal"
    ANCHORS = "anchors"
    DIRECTORY = "directory"
    INSTRUCTIONS = "instructions"
    FACTORY = "factory"
    TOKEN = "token"  # noqa: S105 - the name of a contract
    COMPLIANCE = "compliance"
    #: A module contract of a rule set.
    MODULE = "module"


@dataclass(frozen=True, slots=True)
class EventSignature:
    """One event: types as in the ABI, with `indexed` behind those that travel as topics."""

    kind: ContractKind
    name: str
    arguments: tuple[str, ...]
    build: Callable[..., Fact]

    @property
    def canonical(self) -> str:
        """Return the signature whose hash is the first topic."""
        return f"{self.name}({','.join(item.removesuffix(' indexed') for item in self.arguments)})"


_RULES = "(uint64,uint16,uint16,uint32,uint64,bool,uint256[4],uint64,uint32,bool)"


#: What Authority says of the act of force: digest, author, approver, basis, document.
_GROUNDS = "(bytes32,bytes20,bytes20,bytes32,bytes32)"
_HOLD = f"(bytes20,uint64,{'address,' * 6}bytes20,bytes20,{'uint64,' * 4}uint40)"


def _event(kind: ContractKind, declaration: str, build: Callable[..., Fact]) -> EventSignature:
    name, _, arguments = declaration.removesuffix(")").partition("(")
    parts = arguments.split(",") if arguments else []
    compounds = {"RULES": _RULES, "GROUNDS": _GROUNDS, "HOLD": _HOLD}
    types = tuple(compounds.get(word := part.strip(), word) for part in parts)
    return EventSignature(kind, name, types, build)


def _rule_set(compliance: bytes, version: int, effective_block: int, rules: tuple[Any, ...]) -> Fact:
    cap_units, cap_bps, classes, holder_limit, lot, allowed, countries, *market = rules
    return facts.RuleSetAnnounced(
        compliance,
        version,
        effective_block,
        cap_units,
        cap_bps,
        classes,
        holder_limit,
        lot,
        allowed,
        b"".join(countries),
        *market,
    )


def _measure(_at: bytes, *fields: Any) -> Fact:  # noqa: ANN401 - decoded values
    *terms, (_act, author, approver, basis, document) = fields
    return facts.MeasureImposed(*(*terms, author, approver, basis, document))


def _correction(_at: bytes, entry: int, original: bytes, cause: bytes, grounds: tuple[bytes, ...]) -> Fact:
    _act, author, approver, basis, document = grounds
    return facts.CorrectionEntered(entry, original, cause, author, approver, basis, document)


def _trade_held(_at: bytes, venue: bytes, trade_id: int, hold: tuple[Any, ...]) -> Fact:
    token, cash, seller, buyer, seller_cash, buyer_cash, _, _, *rest = hold[2:]
    return facts.TradeHeld(venue, trade_id, token, cash, seller, buyer, seller_cash, buyer_cash, *rest)


_K = ContractKind

EVENTS: tuple[EventSignature, ...] = (
    _event(
        _K.TOKEN,
        "Transfer(address indexed, address indexed, uint256)",
        facts.Transferred,
    ),
    _event(_K.TOKEN, "Paused(address)", lambda at, _by: facts.Paused(at, paused=True)),
    _event(_K.TOKEN, "Unpaused(address)", lambda at, _by: facts.Paused(at, paused=False)),
    _event(
        _K.TOKEN,
        "AddressFrozen(address indexed, bool indexed, address indexed)",
        lambda at, account, frozen, _by: facts.AddressFrozen(at, account, frozen),
    ),
    _event(
        _K.TOKEN,
        "TokensFrozen(address indexed, uint256)",
        facts.UnitsFrozen,
    ),
    _event(
        _K.TOKEN,
        "TokensUnfrozen(address indexed, uint256)",
        lambda at, account, units: facts.UnitsFrozen(at, account, -units),
    ),
    _event(_K.TOKEN, "RecordDateSet(uint24 indexed, uint64, uint64)", facts.RecordDateSet),
    _event(
        _K.TOKEN,
        "Terminated(address indexed, bytes32)",
        lambda at, _by, _document: facts.Terminated(at),
    ),
    _event(
        _K.FACTORY,
        "IssueCreated(bytes12 indexed, address indexed, address indexed, bytes32, bytes32)",
        lambda _at, isin, token, compliance, _token_code, _compliance_code: facts.IssueCreated(
            token, isin.decode("ascii"), compliance
        ),
    ),
    _event(_K.COMPLIANCE, "RuleSetAnnounced(uint32 indexed, uint64, RULES)", _rule_set),
    _event(
        _K.COMPLIANCE,
        "ModuleAdded(uint32 indexed, address indexed, uint16, bytes32)",
        facts.ModuleAdded,
    ),
    _event(_K.COMPLIANCE, "ModuleRemoved(uint32 indexed, address indexed)", facts.ModuleRemoved),
    _event(_K.COMPLIANCE, "UnitsRelocated(address indexed, address indexed, uint256)", facts.UnitsRelocated),
    _event(_K.COMPLIANCE, "AccountRecounted(address indexed, address indexed)", facts.AccountRecounted),
    _event(
        _K.MODULE,
        "TransferApproved(address indexed, bytes32 indexed, address, address, uint96, uint40)",
        facts.TransferApproved,
    ),
    _event(_K.MODULE, "ApprovalUsed(bytes32 indexed)", facts.ApprovalUsed),
    _event(_K.MODULE, "BlackoutSet(address indexed, address indexed, uint8, uint40)", facts.BlackoutSet),
    _event(
        _K.QUANTITY,
        "QuantityRegistered(address indexed, uint96)",
        lambda _at, token, quantity: facts.QuantityRegistered(token, quantity),
    ),
    _event(
        _K.ENCUMBRANCES,
        "EncumbranceSet(bytes32 indexed, address indexed, address indexed, uint8, uint96, uint40, address, bytes32)",
        lambda _at, *fields: facts.EncumbranceSet(*fields),
    ),
    _event(
        _K.ENCUMBRANCES,
        "EncumbrancesMoved(address indexed, address indexed, address indexed)",
        lambda _at, *fields: facts.EncumbrancesMoved(*fields),
    ),
    _event(
        _K.ENCUMBRANCES,
        "EncumbranceCarried(bytes32 indexed, address indexed, address indexed)",
        lambda _at, *fields: facts.EncumbranceCarried(*fields),
    ),
    _event(
        _K.ENCUMBRANCES,
        "EncumbranceRescaled(bytes32 indexed, uint96)",
        lambda _at, item, units: facts.EncumbranceRescaled(item, units),
    ),
    _event(_K.ENCUMBRANCES, "EncumbranceReleased(bytes32 indexed)", lambda _at, item: facts.EncumbranceReleased(item)),
    _event(
        _K.REGISTRY,
        "AccountBound(address indexed, bytes20 indexed, address indexed, uint16, uint8, uint8)",
        lambda _at, *fields: facts.AccountBound(*fields),
    ),
    _event(
        _K.REGISTRY,
        "IdentityRemoved(address indexed, address indexed)",
        lambda _at, account, _identity: facts.AccountRemoved(account),
    ),
    _event(
        _K.REGISTRY,
        "ClaimAttested(address indexed, address indexed, uint64, uint40)",
        lambda _at, *fields: facts.ClaimAttested(*fields),
    ),
    _event(
        _K.REGISTRY,
        "ClaimRevoked(address indexed, address indexed, bool)",
        lambda _at, *fields: facts.ClaimRevoked(*fields),
    ),
    _event(
        _K.REGISTRY,
        "AccountHeld(address indexed, uint8)",
        lambda _at, account, effect: facts.AccountHeld(account, effect),
    ),
    _event(
        _K.REGISTRY,
        "InstitutionRestricted(bytes20 indexed, address indexed, bool)",
        lambda _at, *fields: facts.InstitutionRestricted(*fields),
    ),
    _event(_K.REGISTRY, "NetworkSuspended(bool)", lambda _at, suspended: facts.NetworkSuspended(suspended)),
    _event(
        _K.REGISTRY,
        "CodeAdmitted(bytes32 indexed, bool)",
        lambda _at, code, admitted: facts.CodeAdmitted(code, admitted),
    ),
    _event(
        _K.REGISTRY,
        "ClaimNoted(address indexed, address indexed, uint8 indexed, uint40, bytes32, bytes32)",
        lambda _at, *fields: facts.ClaimNoted(*fields),
    ),
    _event(_K.REGISTRY, "IssuerNotesVoided(address indexed)", lambda _at, issuer: facts.IssuerNotesVoided(issuer)),
    _event(_K.TOPICS, "ClaimTopicAdded(uint256 indexed)", lambda _at, topic: facts.TopicAdded(topic)),
    _event(_K.TOPICS, "ClaimTopicRemoved(uint256 indexed)", lambda _at, topic: facts.TopicRemoved(topic)),
    _event(
        _K.ISSUERS,
        "TrustedIssuerAdded(address indexed, uint256[])",
        lambda _at, issuer, topics: facts.IssuerTrusted(issuer, topics),
    ),
    _event(
        _K.ISSUERS,
        "ClaimTopicsUpdated(address indexed, uint256[])",
        lambda _at, issuer, topics: facts.IssuerTrusted(issuer, topics),
    ),
    _event(_K.ISSUERS, "TrustedIssuerRemoved(address indexed)", lambda _at, issuer: facts.IssuerTrusted(issuer, ())),
    _event(
        _K.MEMBERS,
        "MemberAdmitted(bytes20 indexed, uint16)",
        lambda _at, member, roles: facts.MemberAdmitted(member, roles),
    ),
    _event(
        _K.MEMBERS,
        "MemberStatusChanged(bytes20 indexed, uint8)",
        lambda _at, member, status: facts.MemberStatusChanged(member, status),
    ),
    _event(
        _K.MEMBERS,
        "KeyAdded(address indexed, bytes20 indexed, uint8, uint40, uint40)",
        lambda _at, *fields: facts.KeyAdded(*fields),
    ),
    _event(_K.MEMBERS, "KeyRetired(address indexed)", lambda _at, key: facts.KeyRetired(key)),
    _event(_K.MEMBERS, "KeyRevoked(address indexed)", lambda _at, key: facts.KeyRevoked(key)),
    _event(
        _K.DEPOSIT,
        "CashAccountOpened(address indexed, bytes20 indexed, uint8)",
        lambda _at, *fields: facts.CashAccountOpened(*fields),
    ),
    _event(
        _K.DEPOSIT,
        "Transfer(address indexed, address indexed, uint256)",
        facts.CashMoved,
    ),
    _event(
        _K.SETTLEMENT,
        "TradeSettled(bytes20 indexed, uint64 indexed, address indexed,"
        " address, address, uint64, uint64, uint64, uint64)",
        lambda _at, *fields: facts.TradeSettled(*fields),
    ),
    _event(
        _K.SETTLEMENT,
        "TradeFailed(bytes20 indexed, uint64 indexed, bytes)",
        lambda _at, *fields: facts.TradeFailed(*fields),
    ),
    _event(
        _K.SETTLEMENT,
        "OrderCanceled(bytes20 indexed, uint64 indexed)",
        lambda _at, broker, nonce: facts.OrderCanceled(broker, nonce),
    ),
    _event(
        _K.LEGAL,
        "MeasureImposed(uint64 indexed, uint8 indexed, address indexed, bytes20, uint8, uint96, uint40, bool, GROUNDS)",
        _measure,
    ),
    _event(
        _K.LEGAL,
        "MeasureConfirmed(uint64 indexed, uint40, GROUNDS)",
        lambda _at, item, until, _grounds: facts.MeasureConfirmed(item, until),
    ),
    _event(
        _K.LEGAL,
        "MeasureLifted(uint64 indexed, GROUNDS)",
        lambda _at, item, _grounds: facts.MeasureLifted(item),
    ),
    _event(_K.LEGAL, "CorrectionEntered(uint64 indexed, bytes32 indexed, bytes32, GROUNDS)", _correction),
    _event(
        _K.MEMBERS,
        "NodeAdded(bytes32 indexed, bytes20 indexed, bytes32, bytes32, uint8, uint40, uint40)",
        lambda _at, item, member, high, low, *rest: facts.NodeAdded(item, member, high + low, *rest),
    ),
    _event(
        _K.MEMBERS,
        "NodeRemoved(bytes32 indexed, bytes20 indexed)",
        lambda _at, item, _member: facts.NodeRemoved(item),
    ),
    _event(
        _K.ANCHORS,
        "Anchored(bytes20 indexed, uint8 indexed, uint64 indexed, bytes32)",
        lambda _at, *fields: facts.Anchored(*fields),
    ),
    _event(_K.SETTLEMENT, "TradeHeld(bytes20 indexed, uint64 indexed, HOLD)", _trade_held),
    _event(
        _K.SETTLEMENT,
        "HoldReleased(bytes20 indexed, uint64 indexed)",
        lambda _at, venue, trade_id: facts.HoldReleased(venue, trade_id),
    ),
    _event(
        _K.DEPOSIT,
        "CustomerCashMoved(bytes20 indexed, bytes20 indexed, address[], uint256, uint256)",
        lambda _at, *fields: facts.CustomerCashMoved(*fields[:3]),
    ),
)
