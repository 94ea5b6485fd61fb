# SPDX-License-Identifier: Apache-2.0
"""Where the contract suite stands: `suite.json`, written by the deployment and read by everything else."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from stoken.errors import StartupError


class Suite(msgspec.Struct, frozen=True):
    """The contracts' addresses by name (as `stoken.ledger.signatures.ContractKind`), and the chain they are on."""

    chain_id: int
    genesis_hash: bytes
    deploy_block: int
    contracts: Mapping[str, bytes]

    def __getitem__(self, name: str) -> bytes:
        """Return a contract's address; raises StartupError where the suite has none of this name."""
        try:
            return self.contracts[name]
        except KeyError as error:
            raise StartupError(f"the suite has no contract {name}: deploy it with this version of stoken") from error


def load(path: Path) -> Suite:
    """Read a suite file; raises StartupError in one line where it is missing or malformed."""
    try:
        raw = msgspec.json.decode(path.read_bytes())
        return Suite(
            chain_id=int(raw["chain_id"]),
            genesis_hash=_bytes(raw["genesis_hash"]),
            deploy_block=int(raw["deploy_block"]),
            contracts={name: _bytes(address) for name, address in raw["contracts"].items()},
        )
    except OSError as error:
        raise StartupError(f"no suite at {path}: run `stoken contracts deploy`") from error
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StartupError(f"the suite file {path} is malformed") from error


def save(suite: Suite, path: Path) -> None:
    """Write a suite file as a whole or not at all."""
    content: dict[str, Any] = {
        "chain_id": suite.chain_id,
        "genesis_hash": _hex(suite.genesis_hash),
        "deploy_block": suite.deploy_block,
        "contracts": {name: _hex(address) for name, address in sorted(suite.contracts.items())},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"


def _bytes(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("0x"))
