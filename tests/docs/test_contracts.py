# SPDX-License-Identifier: Apache-2.0
"""The contracts' pages leave out nothing, and every declaration of ours says what it means."""

import json
import re

import pytest
from eth_hash.auto import keccak

from stoken.chain import eip712
from stoken.chain.build import MERGED
from tests.docs.programs import ROOT
from tools import contract_pages
from tools.access import OPEN, access, reasons, writing
from tools.pages import REFERENCE
from tools.solidity import Node, deployed, model, natspec

NAMES = sorted(deployed())
ARTIFACTS = ROOT / "stoken/chain/artifacts"
#: A constant of OpenZeppelin, the only getter that is no function.
GETTER = "UPGRADE_INTERFACE_VERSION"
#: Files of standards, whose interfaces have comments of their own.
STANDARDS = "@openzeppelin/"


def ours(declarations: list[Node]) -> list[Node]:
    return [each for each in declarations if not model().path(each).startswith(STANDARDS)]


def text(name: str) -> str:
    return (REFERENCE / f"contracts/{name}.md").read_text()


@pytest.mark.parametrize("name", NAMES)
class TestEveryContract:
    def test_it_says_what_it_is(self, name: str) -> None:
        assert re.search(r"^\*\*\w+\*\*: .", text(name), re.MULTILINE)

    def test_every_function_says_what_it_does(self, name: str) -> None:
        contract = model().contracts[name]
        silent = [part["name"] for part in model().functions(contract) if not contract_pages.notice(contract, part)]
        assert silent == []

    def test_every_event_and_error_says_what_it_means(self, name: str) -> None:
        contract = model().contracts[name]
        declared = [model().nodes[error] for error in contract["usedErrors"]]
        said = ours([*contract_pages.events(contract), *contract_pages.errors(contract), *declared])
        assert [each["name"] for each in said if "notice" not in natspec(each)] == []

    def test_its_page_has_every_selector_and_topic_of_its_abi(self, name: str) -> None:
        contract = model().contracts[name]
        page = text(name) + (REFERENCE / "contracts.md").read_text()
        selectors = {str(part["functionSelector"]) for part in model().functions(contract)}
        topics = {str(event["eventSelector"]) for event in contract_pages.events(contract)}
        errors = {str(error["errorSelector"]) for error in contract_pages.errors(contract)}
        assert {each for each in selectors | topics | errors if f"0x{each}" not in page} == set()


class TestStructs:
    def test_every_struct_and_each_of_its_fields_says_what_it_means(self) -> None:
        silent = [
            f"{struct['name']}.{member['name']}"
            for struct in model().structs
            for member, words in model().members(struct)
            if not words or not natspec(struct)
        ]
        assert silent == []


class TestSelectors:
    @pytest.mark.parametrize("name", sorted({path.stem for path in ARTIFACTS.glob("*.json")} & set(NAMES)))
    def test_they_are_those_of_the_artifacts(self, name: str) -> None:
        abi = json.loads((ARTIFACTS / f"{name}.json").read_text())["abi"]
        contract = model().contracts[name]
        # The published interface is what a contract and its part answer together.
        functions = model().functions(contract)
        if name in MERGED:
            functions = [*model().functions(model().contracts[MERGED[name][0]]), *functions]
        told = {part["name"]: f"0x{part['functionSelector']}" for part in functions}
        assert {entry["name"] for entry in abi if entry["type"] == "function"} - {GETTER} == set(told)
        for entry in abi:
            if entry.get("name") in told and not any("tuple" in part["type"] for part in entry["inputs"]):
                kinds = ",".join(part["type"] for part in entry["inputs"])
                selector = keccak(f"{entry['name']}({kinds})".encode())[:4].hex()
                assert told[entry["name"]] == f"0x{selector}"


class TestSignedStatements:
    def test_the_gateway_signs_under_the_domains_of_the_pages(self) -> None:
        told = {contract_pages.domain(model().contracts[name]) for name in NAMES} - {""}
        assert {eip712.AUTHORITY, eip712.DEPOSIT_TOKEN, eip712.DVP_SETTLEMENT, eip712.IDENTITY_REGISTRY} <= told

    def test_a_type_hash_is_that_of_its_string(self) -> None:
        order = contract_pages.statements(model().contracts["DvpSettlement"])["Order"]
        assert f"`{order}` | `0x{keccak(order.encode()).hex()}`" in text("DvpSettlement")


class TestStorage:
    def test_places_are_those_of_the_compiler(self) -> None:
        """The account's word, whose slot the explanation of a transfer finds by hand."""
        assert "| `totalSupply` | 1, byte 20 | `uint96` |" in text("SecurityToken")
        assert "| `accounts` | 6 | `mapping(address => TokenState.Account)` |" in text("SecurityToken")


class TestAccess:
    @pytest.mark.parametrize("name", NAMES)
    def test_every_function_has_a_guard_a_signature_or_a_reviewed_reason(self, name: str) -> None:
        contract = model().contracts[name]
        found = {part["name"]: access(contract, part) for part in writing(contract)}
        open_to_all = {part for part, who in found.items() if not who.guards and not who.statements}
        assert open_to_all == set(reasons().get(name, {})), f"state it in {OPEN.relative_to(ROOT)}, or guard it"

    def test_no_reason_speaks_of_a_contract_that_is_gone(self) -> None:
        assert set(reasons()) <= set(NAMES)

    def test_guards_are_read_from_modifiers_helpers_and_comparisons(self) -> None:
        page = (REFERENCE / "access.md").read_text()
        for line in (
            "| `mint` | agent (MINT) | ISSUER or ISSUER_ACCOUNT_MANAGER, then REGISTRAR |",
            "| `upgradeToAndCall` | owner | default |",
            "| `settleBatch` | SENDER key of a venue, with signed `Order` |",
            "| `settle` | settlement |",
            "| `execute` | anyone, with signed `Act` |",
        ):
            assert line in page
