# SPDX-License-Identifier: Apache-2.0
"""Where a struct's members lie in storage: the slot from its first, and the byte within it, as Solidity packs them."""

import re
from typing import Final

from eth_hash.auto import keccak

from tools.solidity import Node, model

_SLOT: Final = 32
_SIZES: Final = {"address": 20, "bool": 1, "contract": 20, "enum": 1}


def namespace_slot(namespace: str) -> str:
    """Return the first slot of an ERC-7201 namespace."""
    inner = int.from_bytes(keccak(namespace.encode())) - 1
    return f"0x{keccak(inner.to_bytes(32))[:31].hex()}00"


def places(struct: Node) -> list[str]:
    """Return the place of each member: its slot, and its first byte from the low end where it shares the slot."""
    placed, _ = _lay(struct)
    crowded = {slot for slot, _, size in placed if size < _SLOT}
    return [f"{slot}, byte {byte}" if slot in crowded else str(slot) for slot, byte, _ in placed]


def _lay(struct: Node) -> tuple[list[tuple[int, int, int]], int]:
    """Return slot, byte and size of each member, and the slots that the struct takes."""
    placed = []
    slot = byte = 0
    for member in struct["members"]:
        size, whole = _size(member["typeName"])
        if byte and (whole or byte + size > _SLOT):
            slot, byte = slot + 1, 0
        placed.append((slot, byte, min(size, _SLOT)))
        if whole:
            slot += size // _SLOT
        else:
            byte += size
    return placed, slot + (1 if byte else 0)


def _size(kind: Node) -> tuple[int, bool]:
    """Return a type's bytes, and whether it begins and ends with a slot."""
    text = str(kind["typeDescriptions"]["typeString"])
    if kind["nodeType"] == "ArrayTypeName" and kind.get("length"):
        size, _ = _size(kind["baseType"])
        return _SLOT * int(kind["length"]["value"]) * (-(-size // _SLOT)), True
    declared = model().nodes.get(kind.get("referencedDeclaration"), {})
    if declared.get("nodeType") == "StructDefinition":
        return _SLOT * _lay(declared)[1], True
    if text.startswith(("mapping", "string")) or text.endswith("[]") or text.split(maxsplit=1)[0] == "bytes":
        return _SLOT, True
    bits = re.fullmatch(r"u?int(\d+)", text)
    if bits:
        return int(bits[1]) // 8, False
    fixed = re.fullmatch(r"bytes(\d+)", text)
    return (int(fixed[1]) if fixed else _SIZES[text.split(maxsplit=1)[0]]), False
