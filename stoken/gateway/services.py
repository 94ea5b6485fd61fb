# SPDX-License-Identifier: Apache-2.0
"""How routes reach what `create_app` was given: nothing is global."""

from typing import Annotated, cast

from fastapi import Depends, Request

from stoken.bootstrap import GatewayServices


async def _services(request: Request) -> GatewayServices:
    return cast("GatewayServices", request.app.state.services)


Services = Annotated[GatewayServices, Depends(_services)]
