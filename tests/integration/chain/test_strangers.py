# SPDX-License-Identifier: Apache-2.0
"""A stranger calls every function of the deployed suite that is not open to all, and is refused."""

from collections.abc import Callable, Iterator

import pytest

from stoken.chain import artifacts, provenance
from stoken.chain.codec import Parameter, Value
from stoken.chain.rpc import Json, NodeError, RpcClient
from stoken.db import open_engine, schema
from stoken.domain.codes import Role
from stoken.issuance.calldata import interface
from stoken.network.anvil import Anvil
from tests.integration.write_world import WriteWorld
from tools.access import access, writing
from tools.contract_pages import errors, policies, policy
from tools.solidity import Node, deployed, model

STRANGER = "0x" + "5e" * 20
OWNER = b"\x0e" * 20
SENT = {"from": STRANGER, "gas": hex(12_000_000), "gasPrice": "0x0"}
#: Refused before the caller is asked, since the arguments name no token that is bound.
EARLIER = {"bindToken": "ComplianceTokenBound", "unbindToken": "ComplianceTokenNotBound"}
CALLS = [
    (name, part["name"], part["functionSelector"])
    for name in sorted(deployed())
    for part in writing(model().contracts[name])
    if access(model().contracts[name], part).guards or access(model().contracts[name], part).statements
]


class Suite:
    """The deployed suite with one issue, and a stranger's address."""

    def __init__(self, rpc: RpcClient, world: WriteWorld) -> None:
        self.rpc = rpc
        self._world = world
        self._places = {source: world.suite[name] for name, source in provenance.ARTIFACTS.items()}
        self._places["SecurityToken"] = world.token
        compliance = rpc.call("eth_call", {"to": hexed(world.token), "data": calldata("SecurityToken", "compliance")})
        self._places["ModularCompliance"] = bytes.fromhex(compliance[-40:])
        self._places |= {part: self._places[whole] for whole, part in provenance.PARTS.items()}
        rpc.call("anvil_impersonateAccount", STRANGER)
        self._places |= {"Identity": self._identity(), "ClaimIssuer": self._claim_issuer()}
        self._places |= {name: self._module(name) for name in ("Blackout", "ConditionalApproval")}

    def place(self, name: str) -> str:
        """Where a contract stands; a part stands where the contract does that delegates to it."""
        return hexed(self._places[name])

    def argument(self, parameter: Parameter) -> Value:
        """Return a value that decodes, and names what is asked before the caller."""
        known = {"token": "SecurityToken", "compliance": "ModularCompliance"}.get(str(parameter["name"]))
        if known and parameter["type"] == "address":
            return self._places[known]
        return garbage(parameter)

    def _identity(self) -> bytes:
        data = interface("IdentityFactory").encode("createIdentities", (bytes(32),), (OWNER,))
        self.send(self._call("IdentityFactory", hexed(data)))
        return self._address("identityAddress")

    def _claim_issuer(self) -> bytes:
        data = interface("IdentityFactory").encode("createClaimIssuer", bytes(32), OWNER)
        self.send(self._call("IdentityFactory", hexed(data)))
        return self._address("claimIssuerAddress")

    def _module(self, name: str) -> bytes:
        """Create a module that the issue's compliance contract has bound."""
        creation = {"data": hexed(artifacts.load(name).bytecode), **SENT}
        address = str(self.send(creation)["contractAddress"])
        compliance = self.place("ModularCompliance")
        self.rpc.call("anvil_impersonateAccount", compliance)
        self.send({**SENT, "from": compliance, "to": address, "data": calldata(name, "bind")})
        return bytes.fromhex(address[2:])

    def _call(self, name: str, data: str) -> dict[str, str]:
        return {"to": self.place(name), "data": data, **SENT}

    def _address(self, function: str) -> bytes:
        data = calldata("IdentityFactory", function, bytes(32), OWNER)
        answer = self.rpc.call("eth_call", self._call("IdentityFactory", data))
        address = bytes.fromhex(answer[-40:])
        assert self.rpc.call("eth_getCode", hexed(address), "latest") != "0x"
        return address

    def send(self, transaction: dict[str, str]) -> Json:
        sent = self.rpc.call("eth_sendTransaction", transaction)
        self.rpc.call("evm_mine")
        return self.rpc.call("eth_getTransactionReceipt", sent)


