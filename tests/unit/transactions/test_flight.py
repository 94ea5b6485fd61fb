# SPDX-License-Identifier: Apache-2.0
"""The window follows what the node's pool bears."""

from stoken.transactions.flight import Window


class TestWindow:
    def test_it_halves_what_was_in_flight_when_the_pool_is_full(self) -> None:
        window = Window(1_000)
        window.shrink(300)
        assert window.size == 150

    def test_it_never_closes(self) -> None:
        window = Window(1_000)
        for _ in range(20):
            window.shrink(1)
        assert window.size == 1

    def test_it_opens_again_and_not_beyond_its_size(self) -> None:
        window = Window(1_000)
        window.shrink(2)
        for _ in range(100):
            window.grow()
        assert window.size == 1_000
