# SPDX-License-Identifier: Apache-2.0
"""The only reader of the chain: blocks, logs, transaction hashes, and the unwinding of what a reorg took back."""

from stoken.mirror.blocks import Log, MinedBlock
from stoken.mirror.clock import BlockClock
from stoken.mirror.finality import Finality
from stoken.mirror.step import MirrorStep, Progress, Projection
from stoken.mirror.window import Window
from stoken.mirror.witness import Witness

__all__ = [
    "BlockClock",
    "Finality",
    "Log",
    "MinedBlock",
    "MirrorStep",
    "Progress",
    "Projection",
    "Window",
    "Witness",
]
