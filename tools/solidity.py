# SPDX-License-Identifier: Apache-2.0
"""The contracts as the compiler's syntax tree describes them; no code is generated, so that it takes seconds."""

import json
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from solcx import compile_standard

from tools.pages import ROOT

#: A node of solc's syntax tree.
Node = dict[str, Any]

_CACHE: Final = ROOT / ".cache"
_DEPLOYED: Final = re.compile(r"^contract (\w+)", re.MULTILINE)
_TAG: Final = re.compile(r"(?:^|\s)@(\w[\w:-]*)\s*")


def deployed() -> dict[str, Path]:
    """Return the source of each contract that can be deployed, by its name."""
    files = sorted((ROOT / "contracts").rglob("*.sol"))
    return {name: path for path in files for name in _DEPLOYED.findall(path.read_text())}


@cache
def model() -> "Model":
    """Return the model of the contracts as they are now; the tree is kept beside the other caches."""
    sources = {
        path.relative_to(ROOT).as_posix(): {"content": path.read_text()}
        for path in sorted((ROOT / "contracts").rglob("*.sol"))
    }
    request = {
        "language": "Solidity",
        "sources": sources,
        "settings": {"evmVersion": "london", "outputSelection": {"*": {"": ["ast"]}}},
    }
    versions = [(ROOT / "package-lock.json").read_text(), (ROOT / "tools/solc.js").read_text()]
    key = sha256(json.dumps([request, *versions]).encode()).hexdigest()[:16]
    kept = _CACHE / f"syntax-{key}.json"
    if not kept.exists():
        output = compile_standard(request, solc_binary=ROOT / "tools/solc", base_path=ROOT / "node_modules")
        _CACHE.mkdir(exist_ok=True)
        for stale in _CACHE.glob("syntax-*.json"):
            stale.unlink(missing_ok=True)
        kept.write_text(json.dumps([unit["ast"] for unit in output["sources"].values()]))
    return Model(json.loads(kept.read_text()))


def walk(node: object) -> Iterator[Node]:
    """Yield a node and everything below it, in the order of the source."""
    if isinstance(node, dict):
        if "nodeType" in node:
            yield node
        for part in node.values():
            yield from walk(part)
    elif isinstance(node, list):
        for part in node:
            yield from walk(part)


