# SPDX-License-Identifier: Apache-2.0
"""The table of events is the contracts' own: each signature stands in the artifact of its contract."""

from typing import Any

import pytest

from stoken.chain import artifacts
from stoken.ledger import tables
from stoken.ledger.rows import ROWS
from stoken.ledger.signatures import EVENTS, ContractKind, EventSignature

_CONTRACTS = {
    ContractKind.MEMBERS: "MemberRegistry",
    ContractKind.AUTHORITY: "Authority",
    ContractKind.REGISTRY: "IdentityRegistry",
    ContractKind.TOPICS: "ClaimTopicsRegistry",
    ContractKind.ISSUERS: "TrustedIssuersRegistry",
    ContractKind.QUANTITY: "RegisteredQuantity",
    ContractKind.ENCUMBRANCES: "Encumbrances",
    ContractKind.DEPOSIT: "DepositToken",
    ContractKind.SETTLEMENT: "DvpSettlement",
    ContractKind.RELEASES: "Releases",
    ContractKind.LEGAL: "LegalActions",
    ContractKind.ANCHORS: "Anchors",
    ContractKind.DIRECTORY: "IssueDirectory",
    ContractKind.INSTRUCTIONS: "Instructions",
    ContractKind.FACTORY: "SuiteFactory",
    ContractKind.TOKEN: "SecurityToken",
    ContractKind.COMPLIANCE: "ModularCompliance",
}
_MODULES = ("ConditionalApproval", "Blackout")
#: What runs by delegation as one of these.
_PARTS = {ContractKind.SETTLEMENT: ["SettlementModes"]}
#: Events that change nothing the ledger keeps, or that repeat what another event of the same act says.
_UNREAD = {
    *("Initialized", "Upgraded", "OwnershipTransferStarted", "OwnershipTransferred", "EIP712DomainChanged"),
    *("AgentAdded", "AgentRemoved", "PolicySet", "ActExecuted", "ImplementationsSet"),
    # What is proposed and decided; the change that follows is an event of its own.
    *("ActProposed", "ActCanceled", "MemberProposed", "MemberVoted", "MemberDecided", "VotingSet", "ActVoted"),
    "ElectorateTaken",
    # Upgraded says it with the code; accounts and balances stay as they are.
    *("RolledBack", "CashAgentSet"),
    *("QuantityProposed", "SeriesRegistered", "RecoveryRequested", "RecoveryExecuted", "RecoveryCanceled"),
    # The upgrade file and the directory are read on chain.
    *("ReleaseRecorded", "IssueListed"),
    *("EpochAdvanced", "EpochListenerBound", "EpochListenerUnbound"),
    *("IdentityStorageSet", "ClaimTopicsRegistrySet", "TrustedIssuersRegistrySet"),
    # AccountBound follows each of these with the whole account.
    *("IdentityRegistered", "IdentityUpdated", "CountryUpdated"),
    # AccountBound tells of each account; this one sums up.
    "AccountsRebound",
    # Transfer says the amount; these say why.
    *("CashCredited", "CashDebited", "ForcedTransfer", "RecoverySuccess", "UnitsForced", "UnitsCanceled"),
    *("AgentRolesSet", "DocumentUpdated", "DocumentRemoved"),
    *("CashInstructed", "Instructed", "InstructionFailed"),
    # TradeSettled says what moved; these say how it was paid.
    *("BatchNetted", "CashConfirmed"),
    # TradeHeld and what ends a hold itemise what this event sums up.
    "CashHeld",
    # EncumbranceSet, EncumbranceReleased and Transfer say what was done; these say on what basis.
    *("EncumbranceDecreed", "PledgeEnforced"),
    # Encumbrances itemises what this event sums up.
    "EncumberedUnits",
    # ModuleAdded and ModuleRemoved say it with the version.
    *("ComplianceBound", "ComplianceUnbound"),
    *("Approval", "UpdatedTokenInformation", "IdentityRegistryAdded", "ComplianceAdded", "TokenBound", "TokenUnbound"),
}


def _type(item: dict[str, Any]) -> str:
    kind = str(item["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(part) for part in item['components'])}){kind.removeprefix('tuple')}"


def _events(kind: ContractKind) -> dict[str, tuple[str, ...]]:
    names = _MODULES if kind is ContractKind.MODULE else (_CONTRACTS[kind], *_PARTS.get(kind, ()))
    return {
        entry["name"]: tuple(_type(item) + " indexed" * item["indexed"] for item in entry["inputs"])
        for name in names
        for entry in artifacts.load(name).abi
        if entry["type"] == "event"
    }


class TestEvents:
    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{event.kind}-{event.name}")
    def test_a_signature_is_that_of_the_contract(self, event: EventSignature) -> None:
        assert _events(event.kind)[event.name] == event.arguments

    @pytest.mark.parametrize("kind", list(ContractKind))
    def test_an_event_that_is_not_read_is_known_to_change_nothing(self, kind: ContractKind) -> None:
        read = {event.name for event in EVENTS if event.kind == kind}
        assert set(_events(kind)) - read <= _UNREAD


class TestRows:
    @pytest.mark.parametrize("name", list(ROWS))
    def test_a_row_has_the_columns_of_its_table(self, name: str) -> None:
        row, width = ROWS[name]
        table = tables.STATE[name]
        fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]
        assert fields == tuple(table.columns.keys())
        assert fields[:width] == tuple(column.name for column in table.primary_key.columns)
