# SPDX-License-Identifier: Apache-2.0
"""`stoken order`: sign, submit, show and cancel orders, as a broker does."""

import json as json_format
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from stoken.chain import eip712
from stoken.chain import suite as suites
from stoken.chain.signatures import sign as sign_digest
from stoken.chain.statements import OrderCancel
from stoken.cli.output import Json, emit
from stoken.domain.codes import Side
from stoken.domain.identifiers import is_isin, member_id
from stoken.domain.quantities import parse_amount
from stoken.domain.refusals import Refusal
from stoken.domain.signed_order import SignedOrder
from stoken.errors import InvalidInputError, RefusedError, StokenError, UnavailableError
from stoken.settings import load_settings

app = typer.Typer(help="Sign, submit, show and cancel orders.", add_completion=False)
_TIMEOUT_SECONDS: Final = 30
_ADDRESS_OCTETS: Final = 20
_KEY_OCTETS: Final = 32
_SECONDS_END: Final = 2**40

KeyFile = Annotated[Path, typer.Option(help="File with the signing key: 32 bytes in hex.")]
TokenFile = Annotated[Path, typer.Option(help="File with the access token.")]
Url = Annotated[str, typer.Option(help="The gateway's address.")]


class _ProblemError(StokenError):
    """The gateway answered with a problem."""


@app.command()
def sign(
    file: Annotated[Path, typer.Argument(help="The order's body without signature, as POST /orders takes it.")],
    *,
    key_file: KeyFile,
    json: Json = False,
) -> None:
    """Sign an order for the suite of the settings, and print the body that `submit` sends."""
    fields = _read(file)
    settings = load_settings()
    suite = suites.load(settings.suite_file)
    signed = _signed(fields, member_id(settings.venue.lei), suite["deposit"])
    separator = eip712.domain(eip712.DVP_SETTLEMENT, suite.chain_id, suite["settlement"])
    fields["signature"] = "0x" + sign_digest(_key(key_file), eip712.order(separator, signed)).hex()
    emit(fields, [json_format.dumps(fields)], as_json=json)


@app.command()
def submit(
    file: Annotated[Path, typer.Argument(help="A signed order, as `sign` prints it.")],
    *,
    token_file: TokenFile,
    url: Url = "http://127.0.0.1:8080",
    json: Json = False,
) -> None:
    """Send a signed order; the same file again gets the same answer."""
    _print(_call("POST", f"{url}/orders", token_file, _read(file)), as_json=json)


@app.command()
def show(
    order_id: Annotated[int, typer.Argument(help="The venue's id of the order.")],
    *,
    token_file: TokenFile,
    url: Url = "http://127.0.0.1:8080",
    json: Json = False,
) -> None:
    """Print an order as it stands."""
    _print(_call("GET", f"{url}/orders/{order_id}", token_file), as_json=json)


@app.command()
def cancel(
    order_id: Annotated[int, typer.Argument(help="The venue's id of the order.")],
    *,
    key_file: KeyFile,
    token_file: TokenFile,
    url: Url = "http://127.0.0.1:8080",
    json: Json = False,
) -> None:
    """Sign a cancellation and withdraw what is left of an order."""
    suite = suites.load(load_settings().suite_file)
    separator = eip712.domain(eip712.DVP_SETTLEMENT, suite.chain_id, suite["settlement"])
    order = _call("GET", f"{url}/orders/{order_id}", token_file)
    statement = OrderCancel(member_id(order["broker"]), int(order["nonce"]))
    signature = sign_digest(_key(key_file), eip712.order_cancel(separator, statement))
    body = {"signature": "0x" + signature.hex()}
    _print(_call("DELETE", f"{url}/orders/{order_id}", token_file, body), as_json=json)


def _call(method: str, url: str, token_file: Path, body: object = None) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {token_file.read_text().strip()}"}
    try:
        answer = httpx.request(method, url, json=body, headers=headers, timeout=_TIMEOUT_SECONDS)
        document: dict[str, Any] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise UnavailableError(f"the gateway at {url} does not answer: {error}") from error
    if answer.is_error:
        problem = _ProblemError(str(document.get("detail")), document.get("details"))
        problem.code = str(document.get("code"))
        raise problem
    return document


def _print(document: dict[str, Any], *, as_json: bool) -> None:
    emit(document, [f"{name}: {value}" for name, value in document.items()], as_json=as_json)


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json_format.loads(file.read_bytes())
    except ValueError as error:
        raise InvalidInputError(f"{file} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidInputError(f"{file} is not an order")
    return document


def _signed(fields: dict[str, Any], venue: bytes, cash: bytes) -> SignedOrder:
    isin, side = fields.get("isin"), fields.get("side")
    if not isinstance(isin, str) or not is_isin(isin):
        raise RefusedError(Refusal.IDENTIFIER_INVALID, f"isin: {isin} is not a valid ISIN (check digit)")
    if not isinstance(side, str) or side not in Side.__members__:
        raise InvalidInputError("side: neither BUY nor SELL", {"field": "side"})
    return SignedOrder(
        venue=venue,
        account=_octets("account", fields.get("account"), _ADDRESS_OCTETS),
        cash_account=_octets("cash_account", fields.get("cash_account"), _ADDRESS_OCTETS),
        token=_octets("token", fields.get("token"), _ADDRESS_OCTETS),
        cash=cash,
        side=Side[side],
        price=_amount("price", fields.get("price")),
        quantity=_amount("quantity", fields.get("quantity")),
        nonce=_amount("nonce", fields.get("nonce")),
        tradable_until=_seconds("tradable_until", fields.get("tradable_until")),
        settle_by=_seconds("settle_by", fields.get("settle_by")),
        replaces=_amount("replaces", fields.get("replaces", "0")),
    )


def _amount(name: str, value: object) -> int:
    try:
        return parse_amount(value if isinstance(value, str) else "")
    except ValueError as error:
        raise InvalidInputError(f"{name}: not a decimal string", {"field": name}) from error


def _seconds(name: str, value: object) -> int:
    if type(value) is not int or not 0 <= value < _SECONDS_END:
        raise InvalidInputError(f"{name}: not an instant in seconds", {"field": name})
    return value


def _key(path: Path) -> bytes:
    return _octets(str(path), path.read_text().strip(), _KEY_OCTETS)


def _octets(name: str, value: object, count: int) -> bytes:
    try:
        data = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else b""
    except ValueError:
        data = b""
    if len(data) != count:
        raise InvalidInputError(f"{name}: not {count} bytes in hex", {"field": name})
    return data
