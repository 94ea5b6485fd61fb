# SPDX-License-Identifier: Apache-2.0
"""Which blocks are final: a property of the engine, told to the mirror."""

from dataclasses import dataclass
from typing import Final

#: How the rule begins, in the record of a block that is final by its seals.
SEALED_RULE: Final = "commit seals of two thirds of the validators"


@dataclass(frozen=True, slots=True)
class Finality:
    """Blocks `depth` below the head are final (0 on engines with instant finality), or those up to a node's `tag`.

    With `sealed` nothing is written, and so nothing final, before the validators' commit seals are shown to be theirs.
    """

    depth: int = 0
    tag: str | None = None
    sealed: bool = False

    @property
    def rule(self) -> str:
        """Return the rule in words, as the record of each final block names it."""
        if self.tag is not None:
            return f"the node's tag {self.tag}"
        seals = SEALED_RULE if self.sealed else "no seals"
        return f"{seals}, depth {self.depth}"

    def final_number(self, head: int, tagged: int | None) -> int:
        """Return the last final block, -1 for none; `tagged` is the number of the tagged block."""
        if self.tag is not None:
            return -1 if tagged is None else tagged
        return max(-1, head - self.depth)
