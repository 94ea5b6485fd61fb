# SPDX-License-Identifier: Apache-2.0
"""A sender key signs an act only with enough approvals, each by another key, of exactly this request, in time."""

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import Connection, Engine, delete, func, select

from stoken.chain import artifacts
from stoken.chain.codec import Interface
from stoken.chain.rpc import RpcClient
from stoken.chain.statements import GivenApproval, KeyRule
from stoken.db import reading, unit_of_work
from stoken.domain.codes import KeyAct
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError, StartupError
from stoken.transactions.key_gate import KeyGate
from stoken.transactions.key_policy import Ceremony, history
from stoken.transactions.outbox import Outbox
from stoken.transactions.tables import key_ceremonies, outbox, senders
from tests.integration.transactions.write_path import WritePath
from tests.key_holders import (
    ANNE,
    AUTHORITY,
    BORA,
    CHAIN_ID,
    CHUL,
    DANA,
    SEPARATOR,
    after,
    approvals,
    found,
    now,
    record,
    rule,
    rules,
)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = "request:tenant:one"
TOKEN = Interface(artifacts.load("SecurityToken").abi)
MINT = TOKEN.encode("mint", b"\x02" * 20, 1)
UNPAUSE = TOKEN.encode("unpause")


def act(data: bytes) -> bytes:
    authority = Interface(artifacts.load("Authority").abi)
    return authority.encode("execute", (b"\x01" * 20, data, bytes(32), bytes(32), 0, 0), [])


DATA = act(MINT)


def high_s(given: GivenApproval) -> GivenApproval:
    """The same signature in its other form."""
    r, s, v = given.signature[:32], int.from_bytes(given.signature[32:64]), given.signature[64]
    return GivenApproval(r + (ORDER - s).to_bytes(32) + bytes((55 - v,)), given.deadline)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with unit_of_work(engine) as opened:
        yield opened


@pytest.fixture
def gate(connection: Connection) -> KeyGate:
    found(connection)
    return KeyGate(CHAIN_ID, AUTHORITY)


def latest(connection: Connection) -> Ceremony:
    return history(connection, SEPARATOR)[-1]


def refused(gate: KeyGate, connection: Connection, given: Sequence[GivenApproval], data: bytes = DATA) -> RefusedError:
    with pytest.raises(RefusedError) as raised:
        gate.check(connection, KEY, AUTHORITY, data, given)
    assert raised.value.refusal is Refusal.SIGNATURE_POLICY_UNMET
    return raised.value


