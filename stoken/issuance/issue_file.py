# SPDX-License-Identifier: Apache-2.0
"""The issue file: what must be known of an instrument before it can be created (ISS-01)."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Never

from stoken.domain.codes import InvestorClass
from stoken.domain.identifiers import is_dti, is_isin, is_lei
from stoken.domain.quantities import AMOUNT_MAX
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError
from stoken.issuance.countries import NUMERIC


class InstrumentType(StrEnum):
    """Kind of security; a difference between kinds is data, not code."""

    BENEFICIARY_CERTIFICATE = "BENEFICIARY_CERTIFICATE"
    INVESTMENT_CONTRACT = "INVESTMENT_CONTRACT"
    DEBT = "DEBT"
    EQUITY = "EQUITY"


_T = InstrumentType
#: The parties that each type has.
_PARTIES: Mapping[InstrumentType, tuple[str, ...]] = {
    _T.BENEFICIARY_CERTIFICATE: ("issuer_lei", "trustee_lei", "entrustor_lei", "arranger_lei", "underwriter_lei"),
    _T.INVESTMENT_CONTRACT: ("issuer_lei", "arranger_lei", "underwriter_lei"),
    _T.DEBT: ("issuer_lei", "arranger_lei", "underwriter_lei"),
    _T.EQUITY: ("issuer_lei", "arranger_lei", "underwriter_lei"),
}
_ALL_PARTIES = _PARTIES[_T.BENEFICIARY_CERTIFICATE]
_PAYING = frozenset({_T.BENEFICIARY_CERTIFICATE, _T.DEBT})
_RECORDING_FORMS = ("DLT", "ELECTRONIC")
_FREQUENCIES = ("NONE", "MONTHLY", "QUARTERLY", "SEMI_ANNUAL", "ANNUAL")
_RISK_GRADES = range(1, 7)


@dataclass(frozen=True, slots=True)
class Lockup:
    """Units of a holder that cannot be sold for some months after the issue."""

    holder: str
    units: int
    months: int


@dataclass(frozen=True, slots=True)
class IssueFile:
    """A complete issue file. Amounts are KRW and units; None where an auction sets `unit_price`, or `dti` may wait."""

    isin: str
    dti: str | None
    short_code: str
    name_ko: str
    name_en: str
    instrument_type: InstrumentType
    recording_form: str
    parties: Mapping[str, str]
    underlying_type: str
    units: int
    unit_price: int | None
    issue_amount: int | None
    issue_date: date
    maturity_date: date | None
    investor_classes: tuple[InvestorClass, ...]
    risk_grade: int
    lot: int
    barred_countries: tuple[int, ...]
    tax_class: str
    lockups: tuple[Lockup, ...]

    @property
    def class_bits(self) -> int:
        """The classes as the rule set on chain holds them: bit 1 << class."""
        return sum(1 << investor_class for investor_class in self.investor_classes)


def read_issue_files(data: bytes) -> list[IssueFile]:
    """Return the instruments of an issue file: one record, or a list under `instruments`.

    Raises RefusedError whose `field` names the first field that is missing or wrong.
    """
    try:
        document = json.loads(data)
    except ValueError as error:
        _refuse(Refusal.ISSUE_FILE_INCOMPLETE, "file", f"is not JSON: {error}")
    records = document.get("instruments") if isinstance(document, dict) and "instruments" in document else [document]
    if not isinstance(records, list) or not records:
        _refuse(Refusal.ISSUE_FILE_INCOMPLETE, "instruments", "must be a list of instruments")
    return [parse_issue_file(record) for record in records]


def parse_issue_file(record: object) -> IssueFile:
    """Return a complete issue file, or raise RefusedError that names the first field at fault."""
    if not isinstance(record, dict):
        _refuse(Refusal.ISSUE_FILE_INCOMPLETE, "file", "must be an object")
    fields = _Fields(record)
    instrument_type = InstrumentType(fields.one_of("instrument_type", tuple(InstrumentType)))
    fields.one_of("currency", ("KRW",))
    unit_price, issue_amount = _price(fields)
    _check_distribution(fields, instrument_type)
    return IssueFile(
        isin=fields.isin("isin"),
        dti=fields.dti("dti") if fields.has("dti") else None,
        short_code=fields.text("short_code"),
        name_ko=fields.text("name_ko"),
        name_en=fields.text("name_en"),
        instrument_type=instrument_type,
        recording_form=fields.one_of("recording_form", _RECORDING_FORMS),
        parties=dict(_parties(fields, instrument_type)),
        underlying_type=fields.inner("underlying").text("type"),
        units=fields.positive("units"),
        unit_price=unit_price,
        issue_amount=issue_amount,
        issue_date=fields.day("issue_date"),
        maturity_date=fields.day("maturity_date") if fields.has("maturity_date") else None,
        investor_classes=tuple(InvestorClass[name] for name in fields.names("investor_classes", InvestorClass)),
        risk_grade=fields.within("risk_grade", _RISK_GRADES),
        lot=fields.positive("lot"),
        barred_countries=tuple(NUMERIC[code] for code in fields.names("barred_countries", NUMERIC, empty=True)),
        tax_class=fields.text("tax_class"),
        lockups=tuple(_lockups(fields)),
    )


def _refuse(refusal: Refusal, field: str, reason: str) -> Never:
    raise RefusedError(refusal, f"{field}: {reason}", {"field": field})


class _Fields:
    """Reads one object field by field; the first that is missing or malformed raises, named by its path."""

    def __init__(self, record: Mapping[str, Any], path: str = "") -> None:
        self._record = record
        self._path = path

    def has(self, name: str) -> bool:
        return self._record.get(name) is not None

    def refuse(self, name: str, reason: str, refusal: Refusal = Refusal.ISSUE_FILE_INCOMPLETE) -> Never:
        _refuse(refusal, self._path + name, reason)

    def value(self, name: str) -> Any:  # noqa: ANN401 - not yet known to be anything
        if not self.has(name):
            self.refuse(name, "is missing")
        return self._record[name]

    def text(self, name: str) -> str:
        value = self.value(name)
        if not isinstance(value, str) or not value.strip():
            self.refuse(name, "must be a text")
        return value

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in allowed:
            self.refuse(name, f"must be one of {', '.join(allowed)}")
        return value

    def names(self, name: str, allowed: Any, *, empty: bool = False) -> list[str]:  # noqa: ANN401 - enum or table
        values = self.value(name)
        known = getattr(allowed, "__members__", allowed)
        if not isinstance(values, list) or not (values or empty):
            self.refuse(name, "must be a list")
        for value in values:
            if not isinstance(value, str) or value not in known:
                self.refuse(name, f"does not know {value!r}")
        return values

    def positive(self, name: str) -> int:
        return self.within(name, range(1, AMOUNT_MAX + 1))

    def within(self, name: str, allowed: range) -> int:
        value = self.value(name)
        if type(value) is not int or value not in allowed:
            self.refuse(name, f"must be a whole number from {allowed.start} to {allowed.stop - 1}")
        return value

    def day(self, name: str) -> date:
        value = self.text(name)
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.refuse(name, "must be a date YYYY-MM-DD")

    def inner(self, name: str) -> "_Fields":
        value = self.value(name)
        if not isinstance(value, dict):
            self.refuse(name, "must be an object")
        return _Fields(value, f"{self._path}{name}.")

    def isin(self, name: str) -> str:
        return self._identifier(name, "ISIN", is_isin)

    def dti(self, name: str) -> str:
        return self._identifier(name, "DTI", is_dti)

    def lei(self, name: str) -> str:
        return self._identifier(name, "LEI", is_lei)

    def _identifier(self, name: str, kind: str, is_valid: Callable[[str], bool]) -> str:
        value = self.text(name)
        if not is_valid(value):
            self.refuse(name, f"{value} is not a valid {kind} (check digit)", Refusal.IDENTIFIER_INVALID)
        return value


def _parties(fields: _Fields, instrument_type: InstrumentType) -> Iterator[tuple[str, str]]:
    for name in _ALL_PARTIES:
        if name in _PARTIES[instrument_type] or fields.has(name):
            yield name, fields.lei(name)


def _price(fields: _Fields) -> tuple[int | None, int | None]:
    """Return unit price and issue amount, which agree with the units; an auction has neither yet."""
    if fields.has("auction") and not fields.has("unit_price"):
        fields.inner("auction").positive("start_price")
        return None, None
    units, unit_price, issue_amount = (fields.positive(name) for name in ("units", "unit_price", "issue_amount"))
    if units * unit_price != issue_amount:
        reason = f"{issue_amount} is not {units} units x {unit_price} = {units * unit_price}"
        fields.refuse("issue_amount", reason, Refusal.ISSUE_AMOUNT_MISMATCH)
    return unit_price, issue_amount


def _check_distribution(fields: _Fields, instrument_type: InstrumentType) -> None:
    if instrument_type in _PAYING or fields.has("distribution"):
        fields.inner("distribution").one_of("frequency", _FREQUENCIES)


def _lockups(fields: _Fields) -> Iterator[Lockup]:
    if not fields.has("lockups"):
        return
    records = fields.value("lockups")
    if not isinstance(records, list):
        fields.refuse("lockups", "must be a list")
    for place, record in enumerate(records):
        if not isinstance(record, dict):
            fields.refuse(f"lockups.{place}", "must be an object")
        inner = _Fields(record, f"lockups.{place}.")
        yield Lockup(inner.text("holder"), inner.positive("units"), inner.positive("months"))
