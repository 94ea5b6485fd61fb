# SPDX-License-Identifier: Apache-2.0
"""A market in session."""

import pytest

from tests.unit.orders.factories import Market, open_market


@pytest.fixture
def market() -> Market:
    return open_market()
