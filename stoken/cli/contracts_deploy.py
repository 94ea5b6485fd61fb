# SPDX-License-Identifier: Apache-2.0
"""`stoken contracts deploy` and `verify`: the suite on a chain, and whether it is the audited build."""

from pathlib import Path
from typing import Annotated

import typer

from stoken.chain import suite as suites
from stoken.chain.suite import Suite
from stoken.cli.output import Json, emit
from stoken.errors import RefusedError
from stoken.settings import load_settings


def deploy(
    charter: Annotated[
        Path, typer.Argument(help="The charter: members with keys, claim topics, claim issuers (JSON).")
    ],
    *,
    json: Json = False,
) -> None:
    """Deploy the complete suite by the sender key, which keeps nothing, and write the suite file."""
    from stoken import bootstrap  # noqa: PLC0415 - loads the whole gateway, which help does not need
    from stoken.issuance.charter import read_charter  # noqa: PLC0415

    suite = bootstrap.deploy(load_settings(), read_charter(charter))
    emit(_shown(suite), (f"{name:<13}0x{address.hex()}" for name, address in suite.contracts.items()), as_json=json)


def verify(*, json: Json = False) -> None:
    """Compare the deployed suite with the audited build; every difference is listed, and any is an error."""
    from stoken import bootstrap  # noqa: PLC0415 - loads the whole gateway, which help does not need
    from stoken.chain import provenance  # noqa: PLC0415
    from stoken.domain.refusals import Refusal  # noqa: PLC0415

    settings = load_settings()
    suite = suites.load(settings.suite_file)
    rpc, capabilities = bootstrap.connect(settings)
    bootstrap.check_chain(suite, capabilities)
    with rpc:
        findings = provenance.verify(rpc, suite)
    lines = [f"{finding.contract} {finding.what}" for finding in findings] or ["the suite is the audited build"]
    emit({"findings": [finding._asdict() for finding in findings]}, lines, as_json=json)
    if findings:
        raise RefusedError(Refusal.CODE_HASH_MISMATCH, f"{len(findings)} differences from the audited build")


def _shown(suite: Suite) -> dict[str, object]:
    contracts = {name: f"0x{address.hex()}" for name, address in suite.contracts.items()}
    return {"chain_id": suite.chain_id, "deploy_block": suite.deploy_block, "contracts": contracts}
