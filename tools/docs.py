# SPDX-License-Identifier: Apache-2.0
"""Write the reference pages from the code that they describe. `--check` compares instead."""

import json
import pkgutil
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from time import time, time_ns
from types import SimpleNamespace
from typing import Any

import typer
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import stoken
from stoken.cli import GROUPS
from stoken.domain.codes import Role
from stoken.domain.refusals import REFUSALS, Refusal, error_name
from stoken.errors import RefusedError, StokenError
from stoken.gateway.app import create_app
from stoken.gateway.demo_issuer import DemoIssuer
from stoken.gateway.problems import render
from stoken.settings import AuthSettings, Settings
from stoken.telemetry.metrics import METRICS
from tools import contract_pages, rule_pages
from tools.pages import REFERENCE, ROOT, Json, page, table

ARTIFACTS = ROOT / "stoken/chain/artifacts"
CONTRACTS = ROOT / "contracts"
NOTES = ROOT / "tools/problems.toml"
_FIX_OTHER = 99


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
    for module in pkgutil.walk_packages(stoken.__path__, "stoken."):
        # Alembic's scripts and programs run when they are imported.
        if not module.name.startswith("stoken.migrations.") and not module.name.endswith("__main__"):
            import_module(module.name)
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


def _problem(code: str, title: str, facts: list[str], notes: Json) -> str:
    if code not in notes:
        raise SystemExit(f"tools/problems.toml says nothing of {code}")
    note = notes[code]
    lines = "\n".join(f"* {fact}" for fact in facts)
    return f"### {code}\n\n{title}\n\n{note['meaning']}\n\nWhat to do: {note['remedy']}\n\n{lines}"


def problems_page() -> str:
    """Return the page of problems: every refusal, then every other error."""
    notes = tomllib.loads(NOTES.read_text())
    refusals = [_problem(code, mean.title, _refusal_facts(code), notes) for code, mean in REFUSALS.items()]
    others = [
        _problem(code, title, [f"HTTP status: {status}", f"Worth a retry: {'yes' if again else 'no'}"], notes)
        for code, (title, status, again) in sorted(errors_of_stoken().items())
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


# --- commands ---------------------------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, Any]]:
    """Yield each command with its full name, groups before what they hold."""
    for name, (module, _) in GROUPS.items():
        yield from _walk(f"stoken {name}", typer.main.get_command(import_module(module).app))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - Typer's own class is private
    yield name, command
    for part, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _walk(f"{name} {part}", inner)


def _parameter(parameter: Any) -> tuple[str, str, str]:  # noqa: ANN401 - Typer's own class is private
    option = parameter.param_type_name == "option"
    names = [*parameter.opts, *parameter.secondary_opts] if option else [parameter.name.upper()]
    default = "required" if parameter.required else "none" if parameter.default is None else f"`{parameter.default}`"
    if option and getattr(parameter, "is_flag", False):
        default = "off" if not parameter.default else "on"
    return ", ".join(f"`{name}`" for name in names), " ".join((parameter.help or "").split()), default


def _command(name: str, command: Any) -> str:  # noqa: ANN401 - Typer's own class is private
    text = " ".join((command.help or "").split())
    if getattr(command, "commands", None):
        return f"## {name}\n\n{text}"
    rows = [_parameter(parameter) for parameter in command.params if parameter.name not in {"help", "version"}]
    level = "##" if name.count(" ") == 1 else "###"
    return f"{level} {name}\n\n{text}\n\n" + (
        table(("argument or option", "what it says", "default"), rows) if rows else ""
    )


def commands_page() -> str:
    """Return the page of commands."""
    introduction = (
        "Every command takes `--help` and ends with 0, or with one line on standard error: 1 for what stoken refuses "
        "or cannot do, 2 for a wrong call. Settings come from the [environment](settings.md)."
    )
    return page("Commands", "stoken/cli", introduction, [_command(name, command) for name, command in commands()])


# --- HTTP -------------------------------------------------------------------------------------------------------------


def openapi() -> Json:
    """Return the gateway's OpenAPI document; no service is started."""
    services: Any = SimpleNamespace(token_key=DemoIssuer.generate(time).public_pem, auth=AuthSettings(), clock=time_ns)
    return create_app(services).openapi()


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield each operation under its method and path."""
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _schema_name(schema: Json) -> str:
    """Return how a page names a schema: a link where it is a component."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(_schema_name(choice) for choice in schema[word])
    if schema.get("type") == "array":
        return f"list of {_schema_name(schema.get('items', {}))}"
    if "const" in schema or "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kind = str(schema.get("format") or schema.get("type") or "any")
    return f"{kind} `{schema['pattern']}`" if "pattern" in schema else kind


def _content(part: Json) -> str:
    return ", ".join(_schema_name(media.get("schema", {})) for media in part.get("content", {}).values()) or "nothing"


def _operation(name: str, operation: Json) -> str:
    text = str(operation.get("description") or operation.get("summary") or "")
    roles = operation.get("x-roles", ())
    facts = ["Roles: any" if len(roles) == len(Role) else f"Roles: {', '.join(roles) or 'none needed'}"]
    facts += [
        f"`{parameter['name']}` ({parameter['in']}): {_schema_name(parameter.get('schema', {}))}"
        for parameter in operation.get("parameters", ())
    ]
    if "requestBody" in operation:
        facts.append(f"Body: {_content(operation['requestBody'])}")
    facts += [
        f"{status}: {_content(answer)}" for status, answer in operation["responses"].items() if status != "default"
    ]
    return f"## {name}\n\n{text}\n\n" + "\n".join(f"* {fact}" for fact in facts)


def _component(name: str, schema: Json) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (f"`{field}`", _schema_name(part), "yes" if field in required else "no", str(part.get("description", "")))
        for field, part in schema.get("properties", {}).items()
    ]
    text = " ".join(str(schema.get("description", "")).split())
    fields = table(("field", "type", "required", "what it says"), rows) if rows else _schema_name(schema)
    return f"### {name}\n\n{text}\n\n{fields}"


