# SPDX-License-Identifier: Apache-2.0
"""Structured logs on standard error: one JSON object a line, or text at a terminal."""

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger


def configure(*, level: int = logging.INFO, json: bool | None = None) -> None:
    """Set up the process's logs once; without `json` a terminal gets text and everything else JSON."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _hex_bytes,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _hex_bytes(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Show addresses and hashes as they are written everywhere else."""
    return {name: f"0x{value.hex()}" if isinstance(value, bytes) else value for name, value in event.items()}
