# SPDX-License-Identifier: Apache-2.0
"""Which blocks are final: a property of the engine, told to the mirror."""

from dataclasses import dataclass
from typing import Final, NamedTuple

#: How the rule begins, in the record of a block that is final by its seals.
SEALED_RULE: Final = "commit seals of two thirds of the validators"


class FirstSealed(NamedTuple):
    """The first block with commit seals of a chain that ran on another engine before, as the operator knows it."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Finality:
    """Blocks `depth` below the head are final (0 on engines with instant finality), or those up to a node's `tag`.

    With `sealed` nothing is written, and so nothing final, before the validators' commit seals are shown to be theirs:
    from `first_sealed` on, where the chain ran on another engine before.
    """

    depth: int = 0
    tag: str | None = None
    sealed: bool = False
    first_sealed: FirstSealed | None = None

    @property
    def sealed_from(self) -> int | None:
        """Return the first block whose header must give its hash, None where none must."""
        if not self.sealed:
            return None
        return 0 if self.first_sealed is None else self.first_sealed.number

    @property
    def rule(self) -> str:
        """Return the rule in words, as the record of each final block names it."""
        if self.tag is not None:
            return f"the node's tag {self.tag}"
        return f"{SEALED_RULE}, depth {self.depth}" if self.sealed else self.rule_without_seals

    @property
    def rule_without_seals(self) -> str:
        """Return the rule for a block whose seals were not looked at: it was mirrored under another rule."""
        return f"no seals, depth {self.depth}"

    def final_number(self, head: int, tagged: int | None) -> int:
        """Return the last final block, -1 for none; `tagged` is the number of the tagged block."""
        if self.tag is not None:
            return -1 if tagged is None else tagged
        return max(-1, head - self.depth)
