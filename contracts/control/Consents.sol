// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "./Governed.sol";
import {Signatures} from "./Signatures.sol";
import {TypedData} from "./TypedData.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IIdentityProfiles} from "../interfaces/IVerificationSources.sol";

/// @title Consents
/// @notice Who speaks for an account: the institution that manages it today, by a key that may sign instructions.
abstract contract Consents is Governed, TypedData {
    /// @custom:storage-location erc7201:stoken.storage.Consents
    struct ConsentsData {
        IMemberRegistry members;
        IAttestedIdentityRegistry identities;
    }

    uint8 private constant _INSTRUCTION = 4;

    bytes32 private constant _CONSENTS =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Consents")) - 1)) & ~bytes32(uint256(0xff));

    // solhint-disable-next-line func-name-mixedcase
    function __Consents_init(address memberRegistry, address identityRegistry) internal onlyInitializing {
        ConsentsData storage $ = _consentsData();
        $.members = IMemberRegistry(memberRegistry);
        $.identities = IAttestedIdentityRegistry(identityRegistry);
    }

    /// @dev Whom to ask for managers: what the identity registry would ask itself, without the way through it.
    function _profiles() internal view returns (IIdentityProfiles) {
        return IIdentityProfiles(_consentsData().identities.identityStorage());
    }

    /// @dev Requires that the manager of an account signed.
    function _requireManager(IIdentityProfiles profiles, address account, bytes32 digest, bytes calldata signature)
        internal
        view
    {
        bytes20 member = _signedBy(_INSTRUCTION, digest, signature);
        (bytes20 manager,) = profiles.managerOf(account);
        if (manager == 0) revert AccountUnknown(account);
        if (manager != member) revert NotAccountManager(account, member);
    }

    /// @dev The active member whose key signed in a scope.
    function _signedBy(uint8 scope, bytes32 digest, bytes calldata signature) internal view returns (bytes20 member) {
        address signer = Signatures.signerOf(digest, signature);
        member = _consentsData().members.authorise(signer, scope, block.timestamp);
        if (member == 0) revert SignatureInvalid(signer);
    }

    function _requireInTime(uint40 deadline) internal view {
        if (block.timestamp > deadline) revert TooLate(deadline, block.timestamp);
    }

    function _consentsData() private pure returns (ConsentsData storage $) {
        bytes32 slot = _CONSENTS;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