class TestCheck:
    @pytest.mark.parametrize("secrets", [(ANNE, BORA), (CHUL, ANNE), (ANNE, BORA, CHUL), (DANA, BORA, CHUL)])
    def test_enough_keys_of_the_rule_let_it_pass(
        self, gate: KeyGate, connection: Connection, secrets: tuple[bytes, ...]
    ) -> None:
        gate.check(connection, KEY, AUTHORITY, DATA, approvals(KEY, DATA, secrets))

    @pytest.mark.parametrize(
        ("given", "counted"),
        [
            ([], 0),
            (approvals(KEY, DATA, [ANNE]), 1),
            (approvals(KEY, DATA, [ANNE, DANA]), 1),
            (approvals(KEY, DATA, [ANNE, ANNE]), 1),
            ([*approvals(KEY, DATA, [ANNE]), *approvals(KEY, DATA, [ANNE], deadline=now() + 90_000)], 1),
            ([*approvals(KEY, DATA, [ANNE]), *map(high_s, approvals(KEY, DATA, [ANNE]))], 1),
            ([*approvals(KEY, DATA, [ANNE]), *map(high_s, approvals(KEY, DATA, [BORA]))], 1),
            ([*approvals(KEY, DATA, [ANNE]), *approvals("request:tenant:two", DATA, [BORA])], 1),
            ([*approvals(KEY, DATA, [ANNE]), *approvals(KEY, act(UNPAUSE), [BORA])], 1),
            ([*approvals(KEY, DATA, [ANNE]), *approvals(KEY, DATA, [BORA], chain_id=CHAIN_ID + 1)], 1),
            ([*approvals(KEY, DATA, [ANNE]), *approvals(KEY, DATA, [BORA], to=b"\x0b" * 20)], 1),
            (approvals(KEY, DATA, [ANNE, BORA], deadline=now() - 5), 0),
            ([GivenApproval(b"", now() + 86_400)], 0),
        ],
        ids=[
            "none",
            "too few",
            "a stranger",
            "one key twice",
            "one key with two deadlines",
            "one signature in two forms",
            "a high s",
            "of another request",
            "of another act",
            "on another chain",
            "of another contract",
            "expired",
            "empty",
        ],
    )
    def test_anything_less_is_refused_and_says_what_is_missing(
        self, gate: KeyGate, connection: Connection, given: list[GivenApproval], counted: int
    ) -> None:
        raised = refused(gate, connection, given)
        assert raised.details == {
            "act": "mint",
            "required": 2,
            "approved": counted,
            "missing": 2 - counted,
            "policy_version": 1,
        }

    def test_a_deadline_cannot_be_moved(self, gate: KeyGate, connection: Connection) -> None:
        expired = approvals(KEY, DATA, [ANNE, BORA], deadline=now() - 5)
        refused(gate, connection, [GivenApproval(each.signature, now() + 86_400) for each in expired])

    def test_each_kind_has_its_own_rule(self, gate: KeyGate, connection: Connection) -> None:
        changed = rules({KeyAct.MINT: rule(KeyAct.MINT, ANNE, BORA, CHUL, required=3)})
        record(connection, after(latest(connection), rules=changed), ANNE, BORA)
        refused(gate, connection, approvals(KEY, DATA, [ANNE, BORA]))
        burn = act(TOKEN.encode("burn", b"\x02" * 20, 1))
        gate.check(connection, KEY, AUTHORITY, burn, approvals(KEY, burn, [ANNE, BORA]))

    def test_a_key_that_was_taken_out_counts_no_more(self, gate: KeyGate, connection: Connection) -> None:
        given = approvals(KEY, DATA, [ANNE, BORA])
        gate.check(connection, KEY, AUTHORITY, DATA, given)
        changed = rules({KeyAct.MINT: rule(KeyAct.MINT, ANNE, CHUL)})
        record(connection, after(latest(connection), rules=changed), ANNE, CHUL)
        refused(gate, connection, given)

    def test_ordinary_acts_pass(self, gate: KeyGate, connection: Connection) -> None:
        gate.check(connection, KEY, AUTHORITY, act(UNPAUSE), ())

    def test_a_call_past_authority_is_asked_the_same(self, gate: KeyGate, connection: Connection) -> None:
        token = b"\x01" * 20
        with pytest.raises(RefusedError):
            gate.check(connection, KEY, token, MINT, approvals(KEY, MINT, [ANNE, BORA]))
        gate.check(connection, KEY, token, MINT, approvals(KEY, MINT, [ANNE, BORA], to=token))


class TestFoundingDigest:
    def test_without_policy_and_digest_acts_pass(self, connection: Connection) -> None:
        KeyGate(CHAIN_ID, AUTHORITY).check(connection, KEY, AUTHORITY, DATA, ())

    def test_with_the_digest_a_policy_that_is_gone_lets_nothing_pass(self, connection: Connection) -> None:
        founded = found(connection)
        gate = KeyGate(CHAIN_ID, AUTHORITY, founded.digest)
        given = approvals(KEY, DATA, [ANNE, BORA])
        gate.check(connection, KEY, AUTHORITY, DATA, given)
        connection.execute(delete(key_ceremonies))
        assert "no key policy" in str(refused(gate, connection, given))

    def test_a_policy_founded_by_others_lets_nothing_pass(self, connection: Connection) -> None:
        found(connection)
        gate = KeyGate(CHAIN_ID, AUTHORITY, b"\x01" * 32)
        assert "founded by another" in str(refused(gate, connection, approvals(KEY, DATA, [ANNE, BORA])))


