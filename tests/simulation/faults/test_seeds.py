# SPDX-License-Identifier: Apache-2.0
"""Worlds by their seeds: whatever strikes, the invariants of write and read path hold."""

from pathlib import Path

import pytest

from tests.simulation.faults.playing import play


@pytest.mark.parametrize("seed", range(200))
def test_the_invariants_hold_whatever_strikes(seed: int, template: Path) -> None:
    play(seed, template)
