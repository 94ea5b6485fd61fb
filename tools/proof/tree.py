# SPDX-License-Identifier: Apache-2.0
"""A copy of the project in which a woven contract is compiled, and one Forge test that plays all suites over it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tools.pages import ROOT

_FORGE: Final = ROOT / "node_modules/.bin/forge"
HARNESS: Final = "tests/contracts/Proof.t.sol"
_LINKED: Final = ("tools", ".cache")
#: Answers to the fuzz tests' parameters are drawn by this seed, so that a run can be repeated.
_SEED: Final = 4
_DRAWS: Final = 6
GAS_OF_A_CALL: Final = 2_000_000_000
_CODE_MOST: Final = 2**24
_ROUNDS: Final = 8
_LIMITS: Final = {"FOUNDRY_GAS_LIMIT": str(2**62), "FOUNDRY_MEMORY_LIMIT": str(2**32)}

_CONTRACT: Final = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {{Test}} from "./Test.sol";

interface Cheats {{
    function difficulty(uint256) external;
    function deal(address, uint256) external;
    function envOr(string calldata, bool) external returns (bool);
    function writeFile(string calldata, string calldata) external;
    function snapshotState() external returns (uint256);
    function revertToState(uint256) external returns (bool);
}}

contract ProofTest is Test {{
    error Noticed(string suite, bytes4 test);

    Cheats private constant _CHEATS = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));

{plays}
    function _suite(string memory name, bool hasSetUp, bytes memory calls) private {{
        uint256 before = _CHEATS.snapshotState();
        bytes memory code = vm.getCode(name);
        address made;
        assembly ("memory-safe") {{ made := create(0, add(code, 0x20), mload(code)) }}
        _CHEATS.deal(made, 1e30);
        (bool ready,) = made.call{{gas: {gas}}}(abi.encodeWithSignature("setUp()"));
        if (!ready && hasSetUp) revert Noticed(name, bytes4(keccak256("setUp()")));
        uint256 at = 0;
        while (at < calls.length) {{
            uint256 size = uint256(uint8(calls[at])) << 8 | uint8(calls[at + 1]);
            bytes memory call = new bytes(size);
            for (uint256 i = 0; i < size; i++) call[i] = calls[at + 2 + i];
            uint256 state = _CHEATS.snapshotState();
            (bool passed, bytes memory answer) = made.call{{gas: {gas}}}(call);
            if (!passed && keccak256(answer) != keccak256("FOUNDRY::ASSUME")) revert Noticed(name, bytes4(call));
            _CHEATS.revertToState(state);
            at += 2 + size;
        }}
        _CHEATS.revertToState(before);
    }}
{tests}
}}
"""

_PLAY: Final = """    function _play{number}(uint256 number) private {{
        _CHEATS.difficulty(number);
{suites}
    }}
"""


class Suite(NamedTuple):
    """A test contract: the artifact's name, and its tests as calls."""

    name: str
    calls: tuple[bytes, ...]
    tests: dict[str, str]
    sets_up: bool


class Verdict(NamedTuple):
    """What became of one test of the harness."""

    passed: bool
    reason: str


