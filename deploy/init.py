# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: INP001 - a program, not a package
"""Make what the local network needs at its first start: node keys, genesis, peers, members, passwords, token key.

Runs once before every other service, writes into their volumes, and never overwrites a file: a second run
changes nothing. The keys are for trials; members of a production network each make their own.
"""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import rlp
from coincurve import PrivateKey
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from eth_account import Account
from eth_hash.auto import keccak

TEMPLATE = Path(__file__).resolve().parent / "besu/genesis.template.json"
NODE_ADDRESSES = ("172.28.57.11", "172.28.57.12", "172.28.57.13", "172.28.57.14")
P2P_PORT = 30303
#: User ids inside the images of Besu and stoken.
BESU_UID = 1000
STOKEN_UID = 10001
_ROOT_UID = 0
#: Institutions of the trial, all made up: name, LEI, role.
MEMBERS = (
    ("VENUE", "ZZZZ0000000000000113", "VENUE"),
    ("REGISTRAR", "ZZZZ0000000000000307", "REGISTRAR"),
    ("CASH_AGENT", "ZZZZ0000000000000404", "CASH_AGENT"),
    ("ISSUER", "ZZZZ0000000000000598", "ISSUER"),
    ("BROKER1", "ZZZZ0000000000001665", "ACCOUNT_MANAGER"),
    ("BROKER2", "ZZZZ0000000000001762", "ACCOUNT_MANAGER"),
    ("SUPERVISOR", "ZZZZ0000000000001956", "SUPERVISOR"),
    ("CLAIM_ISSUER", "ZZZZ0000000000002053", "CLAIM_ISSUER"),
)
#: Claims that an investor needs: real name, and class with residency.
TOPICS = (1, 2)
_SCOPES = {"person1": ["MEMBER"], "person2": ["MEMBER"], "signing": ["ORDER", "INSTRUCTION", "CASH"]}
_PRIVATE = 0o600
_PUBLIC = 0o644


def extra_data(validators: Sequence[bytes]) -> str:
    """Return a QBFT genesis' extraData: vanity, validators in ascending order, no vote, round 0, no seals."""
    return "0x" + bytes(rlp.encode([bytes(32), sorted(validators), [], 0, []])).hex()


def genesis(validators: Sequence[bytes]) -> str:
    """Return the genesis file of a network with these validators."""
    document = json.loads(TEMPLATE.read_text())
    document["extraData"] = extra_data(validators)
    return json.dumps(document, indent=2) + "\n"


def address_of(key: PrivateKey) -> bytes:
    """Return a key's address; a node validates by it."""
    return bytes(keccak(key.public_key.format(compressed=False)[1:])[12:])


def peers(keys: Sequence[PrivateKey]) -> str:
    """Return the static peers: each node by its public key and fixed address."""
    enodes = [
        f"enode://{key.public_key.format(compressed=False)[1:].hex()}@{address}:{P2P_PORT}"
        for key, address in zip(keys, NODE_ADDRESSES, strict=True)
    ]
    return json.dumps(enodes, indent=2) + "\n"


def keep(path: Path, make: Callable[[], str], mode: int = _PRIVATE, uid: int = _ROOT_UID) -> str:
    """Return the file's text; where it does not exist, make it first, readable as `mode` says by its owner."""
    if path.exists():
        return path.read_text()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = make()
    # Written beside and then linked, so that a crash leaves no half file that a second run would keep.
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(mode)
    if os.geteuid() == 0:
        os.chown(draft, uid, uid)
    draft.rename(path)
    return text


def _own(path: Path, uid: int) -> None:
    """Give a volume's folder to the user who works in it."""
    path.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(path, uid, uid)


def _key(path: Path, uid: int = _ROOT_UID) -> PrivateKey:
    text = keep(path, lambda: f"0x{secrets.token_hex(32)}\n", uid=uid)
    return PrivateKey.from_hex(text.strip().removeprefix("0x"))


def make_nodes(root: Path) -> None:
    """Write the key of each node into its own volume, then the genesis and the peers that follow from the keys."""
    keys = []
    for number in range(1, len(NODE_ADDRESSES) + 1):
        for volume in (f"node{number}", f"data{number}"):
            _own(root / volume, BESU_UID)
        keys.append(_key(root / f"node{number}/key", BESU_UID))
    keep(root / "network/genesis.json", lambda: genesis([address_of(key) for key in keys]), _PUBLIC)
    keep(root / "network/static-nodes.json", lambda: peers(keys), _PUBLIC)


def make_gateway(root: Path) -> None:
    """Write the passwords, the sender's keystore and the access-token key pair; the private half stays apart."""
    password = keep(root / "postgres/password", lambda: secrets.token_urlsafe(32))
    secret, state = root / "secrets", root / "state"
    _own(secret, STOKEN_UID)
    _own(state, STOKEN_UID)
    url = f"postgresql+psycopg://stoken:{password}@postgres:5432/stoken"
    keep(secret / "STOKEN_DATABASE__URL", lambda: url, uid=STOKEN_UID)
    unlock = keep(secret / "STOKEN_SIGNER__PASSWORD", lambda: secrets.token_urlsafe(32), uid=STOKEN_UID)
    keep(secret / "sender.json", lambda: json.dumps(Account.encrypt(secrets.token_bytes(32), unlock)), uid=STOKEN_UID)
    keep(secret / "pseudonym.key", lambda: secrets.token_urlsafe(32), uid=STOKEN_UID)
    private = keep(root / "issuer/private.pem", _token_key)
    keep(secret / "issuer.pem", lambda: _public_half(private), _PUBLIC, STOKEN_UID)


def make_members(root: Path) -> None:
    """Write the keys of the trial's institutions apart, and the charter that names their addresses."""
    sender = json.loads((root / "secrets/sender.json").read_text())["address"]
    founders = []
    for name, lei, role in MEMBERS:
        folder = root / "members" / name
        keys = [_public(_key(folder / label), scopes) for label, scopes in _SCOPES.items()]
        if role == "VENUE":
            keys.append({"address": f"0x{sender}", "scopes": ["SENDER"]})
        founders.append({"lei": lei, "roles": [role], "keys": keys})
    attesting = address_of(_key(root / "members/CLAIM_ISSUER/attestation")).hex()
    issuers = [{"address": f"0x{attesting}", "topics": TOPICS}]
    charter = {"members": founders, "topics": TOPICS, "issuers": issuers}
    keep(root / "network/charter.json", lambda: json.dumps(charter, indent=2) + "\n", _PUBLIC)


def _public(key: PrivateKey, scopes: list[str]) -> dict[str, object]:
    return {"address": f"0x{address_of(key).hex()}", "scopes": scopes}


def _token_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()


def _public_half(private: str) -> str:
    public = serialization.load_pem_private_key(private.encode(), password=None).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Make everything below `--root`, where docker-compose.yml mounts one volume a folder."""
    parser = argparse.ArgumentParser(description="Make keys, genesis and secrets of the local network, once.")
    parser.add_argument("--root", type=Path, default=Path("/made"))
    root: Path = parser.parse_args(arguments).root
    make_nodes(root)
    make_gateway(root)
    make_members(root)
    sys.stdout.write(f"the local network's files are in {root}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
