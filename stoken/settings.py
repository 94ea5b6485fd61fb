# SPDX-License-Identifier: Apache-2.0
"""What can be configured: frozen, nested, read from STOKEN_* variables; unknown names are refused."""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from stoken.errors import StartupError

_PREFIX = "STOKEN_"
#: Read by the test suite and the failpoints, not by the product.
_OUTSIDE = frozenset({"STOKEN_TEST_PGBIN", "STOKEN_TEST_PKCS11_MODULE", "STOKEN_FAILPOINT"})


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RpcSettings(_Group):
    """The node to read and write."""

    url: str = Field("http://127.0.0.1:8545", description="URL of the node's JSON-RPC endpoint.")
    timeout_seconds: int = Field(10, ge=1, description="Time after which a call counts as unanswered.")
    finality: Literal["depth", "qbft"] = Field(
        "depth",
        description="What makes a block final: its depth, or commit seals of the validators (QBFT, IBFT 2.0) as well.",
    )
    qbft_from: str | None = Field(
        None,
        pattern=r"^\d{1,18}:0x[0-9a-f]{64}$",
        description="With `qbft`, on a chain that ran on another engine before: number and hash of the first block "
        "with commit seals (`1234:0x…`). Those below are final by the depth alone, and so recorded.",
    )
    finality_depth: int = Field(0, ge=0, description="Blocks below the head that are final (0: BFT engines and anvil).")
    pool_transactions_max: int = Field(
        4_096,
        ge=0,
        description="Transactions that the node's pool holds, where it does not say so as Besu does; near it the "
        "worker sends less. With 0 the node is not asked.",
    )


class MirrorSettings(_Group):
    """How the chain is read, and how what was read is checked."""

    range_blocks: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="Blocks that one request for logs covers at most; fewer where the node says so.",
    )
    range_logs: int = Field(20_000, ge=1, description="Logs that one request should bring: the range shrinks to it.")
    lag_blocks_max: int = Field(
        5, ge=0, description="Blocks that the mirror may be behind the node's head while orders are taken."
    )
    stale_seconds_max: int = Field(
        10, ge=1, description="Seconds since the mirror last looked at the node, after which orders are refused."
    )
    idle_seconds_max: int = Field(
        0,
        ge=0,
        description="Seconds without a new block after which the chain counts as stopped and orders are refused: the "
        "period of its empty blocks and two request time-outs; 0 for a chain that may rest.",
    )
    verify_rows_per_second: int = Field(
        20,
        ge=0,
        le=10_000,
        description="Rows of the ledger that the worker compares with the chain each second; 0 for none.",
    )
    witness_url: str | None = Field(
        None, description="URL of a second node; where the two disagree on a block's hash, nothing is written."
    )
    witness_required: bool = Field(
        default=False, description="Write only what the second node confirms, so that its absence stops the mirror."
    )
    skew_seconds_max: int = Field(
        30,
        ge=1,
        description="Seconds that a block's time may lie ahead of this machine's clock before the mirror stops.",
    )


class DatabaseSettings(_Group):
    """Where mirror, ledger and outbox, and the journal live."""

    url: SecretStr = Field(
        SecretStr("sqlite:///var/stoken.db"), description="Database of `work`: SQLite or PostgreSQL."
    )
    market_url: SecretStr | None = Field(
        None, description="Database of `serve`; by default the same PostgreSQL, or a sibling SQLite file `…-market.db`."
    )


class AuthSettings(_Group):
    """Who may call the gateway."""

    public_key_file: Path | None = Field(None, description="PEM public key (ES256) of the access-token issuer.")
    audience: str = Field("stoken", description="Audience that access tokens must name.")
    issuer: str = Field("stoken-demo", description="Issuer that access tokens must name.")


