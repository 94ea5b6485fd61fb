# SPDX-License-Identifier: Apache-2.0
"""A SoftHSM2 token with two keys of secp256k1 and one of another curve; run as a program, it makes them."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

PIN: Final = "1234"
TOKEN: Final = "stoken test"
KEYS: Final = ("sender-1", "sender-2")
OTHER_CURVE: Final = "other-curve"
_OFFICER_PIN: Final = "5678"
_USUAL: Final = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


def find_module() -> Path | None:
    """Return SoftHSM2's module: what STOKEN_TEST_PKCS11_MODULE names, or where systems put it."""
    named = os.environ.get("STOKEN_TEST_PKCS11_MODULE")
    return Path(named) if named else next((path for path in map(Path, _USUAL) if path.exists()), None)


def make_token(module: Path, folder: Path) -> None:
    """Make the token in a folder; SOFTHSM2_CONF must name the folder's configuration from then on."""
    tokens = folder / "tokens"
    tokens.mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    # In a process of its own: a module reads its configuration once.
    subprocess.run(
        [sys.executable, "-m", __name__, str(module)],
        env={**os.environ, "SOFTHSM2_CONF": str(configuration)},
        check=True,
    )


def main() -> None:
    """Make token and keys with the module of the first argument."""
    import pkcs11  # noqa: PLC0415 - needed in this program alone
    from pkcs11.util.ec import encode_named_curve_parameters  # noqa: PLC0415

    _init_token(sys.argv[1])
    (token,) = pkcs11.lib(sys.argv[1]).get_tokens(token_label=TOKEN)
    with token.open(rw=True, so_pin=_OFFICER_PIN) as session:
        session.init_pin(PIN)
    with token.open(rw=True, user_pin=PIN) as session:
        for label in (*KEYS, OTHER_CURVE):
            curve = "secp256r1" if label == OTHER_CURVE else "secp256k1"
            parameters = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
            made = session.create_domain_parameters(pkcs11.KeyType.EC, parameters, local=True)
            made.generate_keypair(store=True, label=label)


def _init_token(module: str) -> None:
    """Initialise the first slot, which the library has no call for."""
    library = ctypes.CDLL(module)
    library.C_Initialize(None)
    pin, label = _OFFICER_PIN.encode(), TOKEN.ljust(32).encode()
    if library.C_InitToken(ctypes.c_ulong(0), pin, ctypes.c_ulong(len(pin)), label):
        raise SystemExit("the token cannot be made")
    library.C_Finalize(None)


if __name__ == "__main__":
    main()
