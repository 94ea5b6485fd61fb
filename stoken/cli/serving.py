# SPDX-License-Identifier: Apache-2.0
"""`stoken serve`: the gateway's process, with or without the worker in it."""

import asyncio
import contextlib
import errno
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Annotated, Final

import typer
import uvicorn
import uvloop
from typing_extensions import override

from stoken import bootstrap
from stoken.cli.output import Json, emit
from stoken.errors import StartupError, StokenError
from stoken.gateway.app import create_app
from stoken.gateway.counting import Counted
from stoken.monitoring.listener import listening as monitored
from stoken.settings import Settings, load_settings
from stoken.telemetry import logs
from stoken.worker import Worker

app = typer.Typer(help="Run the gateway.", add_completion=False)
#: What is under way when a signal comes has this long to finish.
DRAIN_SECONDS: Final = 25


@app.command()
def serve(
    *,
    with_worker: Annotated[bool, typer.Option("--with-worker", help="Run the worker in this process too.")] = False,
    json: Json = False,
) -> None:
    """Run the gateway: HTTP and the venue, until SIGTERM or SIGINT."""
    logs.configure()
    settings = load_settings()
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(contextlib.closing(_listen(settings.host, settings.port)))
        services = bootstrap.worker(settings) if with_worker else None
        gateway = bootstrap.gateway(settings)
        stack.enter_context(_monitored(settings, gateway, services))
        carrier = None if services is None else Worker(services.steps, ran=services.monitor.ran)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(gateway.start())
            _announce(settings, listening, as_json=json)
            runner.run(_run(gateway, listening, carrier))


def _monitored(
    settings: Settings, gateway: bootstrap.Gateway, services: bootstrap.WorkerServices | None
) -> contextlib.AbstractContextManager[str | None]:
    """Show the gateway's metrics, with a worker beside its own: then health is the worker's."""
    if services is None:
        return monitored(gateway.monitor, settings.monitoring)
    return monitored(services.monitor, settings.monitoring, gateway.monitor)


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else, so that a second gateway touches nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2_048)
    except OSError as error:
        listening.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be taken: {error.strerror}"
        raise StartupError(f"port {port} on {host} {reason}") from error
    return listening


def _announce(settings: Settings, listening: socket.socket, *, as_json: bool) -> None:
    url = f"http://{settings.host}:{listening.getsockname()[1]}"
    emit({"url": url}, [f"stoken serves {url}"], as_json=as_json)
    sys.stdout.flush()


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again after a clean end."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        yield

    def end(self) -> None:
        """Take no more requests, finish those under way, and return."""
        self.should_exit = True


async def _run(gateway: bootstrap.Gateway, listening: socket.socket, worker: Worker | None) -> None:
    config = uvicorn.Config(
        Counted(create_app(gateway.services), gateway.monitor),
        access_log=False,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(config)
    feed = asyncio.create_task(gateway.feed.run())
    feed.add_done_callback(lambda _: server.end())
    failed = _Background(worker, server) if worker else None
    await server.serve(sockets=[listening])
    gateway.monitor.enter(None)
    feed.cancel()
    await asyncio.gather(feed, return_exceptions=True)
    await gateway.services.actor.stop()
    if failed is not None:
        failed.finish()
    failure = gateway.services.actor.failure
    if failure is not None:
        raise failure if isinstance(failure, StokenError) else StartupError(f"the venue ended: {failure}")


class _Background:
    """The worker in a thread of this process; when it ends, the gateway ends with it."""

    def __init__(self, worker: Worker, server: _Server) -> None:
        self._worker = worker
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._failure: StokenError | None = None
        self._thread = threading.Thread(target=self._run, name="worker")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._worker.run()
        except StokenError as error:
            self._failure = error
        self._loop.call_soon_threadsafe(self._server.end)

    def finish(self) -> None:
        """Let the worker finish its step; raise what ended it."""
        self._worker.stop()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
