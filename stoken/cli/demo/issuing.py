# SPDX-License-Identifier: Apache-2.0
"""Step 2 and 3: instruments come into being, investors are onboarded, units are allotted, cash is paid in."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from stoken.cli.demo.cast import Broker, Investor
from stoken.cli.demo.play import Play, Security
from stoken.domain.codes import EncumbranceKind
from stoken.issuance.issue_file import IssueFile, read_issue_files

_Item = TypeVar("_Item")
INSTRUMENTS: Final = Path(__file__).with_name("instruments.json")
_ISSUERS: Final = {"BPL1": "ISSUER1", "SHP1B": "ISSUER2"}
#: The demo adds a holding cap of 5 % to the ship, so that HOLDING_LIMIT can happen.
_CAPS_BPS: Final = {"BPL1": 0, "SHP1B": 500}
_BATCH: Final = 100
_THREADS: Final = 8
_LOCKUP: Final = (1).to_bytes(32)
_MONTH_SECONDS: Final = 30 * 86_400


def create_issues(play: Play) -> None:
    """Create both instruments, register their quantity, and see a mint before registration refused."""
    files = {issue.short_code: issue for issue in read_issue_files(INSTRUMENTS.read_bytes())}
    for short_code, issuer in _ISSUERS.items():
        issue = files[short_code]
        _create(play, issuer, issue)
        security = play.securities[short_code]
        entrustor = play.investor("entrustor")
        mint = play.desk.act(
            "SecurityToken", security.token, "mint", entrustor.account, 1, approvers=(issuer, "REGISTRAR")
        )
        play.carry_refused(security.issuer, mint, "NOT_REGISTERED")
        quantity = play.desk.act(
            "RegisteredQuantity",
            play.desk.suite["quantity"],
            "register",
            security.token,
            issue.units,
            approvers=(issuer, "REGISTRAR"),
        )
        unpause = play.desk.act("SecurityToken", security.token, "unpause", approvers=("REGISTRAR", "VENUE"))
        play.carry(security.issuer, quantity, unpause)


def _create(play: Play, issuer: str, issue: IssueFile) -> None:
    factory = play.desk.suite["factory"]
    isin = issue.isin.encode()
    barred = _bitmap(issue.barred_countries)
    rules = (0, _CAPS_BPS[issue.short_code], issue.class_bits, 0, issue.lot, False, barred)
    salt = isin.ljust(32, b"\0")
    params = (isin, issue.name_en, issue.short_code, rules, 100, salt)
    play.carry(
        play.institution(issuer),
        play.desk.act("SuiteFactory", factory, "createIssue", params, approvers=(issuer, "REGISTRAR")),
    )
    token = play.node.token_of(factory, isin)
    play.securities[issue.short_code] = Security(issue, play.institution(issuer), token)


def onboard(play: Play) -> None:
    """Bind every investor's account on chain, and tell the venue whose it is."""
    for broker in play.cast.brokers:
        own = [investor for investor in play.cast.investors if investor.broker is broker]
        batches = [play.desk.onboarding(broker, batch) for batch in _batches(own)]
        play.carry(broker.institution, *batches)
    _in_parallel(play.client.open_account, play.cast.investors)


def allot(play: Play) -> None:
    """Mint the allotment, lock the entrustor's units for twelve months, and see the cap of supply hold."""
    for short_code, holdings in _allotment(play).items():
        security = play.securities[short_code]
        issuer = _ISSUERS[short_code]
        mints = [
            play.desk.act(
                "SecurityToken",
                security.token,
                "batchMint",
                tuple(investor.account for investor, _ in batch),
                tuple(units for _, units in batch),
                approvers=(issuer, "REGISTRAR"),
            )
            for batch in _batches(holdings)
        ]
        play.carry(security.issuer, *mints)
        over = play.desk.act(
            "SecurityToken",
            security.token,
            "mint",
            play.investor("seller").account,
            security.issue.units + 1,
            approvers=(issuer, "REGISTRAR"),
        )
        play.carry_refused(security.issuer, over, "SUPPLY_CAP_EXCEEDED")
    _lock_entrustor(play)


