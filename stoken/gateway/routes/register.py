# SPDX-License-Identifier: Apache-2.0
"""The register of an issue, as of a block or of a date."""

from fastapi import APIRouter

router = APIRouter(tags=["register"])
