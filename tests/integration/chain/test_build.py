# SPDX-License-Identifier: Apache-2.0
"""Contracts become artifacts: a small checkout is compiled by the real compiler."""

import json
from pathlib import Path

import pytest

from stoken.chain import artifacts, build
from stoken.errors import InvalidInputError, StartupError

TILL = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
abstract contract Base { uint256 public immutable limit; constructor(uint256 limit_) { limit = limit_; } }
contract Till is Base(7), Ownable(msg.sender) {
    function double() external view returns (uint256) { return 2 * limit; }
}
"""


def checkout_at(folder: Path, source: str) -> Path:
    for part in ("tools", "node_modules"):
        (folder / part).symlink_to(build.CHECKOUT / part)
    (folder / "contracts").mkdir()
    (folder / "contracts/Till.sol").write_text(source)
    return folder


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout_at(tmp_path_factory.mktemp("checkout"), TILL)


@pytest.fixture(scope="module")
def built(checkout: Path) -> dict[str, str]:
    return build.compile_artifacts(checkout)


@pytest.fixture
def folder(tmp_path: Path, built: dict[str, str]) -> Path:
    for name, content in built.items():
        (tmp_path / f"{name}.json").write_text(content)
    return tmp_path


class TestCompileArtifacts:
    def test_only_what_can_be_deployed_has_one_with_the_proxy(self, built: dict[str, str]) -> None:
        assert list(built) == ["ERC1967Proxy", "Till"]

    def test_it_says_how_it_was_compiled(self, built: dict[str, str]) -> None:
        till = artifacts.decode(built["Till"].encode())
        assert till.settings["compiler"].startswith("0.8.30+commit.")
        assert till.settings["evmVersion"] == "london"
        assert {length for _, length in till.immutables} == {32}

    def test_a_source_with_an_error_is_named_in_one_line(self, tmp_path: Path) -> None:
        broken = checkout_at(tmp_path, "pragma solidity 0.8.30; contract Till { uint x = ; }")
        with pytest.raises(InvalidInputError, match=r"^contracts do not compile: contracts/Till.sol: [^\n]+$"):
            build.compile_artifacts(broken)

    def test_without_a_checkout_it_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError, match="source checkout"):
            build.compile_artifacts(tmp_path)


class TestBuild:
    def test_stale_files_are_written_anew_and_equal_ones_kept(self, checkout: Path, folder: Path) -> None:
        (folder / "Till.json").unlink()
        assert build.build(checkout, folder) == ["Till"]
        assert (folder / "Till.json").exists()

    def test_what_has_no_contract_any_more_goes(self, checkout: Path, folder: Path) -> None:
        (folder / "Gone.json").write_text("{}")
        assert build.build(checkout, folder) == ["Gone"]
        assert not (folder / "Gone.json").exists()


class TestCheck:
    def test_equal_sources_give_equal_bytes(self, checkout: Path, folder: Path) -> None:
        build.check(checkout, folder)

    def test_a_changed_byte_is_named(self, checkout: Path, folder: Path) -> None:
        fields = json.loads((folder / "Till.json").read_text())
        fields["bytecode"] = f"{fields['bytecode'][:-2]}00"
        (folder / "Till.json").write_text(json.dumps(fields))
        with pytest.raises(StartupError, match="artifacts do not match the contracts: Till "):
            build.check(checkout, folder)
