# SPDX-License-Identifier: Apache-2.0
"""A suite on a node, the state that the mirror makes of it, and both verdicts side by side."""

import random
from pathlib import Path

from eth_hash.auto import keccak

from stoken.chain import artifacts, eip712
from stoken.chain.capabilities import probe
from stoken.chain.codec import Value
from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of, sign
from stoken.chain.statements import Attest, Attested, Encumber, Onboarding, OnboardingBatch, Revoke
from stoken.compliance.verdict import Channel, Verdict, transfer_verdict
from stoken.db import open_engine, reading, schema
from stoken.domain.chain_state import ChainState
from stoken.domain.codes import EncumbranceKind
from stoken.domain.refusals import REFUSALS, Refusal, error_name
from stoken.issuance.calldata import Call, call_of, interface
from stoken.issuance.deploy import Deployment
from stoken.ledger.feed import decode_facts, final_blocks
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import MirrorStep
from stoken.parties import requests
from stoken.transactions.outbox import Outbox
from stoken.transactions.signer import KeystoreSigner
from tests import consortium
from tests.consortium import BROKER_1, CLAIM_ISSUER, FOREVER, ISSUER, REGISTRAR, TOPIC, VENUE, Desk

ISIN = "ZZBUSANPL019"
#: Three people, the third with two accounts, and somebody who was never registered.
ACCOUNTS = {name: name.encode() * 20 for name in "abcd"}
IDENTITIES = {"a": b"\xa1" * 20, "b": b"\xb1" * 20, "c": b"\xc1" * 20, "d": b"\xc1" * 20}
PROFILES = {"a": (410, 1), "b": (840, 2), "c": (410, 3), "d": (410, 3)}
NOBODY = b"\x99" * 20
COUNTRIES = (410, 840, 408)


