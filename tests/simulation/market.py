# SPDX-License-Identifier: Apache-2.0
"""The deployed suite with one issue and eight accounts, and the model of it at the same state."""

from typing import Any, Final

from stoken.chain import eip712
from stoken.chain.reverts import decode_revert
from stoken.chain.signatures import address_of, sign
from stoken.chain.statements import Onboarding, OnboardingBatch
from stoken.issuance.calldata import interface
from stoken.parties import requests
from tests import consortium
from tests.consortium import BROKER_1, BROKER_2, CASH, CLAIM_ISSUER, FOREVER, TOPIC, Holder
from tests.deployed import Deployed
from tests.simulation.model import Model
from tests.simulation.terms import NEWCOMERS, Account, Block, Claim, Refusal

QUANTITY: Final = 4_000
NOTICE: Final = 1
SECOND_TOPIC: Final = 7
OTHER_ISSUER: Final = b"\x2c" * 32
NOBODY: Final = b"\x99" * 20
COUNTRIES: Final = (410, 840, 364)
CLASSES: Final = (1, 2, 3)
#: Six investors; the first and the second have two accounts each, at different brokers.
INVESTORS: Final = (0, 0, 1, 1, 2, 3, 4, 5)
ACCOUNTS: Final = tuple(bytes([0xA0 + number]) * 20 for number in range(len(INVESTORS)))
_CASH: Final = 20_000


#: Whom is asked, as which contract, which function, with what.
Question = tuple[bytes, str, str, tuple[object, ...]]


