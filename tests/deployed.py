# SPDX-License-Identifier: Apache-2.0
"""The whole suite on a node that mines each transaction; calls are sent as whoever may make them."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from eth_hash.auto import keccak

from stoken.chain import artifacts, eip712
from stoken.chain.capabilities import probe
from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of, sign
from stoken.chain.statements import Attest, Attested, CashAccount, CashEntry, Onboarding, OnboardingBatch
from stoken.chain.suite import Suite
from stoken.db import open_engine, schema
from stoken.domain.signed_order import SignedOrder
from stoken.issuance.calldata import call_of, interface
from stoken.issuance.deploy import Deployment
from stoken.network.anvil import Anvil
from stoken.parties import requests
from stoken.transactions.outbox import Outbox
from stoken.transactions.signer import KeystoreSigner
from tests import consortium
from tests.consortium import CASH, CASH_AGENT, CLAIM_ISSUER, FOREVER, TOPIC, VENUE, Desk, Holder

#: Block time of the first block after the deployment: fixed, so that calldata and its cost are the same on every run.
START: Final = 4_000_000_000
GAS: Final = 30_000_000
_POLLS: Final = 2_000
_POLL_SECONDS: Final = 0.005

Abi = Mapping[str, Any]


class Receipt(NamedTuple):
    """What became of a transaction."""

    success: bool
    gas: int
    logs: list[dict[str, Any]]
    contract: bytes


class Refused(Exception):  # noqa: N818 - a word of the field
    """A call that had to succeed was refused."""


class Deployed:
    """The suite of the test consortium; whatever is not measured is done as Authority, which owns everything."""

    def __init__(self, rpc: RpcClient, folder: Path) -> None:
        """Deploy on a node that mines each transaction."""
        self.rpc = rpc
        self.suite = _deploy(rpc, folder)
        self.authority = self.suite["authority"]
        self.registry = self.suite["registry"]
        self.desk = Desk(self.suite.contracts, self.suite.chain_id)
        self.venue = address_of(consortium.SENDER)
        rpc.call("anvil_autoImpersonateAccount", True)  # noqa: FBT003 - JSON-RPC
        self._last_orders: dict[bytes, int] = {}
        self._issues = 0

    # --- calls --------------------------------------------------------------------------------------------------------

    def send(self, sender: bytes, to: bytes, data: bytes) -> Receipt:
        """Send a transaction as anybody and return its receipt."""
        transaction = {"from": _hex(sender), "data": _hex(data), "gas": hex(GAS), "gasPrice": "0x0"}
        if to:
            transaction["to"] = _hex(to)
        sent = self.rpc.call("eth_sendTransaction", transaction)
        receipt = self._receipt(sent)
        created = bytes.fromhex((receipt.get("contractAddress") or "0x")[2:])
        return Receipt(receipt["status"] == "0x1", int(receipt["gasUsed"], 16), receipt["logs"], created)

    def _empty_pool(self) -> None:
        """Wait until what was mined has left the pool, too: it would be mined a second time after a revert."""
        for _ in range(_POLLS):
            if int(self.rpc.call("txpool_status")["pending"], 16) == 0:
                return
            time.sleep(_POLL_SECONDS)
        raise TimeoutError("the node's pool keeps what is mined")

    def _receipt(self, sent: str) -> dict[str, Any]:
        # The node answers before it has mined.
        for _ in range(_POLLS):
            receipt: dict[str, Any] | None = self.rpc.call("eth_getTransactionReceipt", sent)
            if receipt is not None:
                return receipt
            time.sleep(_POLL_SECONDS)
        raise TimeoutError(f"the node does not mine {sent}")

    def must(self, sender: bytes, to: bytes, contract: str, function: str, *arguments: Any) -> Receipt:  # noqa: ANN401
        """Send a call of a contract's function that has to succeed."""
        receipt = self.send(sender, to, interface(contract).encode(function, *arguments))
        if not receipt.success:
            raise Refused(f"{contract}.{function}{arguments}")
        return receipt

    def own(self, to: bytes, contract: str, function: str, *arguments: Any) -> Receipt:  # noqa: ANN401
        """Send a call as Authority."""
        return self.must(self.authority, to, contract, function, *arguments)

    def relay(self, body: requests.Body) -> Receipt:
        """Carry what institutions signed."""
        call = call_of(body)
        receipt = self.send(self.venue, self.suite[call.contract], call.data)
        if not receipt.success:
            raise Refused(f"{type(body).__name__}")
        return receipt

    def ask(self, to: bytes, contract: str, function: str, *arguments: Any) -> Any:  # noqa: ANN401
        """Return what a view answers."""
        data = interface(contract).encode(function, *arguments)
        answer = self.rpc.call("eth_call", {"to": _hex(to), "data": _hex(data)}, "latest")
        return interface(contract).functions[function].decode_output(bytes.fromhex(answer[2:]))

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Put the chain back afterwards."""
        snapshot = self.rpc.call("evm_snapshot")
        last = dict(self._last_orders), self._issues
        yield
        self._empty_pool()
        self.rpc.call("evm_revert", snapshot)
        self._last_orders, self._issues = last

    # --- issues and investors -----------------------------------------------------------------------------------------

    def rule_set(self, **rules: Any) -> tuple[Any, ...]:  # noqa: ANN401
        """Return a rule set of the compiled contract, off but for the rules named."""
        return filled(_input("ModularCompliance", "announceRules", 0)["components"], rules)

    def issue_request(self, **rules: Any) -> requests.ActRequest:  # noqa: ANN401
        """Return the signed act that creates the next issue."""
        self._issues += 1
        values = {"isin": isin(self._issues), "name": "Busan", "symbol": "BPL1", "noticeBlocks": 1}
        fields = _input("SuiteFactory", "createIssue", 0)["components"]
        params = filled(fields, values | {"rules": self.rule_set(**rules)})
        data = interface("SuiteFactory").encode("createIssue", params)
        return self.desk.act(self.suite["factory"], data, consortium.ISSUER, consortium.REGISTRAR)

    def issue(self, quantity: int, **rules: Any) -> bytes:  # noqa: ANN401
        """Create an issue under these rules, registered and released; return its token."""
        self.relay(self.issue_request(**rules))
        token: bytes = self.ask(self.suite["factory"], "SuiteFactory", "tokenOf", isin(self._issues))
        self.own(self.suite["quantity"], "RegisteredQuantity", "register", token, quantity)
        self.own(token, "SecurityToken", "unpause")
        return token

    def onboarding(
        self, *holders: Holder, topics: int = 1 << TOPIC, identities: Sequence[bytes] = ()
    ) -> requests.OnboardRequest:
        """Return the signed batch that registers holders of one broker; each is an identity of its own."""
        of = identities or [identity_of(each.account) for each in holders]
        items = tuple(
            Onboarding(each.account, identity, 410, 1, 1, topics, FOREVER)
            for each, identity in zip(holders, of, strict=True)
        )
        batch = OnboardingBatch(holders[0].broker, address_of(CLAIM_ISSUER), self.desk.number(), FOREVER, items)
        digest = eip712.onboarding_batch(self.desk.domain(eip712.IDENTITY_REGISTRY, "registry"), batch)
        signed = sign(consortium.key_of(batch.manager), digest), sign(CLAIM_ISSUER, digest)
        return requests.OnboardRequest(batch, *signed)

    def attesting(self, issuer: bytes, accounts: Sequence[bytes], topics: int) -> requests.AttestRequest:
        """Return what a claim issuer (by its key) signs of the accounts' identities."""
        items = tuple(Attested(identity_of(account), topics, FOREVER) for account in accounts)
        statement = Attest(address_of(issuer), items, self.desk.number(), FOREVER)
        digest = eip712.attest(self.desk.domain(eip712.IDENTITY_REGISTRY, "registry"), statement)
        return requests.AttestRequest(statement, sign(issuer, digest))

    def fund(self, broker: bytes, amount: int) -> None:
        """Open a broker's customers' cash account and credit it."""
        domain, key = self.desk.domain(eip712.DEPOSIT_TOKEN, "deposit"), consortium.key_of(CASH_AGENT)
        opening = CashAccount(CASH[broker], broker, 1, self.desk.number(), FOREVER)
        self.relay(requests.CashAccountRequest(opening, sign(key, eip712.cash_account(domain, opening))))
        entry = CashEntry(CASH[broker], amount, self.desk.number().to_bytes(32), FOREVER)
        self.relay(requests.CashCreditRequest(entry, sign(key, eip712.cash_credit(domain, entry))))

    def order(
        self, holder: Holder, token: bytes, side: int, price: int, units: int, settle_by: int = FOREVER
    ) -> tuple[SignedOrder, bytes]:
        """Return an order, without an end if none is given, signed by the holder's broker."""
        nonce = self._last_orders[holder.broker] = self._last_orders.get(holder.broker, 0) + 1
        order = SignedOrder(
            venue=VENUE,
            account=holder.account,
            cash_account=CASH[holder.broker],
            token=token,
            cash=self.suite["deposit"],
            side=side,
            price=price,
            quantity=units,
            nonce=nonce,
            tradable_until=FOREVER,
            settle_by=settle_by,
        )
        digest = eip712.order(self.desk.domain(eip712.DVP_SETTLEMENT, "settlement"), order)
        return order, sign(consortium.key_of(holder.broker), digest)


