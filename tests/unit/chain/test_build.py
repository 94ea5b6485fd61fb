# SPDX-License-Identifier: Apache-2.0
"""One ABI of a contract in two parts."""

import pytest

from stoken.chain.build import Json, merge
from stoken.errors import InvalidInputError


def function(name: str, *types: str, outputs: tuple[str, ...] = ()) -> Json:
    return {
        "type": "function",
        "name": name,
        "inputs": [{"type": kind} for kind in types],
        "outputs": [{"type": kind} for kind in outputs],
    }


def constructor(*types: str) -> Json:
    return {"type": "constructor", "inputs": [{"type": kind} for kind in types]}


class TestMerge:
    def test_both_parts_answer_and_the_first_is_constructed(self) -> None:
        first = [constructor("address"), {"type": "fallback", "stateMutability": "nonpayable"}, function("a")]
        second = [constructor(), function("b", "uint256")]
        event = {"type": "event", "name": "Ended", "inputs": []}
        merged = merge(first, second, [function("a"), function("b", "uint256"), event])
        assert [entry.get("name") for entry in merged if entry["type"] == "function"] == ["b", "a"]
        assert [entry for entry in merged if entry["type"] == "constructor"] == [constructor("address")]
        assert event in merged
        assert all(entry["type"] != "fallback" for entry in merged)

    @pytest.mark.parametrize(
        "promised", [function("c"), function("a", "uint8"), function("a", outputs=("bool",))], ids=str
    )
    def test_a_promise_that_no_part_keeps_is_an_error(self, promised: Json) -> None:
        with pytest.raises(InvalidInputError, match="no part of the contract answers"):
            merge([function("a")], [function("b")], [promised])

    def test_tuples_differ_by_their_components(self) -> None:
        one, two = function("a", "tuple[]"), function("a", "tuple[]")
        one["inputs"][0]["components"] = [{"type": "uint8"}]
        two["inputs"][0]["components"] = [{"type": "uint16"}]
        assert len(merge([one], [two], [])) == 2
