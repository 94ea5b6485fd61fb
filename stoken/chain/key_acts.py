# SPDX-License-Identifier: Apache-2.0
"""Which kind of act a call is, for the key policy: by the function that is called, also within an act of Authority.

What `Authority` carries out and no table names is a change of rules, so that a new function never goes unapproved.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from stoken.chain import artifacts
from stoken.chain.codec import CodecError, Function, Interface
from stoken.domain.codes import KeyAct
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError

_FREEZES: Final = (
    *("setAddressFrozen", "batchSetAddressFrozen", "freezePartialTokens", "batchFreezePartialTokens"),
    *("unfreezePartialTokens", "batchUnfreezePartialTokens"),
)
_FORCE: Final = (
    *("forcedTransfer", "batchForcedTransfer", "forcedTransferFor", "recoveryAddress", "rescale", "terminate"),
    *("setHold", "setRestriction", "setSuspended", "impose", "confirm", "lift", "deleteIdentity", "updateIdentity"),
    *("forceTransfers", "correct", "requestRecovery", "cancelRecovery", "decree", "enforce", "moveCustomerCash"),
    *("rebindAccounts", "start", "bar", "lock"),
)
_RULES: Final = (
    *("announceRules", "addModule", "removeModule", "setPolicy", "setVoting", "setBlackout", "setCashAgent"),
    *("addAgent", "addAgentFor", "removeAgent", "transferOwnership", "setCompliance", "setIdentityRegistry"),
    *("setIdentityRegistryStorage", "setClaimTopicsRegistry", "setTrustedIssuersRegistry", "bindIdentityRegistry"),
    *("unbindIdentityRegistry", "addClaimTopic", "removeClaimTopic", "addTrustedIssuer", "removeTrustedIssuer"),
    *("updateIssuerClaimTopics", "setCodeAdmitted", "admit", "setMemberStatus"),
)
#: By the name of the function; every function of such a name is of that kind.
KINDS: Final[Mapping[str, KeyAct]] = {
    **dict.fromkeys(("mint", "batchMint"), KeyAct.MINT),
    **dict.fromkeys(("burn", "batchBurn", "cancelFor"), KeyAct.BURN),
    **dict.fromkeys((*_FORCE, *_FREEZES), KeyAct.FORCE),
    **dict.fromkeys(_RULES, KeyAct.RULES),
    **dict.fromkeys(("upgradeToAndCall", "setImplementations", "rollback", "record"), KeyAct.UPGRADE),
}
#: What `Authority` carries out under the approvals of its two institutions alone.
ORDINARY: Final = frozenset(
    {
        *("createIssue", "register", "release", "pause", "unpause", "setRecordDate"),
        *("setDocument", "removeDocument", "registerIdentity", "batchRegisterIdentity"),
        *("open", "close", "put", "abandon", "approve", "list"),
    }
)
_CARRIERS: Final = ("execute", "propose")
_DATA: Final = 1


def kind_of(to: bytes, data: bytes) -> KeyAct | None:
    """Return the kind of a call, None where it needs no approval; a contract's creation is none.

    Raises SIGNATURE_POLICY_UNMET for an act that cannot be read.
    """
    if not to or not data:
        return None
    selector = data[:4]
    carrier = _carriers().get(selector)
    if carrier is None:
        return _kinds().get(selector)
    try:
        act, _ = carrier.decode_call(data)
    except CodecError as error:
        raise RefusedError(Refusal.SIGNATURE_POLICY_UNMET, f"the act cannot be read: {error}") from error
    inner: bytes = act[_DATA]
    if inner[:4] in _ordinary():
        return None
    return kind_of(act[0], inner) or KeyAct.RULES


@cache
def _carriers() -> dict[bytes, Function]:
    functions = Interface(artifacts.load("Authority").abi).functions
    return {functions[name].selector: functions[name] for name in _CARRIERS}


@cache
def _kinds() -> dict[bytes, KeyAct]:
    return {function.selector: KINDS[function.name] for function in _functions() if function.name in KINDS}


@cache
def _ordinary() -> frozenset[bytes]:
    return frozenset(function.selector for function in _functions() if function.name in ORDINARY)


@cache
def _functions() -> tuple[Function, ...]:
    interfaces = (Interface(artifacts.load(name).abi) for name in artifacts.names())
    return tuple({each.selector: each for made in interfaces for each in made.functions.values()}.values())
