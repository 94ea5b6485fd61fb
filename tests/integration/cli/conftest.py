# SPDX-License-Identifier: Apache-2.0
"""Settings of a gateway and a worker that could start, but for the node."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from stoken.transactions.signer import create_keystore
from tests.database import Databases
from tests.integration.cli.suite_file import write_suite


@pytest.fixture(scope="session")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "sender.json"
    create_keystore(path, b"\x07" * 32, "password")
    return path


@pytest.fixture
def settings(tmp_path: Path, keystore: Path, databases: Databases) -> dict[str, str]:
    """The settings of a gateway and a worker that could start, but for the node."""
    public = generate_private_key(SECP256R1()).public_key()
    (tmp_path / "issuer.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "pseudonyms.key").write_bytes(bytes(32))
    write_suite(tmp_path / "suite.json", 31_337, bytes(32))
    return {
        "STOKEN_DATABASE__URL": databases.create("sqlite"),
        "STOKEN_DATABASE__MARKET_URL": databases.create("sqlite"),
        "STOKEN_SUITE_FILE": str(tmp_path / "suite.json"),
        "STOKEN_AUTH__PUBLIC_KEY_FILE": str(tmp_path / "issuer.pem"),
        "STOKEN_VENUE__PSEUDONYM_KEY_FILE": str(tmp_path / "pseudonyms.key"),
        "STOKEN_SIGNER__KEYSTORE_FILE": str(keystore),
        "STOKEN_SIGNER__PASSWORD": "password",
        "STOKEN_RPC__URL": "http://127.0.0.1:9",
        "STOKEN_RPC__TIMEOUT_SECONDS": "2",
        "STOKEN_PORT": "0",
    }
