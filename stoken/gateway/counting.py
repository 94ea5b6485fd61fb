# SPDX-License-Identifier: Apache-2.0
"""Around the whole application: counts each request with the status that its client got."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stoken.monitoring.venue import GatewayMonitor


class Counted:
    """The application, with every request counted."""

    def __init__(self, app: ASGIApp, monitor: GatewayMonitor) -> None:
        """Take the application and who counts."""
        self._app = app
        self._monitor = monitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note the status of the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._monitor.began()
        try:
            await self._app(scope, receive, noting)
        finally:
            self._monitor.ended(status)
