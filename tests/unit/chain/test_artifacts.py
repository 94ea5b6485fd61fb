# SPDX-License-Identifier: Apache-2.0
"""Artifacts as they are stored, loaded and compared with deployed code."""

import json

import pytest
from eth_hash.auto import keccak

from stoken.chain import artifacts
from stoken.errors import NotFoundError

RUNTIME = bytes.fromhex("60017f") + bytes(32) + b"\x50"


def content(**changes: object) -> bytes:
    fields = {
        "name": "Till",
        "abi": [{"type": "function", "name": "open", "inputs": [], "outputs": [], "stateMutability": "view"}],
        "bytecode": "0x6001",
        "runtime_hash": f"0x{keccak(RUNTIME).hex()}",
        "immutables": [[3, 32]],
        "settings": {"evmVersion": "london"},
    }
    return json.dumps(fields | changes).encode()


class TestDecode:
    def test_hex_becomes_bytes(self) -> None:
        artifact = artifacts.decode(content())
        assert (artifact.name, artifact.bytecode, artifact.immutables) == ("Till", b"\x60\x01", ((3, 32),))

    def test_an_interface_has_no_bytecode(self) -> None:
        assert artifacts.decode(content(bytecode="0x")).bytecode == b""


class TestHashOf:
    DEPLOYED = RUNTIME[:3] + bytes.fromhex("ab" * 32) + RUNTIME[35:]

    def test_an_immutable_makes_no_difference(self) -> None:
        artifact = artifacts.decode(content())
        assert artifact.hash_of(self.DEPLOYED) == artifact.hash_of(RUNTIME) == artifact.runtime_hash

    def test_any_other_byte_does(self) -> None:
        artifact = artifacts.decode(content())
        assert artifact.hash_of(self.DEPLOYED[:-1] + b"\x51") != artifact.runtime_hash


class TestLoad:
    def test_an_unknown_name_is_one_clear_error(self) -> None:
        with pytest.raises(NotFoundError, match="there is no artifact Nothing"):
            artifacts.load("Nothing")

    def test_the_same_object_comes_back(self) -> None:
        assert artifacts.load("ERC1967Proxy") is artifacts.load("ERC1967Proxy")


class TestNames:
    def test_every_name_loads_as_itself(self) -> None:
        assert {name: artifacts.load(name).name for name in artifacts.names()} == {n: n for n in artifacts.names()}

    def test_everything_was_compiled_alike(self) -> None:
        assert len({json.dumps(artifacts.load(name).settings) for name in artifacts.names()}) == 1

    def test_no_contract_exceeds_the_size_that_engines_deploy(self) -> None:
        assert max(len(artifacts.load(name).bytecode) for name in artifacts.names()) < 24_576 + 1_024
