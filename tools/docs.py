# SPDX-License-Identifier: Apache-2.0
"""Write the reference pages from the code that they describe. `--check` compares instead."""

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from stoken.domain.refusals import REFUSALS, Refusal, error_name
from stoken.errors import RefusedError, StokenError
from stoken.gateway.problems import render
from stoken.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs/reference"
ARTIFACTS = ROOT / "stoken/chain/artifacts"
CONTRACTS = ROOT / "contracts"
NOTES = ROOT / "tools/problems.toml"
_FIX_OTHER = 99

Json = Mapping[str, Any]


def page(title: str, source: str, introduction: str, parts: list[str]) -> str:
    """Return a reference page that says where it comes from."""
    head = f"<!-- Generated from {source} by tools/docs.py: do not edit. -->\n# {title}\n\n{introduction}\n"
    return head + "".join(f"\n{part.rstrip()}\n" for part in parts)


def table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table; a bar within a cell is escaped."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


# --- settings ---------------------------------------------------------------------------------------------------------


def settings_of(model: type[BaseModel], prefix: str = "STOKEN_") -> Iterator[tuple[str, FieldInfo]]:
    """Yield each variable that a setting is read from, with its field; groups are joined by two underscores."""
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_of(field.annotation, f"{variable}__")
        else:
            yield variable, field


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value is PydanticUndefined:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _bounds(field: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [f"{signs[key]} {getattr(rule, key)}" for rule in field.metadata for key in signs if hasattr(rule, key)]
    return f" ({', '.join(found)})" if found else ""


def settings_page() -> str:
    """Return the page of settings."""
    rows = [
        (f"`{name}`", f"{field.description or ''}{_bounds(field)}", _default(field))
        for name, field in settings_of(Settings)
    ]
    introduction = (
        "Read from the environment when a process starts. A `STOKEN_` variable that is not listed here ends the "
        "process with one line. Passwords, and addresses of databases, are never printed."
    )
    return page("Settings", "stoken/settings.py", introduction, [table(("variable", "what it says", "default"), rows)])


# --- problems ---------------------------------------------------------------------------------------------------------


def errors_of_stoken() -> dict[str, tuple[str, int, bool]]:
    """Return title, status and retryability of each error that is no refusal, by code."""
    found: dict[str, tuple[str, int, bool]] = {}
    kinds: list[type[StokenError]] = [StokenError]
    while kinds:
        kind = kinds.pop(0)
        kinds += kind.__subclasses__()
        if kind is not RefusedError and kind.code not in Refusal.__members__:
            found.setdefault(kind.code, (kind.title, kind.status, kind.retryable))
    return found


def _refusal_facts(code: str) -> list[str]:
    refusal = Refusal(code)
    meaning = REFUSALS[refusal]
    fix = "none: no order can meet it" if meaning.fix is None else str(meaning.fix)
    if meaning.fix == _FIX_OTHER:
        fix += " (other), with the code in Text (58)"
    facts = [
        f"HTTP status: {render(RefusedError(refusal)).status_code}",
        f"FIX OrdRejReason (103): {fix}",
        f"ISO 20022 reason: {meaning.iso or 'none'}",
    ]
    if meaning.arguments is not None:
        facts.append(f"Solidity error: `{error_name(refusal)}({meaning.arguments})`")
    return facts


def _problem(code: str, title: str, facts: list[str], note: Json) -> str:
    lines = "\n".join(f"* {fact}" for fact in facts)
    return f"### {code}\n\n{title}\n\n{note['meaning']}\n\nWhat to do: {note['remedy']}\n\n{lines}"


def problems_page() -> str:
    """Return the page of problems: every refusal, then every other error."""
    notes = tomllib.loads(NOTES.read_text())
    refusals = [_problem(code, mean.title, _refusal_facts(code), notes[code]) for code, mean in REFUSALS.items()]
    others = [
        _problem(code, title, [f"HTTP status: {status}", f"Worth a retry: {'yes' if again else 'no'}"], notes[code])
        for code, (title, status, again) in errors_of_stoken().items()
    ]
    introduction = (
        "Every error answer is `application/problem+json` (RFC 9457). `type` is `/problems/<code>` and `code` is one "
        "of the codes below; `details` holds the values that decided. The command line prints the same on one line. "
        "On chain, a refusal is the custom error of the same meaning."
    )
    parts = ["## Refusals\n\nA rule says no.", *refusals, "## Other errors\n\nNo rule decided.", *others]
    source = "stoken/domain/refusals.py, stoken/errors.py and tools/problems.toml"
    return page("Problems", source, introduction, parts)


# --- events -----------------------------------------------------------------------------------------------------------

_EVENT = re.compile(r"((?:^[ \t]*///[^\n]*\n)+)[ \t]*event\s+(\w+)", re.MULTILINE)


def event_notices() -> dict[str, str]:
    """Return the first NatSpec sentence above each event that our sources declare."""
    notices: dict[str, str] = {}
    for path in sorted(CONTRACTS.rglob("*.sol")):
        for comment, name in _EVENT.findall(path.read_text()):
            words = " ".join(line.strip().removeprefix("///").strip() for line in comment.splitlines())
            notices.setdefault(name, words.removeprefix("@notice ").split(" @")[0].strip())
    return notices


def contract_events() -> dict[str, list[Json]]:
    """Return the events of each contract, from the committed artifacts."""
    found: dict[str, list[Json]] = {}
    for path in sorted(ARTIFACTS.glob("*.json")):
        artifact = json.loads(path.read_text())
        if isinstance(artifact, dict) and "abi" in artifact:
            found[path.stem] = sorted(
                (entry for entry in artifact["abi"] if entry["type"] == "event"), key=lambda entry: str(entry["name"])
            )
    return {name: events for name, events in found.items() if events}


def _type(argument: Json) -> str:
    """Return an argument's type, structs spelled out."""
    if not str(argument["type"]).startswith("tuple"):
        return str(argument["type"])
    inner = ", ".join(f"{_type(part)} {part['name']}" for part in argument["components"])
    return f"({inner}){str(argument['type'])[5:]}"


def _signature(event: Json) -> str:
    arguments = ", ".join(
        " ".join(word for word in (_type(argument), "indexed" if argument["indexed"] else "", argument["name"]) if word)
        for argument in event["inputs"]
    )
    return f"{event['name']}({arguments})"


def events_page() -> str:
    """Return the page of contract events."""
    notices = event_notices()
    parts = []
    for contract, events in contract_events().items():
        lines = [f"## {contract}"]
        lines += [
            f"### {contract}.{event['name']}\n\n{notices.get(event['name'], '')}\n\n`{_signature(event)}`".replace(
                "\n\n\n\n", "\n\n"
            )
            for event in events
        ]
        parts.append("\n\n".join(lines))
    introduction = (
        "What the contracts emit. The register is rebuilt from these arguments alone, never from a call at the latest "
        "block. Events of ERC-20, ERC-3643 and ERC-1967 are those of the standards."
    )
    return page("Events", "the contracts' artifacts", introduction, parts)


# --- main -------------------------------------------------------------------------------------------------------------

PAGES: dict[Path, Callable[[], str]] = {
    REFERENCE / "settings.md": settings_page,
    REFERENCE / "problems.md": problems_page,
    REFERENCE / "events.md": events_page,
}


def main() -> int:
    """Write each page, or with `--check` say which one is stale."""
    rendered = {path: render() for path, render in PAGES.items()}
    stale = [path for path, text in rendered.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)} (run python tools/docs.py)")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
