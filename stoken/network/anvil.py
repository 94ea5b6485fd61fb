# SPDX-License-Identifier: Apache-2.0
"""The embedded engine: one anvil process, without a fee, with London's rules."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from typing_extensions import override

import stoken
from stoken.errors import StartupError
from stoken.network.process import HOST, NodeProcess

CHAIN_ID: Final = 20260
_FLAGS: Final = (
    *("--hardfork", "london"),
    *("--block-base-fee-per-gas", "0"),
    *("--gas-price", "0"),
    "--disable-min-priority-fee",
    *("--gas-limit", "60000000"),
    "--no-request-size-limit",  # batches of settlements are larger than 2 MB
    *("--accounts", "1"),  # unlocked demo accounts are of no use here
    "--no-cors",
)


class Anvil(NodeProcess):
    """A running anvil; use it as a context manager, or call `start` and `stop`."""

    name = "anvil"

    def __init__(
        self,
        *,
        port: int = 0,
        chain_id: int = CHAIN_ID,
        block_seconds: float | None = 1,
        automine: bool = False,
        state_file: Path | None = None,
        keep_history: bool = False,
    ) -> None:
        """Take the options: port 0 picks a free one; without `block_seconds` and `automine` only evm_mine mines."""
        super().__init__(port)
        self._options = (*_FLAGS, "--chain-id", str(chain_id), *_mining(block_seconds, automine=automine))
        if not keep_history:
            self._options += ("--prune-history", "64")
        if state_file is not None:
            self._options += ("--state", str(state_file), "--state-interval", "1")

    @override
    def command(self) -> Sequence[str]:
        return [find_binary(), *self._options, "--host", HOST, "--port", str(self.port)]


def find_binary() -> str:
    """Return anvil's path: the project's own (npm), or the one on PATH."""
    roots = (Path(stoken.__file__).parent.parent, Path.cwd())
    for root in roots:
        candidate = root / "node_modules" / ".bin" / "anvil"
        if candidate.exists():
            return str(candidate)
    on_path = shutil.which("anvil")
    if on_path is None:
        raise StartupError(
            "anvil is missing: run `npm ci` in the project, or put anvil on PATH, or name a node by --rpc"
        )
    return on_path


def _mining(block_seconds: float | None, *, automine: bool) -> tuple[str, ...]:
    if automine:
        return ()
    return ("--no-mining",) if block_seconds is None else ("--block-time", str(block_seconds))
