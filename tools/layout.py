# SPDX-License-Identifier: Apache-2.0
"""Write the storage layout of the contracts; refuses what an upgrade would misread. `--check` compares instead.

What stands behind a proxy has its storage in ERC-7201 structs, of which the compiler tells nothing by itself: it lays
out a generated contract for each struct that has one variable of it. Fields may be appended. `--accept` takes any other
change, which is right only while nothing is deployed that would be upgraded. `--report PAGE` compares with the page of
the release that runs and prints the compatibility test's report, whose SHA-256 the upgrade file keeps.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from eth_hash.auto import keccak

from stoken.chain import artifacts

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs/reference/storage-layout.md"
_SOLC: Final = ROOT / "tools/solc"
_LIBRARIES: Final = "node_modules"
_HARNESS: Final = "harness.sol"
_NAMESPACE: Final = re.compile(r"@custom:storage-location erc7201:(\S+)")
_UPGRADEABLE: Final = "Initializable"
_SLOT: Final = 32
_HEAD: Final = """\
<!-- Generated from the contracts by tools/layout.py: do not edit. -->
# Storage layout

Where each field lies, slot and byte counted from the struct's own slot (ERC-7201). An upgraded contract reads what its
forerunner wrote: `make check` refuses a field that moved, vanished or changed its type; fields may be appended.
Fields of several values in one word say in the source what lies where; only the word is seen here.
"""

Json = Mapping[str, Any]


class Field(NamedTuple):
    """A field and its place."""

    slot: str
    byte: str
    name: str
    kind: str


class Struct(NamedTuple):
    """A struct that lies at a slot of its own (`at`), or within others."""

    name: str
    at: str
    fields: tuple[Field, ...]


class LayoutError(Exception):
    """The contracts do not keep to ERC-7201, or do not compile."""


def main() -> int:
    """Write or compare the page."""
    if sys.argv[1:2] == ["--report"]:
        return _report(Path(sys.argv[2]))
    options = set(sys.argv[1:])
    structs = layout(ROOT)
    text = page(structs)
    committed = PAGE.read_text() if PAGE.exists() else ""
    broken = differences(parse(committed), structs)
    if "--check" in options or (broken and "--accept" not in options):
        for line in broken:
            print(line, file=sys.stderr)
        if not broken and committed != text:
            print("docs/reference/storage-layout.md lacks what was appended: run tools/layout.py", file=sys.stderr)
        return 1 if committed != text else 0
    PAGE.write_text(text)
    return 0


def _report(former: Path) -> int:
    """Print what `stoken contracts upgrade` asks for; 1 where an upgrade would misread its storage."""
    found = report(former.read_text(), page(layout(ROOT)))
    print(json.dumps(found, indent=2))
    return 1 if found["differences"] else 0


def report(before: str, after: str) -> dict[str, Any]:
    """Return the compatibility test of two pages: the artifacts it is of, both layouts, and the differences."""
    return {
        "artifacts": {name: f"0x{artifacts.load(name).runtime_hash.hex()}" for name in artifacts.names()},
        "former_layout": hashlib.sha256(before.encode()).hexdigest(),
        "layout": hashlib.sha256(after.encode()).hexdigest(),
        "differences": differences(parse(before), parse(after)),
    }


# --- the compiler's answer --------------------------------------------------------------------------------------------


def layout(checkout: Path) -> list[Struct]:
    """Return every namespaced struct of the contracts and their bases, each followed by the structs within it."""
    sources = {
        path.relative_to(checkout).as_posix(): {"content": path.read_text()}
        for path in sorted((checkout / "contracts").rglob("*.sol"))
    }
    units = _compile(checkout, sources, {"*": {"": ["ast"], "*": ["storageLayout"]}})
    _require_no_plain_storage(units["contracts"], frozenset(_behind_proxies(units["sources"])))
    found = sorted(_namespaced(units["sources"]))
    _require_apart(found)
    _require_that_slots_are_their_own(found, sources)
    parts = [
        f'import {{{owner} as C{at}}} from "{source}";\ncontract Harness{at} {{ C{at}.{struct} data; }}\n'
        for at, (_, source, owner, struct) in enumerate(found)
    ]
    sources[_HARNESS] = {"content": "pragma solidity 0.8.30;\n" + "".join(parts)}
    laid = _compile(checkout, sources, {_HARNESS: {"*": ["storageLayout"]}})["contracts"][_HARNESS]
    structs: list[Struct] = []
    for at, (namespace, *_) in enumerate(found):
        structs += _structs(namespace, laid[f"Harness{at}"]["storageLayout"])
    return structs


def _compile(checkout: Path, sources: Json, selection: Json) -> Json:
    request = {
        "language": "Solidity",
        "sources": sources,
        "settings": {"evmVersion": "london", "outputSelection": selection},
    }
    ran = subprocess.run(
        [_SOLC, "--base-path", str(checkout / _LIBRARIES), "--standard-json"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: Json = json.loads(ran.stdout)
    errors = [each["formattedMessage"] for each in answer.get("errors", ()) if each["severity"] == "error"]
    if errors:
        raise LayoutError(errors[0])
    return answer


def _namespaced(sources: Json) -> Iterator[tuple[str, str, str, str]]:
    """Yield namespace, source, contract and struct."""
    for source, unit in sources.items():
        for contract in unit["ast"]["nodes"]:
            for node in contract.get("nodes", ()) if contract["nodeType"] == "ContractDefinition" else ():
                text = (node.get("documentation") or {}).get("text", "")
                match = _NAMESPACE.search(text) if node["nodeType"] == "StructDefinition" else None
                if match:
                    yield match[1], source, contract["name"], node["name"]


def _require_apart(found: Sequence[tuple[str, str, str, str]]) -> None:
    names = [namespace for namespace, *_ in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise LayoutError(f"two structs share a namespace: {', '.join(sorted(twice))}")


def _require_that_slots_are_their_own(found: Sequence[tuple[str, str, str, str]], sources: Json) -> None:
    for namespace, source, owner, _ in found:
        if source in sources and f'keccak256("{namespace}")' not in sources[source]["content"]:
            raise LayoutError(f"{owner} does not derive its slot from {namespace}")


def _behind_proxies(sources: Json) -> Iterator[str]:
    """Yield each contract that stands behind a proxy; one without, as a rule's module is, is never upgraded."""
    defined = [
        node for unit in sources.values() for node in unit["ast"]["nodes"] if node["nodeType"] == "ContractDefinition"
    ]
    names = {node["id"]: node["name"] for node in defined}
    for node in defined:
        if _UPGRADEABLE in {names[base] for base in node["linearizedBaseContracts"]}:
            yield node["name"]


