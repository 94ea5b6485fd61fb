# SPDX-License-Identifier: Apache-2.0
"""A stranger calls every function of the deployed suite that is not open to all, and is refused."""

from collections.abc import Iterator

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
#: Refused before the caller is asked, since the arguments name no token, compliance contract or hold that is known.
EARLIER = {
    "bindToken": "ComplianceTokenBound",
    "unbindToken": "ComplianceTokenNotBound",
    "setBlackout": "ComplianceUnknown",
    "approve": "ComplianceUnknown",
    "releaseHold": "DvpLegMissing",
}
#: These read and change only what is kept under the address of the caller, whoever it is.
OF_THE_CALLER = {("Encumbrances", "relocate"), ("Blackout", "move")}
#: The token itself says who may.
ASK_THE_TOKEN = {("Encumbrances", "rescale")}
#: Without a signed statement in it, this batch does nothing.
EMPTY = {("Instructions", "instructAll")}
#: What runs by delegation, and where.
DELEGATED = {part: whole for whole, part in provenance.PARTS.items()}
CALLS = [
    (name, part["name"], part["functionSelector"])
    for name in sorted(deployed())
    for part in writing(model().contracts[name])
    if access(model().contracts[name], part).guards or access(model().contracts[name], part).statements
    if (name, part["name"]) not in OF_THE_CALLER
]


class Suite:
    """The deployed suite with one issue, and a stranger's address."""

    def __init__(self, rpc: RpcClient, world: WriteWorld) -> None:
        self.rpc = rpc
        self._world = world
        self.token = world.token
        self._places = {source: world.suite[name] for name, source in provenance.ARTIFACTS.items()}
        self._places["SecurityToken"] = world.token
        compliance = rpc.call("eth_call", {"to": hexed(world.token), "data": calldata("SecurityToken", "compliance")})
        self._places["ModularCompliance"] = bytes.fromhex(compliance[-40:])
        rpc.call("anvil_impersonateAccount", STRANGER)

    def place(self, name: str) -> str:
        """Where a contract stands, a part with its whole; what stands nowhere of itself is created bare."""
        name = DELEGATED.get(name, name)
        if name not in self._places:
            # Identities and claim issuers are of one registry.
            registry = self._places["IdentityRegistry"]
            arguments = interface(name).constructor.encode((registry,)) if name in {"Identity", "ClaimIssuer"} else b""
            creation = {
                "from": STRANGER,
                "data": hexed(artifacts.load(name).bytecode + arguments),
                "gas": hex(12_000_000),
                "gasPrice": "0x0",
            }
            self._places[name] = bytes.fromhex(self.send(creation)["contractAddress"][2:])
        return hexed(self._places[name])

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
        return ()
    if kind.endswith("]"):
        base, _, count = kind[:-1].rpartition("[")
        return tuple(garbage({**parameter, "type": base}) for _ in range(int(count)))
    if kind == "tuple":
        return tuple(garbage(part) for part in parameter["components"])
    if kind.startswith("bytes") or kind == "address":
        return bytes(20 if kind == "address" else int(kind[5:] or 0))
    return {"string": "", "bool": False}.get(kind, 0)


def call_of(name: str, selector: str, token: bytes) -> str:
    """Return calldata of a function with garbage arguments, by its selector; a token that is asked is a real one."""
    function = next(one for one in interface(name).functions.values() if one.selector.hex() == selector)
    entry = next(
        part
        for part in artifacts.load(name).abi
        if part["type"] == "function"
        and part["name"] == function.name
        and len(part["inputs"]) == len_of(name, selector)
    )
    asked = (name, function.name) in ASK_THE_TOKEN
    values = (token if asked and part["name"] == "token" else garbage(part) for part in entry["inputs"])
    return hexed(function.encode(*values))


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
            "data": call_of(name, selector, suite.token),
            "gas": hex(5_000_000),
            "gasPrice": "0x0",
        }
        if (name, function) in EMPTY or (found.guards and not all(guard.error for guard in found.guards)):
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
