# SPDX-License-Identifier: Apache-2.0
"""Compiles the contracts by py-solc-x and tools/solc into the artifacts; needs a source checkout."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from eth_hash.auto import keccak

from stoken.errors import InvalidInputError, StartupError

CHECKOUT: Final = Path(__file__).resolve().parents[2]
ARTIFACTS: Final = Path(__file__).resolve().parent / "artifacts"
LIBRARIES: Final = "node_modules"
PROXY: Final = "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol"
#: Interfaces with an artifact of their own, since something needs their ABI alone.
INTERFACES: Final = ("Refusals",)
#: Contracts whose fallback leads to a second part, with that part and the interface that both answer together.
MERGED: Final[Mapping[str, tuple[str, str]]] = {"SecurityToken": ("SecurityTokenExtension", "ISecurityToken")}
#: One bytecode for every engine: see docs/adr/0001. Nothing is appended, so that equal sources give equal bytes.
SETTINGS: Final[Mapping[str, Any]] = {
    "evmVersion": "london",
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "optimizer": {"enabled": True, "runs": 200},
    "viaIR": True,
}
_OUTPUTS: Final = [
    "abi",
    "evm.bytecode.object",
    "evm.bytecode.linkReferences",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
]

Json = dict[str, Any]


def build(checkout: Path = CHECKOUT, folder: Path = ARTIFACTS) -> list[str]:
    """Compile and write the artifacts, removing those without a contract; return the names of what changed."""
    contents = compile_artifacts(checkout)
    changed = _differences(contents, folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in contents:
            _file(folder, name).write_text(contents[name])
        else:
            _file(folder, name).unlink()
    return changed


def check(checkout: Path = CHECKOUT, folder: Path = ARTIFACTS) -> None:
    """Raise StartupError that names the artifacts that do not match the sources."""
    changed = _differences(compile_artifacts(checkout), folder)
    if changed:
        raise StartupError(
            f"artifacts do not match the contracts: {', '.join(changed)} (run stoken contracts build)",
            {"artifacts": ", ".join(changed)},
        )


def compile_artifacts(checkout: Path) -> dict[str, str]:
    """Return the content of each artifact's file by contract name."""
    output, version = _compile(checkout)
    ours = {
        name: contract
        for source, unit in output["contracts"].items()
        for name, contract in unit.items()
        if _is_published(source, name, contract)
    }
    settings = {**SETTINGS, "compiler": version}
    everything = {name: contract for unit in output["contracts"].values() for name, contract in unit.items()}
    for name in ours.keys() & MERGED.keys():
        part, promise = MERGED[name]
        ours[name] = {**ours[name], "abi": merge(*(everything[each]["abi"] for each in (name, part, promise)))}
    return {name: _render(name, contract, settings) for name, contract in sorted(ours.items())}


def merge(first: list[Json], second: list[Json], promised: list[Json]) -> list[Json]:
    """Return the ABI of two parts behind one address, with errors and events of the interface.

    Raises InvalidInputError for a function of the interface that neither part answers as promised.
    """
    found = {_key(entry): entry for entry in [*second, *first] if entry["type"] != "fallback"}
    for entry in promised:
        answer = found.setdefault(_key(entry), entry) if entry["type"] != "function" else found.get(_key(entry))
        if answer is None or _types(answer.get("outputs", ())) != _types(entry.get("outputs", ())):
            raise InvalidInputError(f"no part of the contract answers {entry['name']} as its interface says")
    return list(found.values())


def _key(entry: Json) -> tuple[str, str, tuple[str, ...]]:
    # There is one constructor, whatever it takes.
    return (entry["type"], entry.get("name", ""), _types(entry.get("inputs", ())) if "name" in entry else ())


def _types(arguments: Iterable[Json]) -> tuple[str, ...]:
    return tuple(_type(argument) for argument in arguments)


