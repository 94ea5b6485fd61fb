# SPDX-License-Identifier: Apache-2.0
"""No act slips past the key policy by the way in which it is called."""

import pytest

from stoken.chain import artifacts
from stoken.chain.codec import Interface
from stoken.chain.key_acts import KINDS, ORDINARY, kind_of
from stoken.domain.codes import KeyAct
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError

TO, HOLDER = b"\x01" * 20, b"\x02" * 20
AUTHORITY = Interface(artifacts.load("Authority").abi)
TOKEN = Interface(artifacts.load("SecurityToken").abi)
MINT = TOKEN.encode("mint", HOLDER, 1)


def carried(data: bytes, function: str = "execute") -> bytes:
    """Return the call of Authority that carries an act."""
    return AUTHORITY.encode(function, (TO, data, bytes(32), bytes(32), 0, 0), [])


class TestKindOf:
    @pytest.mark.parametrize(
        ("data", "kind"),
        [
            (MINT, KeyAct.MINT),
            (TOKEN.encode("burn", HOLDER, 1), KeyAct.BURN),
            (TOKEN.encode("forcedTransfer", HOLDER, TO, 1), KeyAct.FORCE),
            (AUTHORITY.encode("setPolicy", b"mint", 1, 8, 0), KeyAct.RULES),
            (AUTHORITY.encode("upgradeToAndCall", TO, b""), KeyAct.UPGRADE),
        ],
    )
    def test_an_act_is_known_however_it_is_called(self, data: bytes, kind: KeyAct) -> None:
        assert kind_of(TO, data) is kind
        assert kind_of(TO, carried(data)) is kind
        assert kind_of(TO, carried(data, "propose")) is kind
        assert kind_of(TO, carried(carried(data))) is kind

    def test_a_function_that_no_table_names_is_a_change_of_rules(self) -> None:
        assert kind_of(TO, carried(b"\xde\xad\xbe\xef")) is KeyAct.RULES
        assert kind_of(TO, carried(b"")) is KeyAct.RULES

    def test_ordinary_acts_need_no_approval(self) -> None:
        assert kind_of(TO, carried(TOKEN.encode("unpause"))) is None

    def test_neither_do_creations_and_settlement(self) -> None:
        assert kind_of(b"", MINT) is None
        assert kind_of(TO, b"") is None
        assert kind_of(TO, b"\xde\xad\xbe\xef") is None

    def test_an_act_that_cannot_be_read_is_refused(self) -> None:
        with pytest.raises(RefusedError) as raised:
            kind_of(TO, carried(MINT)[:40])
        assert raised.value.refusal is Refusal.SIGNATURE_POLICY_UNMET


class TestTables:
    def test_every_name_is_that_of_a_function(self) -> None:
        interfaces = [Interface(artifacts.load(name).abi) for name in artifacts.names()]
        names = {function.name for interface in interfaces for function in interface.functions.values()}
        assert names >= KINDS.keys() | ORDINARY

    def test_nothing_is_both(self) -> None:
        assert not KINDS.keys() & ORDINARY