def _lock_entrustor(play: Play) -> None:
    security = play.securities["BPL1"]
    (lockup,) = security.issue.lockups
    entrustor = play.investor("entrustor").account
    until = play.desk.now + lockup.months * _MONTH_SECONDS
    play.carry(
        security.issuer,
        play.desk.act(
            "Encumbrances",
            play.desk.suite["encumbrances"],
            "lock",
            _LOCKUP,
            security.token,
            entrustor,
            int(EncumbranceKind.LOCKUP),
            lockup.units,
            until,
            approvers=("ISSUER1", "REGISTRAR"),
        ),
    )


def _allotment(play: Play) -> dict[str, list[tuple[Investor, int]]]:
    """Half of the crowd holds units of both instruments; the characters hold what their scenes need."""
    who = play.investor
    crowd = holders(play)
    houses = [(who("entrustor"), 340_000), (who("twin-at-1"), 1_000), (who("sanctioned"), 100)]
    houses += [(investor, 300) for investor in crowd]
    rest = play.securities["BPL1"].issue.units - sum(units for _, units in houses)
    ships = [(who("ship-seller"), 40_000), (who("near-the-cap"), 49_990)]
    ships += [(investor, 100) for investor in crowd]
    return {"BPL1": [*houses, (who("seller"), rest)], "SHP1B": ships}


def holders(play: Play) -> list[Investor]:
    """Return the half of the crowd that sells."""
    return play.cast.crowd[::2]


def buyers(play: Play) -> list[Investor]:
    """Return the half of the crowd that buys."""
    return play.cast.crowd[1::2]


_CASH: Final = {"poor": 1_000, "rich": 150_000_000}
_CASH_EACH: Final = 5_000_000


def pay_in(play: Play) -> None:
    """Credit each broker with its customers' cash, and let it allocate the cash to them."""
    agent = play.institution("CASH_AGENT")
    for broker in play.cast.brokers:
        total = sum(_amounts(play, broker).values())
        play.carry(agent, play.desk.cash_account(broker))
        play.carry(agent, play.desk.cash_credit(broker, total))
        play.credited += total
    play.await_block(play.node.head())
    for broker in play.cast.brokers:
        _in_parallel(lambda pair: _allocate(play, *pair), _amounts(play, broker).items())


def _amounts(play: Play, broker: Broker) -> dict[Investor, int]:
    customers = [investor for investor in play.cast.investors if investor.broker is broker]
    return {investor: _CASH.get(investor.name, _CASH_EACH) for investor in customers}


def _allocate(play: Play, investor: Investor, amount: int) -> None:
    statement, signature = play.desk.allocation(investor, amount)
    play.client.allocate(investor.broker.institution, statement, signature)


def admit(play: Play) -> None:
    """Let the venue admit both instruments."""
    for security in play.securities.values():
        issue = security.issue
        play.client.post(
            play.institution("VENUE"),
            "/admissions",
            {
                "isin": issue.isin,
                "token": "0x" + security.token.hex(),
                "instrument_type": issue.instrument_type.value,
                "lot": str(issue.lot),
                "net_asset_value": str(issue.unit_price),
                "parties": sorted(set(issue.parties.values())),
            },
        )


def revoke_sanctioned(play: Play) -> None:
    """Withdraw an identity for cause: from now on it may not even sell."""
    play.carry(play.institution("CLAIM_ISSUER1"), play.desk.revocation(play.investor("sanctioned")))


def _in_parallel(work: Callable[[Any], object], items: Iterable[Any]) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(work, items):
            pass


def _batches(items: Sequence[_Item]) -> list[Sequence[_Item]]:
    return [items[first : first + _BATCH] for first in range(0, len(items), _BATCH)]


def _bitmap(countries: Sequence[int]) -> tuple[int, ...]:
    words = [0, 0, 0, 0]
    for country in countries:
        words[country >> 8] |= 1 << (country & 255)
    return tuple(words)
