# SPDX-License-Identifier: Apache-2.0
"""Deploys the contract suite: every creation signed in one commit, so that a restart finishes the same deployment.

Everything belongs to `Authority` from the first block on; the deploying key keeps nothing. Addresses follow from
the key and its nonces, so the suite is known before its first byte is sent, and the ledger follows it from there.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine

from stoken.chain import artifacts
from stoken.chain.capabilities import Capabilities
from stoken.chain.rpc import RpcClient
from stoken.chain.statements import MemberKey
from stoken.chain.suite import Suite
from stoken.chain.transactions import contract_address
from stoken.db import reading, unit_of_work
from stoken.domain.codes import Role
from stoken.errors import ContractRevertedError, LedgerUnavailableError
from stoken.issuance.calldata import interface
from stoken.ledger.final_blocks import FinalBlocks
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.roots import RootsStep
from stoken.mirror import Finality, MirrorStep, Projection
from stoken.mirror.reader import ChainReader
from stoken.transactions import outbox as sent
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.outbox import Outbox, OutboxRow

PURPOSE: Final = "deploy"
#: Creating the largest contract costs less than half of this.
_GAS: Final = 12_000_000
_WAIT_SECONDS: Final = 120
_POLL_SECONDS: Final = 0.1


class Founder(msgspec.Struct, frozen=True, array_like=True):
    """An institution that is a member from the first block on."""

    member: bytes
    roles: int
    keys: tuple[MemberKey, ...]


class Charter(msgspec.Struct, frozen=True):
    """What a suite begins with: members, required claim topics, trusted issuers each with its topics."""

    founders: tuple[Founder, ...]
    topics: tuple[int, ...]
    issuers: tuple[tuple[bytes, tuple[int, ...]], ...]


class Deployment:
    """One deployment on one database and node; every part of it may run again after a crash."""

    def __init__(self, engine: Engine, rpc: RpcClient, outbox: Outbox, capabilities: Capabilities) -> None:
        """Take the database, the node, and an outbox that holds its first key."""
        self._engine = engine
        self._rpc = rpc
        self._outbox = outbox
        self._capabilities = capabilities

    def sign(self, charter: Charter) -> Suite:
        """Sign every creation in one commit and return where the contracts will stand; nothing is sent."""
        head = int(self._rpc.call("eth_blockNumber"), 16)
        with unit_of_work(self._engine) as connection:
            contracts = _Plan(connection, self._outbox, self._capabilities.gas_limit).suite(charter)
        return Suite(self._capabilities.chain_id, self._capabilities.genesis_hash, head, contracts)

    def finish(self, suite: Suite, finality: Finality | None = None, wait_seconds: float = _WAIT_SECONDS) -> None:
        """Send until every creation is mined, following the chain with mirror and ledger.

        Raises ContractRevertedError where one failed, LedgerUnavailableError where that takes too long.
        """
        finality = finality or Finality()
        projections: list[Projection] = [
            LedgerProjection(suite.contracts),
            FinalBlocks(time.time_ns, finality),
        ]
        mirror = MirrorStep(self._engine, self._rpc, projections, finality)
        steps = (
            BroadcastStep(self._engine, self._rpc, self._capabilities).execute,
            mirror.run_to_head,
            RootsStep(self._engine, ChainReader(self._rpc, sealed_from=finality.sealed_from), time.time_ns).execute,
            ConfirmStep(self._engine, self._rpc, sealed_from=finality.sealed_from).execute,
        )
        self._repeat(steps, time.monotonic() + wait_seconds)

    def _repeat(self, steps: Sequence[Callable[[], object]], deadline: float) -> None:
        while True:
            for step in steps:
                step()
            with reading(self._engine) as connection:
                rows = sent.of_purpose(connection, PURPOSE)
            failed = next((row for row in rows if row.without_effect), None)
            if failed is not None and failed.failure is not None:
                raise ContractRevertedError(failed.failure.error, {"contract": failed.key, **failed.failure.arguments})
            if all(row.status == sent.MINED for row in rows):
                return
            if time.monotonic() > deadline:
                raise LedgerUnavailableError("the deployment is not mined in time: run it again to go on")
            time.sleep(_POLL_SECONDS)


def _cash_agent(charter: Charter) -> bytes:
    """Return the member at which the won are deposited: the first cash agent, nobody where there is none yet."""
    return next((founder.member for founder in charter.founders if founder.roles & Role.CASH_AGENT), bytes(20))


class _Plan:
    """The creations in their order; the keys of the outbox make them the same on every run."""

    def __init__(self, connection: Connection, outbox: Outbox, gas_limit: int) -> None:
        self._connection = connection
        self._outbox = outbox
        self._gas = min(_GAS, gas_limit)

    def suite(self, charter: Charter) -> dict[str, bytes]:
        """Sign everything and return the addresses by name."""
        suite = self._control(charter)
        suite |= self._identities(suite, charter)
        suite |= self._market(suite, _cash_agent(charter))
        return suite

    def _control(self, charter: Charter) -> dict[str, bytes]:
        codes = (self._code("MemberRegistry"), self._code("Releases"))
        authority = self._proxy("Authority", self._code("Authority"), *codes, charter.founders)
        # Authority creates both within its own constructor: its first contracts (EIP-161 nonces begin at 1).
        return {
            "authority": authority,
            "members": contract_address(authority, 1),
            "releases": contract_address(authority, 2),
        }

    def _identities(self, suite: dict[str, bytes], charter: Charter) -> dict[str, bytes]:
        names = ("ClaimTopicsRegistry", "TrustedIssuersRegistry", "IdentityRegistryStorage", "LegalActions")
        topics_code, issuers_code, storage_code, legal_code = [self._code(name) for name in names]
        registry_code = self._code("IdentityRegistry")
        owner = suite["authority"]
        # Its parts and the legal actions must know the registry before it exists: it follows them by its nonce.
        registry = contract_address(self._outbox.senders[0], self._last.nonce + 5)
        issuers = tuple(issuer for issuer, _ in charter.issuers)
        trusted_for = tuple(topics for _, topics in charter.issuers)
        made = {
            "topics": self._proxy("ClaimTopicsRegistry", topics_code, owner, registry, charter.topics),
            "issuers": self._proxy("TrustedIssuersRegistry", issuers_code, owner, registry, issuers, trusted_for),
            "storage": self._proxy("IdentityRegistryStorage", storage_code, owner, registry),
            "legal": self._proxy("LegalActions", legal_code, owner, suite["members"], registry),
        }
        parts = (owner, owner, made["legal"], made["storage"], made["topics"], made["issuers"], suite["members"])
        made["registry"] = self._proxy("IdentityRegistry", registry_code, *parts)
        if made["registry"] != registry:
            raise LedgerUnavailableError("another process writes with the deploying key: run the deployment again")
        # Nothing of it can change, so it stands without a proxy.
        created = interface("IdentityFactory").constructor.encode((registry,))
        made["identities"] = self._create(
            "deploy:IdentityFactory", artifacts.load("IdentityFactory").bytecode + created
        )
        return made

    def _market(self, suite: dict[str, bytes], cash_agent: bytes) -> dict[str, bytes]:
        owner, members = suite["authority"], suite["members"]
        quantity = self._proxy("RegisteredQuantity", self._code("RegisteredQuantity"), owner)
        encumbrances = self._proxy("Encumbrances", self._code("Encumbrances"), owner, members, suite["registry"])
        distribution = self._proxy("Distribution", self._code("Distribution"), owner, members, suite["registry"])
        ballot = self._proxy("Ballot", self._code("Ballot"), owner, members, suite["registry"])
        conversions = self._proxy("Conversions", self._code("Conversions"), owner)
        settlement_code = self._code("DvpSettlement", self._code("SettlementModes"))
        settlement = self._proxy("DvpSettlement", settlement_code, owner, members, suite["registry"])
        instructions = self._proxy("Instructions", self._code("Instructions"), owner, members, suite["registry"])
        deposit = self._proxy("DepositToken", self._code("DepositToken"), owner, members, settlement, cash_agent)
        anchors = self._proxy("Anchors", self._code("Anchors"), owner, members)
        directory = self._proxy("IssueDirectory", self._code("IssueDirectory"), owner)
        extension = self._code("SecurityTokenExtension")
        codes = (self._code("SecurityToken", extension), self._code("ModularCompliance"))
        parts = (
            suite["registry"],
            quantity,
            encumbrances,
            settlement,
            instructions,
            suite["legal"],
            conversions,
            *codes,
        )
        factory = self._proxy("SuiteFactory", self._code("SuiteFactory"), owner, parts)
        return {
            "quantity": quantity,
            "encumbrances": encumbrances,
            "distribution": distribution,
            "ballot": ballot,
            "conversions": conversions,
            "settlement": settlement,
            "instructions": instructions,
            "deposit": deposit,
            "anchors": anchors,
            "directory": directory,
            "factory": factory,
        }

    def _code(self, name: str, *arguments: Any) -> bytes:  # noqa: ANN401 - any ABI value
        encoded = interface(name).constructor.encode(arguments) if arguments else b""
        return self._create(f"deploy:{name}:code", artifacts.load(name).bytecode + encoded)

    def _proxy(self, name: str, code: bytes, *arguments: Any) -> bytes:  # noqa: ANN401 - any ABI value
        initialize = interface(name).encode("initialize", *arguments)
        created = interface("ERC1967Proxy").constructor.encode((code, initialize))
        return self._create(f"deploy:{name}", artifacts.load("ERC1967Proxy").bytecode + created)

    def _create(self, key: str, data: bytes) -> bytes:
        sender = self._outbox.senders[0]
        self._last: OutboxRow = self._outbox.enqueue(
            self._connection, key=key, sender=sender, to=b"", data=data, gas=self._gas, purpose=PURPOSE, owner=PURPOSE
        )
        return contract_address(sender, self._last.nonce)
