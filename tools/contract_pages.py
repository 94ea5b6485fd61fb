# SPDX-License-Identifier: Apache-2.0
"""The reference pages of the contracts: one a contract, an index, and who may call what."""

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Final

from eth_hash.auto import keccak

from stoken.chain.provenance import PARTS
from tools.access import access, typed, writing
from tools.pages import REFERENCE, ROOT, page, table
from tools.solidity import Node, deployed, model, natspec, signature, type_name, walk
from tools.storage import namespace_slot, places

FOLDER: Final = REFERENCE / "contracts"
_LOCATION: Final = "custom:storage-location"
_INSTITUTIONS: Final = 2
#: What OpenZeppelin leaves unsaid.
_SHARED: Final = {
    "OwnershipTransferStarted": "The owner offered the contract to a new one.",
    "OwnershipTransferred": "The contract has a new owner.",
}
_SOURCE: Final = "the contracts' syntax tree"


def pages() -> dict[Path, Callable[[], str]]:
    """Return how each page is rendered; a page whose contract is gone is not among them."""
    each: dict[Path, Callable[[], str]] = {FOLDER / f"{name}.md": partial(contract_page, name) for name in deployed()}
    return {REFERENCE / "contracts.md": index_page, REFERENCE / "access.md": access_page} | each


# --- what the parts say -----------------------------------------------------------------------------------------------


def notice(contract: Node, declaration: Node) -> str:
    """Return what a declaration means, in the words of its NatSpec."""
    tags = model().documentation(contract, declaration)
    return tags.get("notice") or tags.get("dev", "")


def shared(declaration: Node) -> bool:
    """Say whether a declaration is that of ownership, upgrade or initialisation, which every contract has."""
    path = model().path(declaration)
    return any(folder in path for folder in ("/access/", "/proxy/", "IERC1967", "IERC1822"))


def errors(contract: Node, function: Node | None = None) -> list[Node]:
    """Return the errors that a function may give, or all of a contract; not those of other contracts it calls."""
    starts = [function] if function else model().functions(contract)
    found: dict[int, Node] = {}
    for start in starts:
        for part in reached(contract["name"], start["id"]):
            found |= {node["id"]: node for node in _referenced(part) if node["nodeType"] == "ErrorDefinition"}
    return sorted(found.values(), key=lambda error: str(error["name"]))


def events(contract: Node) -> list[Node]:
    """Return the events of a contract, by name."""
    found = {model().nodes[event]["eventSelector"]: model().nodes[event] for event in contract["usedEvents"]}
    return sorted(found.values(), key=lambda event: str(event["name"]))


def structs(contract: Node) -> list[Node]:
    """Return the structs that a contract's functions and events take or give, nested ones included."""
    starts = [part[side] for part in model().functions(contract) for side in ("parameters", "returnParameters")]
    return _structs([*starts, *(event["parameters"] for event in events(contract))])


@cache
def reached(contract: str, function: int) -> list[Node]:
    """Return a function with its modifiers and all that they call within the contract."""
    found: dict[int, Node] = {}
    waiting = [model().nodes[function]]
    while waiting:
        part = waiting.pop()
        if part["id"] in found:
            continue
        found[part["id"]] = part
        for node in _referenced(part):
            if node["nodeType"] == "FunctionDefinition" and node.get("visibility") != "external":
                waiting.append(model().resolve(model().contracts[contract], node))
            elif node["nodeType"] == "ModifierDefinition":
                waiting.append(node)
    return list(found.values())


def _referenced(part: Node) -> Iterator[Node]:
    for node in walk(part):
        declaration = model().nodes.get(node.get("referencedDeclaration"))
        if declaration:
            yield declaration


def _structs(starts: list[Node]) -> list[Node]:
    found: dict[int, Node] = {}
    waiting = list(starts)
    while waiting:
        for node in _referenced(waiting.pop()):
            if node["nodeType"] == "StructDefinition" and node["id"] not in found:
                found[node["id"]] = node
                waiting.append(node)
    return sorted(found.values(), key=lambda struct: str(struct["name"]))


# --- one contract -----------------------------------------------------------------------------------------------------


def contract_page(name: str) -> str:
    """Return the page of a contract."""
    contract = model().contracts[name]
    changing = [part for part in writing(contract) if not shared(part)]
    reading = [part for part in model().functions(contract) if part not in writing(contract) and not shared(part)]
    parts = ["## Functions that change state", *(_function(contract, part) for part in changing)]
    parts += ["## Functions that only read", *(_function(contract, part) for part in reading)]
    parts += ["## Events", *(_event(contract, event) for event in events(contract) if not shared(event))]
    parts.append(_errors(contract))
    parts += _struct_tables("## Structs", structs(contract))
    parts += [*_statements(contract), *_storage(contract)]
    return page(name, _SOURCE, _introduction(contract), parts)


