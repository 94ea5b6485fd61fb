# SPDX-License-Identifier: Apache-2.0
"""Which changes of a storage layout an upgrade would misread."""

import hashlib

import msgspec
import pytest

from stoken.chain import artifacts
from stoken.chain.upgrades import Compatibility
from tools.layout import Field, Struct, differences, page, parse, report, slot_of

OWNER = Field("0", "0", "owner", "address")
UNITS = Field("0", "20", "units", "uint96")
RECORDS = Field("1", "0", "records", "mapping(bytes32 => struct Deeds.Deed)")
ROOT = Struct("stoken.storage.Deeds", slot_of("stoken.storage.Deeds"), (OWNER, UNITS, RECORDS))
DEED = Struct("stoken.storage.Deeds: struct Deeds.Deed", "", (OWNER,))


def with_fields(*fields: Field) -> list[Struct]:
    return [ROOT._replace(fields=fields), DEED]


class TestDifferences:
    def test_the_same_layout_has_none(self) -> None:
        assert differences([ROOT, DEED], [ROOT, DEED]) == []

    def test_a_field_may_be_appended(self) -> None:
        assert differences([ROOT, DEED], with_fields(*ROOT.fields, Field("2", "0", "more", "bool"))) == []

    def test_a_struct_in_a_mapping_may_grow(self) -> None:
        assert differences([ROOT, DEED], [ROOT, DEED._replace(fields=(OWNER, UNITS))]) == []

    def test_a_struct_in_an_array_may_not(self) -> None:
        listed = ROOT._replace(fields=(OWNER, UNITS, RECORDS._replace(kind="struct Deeds.Deed[]")))
        (line,) = differences([listed, DEED], [listed, DEED._replace(fields=(OWNER, UNITS))])
        assert "neighbours in an array" in line

    @pytest.mark.parametrize(
        "fields",
        [
            (OWNER, RECORDS),
            (UNITS, OWNER, RECORDS),
            (OWNER, UNITS._replace(kind="uint88"), RECORDS),
            (OWNER, UNITS._replace(byte="21"), RECORDS),
            (OWNER, UNITS._replace(name="shares"), RECORDS),
        ],
    )
    def test_a_field_that_vanished_moved_or_changed_shows_both_lines(self, fields: tuple[Field, ...]) -> None:
        lines = differences([ROOT, DEED], with_fields(*fields))
        assert {line[0] for line in lines} == {"-", "+"}

    def test_a_namespace_may_not_change(self) -> None:
        assert differences([ROOT], [ROOT._replace(at=slot_of("stoken.storage.Other"))]) != []
        assert differences([ROOT], []) == ["- stoken.storage.Deeds: the struct vanished"]


class TestPage:
    def test_it_is_read_as_it_was_written(self) -> None:
        assert parse(page([ROOT, DEED])) == [ROOT, DEED]


class TestSlotOf:
    def test_it_is_the_example_of_the_standard(self) -> None:
        assert slot_of("example.main") == "0x183a6125c38840424c4a85fa12bab2ab606c4b6d0e7cc73c0c06ba5300eab500"


class TestReport:
    def test_it_is_what_an_upgrade_asks_for(self) -> None:
        before, after = page([ROOT, DEED]), page(with_fields(*ROOT.fields, Field("2", "0", "more", "bool")))
        found = msgspec.convert(report(before, after), Compatibility)
        assert found.differences == []
        assert found.layout == hashlib.sha256(after.encode()).hexdigest() != found.former_layout
        assert found.artifacts["Authority"] == f"0x{artifacts.load('Authority').runtime_hash.hex()}"

    def test_it_names_what_would_be_misread(self) -> None:
        assert report(page([ROOT, DEED]), page([ROOT]))["differences"] == [f"- {DEED.name}: the struct vanished"]
