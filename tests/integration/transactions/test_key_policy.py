# SPDX-License-Identifier: Apache-2.0
"""The key policy changes only with the keys that its last version names, and its record shows who changed it."""

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, update

from stoken.chain.signatures import address_of
from stoken.chain.statements import KeyPolicy
from stoken.db import reading, unit_of_work
from stoken.domain.codes import KeyAct
from stoken.domain.refusals import Refusal
from stoken.errors import InvalidInputError, RefusedError
from stoken.transactions import key_policy
from stoken.transactions.key_policy import Ceremony
from stoken.transactions.tables import key_ceremonies
from tests.key_holders import (
    ANNE,
    BORA,
    CHUL,
    DANA,
    SEPARATOR,
    after,
    found,
    founding,
    now,
    record,
    rule,
    rules,
    signed,
)

#: The mint rule with another key in the place of one.
EXCHANGED = rules({KeyAct.MINT: rule(KeyAct.MINT, ANNE, BORA, DANA)})


def history(engine: Engine) -> list[Ceremony]:
    with reading(engine) as connection:
        return key_policy.history(connection, SEPARATOR)


def refused(connection: Connection, statement: KeyPolicy, *secrets: bytes) -> RefusedError:
    with pytest.raises(RefusedError) as raised:
        record(connection, statement, *secrets)
    assert raised.value.refusal is Refusal.SIGNATURE_POLICY_UNMET
    return raised.value


@pytest.fixture
def founded(engine: Engine) -> Ceremony:
    with unit_of_work(engine) as connection:
        return found(connection)


class TestFounding:
    def test_all_its_keys_sign_it(self, engine: Engine, founded: Ceremony) -> None:
        assert history(engine) == [founded]
        assert founded.signers == {address_of(each) for each in (ANNE, BORA, CHUL)}

    def test_a_key_that_did_not_sign_is_not_taken(self, engine: Engine) -> None:
        with unit_of_work(engine) as connection:
            assert refused(connection, founding(), ANNE, BORA).details == {"missing": 1}
        assert history(engine) == []

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"rules": rules()[:4]}, "one rule for each"),
            ({"rules": rules()[::-1]}, "in this order"),
            ({"rules": rules({KeyAct.BURN: rule(KeyAct.BURN, ANNE, BORA, required=1)})}, "2 keys or more"),
            ({"rules": rules({KeyAct.BURN: rule(KeyAct.BURN, ANNE, BORA, required=3)})}, "3 of 2"),
            ({"rules": rules({KeyAct.BURN: rule(KeyAct.BURN, ANNE, BORA, ANNE)})}, "names a key twice"),
            ({"document": bytes(32)}, "minutes"),
            ({"version": 2}, "the next version is 1"),
            ({"previous": b"\x01" * 32}, "the next version is 1"),
        ],
        ids=["a kind missing", "order", "one key alone", "more than there are", "twice", "minutes", "version", "past"],
    )
    def test_a_malformed_one_is_refused(self, engine: Engine, changes: dict[str, Any], said: str) -> None:
        with unit_of_work(engine) as connection, pytest.raises(InvalidInputError, match=said):
            record(connection, founding(**changes), ANNE, BORA, CHUL)

    @pytest.mark.parametrize("changes", [{"deadline": now() - 5}, {"held_at": now() + 1_000_000}])
    def test_one_that_is_too_late_or_was_not_held_yet_is_refused(self, engine: Engine, changes: dict[str, int]) -> None:
        with unit_of_work(engine) as connection:
            assert "to be recorded" in str(refused(connection, founding(**changes), ANNE, BORA, CHUL))