class World:
    """A suite on a node, and the state that the mirror makes of it."""

    def __init__(self, node: RpcClient, folder: Path) -> None:
        self.rpc = node
        self.engine = open_engine(f"sqlite:///{folder}/stoken.db")
        schema.upgrade(self.engine)
        signer = KeystoreSigner(consortium.SENDER)
        capabilities = probe(node)
        outbox = Outbox({signer.address: signer}, capabilities.chain_id)
        outbox.take_over(self.engine, node)
        deployment = Deployment(self.engine, node, outbox, capabilities)
        suite = deployment.sign(consortium.charter())
        # By the clock: anvil hangs now and then when it mines each transaction of a batch at once.
        node.call("evm_setIntervalMining", 1)
        deployment.finish(suite)
        node.call("evm_setIntervalMining", 0)
        self.suite = suite
        self.desk = Desk(suite.contracts, capabilities.chain_id)
        self.mirror = MirrorStep(self.engine, node, [LedgerProjection(suite.contracts)])
        self.state = ChainState()
        self.funded = str(node.call("eth_accounts")[0])
        self.issue()

    def issue(self) -> None:
        rules = (0, 0, 0, 0, 0, False, (0, 0, 0, 0), 0, 0, False)
        data = interface("SuiteFactory").encode("createIssue", (ISIN.encode(), "Busan", "BPL1", rules, 0, bytes(32)))
        self.act(self.suite["factory"], data, ISSUER)
        (self.token,) = self.state.tokens
        self.compliance = self.state.tokens[self.token].compliance
        # Positions are counted from the first rule that caps them, which must come before the first mint.
        self.announce(cap_units=10**6)
        self.act(self.suite["quantity"], interface("RegisteredQuantity").encode("register", self.token, 10**6), ISSUER)
        self.onboard()
        for name, units in (("a", 100), ("c", 40)):
            self.on_token("mint", ACCOUNTS[name], units, first=ISSUER)

    def relay(self, request: requests.Body) -> str:
        call: Call = call_of(request)
        return self.call(self.suite[call.contract], call.data)

    def call(self, target: bytes, data: bytes) -> str:
        """Send a call as a stranger, and return the status of its receipt."""
        return str(self.send({"from": self.funded, "to": "0x" + target.hex(), "data": "0x" + data.hex()})["status"])

    def mine(self) -> None:
        # Claims expire in seconds of block time, and these blocks come faster than one a second.
        self.rpc.call("evm_increaseTime", 1)
        self.rpc.call("evm_mine")
        self.follow()

    def follow(self) -> None:
        """Fold what the node mined."""
        self.mirror.run_to_head()
        with reading(self.engine) as connection:
            for block in final_blocks(connection, self.state.block_number):
                self.state.apply_block(block.number, block.hash, block.time, decode_facts(block.facts))

    def act(self, target: bytes, data: bytes, first: bytes = REGISTRAR) -> str:
        return self.relay(self.desk.act(target, data, first, VENUE if first == REGISTRAR else REGISTRAR))

    def on_token(self, function: str, *arguments: object, first: bytes = REGISTRAR) -> str:
        return self.act(self.token, interface("SecurityToken").encode(function, *arguments), first)

    def announce(self, **changed: object) -> str:
        rules = {
            "cap_units": 0, "cap_bps": 0, "classes": 0, "holder_limit": 0, "lot": 0, "allowed": False, "countries": (),
            "window_units": 0, "window_seconds": 0, "off_venue_barred": False,
        } | changed  # fmt: skip
        words = [0, 0, 0, 0]
        for country in rules["countries"]:  # type: ignore[attr-defined]
            words[country // 256] |= 1 << country % 256
        rules["countries"] = tuple(words)
        data = interface("ModularCompliance").encode("announceRules", tuple(rules.values()), self.soon())
        return self.act(self.compliance, data)

    def soon(self) -> int:
        """Return a block at which an announcement may take effect: at once or a little later."""
        effective = self.state.block_number + 1 + random.Random(self.state.block_number).randrange(3)  # noqa: S311
        return max(effective, *(rules.effective_block for rules in self.state.tokens[self.token].rules))

    def deploy(self, name: str, code: bytes | None = None) -> bytes:
        """Deploy a module contract; any code may pretend to be one."""
        data = code or artifacts.load(name).bytecode
        return bytes.fromhex(self.send({"from": self.funded, "data": "0x" + data.hex()})["contractAddress"][2:])

    def bind(self, module: bytes) -> str:
        return self.act(self.compliance, interface("ModularCompliance").encode("addModule", module, self.soon()))

    def unbind(self, module: bytes) -> str:
        return self.act(self.compliance, interface("ModularCompliance").encode("removeModule", module, self.soon()))

    def approve(self, module: bytes, pair: str, units: int, until: int) -> str:
        sender, receiver = (ACCOUNTS[name] for name in pair)
        return self.act(
            module,
            interface("ConditionalApproval").encode("approve", self.compliance, sender, receiver, units, until),
        )

    def black_out(self, module: bytes, name: str, sides: int, until: int) -> str:
        data = interface("Blackout").encode("setBlackout", self.compliance, IDENTITIES[name], sides, until)
        return self.act(module, data)

    def transfer(self, pair: str, units: int) -> str:
        """Let one account's owner move units to another, all checks on."""
        sender = "0x" + ACCOUNTS[pair[0]].hex()
        self.rpc.call("anvil_impersonateAccount", sender)
        data = interface("SecurityToken").encode("transfer", ACCOUNTS[pair[1]], units)
        return str(self.send({"from": sender, "to": "0x" + self.token.hex(), "data": "0x" + data.hex()})["status"])

    def move_identity(self, name: str, identity: bytes) -> str:
        """Bind an account to another identity, and count its units anew."""
        changed = self.act(
            self.suite["registry"], interface("IdentityRegistry").encode("updateIdentity", ACCOUNTS[name], identity)
        )
        data = interface("ModularCompliance").encode("recount", ACCOUNTS[name])
        self.send({"from": self.funded, "to": "0x" + self.compliance.hex(), "data": "0x" + data.hex()})
        return changed

    def send(self, transaction: dict[str, str]) -> dict[str, str]:
        sent = self.rpc.call("eth_sendTransaction", transaction | {"gas": hex(8_000_000), "gasPrice": "0x0"})
        self.mine()
        return dict(self.rpc.call("eth_getTransactionReceipt", sent))

    def onboard(self) -> None:
        items = tuple(
            Onboarding(ACCOUNTS[name], IDENTITIES[name], *PROFILES[name], 1, 1 << TOPIC, FOREVER) for name in ACCOUNTS
        )
        batch = OnboardingBatch(BROKER_1, address_of(CLAIM_ISSUER), self.desk.number(), FOREVER, items)
        digest = eip712.onboarding_batch(self.desk.domain(eip712.IDENTITY_REGISTRY, "registry"), batch)
        signed = sign(consortium.key_of(BROKER_1), digest), sign(CLAIM_ISSUER, digest)
        assert self.relay(requests.OnboardRequest(batch, *signed)) == "0x1"

    def attest(self, name: str, until: int) -> str:
        items = (Attested(IDENTITIES[name], 1 << TOPIC, until),)
        statement = Attest(address_of(CLAIM_ISSUER), items, self.desk.number(), FOREVER)
        digest = eip712.attest(self.desk.domain(eip712.IDENTITY_REGISTRY, "registry"), statement)
        return self.relay(requests.AttestRequest(statement, sign(CLAIM_ISSUER, digest)))

    def revoke(self, name: str, *, for_cause: bool) -> str:
        statement = Revoke(address_of(CLAIM_ISSUER), IDENTITIES[name], for_cause, self.desk.number(), FOREVER)
        digest = eip712.revoke(self.desk.domain(eip712.IDENTITY_REGISTRY, "registry"), statement)
        return self.relay(requests.RevokeRequest(statement, sign(CLAIM_ISSUER, digest)))

    def lock(self, name: str, units: int) -> str:
        number = self.desk.number().to_bytes(32)
        data = interface("Encumbrances").encode("lock", number, self.token, ACCOUNTS[name], 1, units, FOREVER)
        return self.act(self.suite["encumbrances"], data, ISSUER)

    def encumber(self, name: str, kind: int, units: int) -> str:
        """Pledge units to account b (kind 2), or restrict them by a certificate (kind 4), as their broker signs."""
        party, until = (ACCOUNTS["b"], 0) if kind == EncumbranceKind.PLEDGE else (bytes(20), FOREVER)
        statement = Encumber(
            self.desk.number().to_bytes(32),
            self.token,
            units,
            ACCOUNTS[name],
            until,
            kind,
            party,
            b"R" * 32,
            FOREVER,
        )
        digest = eip712.encumber(self.desk.domain(eip712.ENCUMBRANCES, "encumbrances"), statement)
        signed = sign(consortium.key_of(BROKER_1), digest)
        return self.relay(requests.EncumberRequest(statement, signed, signed))

    def impose(self, scope: int, subject: bytes, *, every_issue: bool = True, effect: int = 0, until: int = 0) -> str:
        """Impose a measure of the law, of one issue or of all."""
        terms = (scope, effect, until, bytes(20) if every_issue else self.token, subject, 0)
        return self.act(self.suite["legal"], interface("LegalActions").encode("impose", terms))

    def hold(self, name: str, effect: int) -> str:
        """Bar an account from sales (1), purchases (2) or both, as agents of the registry may."""
        return self.on_registry("setHold", ACCOUNTS[name], effect)

    def restrict(self, *, every_issue: bool, restricted: bool) -> str:
        """Restrict the institution whose customers all are."""
        return self.on_registry("setRestriction", BROKER_1, bytes(20) if every_issue else self.token, restricted)

    def suspend(self, *, suspended: bool) -> str:
        return self.on_registry("setSuspended", suspended)

    def on_registry(self, function: str, *arguments: object) -> str:
        return self.act(self.suite["registry"], interface("IdentityRegistry").encode(function, *arguments))

    def lift(self, measure: int) -> str:
        """Lift a measure under two institutions' signatures; they are numbered from one."""
        return self.act(self.suite["legal"], interface("LegalActions").encode("lift", measure))

    def ask(self, contract: str, target: bytes, function: str, *arguments: object, at: int | None = None) -> Value:
        """Call a view at a block, the last one where none is named."""
        data = interface(contract).encode(function, *arguments)
        block = hex(self.state.block_number if at is None else at)
        answer = self.rpc.call("eth_call", {"to": "0x" + target.hex(), "data": "0x" + data.hex()}, block)
        return interface(contract).functions[function].decode_output(bytes.fromhex(answer[2:]))

    def verdict(self, sender: bytes, receiver: bytes, units: int = 1) -> Refusal | None:
        """Ask both for one transfer at the last block; return the refusal on which they agree."""
        chain = self.ask("SecurityToken", self.token, "verdict", sender, receiver, units, bytes(20))
        block = self.state.block_number, self.state.block_time
        found = transfer_verdict(self.state, self.token, sender, receiver, units, *block)
        assert revert_data(found) == chain, found
        return None if found is None else found.refusal

    def compare(self) -> set[Refusal | None]:
        """Ask both for every pair and some amounts at the last block; return the refusals that were met."""
        everybody = [*ACCOUNTS.values(), NOBODY]
        amounts = (0, 1, 7, 30, 90, 101)
        asked = [(f, t, units, Channel.PLAIN) for f in everybody for t in everybody for units in amounts]
        some = [(f, t, units) for f, t, units, _ in asked if units in {0, 7, 30}]
        asked += [(*move, Channel.VENUE) for move in some] + [(*move, Channel.INSTRUCTED) for move in some]
        spenders = {
            Channel.PLAIN: bytes(20),
            Channel.VENUE: self.suite["settlement"],
            Channel.INSTRUCTED: self.suite["instructions"],
        }
        at = hex(self.state.block_number)
        encode = interface("SecurityToken").encode
        calls = [
            (
                "eth_call",
                (
                    {
                        "to": "0x" + self.token.hex(),
                        "data": "0x" + encode("verdict", f, t, units, spenders[channel]).hex(),
                    },
                    at,
                ),
            )
            for f, t, units, channel in asked
        ]
        met: set[Refusal | None] = set()
        for (sender, receiver, units, channel), answer in zip(asked, self.rpc.batch(calls), strict=True):
            found = transfer_verdict(
                self.state, self.token, sender, receiver, units, self.state.block_number, self.state.block_time, channel
            )
            chain = interface("SecurityToken").functions["verdict"].decode_output(bytes.fromhex(str(answer)[2:]))
            assert revert_data(found) == chain, (sender, receiver, units, channel, found)
            met.add(None if found is None else found.refusal)
        return met


def revert_data(verdict: Verdict | None) -> bytes:
    """What the contracts would revert with."""
    if verdict is None:
        return b""
    kinds = [argument.split()[0] for argument in (REFUSALS[verdict.refusal].arguments or "").split(", ") if argument]
    selector = keccak(f"{error_name(verdict.refusal)}({','.join(kinds)})".encode())[:4]
    return selector + b"".join(word_of(kind, value) for kind, value in zip(kinds, verdict.arguments, strict=True))


def word_of(kind: str, value: int | bytes) -> bytes:
    """Return an argument as its word: bytes stand at the beginning, addresses at the end."""
    if isinstance(value, int):
        return value.to_bytes(32)
    return value.rjust(32, b"\0") if kind == "address" else value.ljust(32, b"\0")