def _require_no_plain_storage(contracts: Json, bound: frozenset[str]) -> None:
    for unit in contracts.values():
        for name, contract in unit.items():
            if name in bound and (contract.get("storageLayout") or {}).get("storage"):
                raise LayoutError(f"{name} has storage outside of its ERC-7201 struct")


def _structs(namespace: str, laid: Json) -> Iterator[Struct]:
    kinds = laid["types"]
    (data,) = laid["storage"]
    seen: set[str] = set()

    def walk(kind: str, name: str, at: str) -> Iterator[Struct]:
        if kind in seen:
            return
        seen.add(kind)
        described = kinds[kind]
        if "members" in described:
            yield Struct(name, at, tuple(_field(member, kinds) for member in described["members"]))
            inner = [member["type"] for member in described["members"]]
        else:
            inner = [described[part] for part in ("key", "value", "base") if part in described]
        for each in inner:
            yield from walk(each, f"{namespace}: {kinds[each]['label']}", "")

    yield from walk(data["type"], namespace, slot_of(namespace))


def _field(member: Json, kinds: Json) -> Field:
    return Field(member["slot"], str(member["offset"]), member["label"], kinds[member["type"]]["label"])


def slot_of(namespace: str) -> str:
    """Return the slot of a namespace (ERC-7201)."""
    inner = int.from_bytes(keccak(namespace.encode())) - 1
    return "0x" + (keccak(inner.to_bytes(_SLOT))[:-1] + b"\0").hex()


# --- the page ---------------------------------------------------------------------------------------------------------


def page(structs: Sequence[Struct]) -> str:
    """Return the page that shows these structs."""
    parts = [_HEAD]
    for struct in structs:
        parts.append(f"\n{'##' if struct.at else '###'} {struct.name}\n")
        if struct.at:
            parts.append(f"\nSlot `{struct.at}`.\n")
        parts.append("\n| slot | byte | field | type |\n| ---: | ---: | --- | --- |\n")
        parts += [f"| {field.slot} | {field.byte} | {field.name} | {field.kind} |\n" for field in struct.fields]
    return "".join(parts)


def parse(text: str) -> list[Struct]:
    """Return the structs that a page shows."""
    structs = []
    for part in re.split(r"^##+ ", text, flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        at = re.search(r"Slot `(\w+)`", rest)
        rows = re.findall(r"^\| (\d+) \| (\d+) \| (\S+) \| (.+) \|$", rest, flags=re.MULTILINE)
        structs.append(Struct(name, at[1] if at else "", tuple(Field(*row) for row in rows)))
    return structs


def differences(before: Sequence[Struct], after: Sequence[Struct]) -> list[str]:
    """Return what an upgrade would misread, line by line as a diff; appended fields are no difference."""
    now = {struct.name: struct for struct in after}
    found = []
    for struct in before:
        present = now.get(struct.name)
        if present is None:
            found.append(f"- {struct.name}: the struct vanished")
            continue
        if struct.at != present.at:
            found.append(f"- {struct.name}: its slot was {struct.at}, is {present.at or 'none'}")
        for at, field in enumerate(struct.fields):
            other = present.fields[at] if at < len(present.fields) else None
            if field != other:
                found.append(f"- {struct.name}: {_line(field)}")
                found.append(f"+ {struct.name}: {_line(other) if other else 'nothing'}")
        if len(present.fields) > len(struct.fields) and _lies_in_an_array(struct.name, after):
            found.append(f"+ {struct.name}: grew, which moves its neighbours in an array")
    return found


def _lies_in_an_array(name: str, structs: Sequence[Struct]) -> bool:
    label = name.partition(": ")[2]
    return bool(label) and any(f"{label}[" in field.kind for struct in structs for field in struct.fields)


def _line(field: Field) -> str:
    return f"slot {field.slot} byte {field.byte}: {field.kind} {field.name}"


if __name__ == "__main__":
    sys.exit(main())