class TestChange:
    def test_the_old_rule_and_the_new_key_sign_it(self, engine: Engine, founded: Ceremony) -> None:
        with unit_of_work(engine) as connection:
            made = record(connection, after(founded, rules=EXCHANGED), ANNE, CHUL, DANA)
        assert history(engine) == [founded, made]

    def test_keys_of_the_new_rule_do_not_make_up_for_the_old(self, engine: Engine, founded: Ceremony) -> None:
        with unit_of_work(engine) as connection:
            raised = refused(connection, after(founded, rules=EXCHANGED), ANNE, DANA)
        assert raised.details == {"act": "mint", "required": 2, "approved": 1}

    def test_one_key_twice_is_one_key(self, engine: Engine, founded: Ceremony) -> None:
        with unit_of_work(engine) as connection:
            refused(connection, after(founded, rules=EXCHANGED), ANNE, ANNE, DANA)

    def test_a_new_key_shows_that_it_is_held(self, engine: Engine, founded: Ceremony) -> None:
        with unit_of_work(engine) as connection:
            assert refused(connection, after(founded, rules=EXCHANGED), ANNE, CHUL).details == {"missing": 1}

    def test_fewer_keys_are_a_change_like_any_other(self, engine: Engine, founded: Ceremony) -> None:
        weaker = rules({KeyAct.UPGRADE: rule(KeyAct.UPGRADE, ANNE, BORA)})
        with unit_of_work(engine) as connection:
            refused(connection, after(founded, rules=weaker), ANNE)
            record(connection, after(founded, rules=weaker), ANNE, BORA)

    def test_what_changes_nothing_is_refused(self, engine: Engine, founded: Ceremony) -> None:
        with unit_of_work(engine) as connection, pytest.raises(InvalidInputError, match="changes nothing"):
            record(connection, after(founded), ANNE, BORA, CHUL)

    def test_signatures_for_one_version_do_not_serve_another(self, engine: Engine, founded: Ceremony) -> None:
        first = after(founded, rules=EXCHANGED)
        with unit_of_work(engine) as connection:
            exchanged = record(connection, first, ANNE, CHUL, DANA)
            back = record(connection, after(exchanged, rules=rules()), ANNE, BORA, CHUL)
            again = after(back, rules=EXCHANGED)
            with pytest.raises(RefusedError, match="0 signed"):
                key_policy.record(connection, SEPARATOR, again, signed(first, ANNE, CHUL, DANA), now() * 10**9)

    def test_the_same_version_again_is_the_one_on_record(self, engine: Engine, founded: Ceremony) -> None:
        with unit_of_work(engine) as connection:
            assert record(connection, founded.statement, ANNE, BORA, CHUL) == founded
        assert history(engine) == [founded]

    def test_another_chain_or_authority_counts_for_nothing(self, engine: Engine, founded: Ceremony) -> None:
        wanted = after(founded, rules=EXCHANGED)
        elsewhere = signed(wanted, ANNE, CHUL, DANA, separator=b"\x01" * 32)
        with unit_of_work(engine) as connection, pytest.raises(RefusedError):
            key_policy.record(connection, SEPARATOR, wanted, elsewhere, now() * 10**9)


class TestHistory:
    @pytest.mark.parametrize(
        "values",
        [
            {"signatures": b"[]"},
            {"digest": b"\x01" * 32},
            {"statement": b"{}"},
            {"recorded_at_ns": (now() + 1_000_000) * 10**9},
        ],
        ids=["unsigned", "another digest", "unreadable", "another time"],
    )
    def test_a_row_that_nobody_signed_counts_for_nothing(
        self, engine: Engine, founded: Ceremony, values: dict[str, Any]
    ) -> None:
        assert history(engine) == [founded]
        with unit_of_work(engine) as connection:
            connection.execute(update(key_ceremonies).values(**values))
        with pytest.raises(RefusedError) as raised:
            history(engine)
        assert raised.value.refusal is Refusal.SIGNATURE_POLICY_UNMET

    def test_a_version_that_is_missing_is_noticed(self, engine: Engine, founded: Ceremony) -> None:
        with unit_of_work(engine) as connection:
            record(connection, after(founded, rules=EXCHANGED), ANNE, CHUL, DANA)
            connection.execute(delete(key_ceremonies).where(key_ceremonies.c.version == 1))
        with pytest.raises(RefusedError, match="version 2"):
            history(engine)
