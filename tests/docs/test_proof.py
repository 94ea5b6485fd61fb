# SPDX-License-Identifier: Apache-2.0
"""What the contract tests claim to prove: every error is met by one, and the mutants' results add up."""

import re

import pytest

from tests.docs.programs import ROOT
from tools.proof import results
from tools.solidity import model

TESTS = "\n".join(path.read_text() for path in sorted((ROOT / "tests/contracts").rglob("*.sol")))
ERRORS = sorted(
    node["name"]
    for node in model().nodes.values()
    if node["nodeType"] == "ErrorDefinition" and model().path(node).startswith("contracts/")
)


@pytest.mark.parametrize("name", ERRORS)
def test_a_contract_test_expects_every_error(name: str) -> None:
    """Called by the type, or by the signature where an interface lacks it."""
    assert re.search(rf'\b{name}\.selector\b|"{name}\(', TESTS), f"no test under tests/contracts expects {name}"


class TestResultsOfMutation:
    def test_every_file_belongs_to_a_source(self) -> None:
        files = {path.relative_to(results.FOLDER).with_suffix("").as_posix() for path in results.FOLDER.rglob("*.csv")}
        assert files <= {path.removeprefix("contracts/").removesuffix(".sol") for path in results.scope()}

    def test_every_reason_is_for_a_mutant_that_survived(self) -> None:
        found = [(path, results.load(path)) for path in results.scope()]
        alive = {
            results.reason_key(path, row)
            for path, result in found
            if result
            for row in result.rows
            if row.verdict == results.SURVIVED
        }
        assert set(results.equivalents()) <= alive

    def test_a_verdict_of_an_earlier_version_is_said_to_be_one(self) -> None:
        page = (ROOT / "docs/reference/mutation.md").read_text()
        for path in results.scope():
            result = results.load(path)
            if result and result.digest != results.digest(path):
                name = path.removeprefix("contracts/").removesuffix(".sol")
                assert re.search(rf"^\| {name} \|.*of an earlier version", page, re.MULTILINE)
