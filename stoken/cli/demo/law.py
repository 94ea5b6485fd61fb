# SPDX-License-Identifier: Apache-2.0
"""Step 6: what happens to units besides trading: a record date, a pledge, a court's order under dual control."""

from functools import cache
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from stoken.chain.artifacts import load
from stoken.chain.codec import Interface
from stoken.cli.demo.play import Play, Request
from stoken.domain.codes import Side

INSTRUMENT: Final = "BPL1"
_PLEDGED: Final = 40
_SEIZED: Final = 25
_NAMED: Final = "0x" + keccak(b"RecordDateSet(uint24,uint64,uint64)").hex()
#: Only hashes stand on chain: of the code of the law, and of the judgment.
_BASIS: Final = keccak(b"Civil Execution Act, article 251")


class RecordDate(NamedTuple):
    """A record date as the token keeps it, and who held units when it was named."""

    id: int
    balances: dict[bytes, int]


def record_date(play: Play) -> RecordDate:
    """Name a record date; whoever holds units in this block is an owner of the date, whatever moves afterwards."""
    security = play.securities[INSTRUMENT]
    act = play.desk.act("SecurityToken", security.token, "setRecordDate", approvers=("REGISTRAR", "VENUE"))
    play.carry(security.issuer, act)
    (named,) = play.node.logs(_hex(security.token), _NAMED, play.node.head()[0])
    counted = play.node.count(_hex(security.token), int(named["blockNumber"], 16)).balances
    date = int(named["topics"][1], 16)
    return RecordDate(date, {bytes.fromhex(account[2:]): units for account, units in counted.items()})


def pledge(play: Play) -> None:
    """Pledge units to another investor: they stay where they are, and can neither be sold nor pledged again."""
    security, owner, lender = play.securities[INSTRUMENT], play.investor("twin-at-1"), play.investor("rich")
    held = _units(play, owner.account)
    broker = owner.broker.institution
    play.carry(broker, play.desk.pledge(security.token, owner, lender, held - _PLEDGED))
    play.carry_refused("ALREADY_PLEDGED", [(broker, play.desk.pledge(security.token, owner, lender, _PLEDGED + 1))])
    play.await_block(play.node.head())
    ticket = play.ticket(owner, INSTRUMENT, Side.SELL, 5_000, _PLEDGED + 1)
    play.refused("SECURITIES_PLEDGED", security.issue.isin, ticket, owner)


def forced_transfer(play: Play) -> None:
    """Move units by a court's order: two institutions, a legal basis and a document, or nothing moves."""
    security, debtor, creditor = play.securities[INSTRUMENT], play.investor("sanctioned"), play.investor("buyer")
    moves = (((security.token, debtor.account, creditor.account, _SEIZED),),)
    legal, registrar = play.desk.suite["legal"], play.institution("REGISTRAR")

    def order(*approvers: str, basis: bytes = _BASIS) -> Request:
        return (
            registrar,
            play.desk.act("LegalActions", legal, "forceTransfers", *moves, approvers=approvers, basis=basis),
        )

    play.carry_refused("LEGAL_BASIS_REQUIRED", [order("REGISTRAR", "SUPERVISOR", basis=bytes(32))])
    play.carry_refused("ROLE_REQUIRED", [order("REGISTRAR", "REGISTRAR")])
    before = _units(play, debtor.account), _units(play, creditor.account)
    play.carry_all([order("REGISTRAR", "SUPERVISOR")])
    after = _units(play, debtor.account), _units(play, creditor.account)
    play.expect(after, (before[0] - _SEIZED, before[1] + _SEIZED), "units of debtor and creditor")


def owners_at(play: Play, date: RecordDate) -> tuple[int, int]:
    """Return the units of the owners at a record date as the token tells them now, and its supply then.

    Raises DemoError where one of them differs from what was counted when the date was named.
    """
    token = play.securities[INSTRUMENT].token
    told = {account: _ask(play, token, "balanceOfAt", account, date.id) for account in date.balances}
    play.expect(told, date.balances, "owners at the record date")
    return sum(told.values()), _ask(play, token, "totalSupplyAt", date.id)


def _units(play: Play, account: bytes) -> int:
    return _ask(play, play.securities[INSTRUMENT].token, "balanceOf", account)


def _ask(play: Play, token: bytes, function: str, *arguments: object) -> int:
    answer = play.node.call(token, _token().encode(function, *arguments))
    return int(_token().functions[function].decode_output(answer))


@cache
def _token() -> Interface:
    return Interface(load("SecurityToken").abi)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