class Tree:
    """A copy of the project under `build`."""

    def __init__(self, name: str) -> None:
        """Copy the sources and what Forge compiles of them."""
        self.path = ROOT / "build" / name
        self.path.mkdir(parents=True, exist_ok=True)
        for part in _LINKED:
            if not (self.path / part).exists():
                (self.path / part).symlink_to(ROOT / part)
        # Copied, since Forge follows links and would take the libraries for others than it compiled.
        for folder in ("contracts", "tests/contracts", "node_modules/@openzeppelin"):
            _mirror(ROOT / folder, self.path / folder)
        settings = (ROOT / "foundry.toml").read_text().replace('access = "read"', 'access = "read-write"')
        (self.path / "foundry.toml").write_text(settings)
        built = subprocess.run([str(_FORGE), "build"], cwd=ROOT, capture_output=True, text=True, check=False)
        if built.returncode:
            raise SystemExit(built.stdout + built.stderr)
        for folder in ("forge", "forge-cache"):
            shutil.rmtree(self.path / "build" / folder, ignore_errors=True)
            shutil.copytree(ROOT / "build" / folder, self.path / "build" / folder)

    def install(self, codes: dict[str, str]) -> None:
        """Put code in the place of what Forge compiled: its sources stay as they are, so it does not compile again."""
        for path, code in codes.items():
            name = Path(path).stem
            artifact = self.path / "build/forge" / f"{name}.sol" / f"{name}.json"
            content = json.loads(artifact.read_text())
            content["bytecode"]["object"] = f"0x{code}"
            artifact.write_text(json.dumps(content))

    def suites(self, *, every: bool = False) -> list[Suite]:
        """Return the unit tests and fuzz tests but those of cost, and but those that cannot be followed by another."""
        files = [*(ROOT / "tests/contracts/unit").glob("*.t.sol"), *(ROOT / "tests/contracts/fuzz").glob("*.t.sol")]
        found = []
        for file in sorted(files):
            for artifact in sorted((self.path / "build/forge" / file.name).glob("*.json")):
                suite = _suite(file, artifact, every=every)
                if suite.calls and "Cost" not in suite.name:
                    found.append(suite)
        return found

    def passing(self, suites: list[Suite]) -> list[Suite]:
        """Return the suites without what does not pass here even with no fault, and say what that is."""
        left = list(suites)
        doubtful = list(range(len(left)))
        for _ in range(_ROUNDS):
            verdicts = self._alone([left[at] for at in doubtful])
            doubtful = [at for at, verdict in zip(doubtful, verdicts, strict=True) if not verdict.passed]
            if not doubtful:
                return [suite for suite in left if suite.calls]
            named = dict(zip(doubtful, self._without([left[at] for at in doubtful]), strict=True))
            left = [named.get(at, suite) for at, suite in enumerate(left)]
        raise SystemExit("the tests do not pass even without a fault")

    def _alone(self, suites: list[Suite]) -> list[Verdict]:
        tests = "\n".join(f"    function test_{at}() public {{ _play{at}(0); }}" for at in range(len(suites)))
        self.harness([[suite] for suite in suites], tests)
        verdicts = self.run("test_")
        return [verdicts[f"test_{at}"] for at in range(len(suites))]

    def _without(self, suites: list[Suite]) -> list[Suite]:
        """Leave out the tests that do not pass alone; all of a suite where each does."""
        each = [suite._replace(calls=(call,)) for suite in suites for call in suite.calls]
        verdicts = iter(self._alone(each))
        found = []
        for suite in suites:
            failed = {call[:4].hex() for call in suite.calls if not next(verdicts).passed} or set(suite.tests)
            print(f"left out: {suite.name}", *(suite.tests[selector] for selector in failed), flush=True)
            found.append(suite._replace(calls=tuple(call for call in suite.calls if call[:4].hex() not in failed)))
        return found

    def harness(self, orders: list[list[Suite]], tests: str) -> None:
        """Write the test that plays all suites, in each of some orders: `_play0(number)` in the first."""
        plays = []
        for number, suites in enumerate(orders):
            lines = "\n".join(_line(suite) for suite in suites)
            plays.append(_PLAY.format(number=number, suites=lines))
        text = _CONTRACT.format(plays="\n".join(plays), tests=tests, gas=GAS_OF_A_CALL)
        (self.path / HARNESS).write_text(text)

    def run(self, choice: str, *, lanes: int = 1) -> dict[str, Verdict]:
        """Run the harness's tests that match, so many at once."""
        options = ("--match-path", HARNESS, "--match-test", choice, "--json", "-j", str(lanes))
        ran = self._forge("test", *options)
        at = ran.stdout.find("{")
        if at < 0:
            raise SystemExit(ran.stdout + ran.stderr)
        suites: dict[str, Any] = json.loads(ran.stdout[at:])
        return {
            test.removesuffix("()"): Verdict(result["status"] == "Success", result.get("reason") or "")
            for suite in suites.values()
            for test, result in suite["test_results"].items()
        }

    def _forge(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        limit = ("--code-size-limit", str(_CODE_MOST)) if command == "test" else ()
        return subprocess.run(
            [str(_FORGE), command, *options, *limit],
            cwd=self.path,
            env={**os.environ, **_LIMITS},
            capture_output=True,
            text=True,
            check=False,
        )


def _mirror(source: Path, target: Path) -> None:
    """Copy what differs, and remove what is no longer there; unchanged files keep their times."""
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    for part in wanted:
        if not (target / part).exists() or (target / part).read_bytes() != (source / part).read_bytes():
            (target / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / part, target / part)
    for path in list(target.rglob("*")):
        if path.is_file() and path.relative_to(target) not in wanted:
            path.unlink()


def _suite(file: Path, artifact: Path, *, every: bool) -> Suite:
    outlast = set() if every else lasting(file.read_text())
    content = json.loads(artifact.read_text())
    names = [str(entry.get("name")) for entry in content["abi"]]
    tests: dict[str, str] = {}
    calls: list[bytes] = []
    if content["bytecode"]["object"] not in ("0x", ""):
        for entry in sorted(content["abi"], key=lambda entry: str(entry.get("name"))):
            if entry["type"] == "function" and re.match(r"test[_A-Z]", entry["name"]) and entry["name"] not in outlast:
                types = [_type(part) for part in entry["inputs"]]
                selector = keccak(f"{entry['name']}({','.join(types)})".encode())[:4]
                tests[selector.hex()] = entry["name"]
                calls += [selector + data for data in _draws(types, entry["name"])]
    return Suite(f"{file.name}:{artifact.stem}", tuple(calls), tests, "setUp" in names)


def lasting(text: str) -> set[str]:
    """Return the functions that leave in Forge what no snapshot takes back: open pranks, mocks, counted calls."""
    parts = {part.split("(")[0]: part for part in text.split("    function ")[1:]}
    found = {name for name, part in parts.items() if re.search(r"vm\.(expectCall|mockCall)\(", part)}
    found |= {name for name, part in parts.items() if part.count("vm.startPrank(") > part.count("vm.stopPrank(")}
    while True:
        more = {name for name, part in parts.items() if any(f" {other}(" in part for other in found)}
        if more <= found:
            return found
        found |= more


def packed(calls: tuple[bytes, ...]) -> bytes:
    """Return calls, each after its length in two bytes."""
    return b"".join(len(call).to_bytes(2, "big") + call for call in calls)


def _line(suite: Suite) -> str:
    return f'        _suite("{suite.name}", {str(suite.sets_up).lower()}, hex"{packed(suite.calls).hex()}");'


def _type(part: dict[str, Any]) -> str:
    if not part["type"].startswith("tuple"):
        return str(part["type"])
    return f"({','.join(_type(inner) for inner in part['components'])}){part['type'][5:]}"


def _draws(types: list[str], name: str) -> Iterator[bytes]:
    """Yield arguments: none for a test without parameters, else small, large and drawn ones."""
    if not types:
        yield b""
        return
    draw = Random(f"{_SEED}{name}")  # noqa: S311 - tests want what can be repeated
    for _ in range(_DRAWS):
        yield encode(types, [_value(kind, draw) for kind in types])


def _value(kind: str, draw: Random) -> object:
    listed = re.match(r"^(.*)\[(\d*)\]$", kind)
    if listed:
        return [_value(listed[1], draw) for _ in range(int(listed[2] or draw.randrange(1, 9)))]
    if kind.startswith("("):
        return tuple(_value(part, draw) for part in kind[1:-1].split(","))
    return _word(kind, draw)


def _word(kind: str, draw: Random) -> object:
    bits = int(re.sub(r"\D", "", kind) or 256)
    word = draw.getrandbits(draw.choice((1, min(8, bits), bits)))
    length = draw.randrange(40)
    made: dict[str, object] = {
        "bool": word % 2 == 1,
        "address": "0x" + draw.getrandbits(160).to_bytes(20, "big").hex(),
        "bytes": draw.randbytes(length),
        "string": "0" * length,
    }
    if kind in made:
        return made[kind]
    if kind.startswith("bytes"):
        return draw.randbytes(int(kind[5:]))
    return word if kind.startswith("uint") else word - 2 ** (bits - 1)
