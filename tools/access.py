# SPDX-License-Identifier: Apache-2.0
"""Who may call what, read from the code: modifiers, comparisons with the caller, signed statements.

Only what every call passes counts: statements of the function itself, of its modifiers and of the functions that
these call, never those within a branch or a loop, nor conditions that ask for something else as well. What a caller
keeps under its own address, by a further key, tells nothing of who it is. What shows no guard must stand in
tools/access.toml with its reason.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from tools.pages import ROOT
from tools.solidity import Model, Node, model, walk

OPEN: Final = ROOT / "tools/access.toml"
_DEPTH_MAX: Final = 5
_RECOVERS: Final = {"tryRecover", "recover", "isValidSignatureNow", "isValidSignatureNowCalldata"}
_TYPE: Final = re.compile(r"(\w+)\(")
_NAMES: Final = {
    "owner": "owner",
    "agent": "agent",
    "address(this)": "the contract itself",
    "SENDER": "SENDER key of a venue",
    "CONVERT": "agent of the token (CONVERT)",
    "address(uint160(head))": "token",
    "!keyHasPurpose(_keyOf(msg.sender), purpose)": "key with purpose",
    "!_data().admittedCodes[msg.sender.codehash]": "contract of admitted code",
    "initializer": "constructor of the proxy, once",
}


class Guard(NamedTuple):
    """Who passes, and the selector that others get; without one, the call has no effect for them."""

    who: str
    error: str


class Access(NamedTuple):
    """Who may call a function: guards, the statements that must be signed, or the reason why it is open."""

    guards: tuple[Guard, ...]
    statements: tuple[str, ...]
    reason: str

    @property
    def text(self) -> str:
        """The same in words."""
        signed = " and ".join(f"`{name}`" for name in self.statements)
        if self.guards:
            who = " or ".join(dict.fromkeys(guard.who for guard in self.guards))
            ignored = "" if all(guard.error for guard in self.guards) else "; without effect for others"
            return who + (f", with signed {signed}" if signed else "") + ignored
        return f"anyone, with signed {signed}" if signed else f"anyone: {self.reason}"


def writing(contract: Node) -> list[Node]:
    """Return the functions of a contract that change state."""
    return [part for part in model().functions(contract) if part["stateMutability"] not in {"view", "pure"}]


def access(contract: Node, function: Node) -> Access:
    """Return who may call a function; an open one without a reason has none."""
    derivation = _Derivation(model(), contract)
    guards = tuple(derivation.guards(function, _DEPTH_MAX))
    statements = derivation.statements(function)
    reason = "" if guards or statements else reasons().get(contract["name"], {}).get(function["name"], "")
    return Access(guards, statements, reason)


@cache
def reasons() -> dict[str, dict[str, str]]:
    """Return the reviewed reasons of functions that are open to all, by contract and function."""
    return tomllib.loads(OPEN.read_text())


class _Derivation:
    def __init__(self, sources: Model, contract: Node) -> None:
        self._model = sources
        self._contract = contract

    def guards(self, function: Node, depth: int) -> Iterator[Guard]:
        for invocation in function.get("modifiers", ()):
            modifier = self._model.nodes.get(invocation["modifierName"]["referencedDeclaration"], {})
            if modifier.get("nodeType") != "ModifierDefinition":
                continue
            if modifier["name"] == "initializer":
                error = next(part for part in walk(modifier) if part["nodeType"] == "RevertStatement")
                yield Guard(_NAMES["initializer"], self._error(error))
                continue
            arguments = [self._model.source(part) for part in invocation.get("arguments") or ()]
            named = [part.strip('"') for part in arguments if part.startswith('"')]
            role = " | ".join(named or [part.rsplit(".", 1)[-1].strip("_") for part in arguments])
            for guard in self._statements(modifier["body"], depth):
                yield Guard(f"{guard.who} ({role})", guard.error) if role else guard
        if function.get("body"):
            yield from self._statements(function["body"], depth)

    def statements(self, function: Node) -> tuple[str, ...]:
        """Return the EIP-712 types whose signature a function recovers; nested types are not named."""
        reached = self._reached(function)
        if not any(part.get("name") in _RECOVERS for part in reached):
            return ()
        references = {node.get("referencedDeclaration") for part in reached for node in walk(part)}
        types = [
            text
            for identity in references
            if identity is not None and (text := typed(self._model.nodes.get(identity, {})))
        ]
        nested = {name for text in types for name in _TYPE.findall(text)[1:]}
        names = {_TYPE.findall(text)[0] for text in types}
        return tuple(sorted(names - nested - {"EIP712Domain"}))

    def _reached(self, function: Node) -> list[Node]:
        """Return a function and everything that it calls within the contract, at any depth."""
        found = {function["id"]: function}
        waiting = [function]
        while waiting:
            for called in self._called(waiting.pop()):
                if called["id"] not in found:
                    found[called["id"]] = called
                    waiting.append(called)
        return list(found.values())

    def _called(self, node: Node) -> Iterator[Node]:
        for part in walk(node):
            if part["nodeType"] == "FunctionCall":
                called = self._model.nodes.get(part["expression"].get("referencedDeclaration"), {})
                external = "function_external" in str(part["expression"]["typeDescriptions"]["typeIdentifier"])
                if called.get("nodeType") == "FunctionDefinition" and not external:
                    library = self._model.nodes.get(called.get("scope"), {}).get("contractKind") == "library"
                    yield called if library else self._model.resolve(self._contract, called)

    def _statements(self, block: Node, depth: int) -> Iterator[Guard]:
        callers: set[int] = set()
        for statement in block["statements"]:
            kind = statement["nodeType"]
            if kind == "VariableDeclarationStatement" and self._asks(statement.get("initialValue"), callers):
                callers |= {part["id"] for part in statement["declarations"] if part}
            assigned = statement.get("expression") or {}
            if assigned.get("nodeType") == "Assignment" and self._asks(assigned["rightHandSide"], callers):
                callers |= {assigned["leftHandSide"].get("referencedDeclaration", 0)}
            if kind == "IfStatement":
                yield from self._condition(statement, callers)
            elif kind in {"ExpressionStatement", "VariableDeclarationStatement", "Return"} and depth:
                for called in self._called(statement):
                    yield from self.guards(called, depth - 1)

    def _condition(self, statement: Node, callers: set[int]) -> Iterator[Guard]:
        body = statement["trueBody"]
        first = body["statements"][0] if body["nodeType"] == "Block" and body["statements"] else body
        if first["nodeType"] not in {"RevertStatement", "Return"}:
            return
        if not all(self._asks(part, callers) for part in _conjuncts(statement["condition"])):
            return
        error = self._error(first) if first["nodeType"] == "RevertStatement" else ""
        names = list(self._passing(statement["condition"], callers))
        if not names:
            literals = [part["value"] for part in walk(first) if part.get("kind") == "string"]
            names = literals or [self._model.source(statement["condition"])]
        for name in names:
            yield Guard(_NAMES.get(name, _words(name)), error)

    def _passing(self, condition: Node, callers: set[int]) -> Iterator[str]:
        """Yield what the caller is compared with."""
        for part in walk(condition):
            if part["nodeType"] == "BinaryOperation" and part["operator"] == "!=":
                sides = [part["leftExpression"], part["rightExpression"]]
                others = [side for side in sides if not self._asks(side, callers)]
                if len(others) == 1 and others[0]["nodeType"] != "Literal":
                    yield self._model.source(others[0]).removesuffix("()").rsplit(".", 1)[-1].strip("_")
            elif part["nodeType"] == "FunctionCall" and part["expression"].get("name", "").startswith("is"):
                yield part["expression"]["name"][2:].lower()

    def _asks(self, node: Node | None, callers: set[int]) -> bool:
        return any(
            (part.get("memberName") == "sender" and part["expression"].get("name") == "msg")
            or (part["nodeType"] == "Identifier" and part["name"] == "_msgSender")
            or (part["nodeType"] == "Identifier" and part["referencedDeclaration"] in callers)
            for part in _foreign(node)
        )

    def _error(self, statement: Node) -> str:
        declaration = statement["errorCall"]["expression"]["referencedDeclaration"]
        return str(self._model.nodes[declaration]["errorSelector"])


def _conjuncts(condition: Node) -> Iterator[Node]:
    if condition["nodeType"] == "BinaryOperation" and condition["operator"] == "&&":
        yield from _conjuncts(condition["leftExpression"])
        yield from _conjuncts(condition["rightExpression"])
    else:
        yield condition


def _foreign(node: object) -> Iterator[Node]:
    """Yield a node and everything below it, but not what the caller keeps under its own address."""
    if isinstance(node, dict):
        if node.get("nodeType") == "IndexAccess" and _keyed_by_caller(node["baseExpression"]):
            return
        if "nodeType" in node:
            yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _foreign(part)


def _keyed_by_caller(base: Node) -> bool:
    return base["nodeType"] == "IndexAccess" and any(
        part.get("memberName") == "sender" for part in walk(base["indexExpression"])
    )


def typed(constant: Node) -> str:
    """Return the EIP-712 type string whose hash a constant holds; empty if it holds another value."""
    value = constant.get("value") if constant.get("constant") else None
    if not isinstance(value, dict) or value.get("expression", {}).get("name") != "keccak256":
        return ""
    argument = value["arguments"][0]
    text = str(argument.get("value") or "")
    return text if argument["nodeType"] == "Literal" and re.fullmatch(r"(\w+\([^()]*\))+", text) else ""


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower() if name.isidentifier() else f"`{name}`"