@contextmanager
def deployed() -> Iterator[Deployed]:
    """Start a node, deploy the suite, stop the node."""
    with (
        Anvil(automine=True) as node,
        RpcClient(node.url, timeout=60) as rpc,
        tempfile.TemporaryDirectory(prefix="stoken-") as folder,
    ):
        yield Deployed(rpc, Path(folder))


def identity_of(account: bytes) -> bytes:
    """Return the identity of an account that is its investor's only one."""
    return keccak(b"identity" + account)[12:]


def holder(number: int, broker: bytes) -> Holder:
    """Return the account of an investor, by number."""
    return Holder(keccak(b"account" + number.to_bytes(4))[12:], broker)


def isin(number: int) -> bytes:
    """Return a number of the reserved prefix ZZ with its check digit."""
    body = f"ZZ{number:09d}"
    digits = [int(digit) for digit in reversed("".join(str(int(letter, 36)) for letter in body))]
    total = sum(digit if at % 2 else sum(divmod(2 * digit, 10)) for at, digit in enumerate(digits))
    return f"{body}{-total % 10}".encode()


def filled(fields: Sequence[Abi], values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a struct of the ABI with these values and zero in every other field; a name that is not there fails."""
    unknown = values.keys() - {field["name"] for field in fields}
    if unknown:
        raise KeyError(f"the struct has no {', '.join(sorted(unknown))}")
    return tuple(values[field["name"]] if field["name"] in values else _zero(field) for field in fields)


def _zero(field: Abi) -> Any:  # noqa: ANN401 - any ABI value
    kind = field["type"]
    if kind.endswith("[]"):
        return ()
    if kind.endswith("]"):
        return (_zero(dict(field) | {"type": kind[: kind.rindex("[")]}),) * int(kind[kind.rindex("[") + 1 : -1])
    if kind == "tuple":
        return filled(field["components"], {})
    simple = {"bool": False, "string": "", "bytes": b"", "address": bytes(20)}
    if kind in simple:
        return simple[kind]
    return bytes(int(kind[5:])) if kind.startswith("bytes") else 0


def _input(contract: str, function: str, at: int) -> Abi:
    entry = next(entry for entry in artifacts.load(contract).abi if entry.get("name") == function)
    argument: Abi = entry["inputs"][at]
    return argument


def _deploy(rpc: RpcClient, folder: Path) -> Suite:
    engine = open_engine(f"sqlite:///{folder}/stoken.db")
    schema.upgrade(engine)
    signer = KeystoreSigner(consortium.SENDER)
    capabilities = probe(rpc)
    outbox = Outbox({signer.address: signer}, capabilities.chain_id)
    outbox.take_over(engine, rpc)
    deployment = Deployment(engine, rpc, outbox, capabilities)
    suite = deployment.sign(consortium.charter())
    deployment.finish(suite)
    engine.dispose()
    rpc.call("evm_setNextBlockTimestamp", START)
    rpc.call("evm_mine")
    return suite


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