def _introduction(contract: Node) -> str:
    paragraphs = []
    for base in model().ours(contract):
        tags = natspec(base)
        words = " ".join(tags[tag] for tag in ("notice", "dev") if tag in tags)
        if words and (base["contractKind"] == "interface" or base is contract) and base["name"] != "Refusals":
            paragraphs.append(f"**{base['name']}**: {words}")
    source = deployed()[str(contract["name"])].relative_to(ROOT).as_posix()
    behind = _standing(contract)
    return "\n\n".join([f"`{source}`. {behind}", *paragraphs])


def _standing(contract: Node) -> str:
    """Say how a contract is reached: behind a proxy, as a part of another, or as it is."""
    name = str(contract["name"])
    whole = next((whole for whole, part in PARTS.items() if part == name), "")
    if whole:
        return f"A part of [{whole}]({whole}.md): runs by delegation at its address and over its storage."
    governed = any(base["name"] == "Governed" for base in model().ours(contract))
    behind = "Stands behind an ERC-1967 proxy; its owner alone upgrades it." if governed else "Is not upgradeable."
    part = PARTS.get(name)
    return f"{behind} Its address answers the functions of its part [{part}]({part}.md) too." if part else behind


def _function(contract: Node, function: Node) -> str:
    tags = model().documentation(contract, function)
    given = ", ".join(
        " ".join(word for word in (type_name(part), part["name"]) if word)
        for part in function["returnParameters"]["parameters"]
    )
    returns = f" returns ({given})" if given else ""
    words = " ".join(tags[tag] for tag in ("notice", "dev") if tag in tags)
    facts = [f"* Selector: `0x{function['functionSelector']}`"]
    if function["stateMutability"] not in {"view", "pure"}:
        facts.insert(0, f"* Caller: {access(contract, function).text}")
        may = [f"`{error['name']}`" for error in errors(contract, function)]
        facts += [f"* May be refused with: {', '.join(may)}"] if may else []
    return f"### {function['name']}\n\n`{signature(function)}{returns}`\n\n{words}\n\n" + "\n".join(facts)


def _event(contract: Node, event: Node) -> str:
    topic = f"* Topic 0: `0x{event['eventSelector']}`"
    return f"### {event['name']} (event)\n\n`{signature(event)}`\n\n{notice(contract, event)}\n\n{topic}"


def _errors(contract: Node) -> str:
    rows = [
        (f"`{signature(error)}`", f"`0x{error['errorSelector']}`", notice(contract, error))
        for error in errors(contract)
        if not shared(error)
    ]
    passed = (
        "Those of [every contract](../contracts.md#every-contract) beside. Errors of the contracts that it calls are "
        "passed on as they are."
    )
    return f"## Errors\n\n{passed}\n\n{table(('error', 'selector', 'when'), rows)}"


def _struct_tables(heading: str, found: list[Node]) -> list[str]:
    if not found:
        return []
    tables = []
    for struct in found:
        rows = [(f"`{part['name']}`", f"`{type_name(part)}`", words) for part, words in model().members(struct)]
        text = notice(struct, struct) if natspec(struct) else ""
        tables.append(f"### {struct['name']} (struct)\n\n{text}\n\n{table(('field', 'type', 'what it says'), rows)}")
    return [heading, *tables]


def statements(contract: Node) -> dict[str, str]:
    """Return the EIP-712 type strings that a contract verifies, by the name of the type."""
    constants = [part for base in model().ours(contract) for part in base["nodes"] if typed(part)]
    texts = [typed(part) for part in constants]
    return {text.partition("(")[0]: text for text in sorted(texts) if not text.startswith("EIP712Domain")}


def domain(contract: Node) -> str:
    """Return the name in a contract's EIP-712 domain; empty if it verifies no statement."""
    for base in model().ours(contract):
        for part in base["nodes"]:
            if part.get("name") == "_domainName" and part.get("body"):
                return next(str(node["value"]) for node in walk(part) if node["nodeType"] == "Literal")
    return ""


def _statements(contract: Node) -> list[str]:
    name = domain(contract)
    if not name:
        return []
    said = f"EIP-712 domain: name `{name}`, version `1`, the chain's id, the address of the contract's proxy."
    rows = [(f"`{text}`", f"`0x{keccak(text.encode()).hex()}`") for text in statements(contract).values()]
    return [f"## Signed statements\n\n{said}\n\n{table(('type', 'type hash'), rows)}"]


def _storage(contract: Node) -> list[str]:
    parts = []
    for base in model().ours(contract):
        for struct in base["nodes"]:
            location = natspec(struct).get(_LOCATION, "") if struct["nodeType"] == "StructDefinition" else ""
            if not location:
                continue
            namespace = location.removeprefix("erc7201:")
            parts.append(f"Namespace `{namespace}`, from slot `{namespace_slot(namespace)}`:\n\n{_members(struct)}")
            # The places of those that a mapping holds count from the slot of its value.
            inner = [found for found in _structs([struct]) if found["id"] != struct["id"]]
            parts += [f"`{found['canonicalName']}`:\n\n{_members(found)}" for found in inner]
    return ["## Storage", *parts] if parts else []


def _members(struct: Node) -> str:
    rows = [
        (f"`{part['name']}`", place, f"`{type_name(part)}`", words)
        for (part, words), place in zip(model().members(struct), places(struct), strict=True)
    ]
    return table(("member", "slot", "type", "what it holds"), rows)


