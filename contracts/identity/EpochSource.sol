// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../control/Governed.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {IEpochSource} from "../interfaces/IVerificationSources.sol";

/// @title EpochSource
/// @notice Base of the registries of topics and issuers: a change makes the words of the bound registries stale.
abstract contract EpochSource is Governed, IEpochSource {
    /// @custom:storage-location erc7201:stoken.storage.EpochSource
    struct EpochSourceData {
        address[] listeners;
        mapping(address registry => bool) bound;
    }

    uint256 private constant _LISTENERS_MAX = 300;

    bytes32 private constant _EPOCH_SOURCE =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.EpochSource")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IEpochSource
    function bindIdentityRegistry(address identityRegistry) external onlyOwner {
        _bind(identityRegistry);
    }

    /// @inheritdoc IEpochSource
    function unbindIdentityRegistry(address identityRegistry) external onlyOwner {
        EpochSourceData storage $ = _epochSourceData();
        if (!$.bound[identityRegistry]) revert EpochSourceRegistryUnknown(identityRegistry);
        $.bound[identityRegistry] = false;
        uint256 last = $.listeners.length - 1;
        for (uint256 i = 0; i < last; i++) {
            if ($.listeners[i] == identityRegistry) $.listeners[i] = $.listeners[last];
        }
        $.listeners.pop();
        emit EpochListenerUnbound(identityRegistry);
    }

    /// @inheritdoc IEpochSource
    function isBoundIdentityRegistry(address identityRegistry) external view returns (bool) {
        return _epochSourceData().bound[identityRegistry];
    }

    function _bind(address identityRegistry) internal {
        EpochSourceData storage $ = _epochSourceData();
        if ($.bound[identityRegistry]) revert EpochSourceRegistryBound(identityRegistry);
        if ($.listeners.length == _LISTENERS_MAX) revert EpochSourceFull();
        $.bound[identityRegistry] = true;
        $.listeners.push(identityRegistry);
        emit EpochListenerBound(identityRegistry);
    }

    function _advanceEpochs() internal {
        address[] storage listeners = _epochSourceData().listeners;
        uint256 count = listeners.length;
        for (uint256 i = 0; i < count; i++) {
            IAttestedIdentityRegistry(listeners[i]).advanceEpoch();
        }
    }

    function _epochSourceData() private pure returns (EpochSourceData storage $) {
        bytes32 slot = _EPOCH_SOURCE;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
