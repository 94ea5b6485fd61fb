# SPDX-License-Identifier: Apache-2.0
"""Step 2 and 3: instruments come into being, investors are onboarded, units are allotted, cash is paid in."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from stoken.cli.demo.cast import Broker, Investor
from stoken.cli.demo.play import Play, Request, Security
from stoken.domain.codes import EncumbranceKind
from stoken.issuance.issue_file import IssueFile, read_issue_files
from stoken.parties.requests import ActRequest

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
    issues = [files[short_code] for short_code in _ISSUERS]
    play.carry_all((play.institution(_ISSUERS[issue.short_code]), _creation(play, issue)) for issue in issues)
    for issue in issues:
        token = play.node.token_of(play.desk.suite["factory"], issue.isin.encode())
        issuer = play.institution(_ISSUERS[issue.short_code])
        play.securities[issue.short_code] = Security(issue, issuer, token)
    unregistered = [_mint(play, security, play.investor("entrustor"), 1) for security in play.securities.values()]
    play.carry_refused("NOT_REGISTERED", unregistered)
    play.carry_all(request for security in play.securities.values() for request in _opening(play, security))


def _creation(play: Play, issue: IssueFile) -> ActRequest:
    isin = issue.isin.encode()
    barred = _bitmap(issue.barred_countries)
    rules = (0, _CAPS_BPS[issue.short_code], issue.class_bits, 0, issue.lot, False, barred, 0, 0, False)
    params = (isin, issue.name_en, issue.short_code, rules, 100, isin.ljust(32, b"\0"))
    approvers = (_ISSUERS[issue.short_code], "REGISTRAR")
    return play.desk.act("SuiteFactory", play.desk.suite["factory"], "createIssue", params, approvers=approvers)


def _mint(play: Play, security: Security, investor: Investor, units: int) -> Request:
    approvers = (security.issuer.name, "REGISTRAR")
    mint = play.desk.act("SecurityToken", security.token, "mint", investor.account, units, approvers=approvers)
    return security.issuer, mint


def _opening(play: Play, security: Security) -> Iterator[Request]:
    """Yield what lets units exist and move: the registrar's quantity, and the end of the pause a token is born with."""
    quantity, approvers = play.desk.suite["quantity"], (security.issuer.name, "REGISTRAR")
    arguments = (security.token, security.issue.units)
    yield security.issuer, play.desk.act("RegisteredQuantity", quantity, "register", *arguments, approvers=approvers)
    unpause = play.desk.act("SecurityToken", security.token, "unpause", approvers=("REGISTRAR", "VENUE"))
    yield security.issuer, unpause


def onboard(play: Play) -> None:
    """Bind every investor's account on chain, and tell the venue whose it is."""
    play.carry_all(
        (broker.institution, play.desk.onboarding(broker, batch))
        for broker in play.cast.brokers
        for batch in _batches([investor for investor in play.cast.investors if investor.broker is broker])
    )
    _in_parallel(play.client.open_account, play.cast.investors)


def allot(play: Play) -> None:
    """Mint the allotment, lock the entrustor's units for twelve months, and see the cap of supply hold."""
    play.carry_all(
        (play.securities[short_code].issuer, _batch_mint(play, play.securities[short_code], batch))
        for short_code, holdings in _allotment(play).items()
        for batch in _batches(holdings)
    )
    seller, securities = play.investor("seller"), play.securities.values()
    play.carry_refused(
        "SUPPLY_CAP_EXCEEDED", [_mint(play, security, seller, security.issue.units + 1) for security in securities]
    )
    _lock_entrustor(play)


def _batch_mint(play: Play, security: Security, batch: Sequence[tuple[Investor, int]]) -> ActRequest:
    accounts, units = tuple(investor.account for investor, _ in batch), tuple(units for _, units in batch)
    approvers = (security.issuer.name, "REGISTRAR")
    return play.desk.act("SecurityToken", security.token, "batchMint", accounts, units, approvers=approvers)


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
    totals = {broker: sum(_amounts(play, broker).values()) for broker in play.cast.brokers}
    play.carry(agent, *(play.desk.cash_account(broker) for broker in totals))
    play.carry(agent, *(play.desk.cash_credit(broker, total) for broker, total in totals.items()))
    play.credited += sum(totals.values())
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