def hexed(data: bytes) -> str:
    return f"0x{data.hex()}"


def calldata(contract: str, function: str, *arguments: object) -> str:
    return hexed(interface(contract).encode(function, *arguments))


def garbage(parameter: Parameter) -> Value:
    """Return a value that decodes, and says nothing."""
    kind = str(parameter["type"])
    if kind.endswith("[]"):
        return (garbage({**parameter, "type": kind[:-2]}),)
    if kind.endswith("]"):
        base, _, count = kind[:-1].rpartition("[")
        return tuple(garbage({**parameter, "type": base}) for _ in range(int(count)))
    if kind == "tuple":
        return tuple(garbage(part) for part in parameter["components"])
    if kind.startswith("bytes") or kind == "address":
        return bytes(20 if kind == "address" else int(kind[5:] or 0))
    return {"string": "", "bool": False}.get(kind, 0)


def call_of(name: str, selector: str, argument: Callable[[Parameter], Value]) -> str:
    """Return calldata of a function with such arguments, by its selector."""
    function = next(one for one in interface(name).functions.values() if one.selector.hex() == selector)
    entry = next(
        part
        for part in artifacts.load(name).abi
        if part["type"] == "function"
        and part["name"] == function.name
        and len(part["inputs"]) == len_of(name, selector)
    )
    return hexed(function.encode(*(argument(part) for part in entry["inputs"])))


def len_of(name: str, selector: str) -> int:
    return len(node_of(name, selector)["parameters"]["parameters"])


def node_of(name: str, selector: str) -> Node:
    return next(part for part in writing(model().contracts[name]) if part["functionSelector"] == selector)


def names(selectors: set[str]) -> set[str]:
    """Return the names of errors by their selectors."""
    return {
        str(node["name"])
        for node in model().nodes.values()
        if node["nodeType"] == "ErrorDefinition" and node["errorSelector"] in selectors
    }


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    folder = tmp_path_factory.mktemp("suite")
    engine = open_engine(f"sqlite:///{folder}/stoken.db")
    schema.upgrade(engine)
    with Anvil(block_seconds=None) as node, RpcClient(node.url) as rpc:
        world = WriteWorld(engine, rpc)
        world.found_market()
        yield Suite(rpc, world)


class TestAStranger:
    @pytest.mark.parametrize(("name", "function", "selector"), CALLS)
    def test_is_refused(self, suite: Suite, name: str, function: str, selector: str) -> None:
        found = access(model().contracts[name], node_of(name, selector))
        call = {
            "from": STRANGER,
            "to": suite.place(name),
            "data": call_of(name, selector, suite.argument),
            "gas": hex(5_000_000),
            "gasPrice": "0x0",
        }
        if found.guards and not all(guard.error for guard in found.guards):
            receipt = suite.send(call)
            assert (receipt["status"], receipt["logs"]) == ("0x1", [])
            return
        with pytest.raises(NodeError) as refused:
            suite.rpc.call("eth_call", call)
        given = names({str(refused.value.data)[2:10]})
        # A statement of zeros is refused by one of the function's own checks: too late, unknown, unsigned.
        checks = errors(model().contracts[name], node_of(name, selector))
        own = {str(error["name"]) for error in checks}
        expected = names({guard.error for guard in found.guards}) if found.guards else own
        assert given & (expected | {EARLIER.get(function, "")})


class TestPolicies:
    def test_the_roles_of_the_table_are_those_of_the_deployed_authority(self, suite: Suite) -> None:
        for selector in {*policies(), "deadbeef"} - {""}:
            data = calldata("Authority", "policyOf", bytes.fromhex(selector))
            answer = suite.rpc.call("eth_call", {"to": suite.place("Authority"), "data": data})
            masks = [int(answer[2 + 64 * at :][:64], 16) for at in range(2)]
            told = policies()[""] if policy(selector) == "default" else policy(selector)
            said = [sum(Role[role] for role in part.split(" or ")) for part in told.split(", then ")]
            assert said == masks, selector
