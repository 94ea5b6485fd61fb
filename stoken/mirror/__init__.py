# SPDX-License-Identifier: Apache-2.0
"""The only reader of the chain: blocks, logs, transaction hashes, and the unwinding of what a reorg took back."""

from stoken.mirror.blocks import Log, MinedBlock
from stoken.mirror.finality import Finality
from stoken.mirror.step import MirrorStep, Progress, Projection

__all__ = ["Finality", "Log", "MinedBlock", "MirrorStep", "Progress", "Projection"]
