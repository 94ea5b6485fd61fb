# SPDX-License-Identifier: Apache-2.0
"""Every table of the product in one MetaData: what the migrations must add up to."""

from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import MetaData

import stoken
from stoken.db.metadata import metadata


def complete_metadata() -> MetaData:
    """Import the `tables` module of each package and return the MetaData that they fill."""
    for package in iter_modules(stoken.__path__, "stoken."):
        if package.ispkg and any(
            module.name == "tables" for module in iter_modules(import_module(package.name).__path__)
        ):
            import_module(f"{package.name}.tables")
    return metadata