class World:
    """Chain and model, which start equal."""

    def __init__(self, chain: Deployed) -> None:
        """Found the market on a fresh deployment."""
        self.chain = chain
        self.holders = {
            address: Holder(address, (BROKER_1, BROKER_2)[number % 2]) for number, address in enumerate(ACCOUNTS)
        }
        both = 1 << TOPIC | 1 << SECOND_TOPIC
        first, other = address_of(CLAIM_ISSUER), address_of(OTHER_ISSUER)
        topics = [TOPIC, SECOND_TOPIC]
        chain.own(chain.suite["issuers"], "TrustedIssuersRegistry", "updateIssuerClaimTopics", first, topics)
        chain.own(chain.suite["issuers"], "TrustedIssuersRegistry", "addTrustedIssuer", other, topics)
        for broker in (BROKER_1, BROKER_2):
            chain.relay(self._onboarding(broker))
            chain.fund(broker, _CASH)
        # A cap that no position reaches, so that positions are counted from the start.
        self.token = chain.issue(QUANTITY, capUnits=10**9)
        self.compliance: bytes = chain.ask(self.token, "SecurityToken", "compliance")
        self.model = Model(
            registered=QUANTITY,
            notice=NOTICE,
            accounts={address: self._account(address) for address in ACCOUNTS},
            cash=dict.fromkeys(CASH.values(), _CASH),
            trusted={first: both, other: both},
            required=1 << TOPIC,
            claims={(identity(address), first): Claim(1 << TOPIC, FOREVER) for address in ACCOUNTS},
        )

    def _account(self, address: bytes) -> Account:
        return Account(identity(address), self.holders[address].broker, country(address), investor_class(address))

    def _onboarding(self, broker: bytes) -> requests.OnboardRequest:
        items = tuple(
            Onboarding(
                each, identity(each), country(each), investor_class(each), 1, 1 << TOPIC, FOREVER
            )
            for each in ACCOUNTS
            if self.holders[each].broker == broker
        )  # fmt: skip
        batch = OnboardingBatch(broker, address_of(CLAIM_ISSUER), self.chain.desk.number(), FOREVER, items)
        digest = eip712.onboarding_batch(self.chain.desk.domain(eip712.IDENTITY_REGISTRY, "registry"), batch)
        signed = sign(consortium.key_of(broker), digest), sign(CLAIM_ISSUER, digest)
        return requests.OnboardRequest(batch, *signed)

    def state(self, block: Block) -> dict[str, Any]:
        """Return what the contracts answer at a block, under the model's names."""
        suite = self.chain.suite
        asked: dict[str, Question] = {
            "paused": (self.token, "SecurityToken", "paused", ()),
            "supply": (self.token, "SecurityToken", "totalSupply", ()),
            "holders": (self.compliance, "ModularCompliance", "holders", ()),
            "terminated": (self.token, "SecurityToken", "terminated", ()),
        }
        for address in ACCOUNTS:
            name, owner = address.hex(), identity(address)
            asked[f"account {name}"] = (self.token, "SecurityToken", "accountOf", (address,))
            asked[f"held {name}"] = (self.token, "SecurityToken", "heldOf", (address,))
            asked[f"verified {name}"] = (suite["registry"], "IdentityRegistry", "isVerified", (address,))
            asked[f"locked up {name}"] = (suite["encumbrances"], "Encumbrances", "sums", (self.token, address))
            asked[f"position {owner.hex()}"] = (self.compliance, "ModularCompliance", "positionOf", (owner,))
            asked[f"window {owner.hex()}"] = (self.compliance, "ModularCompliance", "windowOf", (owner,))
        for number, _ in self.model.dates():
            asked[f"supply at {number}"] = (self.token, "SecurityToken", "totalSupplyAt", (number,))
            for address in ACCOUNTS:
                asked[f"balance at {number} {address.hex()}"] = (
                    self.token, "SecurityToken", "balanceOfAt", (address, number),
                )  # fmt: skip
        asked |= self._decided() | self._voted()
        for address in CASH.values():
            asked[f"cash {address.hex()}"] = (suite["deposit"], "DepositToken", "balanceOf", (address,))
            asked[f"held cash {address.hex()}"] = (suite["deposit"], "DepositToken", "heldOf", (address,))
        calls = []
        for to, contract, function, arguments in asked.values():
            data = interface(contract).encode(function, *arguments)
            calls.append(("eth_call", ({"to": "0x" + to.hex(), "data": "0x" + data.hex()}, hex(block.number))))
        answers = self.chain.rpc.batch(calls)
        return {
            name: interface(contract).functions[function].decode_output(bytes.fromhex(answer[2:]))
            for (name, (_, contract, function, _)), answer in zip(asked.items(), answers, strict=True)
        }

    def _decided(self) -> dict[str, Question]:
        suite, model = self.chain.suite, self.model
        asked: dict[str, Question] = {}
        for key, _ in model.latest_conversions():
            asked[f"conversion {key.hex()}"] = (suite["conversions"], "Conversions", "conversionOf", (key,))
        for key, _ in model.latest_ballots():
            to, named = suite["ballot"], key.hex()
            asked[f"tally {named}"] = (to, "Ballot", "tally", (key,))
            asked |= {f"vote {named} {each.hex()}": (to, "Ballot", "voteOf", (key, each)) for each in ACCOUNTS}
        for key, _ in model.latest_payouts():
            to, named = suite["distribution"], key.hex()
            asked[f"payout {named}"] = (to, "Distribution", "payoutOf", (key,))
            asked |= {f"paid {named} {each.hex()}": (to, "Distribution", "isPaid", (key, each)) for each in ACCOUNTS}
        return asked

    def _voted(self) -> dict[str, Question]:
        to, asked = self.chain.suite["members"], dict[str, Question]()
        for each in NEWCOMERS:
            asked[f"member {each.hex()}"] = (to, "MemberRegistry", "memberOf", (each,))
        for key, _ in self.model.latest_seats():
            named = key.hex()
            asked[f"seats {named}"] = (to, "MemberRegistry", "tallyOf", (key,))
            for each in NEWCOMERS:
                asked[f"elector {named} {each.hex()}"] = (to, "MemberRegistry", "isElector", (key, each))
        return asked


def identity(address: bytes) -> bytes:
    """Return an account's identity."""
    return bytes([0x10 + INVESTORS[ACCOUNTS.index(address)]]) * 20


def country(address: bytes) -> int:
    """Return where an account's investor lives at first."""
    return COUNTRIES[INVESTORS[ACCOUNTS.index(address)] % len(COUNTRIES)]


def investor_class(address: bytes) -> int:
    """Return an account's class at first."""
    return CLASSES[INVESTORS[ACCOUNTS.index(address)] % len(CLASSES)]


def refusal_of(data: bytes) -> Refusal:
    """Return the refusal in revert data."""
    revert = decode_revert(data)
    return revert.error, tuple(revert.arguments.values())
