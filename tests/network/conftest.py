# SPDX-License-Identifier: Apache-2.0
"""What the tests on real clients share: they are skipped, and say so, where geth was not built."""

import pytest

from stoken.errors import StartupError
from stoken.network.geth import find_binary


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    try:
        find_binary()
    except StartupError as error:
        pytest.skip(str(error))
