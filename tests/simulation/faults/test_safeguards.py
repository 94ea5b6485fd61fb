# SPDX-License-Identifier: Apache-2.0
"""Without any one of its safeguards the product breaks an invariant in some world: the simulator would see it."""

from pathlib import Path
from typing import Final

import pytest
from sqlalchemy.exc import IntegrityError

from stoken.errors import StartupError
from tests.simulation.faults.playing import play
from tests.simulation.faults.safeguards import SAFEGUARDS, without

SEEDS_MAX: Final = 200
#: How a world breaks: by an invariant, by a start that is refused, by a row that contradicts another.
BROKEN: Final = (AssertionError, StartupError, ValueError, IntegrityError)


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_without_it_some_world_breaks(name: str, template: Path) -> None:
    first = SAFEGUARDS[name][1]
    with without(name):
        # Whatever changes how often the node is asked changes the worlds: then another seed breaks.
        for seed in (first, *range(SEEDS_MAX)):
            try:
                play(seed, template)
            except BROKEN:
                return
    pytest.fail(f"{SEEDS_MAX} worlds hold without {name}")
