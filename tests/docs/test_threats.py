# SPDX-License-Identifier: Apache-2.0
"""The threat model names tests and functions that exist."""

import re
from functools import cache

from tests.docs.programs import ROOT
from tools.solidity import deployed, model

PAGE = (ROOT / "docs/explanation/threat-model.md").read_text()
ATTACKERS = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)


@cache
def names_of_tests() -> set[str]:
    names = set()
    for pattern in ("*.t.sol", "*.py"):
        for path in (ROOT / "tests").rglob(pattern):
            names |= set(re.findall(r"(?:function|def) (test\w+)", path.read_text()))
    return names


class TestThreatModel:
    def test_every_test_that_it_names_exists(self) -> None:
        named = set(re.findall(r"`(test\w+)`", PAGE))
        assert len(named) > 40
        assert named - names_of_tests() == set()

    def test_every_function_that_it_names_exists(self) -> None:
        for contract, function in re.findall(r"`([A-Z]\w+)\.(\w+)`", PAGE):
            assert contract in model().contracts, contract
            lineage = model().lineage(model().contracts[contract])
            assert function in {part.get("name") for base in lineage for part in base["nodes"]}, function

    def test_every_contract_that_it_names_exists(self) -> None:
        named = set(re.findall(r"`([A-Z][a-z]\w+)`", PAGE))
        declared = {str(node["name"]) for node in model().nodes.values() if node["nodeType"].endswith("Definition")}
        assert named - declared == set()

    def test_every_attacker_has_a_table(self) -> None:
        sections = re.split(r"^### .+$", PAGE, flags=re.MULTILINE)[1:]
        assert len(ATTACKERS) == len(sections) > 10
        assert all(section.count("\n| ") > 1 for section in sections)


class TestSuite:
    def test_what_it_protects_is_deployed(self) -> None:
        protected = PAGE[PAGE.index("## What is to be protected") : PAGE.index("## Who is trusted")]
        assert set(re.findall(r"\| `(\w+)`", protected)) <= set(deployed())
