# SPDX-License-Identifier: Apache-2.0
"""Which blocks count as final."""

from stoken.mirror import Finality


class TestFinalNumber:
    def test_instant_finality_makes_the_head_final(self) -> None:
        assert Finality().final_number(9, None) == 9

    def test_a_depth_holds_blocks_back(self) -> None:
        assert Finality(depth=4).final_number(9, None) == 5
        assert Finality(depth=4).final_number(2, None) == -1

    def test_a_tag_is_the_nodes_word(self) -> None:
        assert Finality(tag="finalized").final_number(9, 3) == 3
        assert Finality(tag="finalized").final_number(9, None) == -1