def _type(argument: Json) -> str:
    """Return an argument's type, a tuple's with its components."""
    if "components" not in argument:
        return str(argument["type"])
    inner = ",".join(_type(component) for component in argument["components"])
    return f"({inner}){argument['type'].removeprefix('tuple')}"


def _differences(contents: Mapping[str, str], folder: Path) -> list[str]:
    present = {file.stem: file.read_text() for file in folder.glob("*.json")}
    return sorted(name for name in present.keys() | contents.keys() if present.get(name) != contents.get(name))


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


# --- compiling --------------------------------------------------------------------------------------------------------


def _compile(checkout: Path) -> tuple[Json, str]:
    compiler = checkout / "tools/solc"
    if not compiler.exists() or not (checkout / "contracts").is_dir():
        raise InvalidInputError("contracts are built in a source checkout; an installed stoken carries the artifacts")
    try:
        from solcx import compile_standard  # noqa: PLC0415 - a tool of the checkout, absent where stoken is installed
        from solcx.exceptions import SolcError  # noqa: PLC0415
        from solcx.wrapper import get_version_str_from_solc_binary  # noqa: PLC0415
    except ImportError as error:
        raise InvalidInputError("contracts are built with py-solc-x, which is not installed: make setup") from error
    request = {
        "language": "Solidity",
        "sources": _sources(checkout),
        "settings": {**SETTINGS, "outputSelection": {"*": {"*": _OUTPUTS}}},
    }
    try:
        output: Json = compile_standard(request, solc_binary=compiler, base_path=checkout / LIBRARIES)
    except SolcError as error:
        raise InvalidInputError(f"contracts do not compile: {_first_error(error.stdout_data or '')}") from error
    return output, get_version_str_from_solc_binary(compiler)


def _first_error(stdout: str) -> str:
    """Return file and message of the first error in solc's answer."""
    try:
        errors = [error for error in json.loads(stdout)["errors"] if error["severity"] == "error"]
        first: Json = errors[0]
    except (ValueError, KeyError, IndexError):
        return stdout.strip().split("\n", maxsplit=1)[0] or "the compiler gave no reason"
    place = first.get("sourceLocation", {}).get("file", "")
    return f"{place}: {first['message']}" if place else str(first["message"])


def _sources(checkout: Path) -> dict[str, Json]:
    """Return our sources and the proxy; the compiler reads what they import from the libraries."""
    found = {path.relative_to(checkout).as_posix(): path for path in (checkout / "contracts").rglob("*.sol")}
    found[PROXY] = checkout / LIBRARIES / PROXY
    return {name: {"content": found[name].read_text()} for name in sorted(found)}


# --- artifacts --------------------------------------------------------------------------------------------------------


def _is_published(source: str, name: str, contract: Json) -> bool:
    """Say whether a contract gets an artifact: what can be deployed (no abstract contract, no inlined library)."""
    if name in INTERFACES or source == PROXY:
        return name != "Proxy"
    return source.startswith("contracts/") and bool(contract["evm"]["bytecode"]["object"]) and bool(contract["abi"])


def _render(name: str, contract: Json, settings: Mapping[str, Any]) -> str:
    code, runtime = contract["evm"]["bytecode"], contract["evm"]["deployedBytecode"]
    if code["linkReferences"]:
        raise InvalidInputError(f"{name} would need a deployed library; libraries of the suite are internal")
    artifact = {
        "abi": contract["abi"],
        "bytecode": f"0x{code['object']}",
        "immutables": sorted(_immutables(runtime.get("immutableReferences", {}))),
        "name": name,
        # The compiler leaves zeros where the constructor writes the immutables.
        "runtime_hash": f"0x{keccak(bytes.fromhex(runtime['object'])).hex()}",
        "settings": settings,
    }
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def _immutables(references: Json) -> Iterator[tuple[int, int]]:
    for places in references.values():
        for place in places:
            yield place["start"], place["length"]
