# SPDX-License-Identifier: Apache-2.0
"""A state whose tables lie in a file is the state that lies in memory, whatever was put away in between."""

import random
from collections.abc import Iterator

import pytest

from stoken.domain import facts
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import Fact
from stoken.drift import shelf
from stoken.drift.shelf import Shelves

TOKEN, RULES, ISSUER, MEMBER = b"T" * 20, b"R" * 20, b"K" * 20, b"ZZZZ0000000000001665"
ACCOUNTS = [bytes([number]) * 20 for number in range(1, 9)]


@pytest.fixture
def shelves() -> Iterator[Shelves]:
    found = Shelves()
    yield found
    found.close()


def history(seed: int, blocks: int) -> Iterator[list[Fact]]:
    """Yield blocks of facts that bind, unbind, attest, move, encumber and count anew."""
    choose, ids = random.Random(seed), list[bytes]()  # noqa: S311 - a seed, no secret
    yield [
        facts.IssueCreated(TOKEN, "ZZBUSANPL019", RULES),
        *(facts.Transferred(TOKEN, bytes(20), one, 1_000) for one in ACCOUNTS),
    ]
    for number in range(blocks):
        one, two = choose.sample(ACCOUNTS, 2)
        ids.append(number.to_bytes(32))
        some: tuple[list[Fact], ...] = (
            [facts.AccountBound(one, MEMBER, choose.choice(ACCOUNTS), 410, 1, 1)],
            [facts.AccountRemoved(one)],
            [facts.ClaimAttested(one, ISSUER, 3, number), facts.ClaimRevoked(two, ISSUER, for_cause=True)],
            [facts.Transferred(TOKEN, one, two, choose.randint(1, 100))],
            [facts.EncumbranceSet(ids[-1], TOKEN, one, choose.randint(1, 3), 5, 0)],
            [facts.EncumbrancesMoved(TOKEN, one, two), facts.AccountRecounted(RULES, one, two)],
            [facts.AddressFrozen(TOKEN, one, frozen=True), facts.UnitsFrozen(TOKEN, two, 7)],
        )
        yield choose.choice(some)


class TestShelves:
    @pytest.mark.parametrize("seed", range(5))
    def test_a_state_on_shelves_equals_one_in_memory(
        self, seed: int, shelves: Shelves, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shelf, "_OPEN_MAX", 2)
        stored, held = ChainState(shelves.table), ChainState()
        for number, told in enumerate(history(seed, 200)):
            for state in (stored, held):
                state.apply_block(number, number.to_bytes(32), number, told)
            shelves.tidy()
        assert stored.digest() == held.digest()
        assert stored.accounts.keys() == held.accounts.keys()

    def test_little_stays_in_memory(self, shelves: Shelves, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shelf, "_OPEN_MAX", 2)
        table = shelves.table()
        table.update({one: [1] for one in ACCOUNTS})
        assert table.open == len(ACCOUNTS)
        shelves.tidy()
        assert table.open == 0
        table[ACCOUNTS[0]].append(2)
        shelves.tidy()
        assert table.open == 1
        table.put_away()
        assert table[ACCOUNTS[0]] == [1, 2]


class TestNear:
    def test_keys_follow_from_one_on_and_after_the_last_the_first(self, shelves: Shelves) -> None:
        table, other = shelves.table(), shelves.table()
        other[b"\x02"] = 1
        assert table.near(b"\x00", 2) == []
        table.update({b"\x01": 1, b"\x03": 3, b"\x05": 5})
        assert table.near(b"\x00", 2) == [b"\x01", b"\x03"]
        assert table.near(b"\x03", 2) == [b"\x03", b"\x05"]
        assert table.near(b"\x04", 2) == [b"\x05", b"\x01"]
        assert table.near(b"\x06", 9) == [b"\x01", b"\x03", b"\x05"]

    def test_what_was_deleted_is_not_found(self, shelves: Shelves) -> None:
        table = shelves.table()
        table[b"\x01"] = 1
        table.put_away()
        del table[b"\x01"]
        assert (table.near(b"\x00", 1), table.get(b"\x01"), len(table)) == ([], None, 0)
        with pytest.raises(KeyError):
            del table[b"\x01"]
