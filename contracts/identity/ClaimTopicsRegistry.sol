// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EpochSource} from "./EpochSource.sol";
import {IClaimTopicsRegistry} from "../interfaces/IClaimTopicsRegistry.sol";
import {IClaimTopicsMask} from "../interfaces/IVerificationSources.sol";

/// @title ClaimTopicsRegistry
contract ClaimTopicsRegistry is EpochSource, IClaimTopicsRegistry, IClaimTopicsMask {
    /// @custom:storage-location erc7201:stoken.storage.ClaimTopicsRegistry
    struct Data {
        uint256[] topics;
    }

    uint256 private constant _TOPICS_MAX = 15;

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.ClaimTopicsRegistry")) - 1)) & ~bytes32(uint256(0xff));

    /// @notice Constructor of the proxy; `identityRegistry` may be an address that has no code yet.
    function initialize(address owner, address identityRegistry, uint256[] calldata topics) external initializer {
        __Ownable_init(owner);
        _bind(identityRegistry);
        for (uint256 i = 0; i < topics.length; i++) {
            _add(topics[i]);
        }
    }

    /// @inheritdoc IClaimTopicsRegistry
    function addClaimTopic(uint256 claimTopic) external onlyOwner {
        _add(claimTopic);
        _advanceEpochs();
    }

    /// @inheritdoc IClaimTopicsRegistry
    function removeClaimTopic(uint256 claimTopic) external onlyOwner {
        uint256[] storage topics = _data().topics;
        uint256 count = topics.length;
        for (uint256 i = 0; i < count; i++) {
            if (topics[i] != claimTopic) continue;
            topics[i] = topics[count - 1];
            topics.pop();
            emit ClaimTopicRemoved(claimTopic);
            _advanceEpochs();
            return;
        }
    }

    /// @inheritdoc IClaimTopicsRegistry
    function getClaimTopics() external view returns (uint256[] memory) {
        return _data().topics;
    }

    /// @inheritdoc IClaimTopicsMask
    function requiredTopics() external view returns (uint64 mask, bool beyondMask) {
        uint256[] storage topics = _data().topics;
        uint256 count = topics.length;
        for (uint256 i = 0; i < count; i++) {
            uint256 topic = topics[i];
            if (topic < 64) mask |= uint64(1 << topic);
            else beyondMask = true;
        }
    }

    function _add(uint256 claimTopic) private {
        uint256[] storage topics = _data().topics;
        uint256 count = topics.length;
        if (count == _TOPICS_MAX) revert ClaimTopicsRegistryFull();
        for (uint256 i = 0; i < count; i++) {
            if (topics[i] == claimTopic) revert ClaimTopicsRegistryTopicRequired(claimTopic);
        }
        topics.push(claimTopic);
        emit ClaimTopicAdded(claimTopic);
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
