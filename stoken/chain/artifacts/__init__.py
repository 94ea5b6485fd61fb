# SPDX-License-Identifier: Apache-2.0
"""The compiled contracts, kept as package data so that an installed stoken needs no compiler."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec

from stoken.errors import NotFoundError

_SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract; an interface has no bytecode.

    `runtime_hash` is keccak256 of the runtime code with its immutables zero, as the compiler writes it: zero the
    `immutables` (offset, length) of deployed code before comparing, or call `hash_of`.
    """

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    runtime_hash: bytes
    immutables: tuple[tuple[int, int], ...]
    settings: Mapping[str, Any]

    def hash_of(self, code: bytes) -> bytes:
        """Return what `runtime_hash` must equal if `code`, as a node has it, is this contract's."""
        from eth_hash.auto import keccak  # noqa: PLC0415 - slow to import, and needed by verifiers alone

        zeroed = bytearray(code)
        for offset, length in self.immutables:
            zeroed[offset : offset + length] = bytes(length)
        return keccak(zeroed)


@cache
def load(name: str) -> Artifact:
    """Return a contract's artifact; raises NotFoundError for a name that is not in the suite."""
    file = resources.files(__name__) / f"{name}{_SUFFIX}"
    if not file.is_file():
        raise NotFoundError(f"there is no artifact {name}")
    return decode(file.read_bytes())


def names() -> list[str]:
    """Return the names of all artifacts."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX))


def decode(content: bytes) -> Artifact:
    """Return the artifact that a file's content describes."""
    fields = msgspec.json.decode(content)
    return Artifact(
        name=fields["name"],
        abi=fields["abi"],
        bytecode=bytes.fromhex(fields["bytecode"][2:]),
        runtime_hash=bytes.fromhex(fields["runtime_hash"][2:]),
        immutables=tuple((offset, length) for offset, length in fields["immutables"]),
        settings=fields["settings"],
    )