class TestEnqueue:
    def test_nothing_is_signed_without_the_approvals(self, engine: Engine, rpc: RpcClient) -> None:
        path = WritePath(engine, rpc)
        chain_id = path.capabilities.chain_id
        gate = KeyGate(CHAIN_ID, AUTHORITY)
        path.outbox = Outbox(path.signers, chain_id, check=lambda _to, _data: None, gate=gate)
        path.take_over()
        with unit_of_work(engine) as connection:
            found(connection)
        with pytest.raises(RefusedError):
            path.enqueue(KEY, to=AUTHORITY, data=DATA)
        with reading(engine) as connection:
            assert connection.execute(select(func.count()).select_from(outbox)).scalar_one() == 0
            assert connection.execute(select(senders.c.next_nonce)).scalar_one() == 0
        path.enqueue("ordinary", to=AUTHORITY, data=act(UNPAUSE))
        assert path.row("ordinary").nonce == 0


@pytest.fixture
def signing(engine: Engine, rpc: RpcClient) -> tuple[WritePath, KeyGate]:
    """A write path and the gate that it asks, under a policy of two versions: in the second DANA took BORA's place."""
    path, gate = WritePath(engine, rpc), KeyGate(CHAIN_ID, AUTHORITY)
    path.outbox = Outbox(path.signers, path.capabilities.chain_id, check=lambda _to, _data: None, gate=gate)
    path.take_over()
    with unit_of_work(engine) as connection:
        record(connection, after(found(connection), rules=_mint_by(ANNE, DANA)), ANNE, BORA, DANA)
    return path, gate


def _mint_by(*secrets: bytes) -> tuple[KeyRule, ...]:
    return rules({KeyAct.MINT: rule(KeyAct.MINT, *secrets)})


def _mint(path: WritePath) -> None:
    given = approvals(KEY, DATA, [ANNE, DANA])
    with unit_of_work(path.engine) as connection:
        path.outbox.enqueue(connection, key=KEY, to=AUTHORITY, data=DATA, gas=100_000, purpose="test", approvals=given)


class TestCheckRecord:
    def test_the_whole_record_passes_with_the_digest_on_the_act(self, signing: tuple[WritePath, KeyGate]) -> None:
        path, gate = signing
        _mint(path)
        path.enqueue("ordinary", to=AUTHORITY, data=act(UNPAUSE))
        with reading(path.engine) as connection:
            gate.check_record(connection)
            under = {row.key: row.policy for row in connection.execute(select(outbox.c.key, outbox.c.policy))}
            assert under == {KEY: latest(connection).digest, "ordinary": None}

    def test_a_record_cut_back_to_a_version_that_acts_have_outgrown_is_refused(
        self, signing: tuple[WritePath, KeyGate]
    ) -> None:
        path, gate = signing
        _mint(path)
        with unit_of_work(path.engine) as connection:
            connection.execute(delete(key_ceremonies).where(key_ceremonies.c.version == 2))
            assert latest(connection).statement.version == 1
            with pytest.raises(StartupError, match="versions were removed"):
                gate.check_record(connection)

    def test_another_version_in_the_place_of_the_one_cut_off_is_refused(
        self, signing: tuple[WritePath, KeyGate]
    ) -> None:
        path, gate = signing
        _mint(path)
        with unit_of_work(path.engine) as connection:
            connection.execute(delete(key_ceremonies).where(key_ceremonies.c.version == 2))
            record(connection, after(latest(connection), rules=_mint_by(BORA, CHUL)), BORA, CHUL)
            with pytest.raises(StartupError, match="versions were removed"):
                gate.check_record(connection)

    def test_a_record_that_nobody_signed_is_refused(self, signing: tuple[WritePath, KeyGate]) -> None:
        path, gate = signing
        with unit_of_work(path.engine) as connection:
            connection.execute(delete(key_ceremonies).where(key_ceremonies.c.version == 1))
            with pytest.raises(StartupError, match="not what was signed"):
                gate.check_record(connection)