# --- all of them ------------------------------------------------------------------------------------------------------


def index_page() -> str:
    """Return the list of contracts, with what holds for each of them."""
    rows = []
    for name in deployed():
        contract = model().contracts[name]
        first = model().contracts.get(f"I{name}", contract)
        if not natspec(first).get("notice"):
            first = next((base for base in model().ours(contract) if natspec(base).get("notice")), first)
        rows.append((f"[{name}](contracts/{name}.md)", natspec(first).get("notice", "")))
    introduction = (
        "Each contract that is deployed, with every function, event, error and struct, what it signs and stores. "
        "[Who may call what](access.md) is one table.\n\n"
        "Units are whole (0 decimals) and money is whole won; an instant (`uint40`) is block time in seconds; a member "
        "is the 20 ASCII characters of its LEI; a country is its ISO 3166 number. A signature has 65 bytes r ‖ s ‖ v "
        "with low s and v 27 or 28. Errors of rules are [refusals](problems.md). The state is rebuilt from "
        "[events](events.md) alone."
    )
    parts = [table(("contract", "what it is"), sorted(rows)), *_every_contract()]
    return page("Contracts", _SOURCE, introduction, parts)


def _every_contract() -> list[str]:
    contract = model().contracts["Authority"]
    functions = [
        (
            f"`{signature(part)}`",
            f"`0x{part['functionSelector']}`",
            notice(contract, part).split(". ")[0],
        )
        for part in model().functions(contract)
        if shared(part)
    ]
    emitted = [
        (f"`{signature(event)}`", f"`0x{event['eventSelector']}`", _SHARED.get(event["name"], notice(contract, event)))
        for event in events(contract)
        if shared(event)
    ]
    given = [
        (f"`{signature(error)}`", f"`0x{error['errorSelector']}`", notice(contract, error))
        for error in errors(contract)
        if shared(error)
    ]
    said = (
        "What `Governed` brings: two-step ownership, upgrade by the owner alone (ERC-1822 behind ERC-1967), a locked "
        "implementation, and `UPGRADE_INTERFACE_VERSION`, which is 5.0.0."
    )
    return [
        f"## Every contract\n\n{said}",
        table(("function", "selector", "what it does"), functions),
        table(("event", "topic 0", "what it says"), emitted),
        table(("error", "selector", "when"), given),
    ]


def access_page() -> str:
    """Return the table of who may call what."""
    parts = []
    for name in sorted(deployed()):
        contract = model().contracts[name]
        rows = []
        for function in writing(contract):
            found = access(contract, function)
            roles = policy(function["functionSelector"]) if found.text.startswith(("owner", "agent")) else ""
            rows.append((f"`{function['name']}`", found.text, roles))
        parts.append(f"## {name}\n\n{table(('function', 'caller', 'roles by policy'), rows)}")
    default = policy("")
    introduction = (
        "Every function that changes state, of every deployed contract. It is read from the code (modifiers, "
        "comparisons with the caller, recovered signatures); the reasons of open functions are in `tools/access.toml`. "
        "Tests call each guarded function as a stranger.\n\n"
        "*Owner* is Authority, for every contract; *agent* is Authority too, unless another contract of the suite was "
        "appointed. Authority acts when two institutions signed, of different roles in this order; *default* is "
        f"{default}."
    )
    return page("Who may call what", _SOURCE, introduction, parts)


@cache
def policies() -> dict[str, str]:
    """Return the roles by selector as Authority sets them at the start; under no selector, the default."""
    authority = model().contracts["Authority"]
    locals_ = {
        part["id"]: statement["initialValue"]
        for statement in walk(authority)
        if statement["nodeType"] == "VariableDeclarationStatement" and statement.get("initialValue")
        for part in statement["declarations"]
        if part
    }

    def roles(node: Node) -> str:
        if node["nodeType"] == "BinaryOperation":
            return f"{roles(node['leftExpression'])} or {roles(node['rightExpression'])}"
        inner = locals_.get(node.get("referencedDeclaration", 0))
        return roles(inner) if inner else model().source(node).strip("_")

    found = {}
    for call in walk(authority):
        if call["nodeType"] == "FunctionCall" and call["expression"].get("name") == "_setPolicy":
            selector = model().nodes.get(call["arguments"][0].get("expression", {}).get("referencedDeclaration"))
            if selector:
                found[str(selector["functionSelector"])] = ", then ".join(
                    roles(part) for part in call["arguments"][1:3]
                )
    asked = next(part for part in authority["nodes"] if part.get("name") == "policyOf")
    pairs = [
        texts
        for part in walk(asked["body"])
        if part["nodeType"] == "TupleExpression"
        and len(texts := [roles(component) for component in part["components"][:2] if component]) == _INSTITUTIONS
        and all(re.fullmatch(r"[A-Z_ or]+", text) for text in texts)
    ]
    found[""] = ", then ".join(pairs[0]) if pairs else "set in Authority"
    return found


def policy(selector: str) -> str:
    """Return the roles that an act calling a function needs."""
    return policies().get(selector, "default")