class SignerSettings(_Group):
    """The keys that carry transactions, and where they are: each is a lane of its own."""

    keystore_file: Path | None = Field(
        None, description="Encrypted keystore (Web3 Secret Storage v3) of the sender key."
    )
    keystore_files: tuple[Path, ...] = Field(
        (), description="Further keystores with the same password, one sender key each: a JSON list of paths."
    )
    password: SecretStr | None = Field(None, description="Password of the keystores.")
    remote_url: str | None = Field(
        None, description="Remote signer with the HTTP API of Web3Signer, behind TLS or on this machine."
    )
    remote_addresses: tuple[str, ...] = Field(
        (), description="Addresses of the sender keys at the remote signer: a JSON list."
    )
    pkcs11_module: Path | None = Field(
        None, description="PKCS#11 module (shared library) of the security module that holds sender keys."
    )
    pkcs11_token: str = Field("", description="Label of the token in that security module.")
    pkcs11_pin_file: Path | None = Field(None, description="File with the PIN of the token's user.")
    pkcs11_keys: tuple[str, ...] = Field((), description="Labels of the sender keys on the token: a JSON list.")
    retired: tuple[str, ...] = Field(
        (), description="Addresses of keys that take no new work and only finish what they carry: a JSON list."
    )
    key_policy: str | None = Field(
        None,
        description="Digest of the founding version of the key policy: with it no guarded act is signed without that "
        "policy.",
    )
    holder: str | None = Field(
        None, min_length=1, description="Name under which this worker holds its keys; by default the machine's name."
    )


class VenueSettings(_Group):
    """The venue that this gateway runs."""

    lei: str = Field("ZZZZ0000000000000113", description="LEI of the venue's operator.")
    mic: str = Field("STKN", description="Market identifier code, shown on quotes and trades.")
    pseudonym_key_file: Path | None = Field(None, description="File with the key of pseudonyms: 32 bytes or more.")
    pseudonym_key_id: str = Field("1", min_length=1, description="Name of the pseudonym key; part of what it hashes.")
    demo_clock: bool = Field(default=False, description="Let the operator shift the market's clock (demo and tests).")


class DriftSettings(_Group):
    """How the worker makes sure that the contracts still say what the gateway says."""

    period_seconds: int = Field(10, ge=1, description="Time between two comparisons of verdicts with the contracts'.")
    samples: int = Field(8, ge=0, le=1_000, description="Moves asked about in one comparison; 0 turns it off.")


class MonitoringSettings(_Group):
    """Where worker and gateway, each in its own process, show metrics and health."""

    host: str = Field("127.0.0.1", description="Address on which worker and gateway show metrics and health.")
    port: int | None = Field(
        None, ge=0, le=65535, description="Port for /metrics, /health/live and /health/ready; without it, none is open."
    )


class ClockSettings(_Group):
    """How the distance of the clock from UTC is watched."""

    period_seconds: int = Field(60, ge=1, description="Time between two readings of the clock for the drift log.")


class Settings(BaseSettings):
    """All settings; nested names are joined by two underscores, as in STOKEN_RPC__URL."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    rpc: RpcSettings = RpcSettings()
    mirror: MirrorSettings = MirrorSettings()
    database: DatabaseSettings = DatabaseSettings()
    auth: AuthSettings = AuthSettings()
    signer: SignerSettings = SignerSettings()
    venue: VenueSettings = VenueSettings()
    drift: DriftSettings = DriftSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    clock: ClockSettings = ClockSettings()
    suite_file: Path = Field(Path("var/suite.json"), description="Addresses of the deployed contract suite.")
    issue_file: Path | None = Field(
        None,
        description="Issue files whose names and symbols may go on the chain; without it any of the right form.",
    )
    host: str = Field("127.0.0.1", description="Address that the gateway listens on.")
    port: int = Field(8080, ge=0, le=65535, description="Port that the gateway listens on; 0 takes a free one.")


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises StartupError that names a STOKEN_* variable no setting reads: pydantic ignores those silently.
    """
    known = _names(Settings, _PREFIX)
    unknown = sorted(name for name in os.environ if name.startswith(_PREFIX) and name not in known | _OUTSIDE)
    if unknown:
        raise StartupError(f"unknown setting {unknown[0]}")
    return Settings()


def _names(model: type[BaseModel], prefix: str) -> set[str]:
    names: set[str] = set()
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        names.add(variable)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names |= _names(field.annotation, f"{variable}__")
    return names