def http_page() -> str:
    """Return the page of HTTP operations and schemas."""
    document = openapi()
    introduction = (
        "Amounts are decimal strings of whole units or won, addresses and hashes are hexadecimal with `0x`. Every "
        "route that names roles needs an access token with one of them. Every error is a [problem](problems.md). The "
        "same document, for programs, is served at `/openapi.json`."
    )
    parts = [_operation(name, operation) for name, operation in operations(document)]
    parts.append("## Schemas")
    parts += [_component(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    text = page("HTTP", "the gateway's OpenAPI document", introduction, parts)
    return text.replace("\n\n\n\n", "\n\n")


# --- main -------------------------------------------------------------------------------------------------------------

# --- metrics ----------------------------------------------------------------------------------------------------------


def metrics_page() -> str:
    """Return the page of metrics."""
    rows = [
        (f"`{name}`", metric.kind, ", ".join(f"`{label}`" for label in metric.labels) or "none", metric.says)
        for name, metric in METRICS.items()
    ]
    introduction = (
        "What `stoken work`, and `stoken serve --with-worker`, show to Prometheus at `/metrics` of "
        "`STOKEN_MONITORING__PORT`. Counters begin at 0 with the process; what comes from the database does not."
    )
    columns = ("metric", "kind", "labels", "what it says")
    return page("Metrics", "stoken/telemetry/metrics.py", introduction, [table(columns, rows)])


PAGES: dict[Path, Callable[[], str]] = {
    REFERENCE / "commands.md": commands_page,
    REFERENCE / "settings.md": settings_page,
    REFERENCE / "problems.md": problems_page,
    REFERENCE / "events.md": events_page,
    REFERENCE / "http.md": http_page,
    REFERENCE / "metrics.md": metrics_page,
    REFERENCE / "transfer-rules.md": rule_pages.rules_page,
} | contract_pages.pages()


def main() -> int:
    """Write each page, or with `--check` say which one is stale."""
    rendered = {path: render() for path, render in PAGES.items()}
    stale = [path for path, text in rendered.items() if not path.exists() or path.read_text() != text]
    gone = [path for path in contract_pages.FOLDER.glob("*.md") if path not in PAGES]
    if "--check" in sys.argv:
        for path in stale + gone:
            print(f"stale: {path.relative_to(ROOT)} (run python tools/docs.py)")
        return 1 if stale or gone else 0
    for path in gone:
        path.unlink()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