class Model:
    """Declarations by id, contracts by name."""

    def __init__(self, units: list[Node]) -> None:
        """Take the syntax trees of all sources."""
        self.nodes: dict[int | None, Node] = {node["id"]: node for unit in units for node in walk(unit) if "id" in node}
        self.paths = {node["id"]: unit["absolutePath"] for unit in units for node in unit["nodes"]}
        self._names = {unit["src"].rsplit(":", 1)[1]: str(unit["absolutePath"]) for unit in units}
        self._texts = {unit["src"].rsplit(":", 1)[1]: self._read(unit["absolutePath"]) for unit in units}
        self.contracts = {
            node["name"]: node for unit in units for node in unit["nodes"] if node["nodeType"] == "ContractDefinition"
        }
        self.structs = [
            node
            for unit in units
            if unit["absolutePath"].startswith("contracts/interfaces/")
            for node in walk(unit)
            if node["nodeType"] == "StructDefinition"
        ]

    def path(self, declaration: Node) -> str:
        """Return the source that holds a declaration."""
        return self._names[str(declaration["src"]).rsplit(":", 1)[1]]

    def lineage(self, contract: Node) -> list[Node]:
        """Return a contract and its bases, most derived first."""
        return [self.nodes[base] for base in contract["linearizedBaseContracts"]]

    def ours(self, contract: Node) -> list[Node]:
        """Return a contract and those of its bases that the suite declares itself."""
        return [base for base in self.lineage(contract) if self.paths[base["id"]].startswith("contracts/")]

    def functions(self, contract: Node) -> list[Node]:
        """Return what can be called from outside, by name, each as its most derived form."""
        found: dict[str, Node] = {}
        for base in self.lineage(contract):
            if base["contractKind"] != "contract":
                continue
            for part in base["nodes"]:
                if part["nodeType"] == "FunctionDefinition" and "functionSelector" in part:
                    found.setdefault(part["functionSelector"], part)
        return sorted(found.values(), key=lambda part: (str(part["name"]), str(part["functionSelector"])))

    def resolve(self, contract: Node, function: Node) -> Node:
        """Return the most derived form of a function within a contract."""
        if function.get("functionSelector"):
            key = "functionSelector", function["functionSelector"]
        else:
            key = "name", function["name"]
        for base in self.lineage(contract):
            parts: list[Node] = base["nodes"]
            for part in parts:
                if part["nodeType"] != "FunctionDefinition" or not part.get("body"):
                    continue
                same = len(part["parameters"]["parameters"]) == len(function["parameters"]["parameters"])
                if part.get(key[0]) == key[1] and same and (part["virtual"] or part is function or "overrides" in part):
                    return part
        return function

    def documentation(self, contract: Node, declaration: Node) -> dict[str, str]:
        """Return the NatSpec of a declaration by tag; a function that has none takes that of what it implements."""
        tags = natspec(declaration)
        if declaration["nodeType"] != "FunctionDefinition" or ("notice" in tags and "inheritdoc" not in tags):
            return tags
        for base in self.lineage(contract):
            for part in base["nodes"]:
                same = part.get("functionSelector") == declaration.get("functionSelector")
                if same and part["nodeType"] == "FunctionDefinition":
                    inherited = natspec(part)
                    if "inheritdoc" not in inherited and inherited:
                        return {**inherited, **{tag: text for tag, text in tags.items() if tag != "inheritdoc"}}
        return tags

    def members(self, struct: Node) -> list[tuple[Node, str]]:
        """Return the members of a struct, each with the comment above it."""
        start, length, file = (int(number) for number in struct["src"].split(":"))
        text = self._texts[str(file)]
        at = text.index(b"{", start, start + length) + 1
        found = []
        for member in struct["members"]:
            here, size, _ = (int(number) for number in member["src"].split(":"))
            lines = [line.strip() for line in text[at:here].decode().splitlines()]
            words = " ".join(line.lstrip("/ ") for line in lines if line.startswith("//"))
            found.append((member, words.removeprefix("@dev ").removeprefix("@notice ")))
            at = here + size + 1
        return found

    def source(self, node: Node) -> str:
        """Return the text of a node on one line."""
        start, length, file = (int(number) for number in node["src"].split(":"))
        return " ".join(self._texts[str(file)][start : start + length].decode().split())

    @staticmethod
    def _read(path: str) -> bytes:
        file = ROOT / path if path.startswith("contracts/") else ROOT / "node_modules" / path
        return file.read_bytes()


def natspec(declaration: Node) -> dict[str, str]:
    """Return the tags of a declaration's own comment, each on one line; a comment without tags is a notice."""
    documentation = declaration.get("documentation")
    if not documentation:
        return {}
    parts = _TAG.split(str(documentation["text"]))
    tags = {"notice": " ".join(parts[0].split())} if parts[0].strip() else {}
    for tag, text in zip(parts[1::2], parts[2::2], strict=True):
        paragraph = text.split("\n\n")[0]
        tags[tag] = " ".join([tags[tag], *paragraph.split()]) if tag in tags else " ".join(paragraph.split())
    return tags


def type_name(declaration: Node) -> str:
    """Return how a page writes a type: without where it lies and what kind of declaration it is."""
    return re.sub(r"\b(struct|contract|enum|calldata|memory|storage ref|storage pointer|storage) ?", "",
                  str(declaration["typeDescriptions"]["typeString"])).strip()  # fmt: skip


def signature(declaration: Node) -> str:
    """Return a declaration with its parameters: function, error or event."""
    words = [
        " ".join(word for word in (type_name(part), "indexed" if part.get("indexed") else "", part["name"]) if word)
        for part in declaration["parameters"]["parameters"]
    ]
    return f"{declaration['name']}({', '.join(words)})"
