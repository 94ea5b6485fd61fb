# SPDX-License-Identifier: Apache-2.0
"""The faults that are put into a source, one at a time, found in its syntax tree."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tools.proof.syntax import span
from tools.solidity import Node, walk

_RELATIONS: Final = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
}
_ARITHMETIC: Final = {
    "+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "|",
}  # fmt: skip
_ASSIGNMENTS: Final = {
    "+=": "-=",
    "-=": "+=",
    "|=": "&=",
    "&=": "|=",
    "*=": "/=",
    "/=": "*=",
    "<<=": ">>=",
    ">>=": "<<=",
}
_STEPS: Final = {"++": "--", "--": "++"}
_LOOPS: Final = ("WhileStatement", "ForStatement", "DoWhileStatement")
#: What a default looks like where its type need not be said.
_EMPTY: Final = ('""', "0")
_INTEGER: Final = re.compile(r"^u?int\d+$")
_MAPPING: Final = re.compile(r"^mapping\((\w+)")


class Fault(NamedTuple):
    """One mutant: what is written instead of which range; `kind` says how it is woven in."""

    kind: str
    start: int
    end: int
    operator: str
    text: str
    function: str


class Finder:
    """Finds the faults of one source."""

    def __init__(self, text: str, unit: Node, nodes: dict[int, Node]) -> None:
        """Take a source, its tree, and the nodes of all trees by their ids."""
        self._text, self._unit, self._nodes = text, unit, nodes
        self._function = ""
        self._returns: list[Node] = []

    def faults(self) -> list[Fault]:
        """Return the faults in the order of the source, each once."""
        found: dict[Fault, None] = {}
        for node in walk(self._unit):
            if node["nodeType"] in ("FunctionDefinition", "ModifierDefinition") and node.get("body"):
                self._function = node["name"] or node.get("kind", "")
                self._returns = node.get("returnParameters", {}).get("parameters", [])
                found |= dict.fromkeys([*self._guards(node), *self._statement(node["body"])])
        return sorted(found, key=lambda fault: (fault.start, -fault.end))

    def _fault(self, kind: str, node: Node, operator: str, text: str) -> Fault:
        start, end = span(node)
        return Fault(kind, start, end, operator, text, self._function)

    def _of(self, node: Node) -> str:
        start, end = span(node)
        return self._text[start:end]

    # --- functions and statements --------------------------------------------------------------------------------

    def _guards(self, node: Node) -> Iterator[Fault]:
        guards = node.get("modifiers", [])
        if node.get("kind") != "function" or any(not part["name"] for part in node["parameters"]["parameters"]):
            return
        for guard in guards:
            if guard.get("kind") == "modifierInvocation":
                yield self._fault("guard", node, "guard", self._of(guard))

    def _statement(self, node: Node | None, *, lone: bool = False) -> Iterator[Fault]:
        """Find faults in a statement; a lone one is all that an `if` does, whose condition covers its loss."""
        if not node:
            return
        kind = node["nodeType"]
        if kind in ("Block", "UncheckedBlock"):
            alone = lone and len(node["statements"]) == 1
            for statement in node["statements"]:
                yield from self._statement(statement, lone=alone)
        elif kind == "IfStatement" or kind in _LOOPS:
            yield from self._branches(node)
        elif kind == "ExpressionStatement":
            yield from self._effect(node, lone=lone)
        elif kind in ("EmitStatement", "RevertStatement"):
            if not lone:
                yield self._fault("statement", node, "deletion", "")
            yield from self._arguments(node.get("eventCall") or node["errorCall"])
        elif kind == "VariableDeclarationStatement":
            declared = [part for part in node["declarations"] if part]
            expected = declared[0]["typeDescriptions"]["typeString"] if len(declared) == 1 else ""
            yield from self._expression(node.get("initialValue"), expected)
        elif kind == "Return":
            yield from self._return(node.get("expression"))

    def _branches(self, node: Node) -> Iterator[Fault]:
        """Find faults in a branch or a loop; a loop that never ends would only burn gas."""
        if node["nodeType"] == "IfStatement":
            yield from self._condition(node["condition"], ("true", "false"))
            yield from self._statement(node["trueBody"], lone=not node.get("falseBody"))
            yield from self._statement(node.get("falseBody"))
        else:
            yield from self._condition(node.get("condition"), ("false",) if node["nodeType"] in _LOOPS[:2] else ())
            yield from self._statement(node["body"])

    def _effect(self, node: Node, *, lone: bool) -> Iterator[Fault]:
        expression = node["expression"]
        kind = expression["nodeType"]
        if kind == "Assignment":
            left = expression["leftHandSide"]
            if not lone and "storage pointer" not in str(left["typeDescriptions"]["typeString"]):
                yield self._fault("statement", node, "deletion", "")
            operator = expression["operator"]
            if operator in _ASSIGNMENTS:
                text = f"{self._of(left)} {_ASSIGNMENTS[operator]} {self._of(expression['rightHandSide'])};"
                yield self._fault("statement", node, "assignment", text)
            yield from self._expression(left, "")
            shifts = operator in ("<<=", ">>=")
            expected = "uint256" if shifts else str(left["typeDescriptions"]["typeString"])
            yield from self._expression(expression["rightHandSide"], expected)
        elif kind in ("FunctionCall", "UnaryOperation"):
            if not lone:
                yield self._fault("statement", node, "deletion", "")
            if kind == "UnaryOperation" and expression["operator"] in _STEPS:
                text = f"{self._of(expression['subExpression'])}{_STEPS[expression['operator']]};"
                yield self._fault("statement", node, "assignment", text)
                yield from self._expression(expression["subExpression"], "")
            elif kind == "FunctionCall":
                yield from self._arguments(expression)

    def _return(self, expression: Node | None) -> Iterator[Fault]:
        if not expression:
            return
        parts = [expression]
        if expression["nodeType"] == "TupleExpression" and len(self._returns) > 1:
            parts = [part for part in expression["components"] if part]
        if len(parts) != len(self._returns):
            yield from self._expression(expression, "")
            return
        for part, declared in zip(parts, self._returns, strict=True):
            expected = str(declared["typeDescriptions"]["typeString"])
            for text in _defaults(expected):
                said = self._of(part)
                if text != said and not (said in _EMPTY and f"({said})" in text):
                    yield self._fault("expression", part, "return", text)
            yield from self._expression(part, expected)

    # --- expressions ---------------------------------------------------------------------------------------------

    def _condition(self, node: Node | None, values: tuple[str, ...]) -> Iterator[Fault]:
        if node:
            for value in values:
                yield self._fault("expression", node, "condition", value)
            yield from self._expression(node, "bool")

    def _expression(self, node: Node | None, expected: str) -> Iterator[Fault]:
        if not node:
            return
        kind = node["nodeType"]
        if str(node.get("typeDescriptions", {}).get("typeString", "")).startswith("int_const"):
            yield from self._constant(node, expected)
        elif kind == "BinaryOperation":
            yield from self._binary(node)
        elif kind == "UnaryOperation":
            if node["operator"] == "!":
                yield self._fault("expression", node, "negation", self._of(node["subExpression"]))
            yield from self._expression(node["subExpression"], expected)
        elif kind == "Conditional":
            yield from self._condition(node["condition"], ("true", "false"))
            yield from self._expression(node["trueExpression"], expected)
            yield from self._expression(node["falseExpression"], expected)
        elif kind in ("Identifier", "MemberAccess"):
            yield from self._named(node)
        elif kind == "FunctionCall":
            yield from self._arguments(node)
        else:
            yield from self._parts(node, expected)

    def _parts(self, node: Node, expected: str) -> Iterator[Fault]:
        if node["nodeType"] == "IndexAccess":
            yield from self._expression(node["baseExpression"], "")
            keyed = _MAPPING.match(str(node["baseExpression"]["typeDescriptions"]["typeString"]))
            yield from self._expression(node.get("indexExpression"), keyed[1] if keyed else "uint256")
        elif node["nodeType"] == "TupleExpression":
            for part in node["components"]:
                yield from self._expression(part, expected if len(node["components"]) == 1 else "")

    def _constant(self, node: Node, expected: str) -> Iterator[Fault]:
        if not _INTEGER.match(expected):
            return
        text = self._of(node)
        yield self._fault("expression", node, "constant", f"{expected}({text} + 1)")
        if node["typeDescriptions"]["typeString"] == "int_const 0":
            return
        yield self._fault("expression", node, "constant", f"{expected}({text} - 1)")

    def _binary(self, node: Node) -> Iterator[Fault]:
        left, right, operator = node["leftExpression"], node["rightExpression"], node["operator"]
        one, other = self._of(left), self._of(right)
        for instead in _RELATIONS.get(operator, ()):
            yield self._fault("expression", node, "relation", f"({one}) {instead} ({other})")
        if operator in _ARITHMETIC:
            yield self._fault("expression", node, "arithmetic", f"({one}) {_ARITHMETIC[operator]} ({other})")
        if operator in ("&&", "||"):
            instead = "||" if operator == "&&" else "&&"
            yield self._fault("expression", node, "logic", f"({one}) {instead} ({other})")
            yield self._fault("expression", node, "logic", one)
            yield self._fault("expression", node, "logic", other)
        common = str(node["commonType"]["typeString"])
        shifts = operator in ("<<", ">>", "**")
        yield from self._expression(left, common)
        yield from self._expression(right, "uint256" if shifts else common)

    def _named(self, node: Node) -> Iterator[Fault]:
        """Find faults in a constant's use: its declaration cannot depend on anything."""
        declared = self._nodes.get(node.get("referencedDeclaration") or 0, {})
        if declared.get("constant") and declared["nodeType"] == "VariableDeclaration":
            kind = str(declared["typeDescriptions"]["typeString"])
            if _INTEGER.match(kind):
                yield self._fault("expression", node, "constant", f"{self._of(node)} + 1")
            elif kind == "bytes32":
                yield self._fault("expression", node, "constant", f"~{self._of(node)}")
        elif node["nodeType"] == "MemberAccess":
            yield from self._expression(node["expression"], "")

    def _arguments(self, call: Node) -> Iterator[Fault]:
        callee = call["expression"]
        arguments = call["arguments"]
        types = [""] * len(arguments)
        if call.get("kind") == "typeConversion":
            target = str(call["typeDescriptions"]["typeString"])
            types = ["uint160" if target == "address" else target]
        else:
            if callee["nodeType"] == "FunctionCallOptions":
                for option in callee["options"]:
                    yield from self._expression(option, "uint256")
                callee = callee["expression"]
            yield from self._expression(callee, "")
            declared = self._nodes.get(callee.get("referencedDeclaration") or 0, {})
            wanted = declared.get("parameters", {}).get("parameters") if declared.get("parameters") else None
            wanted = declared.get("members", wanted)
            if wanted and len(wanted) == len(arguments):
                types = [str(part["typeDescriptions"]["typeString"]) for part in wanted]
        for argument, expected in zip(arguments, types, strict=True):
            yield from self._expression(argument, expected)


def _defaults(kind: str) -> tuple[str, ...]:
    if kind == "bool":
        return "true", "false"
    if _INTEGER.match(kind) or re.match(r"^(address|bytes\d+)$", kind):
        return (f"{kind}(0)",)
    word = kind.split(maxsplit=1)[0]
    return (f'{word}("")',) if word in ("bytes", "string") else ()
