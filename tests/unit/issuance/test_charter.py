# SPDX-License-Identifier: Apache-2.0
"""A charter is read by its names, and a wrong one is refused by its field."""

import json
from pathlib import Path
from typing import Any

import pytest

from stoken.chain.statements import MemberKey
from stoken.domain.codes import Role, Scope
from stoken.errors import InvalidInputError
from stoken.issuance.charter import charter_of, read_charter
from stoken.issuance.deploy import Founder

LEI = "ZZZZ0000000000000113"
ADDRESS = "0x" + "11" * 20


def document(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of a JSON document
    key = {"address": ADDRESS, "scopes": ["ORDER", "CASH"], "until": 1_900_000_000}
    member = {"lei": LEI, "roles": ["VENUE"], "keys": [key]}
    return {"members": [member], "topics": [1, 2], "issuers": [{"address": ADDRESS, "topics": [1]}], **changes}


class TestCharter:
    def test_names_become_bits(self) -> None:
        charter = charter_of(document())
        key = MemberKey(b"\x11" * 20, Scope.ORDER | Scope.CASH, 0, 1_900_000_000)
        assert charter.founders == (Founder(LEI.encode(), Role.VENUE, (key,)),)
        assert (charter.topics, charter.issuers) == ((1, 2), ((b"\x11" * 20, (1,)),))

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"topics": None}, "topics"),
            ({"topics": [64]}, "topics"),
            ({"members": {}}, "members"),
            ({"members": [{"lei": "ZZZZ0000000000000114", "roles": [], "keys": []}]}, "members[0].lei"),
            ({"members": [{"lei": LEI, "roles": ["KING"], "keys": []}]}, "members[0].roles"),
            ({"members": [{"lei": LEI, "roles": []}]}, "members[0].keys"),
            ({"issuers": [{"address": "0x12", "topics": []}]}, "issuers[0].address"),
            ({"issuers": [{"address": "water", "topics": []}]}, "issuers[0].address"),
        ],
    )
    def test_a_malformed_field_is_named(self, changes: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            charter_of(document(**changes))
        assert caught.value.details["field"] == field

    def test_a_period_that_ends_before_it_begins_is_refused(self) -> None:
        key = {"address": ADDRESS, "scopes": [], "since": 2, "until": 1}
        with pytest.raises(InvalidInputError, match="period"):
            charter_of(document(members=[{"lei": LEI, "roles": [], "keys": [key]}]))

    def test_it_is_read_from_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "charter.json"
        path.write_text(json.dumps(document()))
        assert read_charter(path) == charter_of(document())

    def test_a_missing_file_is_one_clear_line(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError, match="cannot be read"):
            read_charter(tmp_path / "charter.json")
