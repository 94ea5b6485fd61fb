# SPDX-License-Identifier: Apache-2.0
"""The issue file (ISS-01): complete, with valid identifiers, and amounts that agree."""

import json
from importlib import resources
from typing import Any

import pytest

from stoken.errors import RefusedError
from stoken.issuance.issue_file import InstrumentType, Lockup, parse_issue_file, read_issue_files
from tests.requirements import requirement

SAMPLE = (resources.files("stoken.cli.demo") / "instruments.json").read_bytes()
REQUIRED = (
    "isin",
    "short_code",
    "name_ko",
    "name_en",
    "instrument_type",
    "recording_form",
    "issuer_lei",
    "trustee_lei",
    "entrustor_lei",
    "arranger_lei",
    "underwriter_lei",
    "underlying",
    "currency",
    "units",
    "unit_price",
    "issue_amount",
    "issue_date",
    "investor_classes",
    "risk_grade",
    "lot",
    "barred_countries",
    "tax_class",
    "distribution",
)


def record(**changes: object) -> dict[str, Any]:
    """Return the record of BPL1 with some fields changed."""
    first: dict[str, Any] = json.loads(SAMPLE)["instruments"][0]
    return {**first, **changes}


def refusal_of(document: object) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        parse_issue_file(document)
    return caught.value


class TestReadIssueFiles:
    def test_the_six_test_instruments_are_complete(self) -> None:
        files = read_issue_files(SAMPLE)
        assert [file.short_code for file in files] == ["BPL1", "SHP1B", "MUS1", "SML1", "ART1", "PRO1"]

    def test_one_record_alone_is_a_file(self) -> None:
        (file,) = read_issue_files(json.dumps(record()).encode())
        assert file.units * (file.unit_price or 0) == file.issue_amount == 17_000_000_000
        assert file.lockups == (Lockup("ENTRUSTOR", 340_000, 12),)
        assert file.barred_countries == (408, 364)
        assert file.class_bits == 0b110

    @pytest.mark.parametrize(
        "data", [b"", b"{", b"\xff\xfe\xfa", b'{"instruments": {}}', b'{"instruments": []}', b"[1]"]
    )
    def test_what_is_no_issue_file_is_refused(self, data: bytes) -> None:
        with pytest.raises(RefusedError) as caught:
            read_issue_files(data)
        assert caught.value.code == "ISSUE_FILE_INCOMPLETE"


@requirement("ISS-01")
class TestParseIssueFile:
    @pytest.mark.parametrize("name", REQUIRED)
    def test_each_field_is_missed_by_name(self, name: str) -> None:
        document = record(**{name: None})
        assert refusal_of(document).details["field"] == name
        del document[name]
        error = refusal_of(document)
        assert (error.code, error.details["field"]) == ("ISSUE_FILE_INCOMPLETE", name)
        assert str(error).startswith(f"{name}: ")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("name_en", " "),
            ("name_ko", 7),
            ("instrument_type", "BOND"),
            ("currency", "USD"),
            ("units", 0),
            ("units", 1.5),
            ("units", True),
            ("units", "3400000"),
            ("units", 2**63),
            ("issue_date", "2026-13-01"),
            ("investor_classes", []),
            ("investor_classes", ["RETAIL"]),
            ("barred_countries", ["XX"]),
            ("barred_countries", "KP"),
            ("risk_grade", 7),
            ("lot", -1),
            ("lockups", {}),
        ],
    )
    def test_a_malformed_field_is_named(self, name: str, value: object) -> None:
        error = refusal_of(record(**{name: value}))
        assert (error.code, error.details["field"]) == ("ISSUE_FILE_INCOMPLETE", name)

    def test_an_inner_field_is_named_by_its_path(self) -> None:
        assert refusal_of(record(underlying={})).details["field"] == "underlying.type"
        assert refusal_of(record(lockups=[{"holder": "E", "units": 1}])).details["field"] == "lockups.0.months"
        assert refusal_of(record(lockups=[7])).details["field"] == "lockups.0"
        assert refusal_of(record(distribution={"frequency": "WEEKLY"})).details["field"] == "distribution.frequency"

    def test_a_token_identifier_may_wait_but_has_a_right_check_character(self) -> None:
        assert parse_issue_file(record()).dti is None
        assert parse_issue_file(record(dti="X9J9K872S")).dti == "X9J9K872S"
        error = refusal_of(record(dti="X9J9K872T"))
        assert (error.code, error.details["field"]) == ("IDENTIFIER_INVALID", "dti")

    def test_a_wrong_isin_check_digit_is_refused(self) -> None:
        error = refusal_of(record(isin="ZZBUSANPL018"))
        assert (error.code, error.details["field"]) == ("IDENTIFIER_INVALID", "isin")

    @pytest.mark.parametrize("name", [name for name in REQUIRED if name.endswith("_lei")])
    def test_a_wrong_lei_check_digit_is_refused(self, name: str) -> None:
        error = refusal_of(record(**{name: "ZZZZ0000000000000599"}))
        assert (error.code, error.details["field"]) == ("IDENTIFIER_INVALID", name)

    def test_amounts_that_do_not_agree_are_refused(self) -> None:
        error = refusal_of(record(issue_amount=17_000_000_001))
        assert (error.code, error.details["field"]) == ("ISSUE_AMOUNT_MISMATCH", "issue_amount")

    def test_an_auction_has_no_price_yet(self) -> None:
        document = record(auction={"start_price": 14_000})
        del document["unit_price"], document["issue_amount"]
        assert parse_issue_file(document).unit_price is None
        assert refusal_of({**document, "auction": {}}).details["field"] == "auction.start_price"

    def test_a_type_needs_the_parties_that_it_has(self) -> None:
        document = record(instrument_type=InstrumentType.INVESTMENT_CONTRACT, trustee_lei=None, entrustor_lei=None)
        assert set(parse_issue_file(document).parties) == {"issuer_lei", "arranger_lei", "underwriter_lei"}
        assert refusal_of({**document, "issuer_lei": None}).details["field"] == "issuer_lei"
