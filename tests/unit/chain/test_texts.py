# SPDX-License-Identifier: Apache-2.0
"""No person is named on the chain: which arguments may hold text, and what is refused before it is signed."""

from collections.abc import Iterator
from typing import Any

import pytest

from stoken.chain import artifacts
from stoken.chain.codec import Interface
from stoken.chain.statements import Act
from stoken.chain.texts import EVENTS, FUNCTIONS, check, texts_of
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError
from tests.requirements import requirement

TOKEN = b"\x70" * 20
SIGNATURE = b"\x11" * 64 + b"\x1b"
REFERENCE = "urn:sha256:" + "0a" * 32
PERSON = "Hong Gil-dong"
RULES = (0, 0, 0, 0, 0, False, (0, 0, 0, 0), 0, 0, False)


def call(contract: str, function: str, *arguments: object) -> bytes:
    return Interface(artifacts.load(contract).abi).encode(function, *arguments)


def act(data: bytes, *approvals: bytes) -> bytes:
    return call("Authority", "execute", Act(TOKEN, data, bytes(32), bytes(32), 0, 1), approvals)


def issue(name: str, symbol: str) -> bytes:
    return act(call("SuiteFactory", "createIssue", (b"ZZBUSANPL019", name, symbol, RULES, 0, bytes(32))))


def proxy(init: bytes) -> bytes:
    artifact = artifacts.load("ERC1967Proxy")
    return artifact.bytecode + Interface(artifact.abi).constructor.encode((TOKEN, init))


def refused(data: bytes, to: bytes = TOKEN, names: frozenset[str] | None = None) -> str:
    with pytest.raises(RefusedError) as caught:
        check(to, data, names)
    assert caught.value.refusal is Refusal.PII_ON_CHAIN_FORBIDDEN
    return str(caught.value.details["field"])


def entries() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in artifacts.names():
        for entry in artifacts.load(name).abi:
            if entry["type"] in {"event", "constructor"} or entry.get("stateMutability") in {"nonpayable", "payable"}:
                yield name, entry


class TestInterfaces:
    @requirement("PRV-01")
    def test_whatever_may_hold_text_is_on_the_list_with_the_reason_why_it_names_nobody(self) -> None:
        """The static check: no function, constructor or event of any contract takes other text."""
        found: dict[str, set[tuple[str, str]]] = {"function": set(), "event": set()}
        for _, entry in entries():
            kind = "event" if entry["type"] == "event" else "function"
            name = entry.get("name", "constructor")
            found[kind] |= {(name, path) for path in texts_of(entry.get("inputs", ()))}
        for kind, listed in (("function", FUNCTIONS), ("event", EVENTS)):
            allowed = {(name, path) for name, forms in listed.items() for path in forms}
            assert found[kind] == allowed

    @requirement("PRV-02")
    def test_of_an_account_the_chain_knows_address_country_and_class_and_nothing_that_names(self) -> None:
        """Every argument with which an account or identity is bound, in functions and events, by name and type."""
        bound = {
            (entry["name"], part["name"], part["type"])
            for _, entry in entries()
            if entry.get("name") in {"addProfile", "AccountBound", "registerIdentity", "updateIdentity"}
            for part in entry["inputs"]
        }
        kinds = {kind for _, _, kind in bound}
        assert kinds == {"address", "uint16", "uint8", "bytes20"}
        assert {name for _, name, kind in bound if kind.startswith("uint")} == {"country", "class", "ownerType"}
        assert {name for _, name, kind in bound if kind == "bytes20"} == {"manager"}


class TestCheck:
    def test_what_institutions_sign_passes(self) -> None:
        mint = call("SecurityToken", "mint", TOKEN, 5)
        for data in (b"", mint, act(mint, SIGNATURE, SIGNATURE), act(act(mint))):
            check(TOKEN, data)
        check(TOKEN, call("SecurityToken", "setDocument", b"D" * 32, REFERENCE, b"D" * 32))
        claim = (1, 1, TOKEN, SIGNATURE, bytes(64), "")
        check(TOKEN, call("Identity", "addClaim", *claim))
        check(b"", proxy(call("IdentityRegistryStorage", "initialize", TOKEN, TOKEN)))
        check(b"", artifacts.load("Authority").bytecode)

    @requirement("PRV-01")
    def test_text_of_another_form_is_refused_wherever_it_hides(self) -> None:
        text = PERSON.encode()
        claim = ("addClaim", 1, 1, TOKEN)
        assert refused(act(b"", text)) == "execute.approvals"
        assert refused(act(text)) == "call"
        assert refused(act(act(b"", text))) == "execute.approvals"
        assert refused(call("Identity", *claim, SIGNATURE, text, "")) == "addClaim.data"
        assert refused(call("Identity", *claim, SIGNATURE, bytes(64), PERSON)) == "addClaim.uri"
        assert refused(call("Identity", *claim, SIGNATURE, b"\xff" * 64, "")) == "addClaim.data"
        assert refused(call("SecurityToken", "setDocument", b"D" * 32, REFERENCE + "0", b"D" * 32)) == "setDocument.uri"
        assert refused(call("SecurityToken", "mint", TOKEN, 5) + text) == "mint"
        assert refused(act(b"", text.ljust(65, b" "))) == "execute.approvals"
        assert refused(proxy(act(text)), to=b"") == "call"
        assert refused(text, to=b"") == "creation"
        assert refused(artifacts.load("Authority").bytecode + text.ljust(32), to=b"") == "Authority"

    def test_calldata_that_nothing_decodes_is_refused(self) -> None:
        assert refused(b"\x01\x02") == "call"
        assert refused(call("SecurityToken", "mint", TOKEN, 5)[:-1]) == "mint"

    @pytest.mark.parametrize(
        "name", ["홍길동", "", " Busan", "X" * 129, "Hong 900101 1234567", "hong@example.org", "Busan\nNew Port"]
    )
    def test_a_name_has_the_form_of_an_issues(self, name: str) -> None:
        assert refused(issue(name, "BPL1")) == "createIssue.params.name"

    def test_names_and_symbols_are_those_of_the_issue_files(self) -> None:
        check(TOKEN, issue("Busan New Port Trust 1", "BPL1"))
        names = frozenset({"Busan New Port Trust 1", "BPL1"})
        check(TOKEN, issue("Busan New Port Trust 1", "BPL1"), names)
        assert refused(issue("Busan New Port Trust 2", "BPL1"), names=names) == "createIssue.params.name"
        assert refused(issue("Busan New Port Trust 1", "HONG"), names=names) == "createIssue.params.symbol"
        assert refused(act(call("SecurityToken", "setName", PERSON)), names=names) == "setName.name_"
