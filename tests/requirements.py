# SPDX-License-Identifier: Apache-2.0
"""`@requirement("TRF-09")`: ties a test to a row of docs/reference/requirements.md."""

import pytest


def requirement(identifier: str) -> pytest.MarkDecorator:
    """Mark a test as showing the whole requirement: its refusal, its data and its supervisor's check."""
    return pytest.mark.requirement(identifier)
