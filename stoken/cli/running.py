# SPDX-License-Identifier: Apache-2.0
"""Runs one group of commands; whatever goes wrong is one line on standard error and an exit code."""

import json
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import TracebackType
from typing import Final

import typer
from pydantic import ValidationError

from stoken.errors import InvalidInputError, StokenError

FAILED: Final = 1
_INTERRUPTED: Final = 128 + signal.SIGINT


def run(module: str, name: str, arguments: Sequence[str]) -> int:
    """Run a group's Typer application; return the exit code."""
    as_json = name != "demo" and "--json" in arguments
    sys.excepthook = _one_line
    command = typer.main.get_command(import_module(module).app)
    try:
        result = command.main(args=list(arguments), prog_name=f"stoken {name}", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED
    except typer.TyperException as error:
        _fail(_UsageError(f"{error.format_message()} (see stoken {name} --help)"), as_json=as_json)
        return error.exit_code
    except (StokenError, ValidationError, OSError) as error:
        return _fail(_explain(error), as_json=as_json)
    return result if isinstance(result, int) else 0


class _UsageError(StokenError):
    code = "USAGE"
    title = "The command was not understood."


def _explain(error: StokenError | ValidationError | OSError) -> StokenError:
    if isinstance(error, StokenError):
        return error
    if isinstance(error, ValidationError):
        return _setting_at_fault(error)
    where = f"{error.filename}: " if error.filename else ""
    return InvalidInputError(f"{where}{error.strerror or error}")


def _fail(error: StokenError, *, as_json: bool) -> int:
    message = " ".join(str(error).split())
    line = json.dumps({"code": error.code, "detail": message, "details": error.details}) if as_json else message
    prefix = "" if as_json else f"stoken: {error.code}: "
    sys.stderr.write(f"{prefix}{line}\n")
    return FAILED


def _setting_at_fault(error: ValidationError) -> StokenError:
    first = error.errors()[0]
    name = "STOKEN_" + "__".join(str(part).upper() for part in first["loc"])
    return InvalidInputError(f"setting {name}: {first['msg']}", {"field": name})


def _one_line(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    sys.stderr.write(f"stoken: INTERNAL: {kind.__name__}: {' '.join(str(error).split())}\n")
