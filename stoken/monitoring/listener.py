# SPDX-License-Identifier: Apache-2.0
"""A small HTTP server of its own: /metrics, /health/live and /health/ready, for those who watch the machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final, Protocol

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from stoken.errors import StartupError
from stoken.settings import MonitoringSettings
from stoken.telemetry.metrics import CONTENT_TYPE

_JSON: Final = "application/json"
_OK: Final = 200
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503
#: A client that says nothing for so long is let go.
_TIMEOUT_SECONDS: Final = 10
_log = structlog.get_logger(__name__)

_Answer = tuple[int, str, bytes]


class Stands(Protocol):
    """Whether a process is ready, and whatever else it says of itself: a struct."""

    @property
    def ready(self) -> bool:
        """Whether others may rely on it."""


class Watched(Protocol):
    """A part of a process that says how it stands; asked from another thread than its own."""

    def metrics(self) -> bytes:
        """Return every metric as Prometheus reads it."""

    def is_live(self) -> bool:
        """Tell whether it goes on."""

    def standing(self) -> Stands:
        """Say whether others may rely on it."""


def answer(monitor: Watched, path: str, *beside: Watched) -> _Answer:
    """Return status, type and body of what stands at a path; `beside` are parts of which the metrics are shown too."""
    if path == "/metrics":
        return _OK, CONTENT_TYPE, b"".join(each.metrics() for each in (monitor, *beside))
    if path == "/health/live":
        live = monitor.is_live()
        return _OK if live else _UNAVAILABLE, _JSON, msgspec.json.encode({"live": live})
    if path == "/health/ready":
        standing = monitor.standing()
        return _OK if standing.ready else _UNAVAILABLE, _JSON, msgspec.json.encode(standing)
    return _NOT_FOUND, _JSON, b"{}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    watched: tuple[Watched, ...]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _TIMEOUT_SECONDS

    def do_GET(self) -> None:
        """Answer; a database that is gone is no readiness."""
        try:
            status, kind, body = self._answer()
        except SQLAlchemyError as error:
            _log.warning("monitoring.unavailable", reason=type(error).__name__)
            status, kind, body = _UNAVAILABLE, _JSON, b'{"ready":false,"alarms":["database"]}'
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self) -> _Answer:
        monitor, *beside = self.server.watched
        return answer(monitor, self.path.partition("?")[0], *beside)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a look every few seconds is no event."""


@contextmanager
def listening(monitor: Watched, settings: MonitoringSettings, *beside: Watched) -> Iterator[str | None]:
    """Listen while the process runs, and give the address; None where no port is set.

    Health is the first part's; `beside` are those of which the metrics are shown too.
    """
    if settings.port is None:
        yield None
        return
    try:
        server = _Server((settings.host, settings.port), _Handler)
    except OSError as error:
        raise StartupError(f"port {settings.port} on {settings.host} cannot be taken: {error.strerror}") from error
    server.watched = (monitor, *beside)
    thread = Thread(target=server.serve_forever, args=(0.1,), name="monitoring", daemon=True)
    thread.start()
    url = f"http://{settings.host}:{server.server_address[1]}"
    _log.info("monitoring.listening", url=url)
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
