// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IClaimTopicsRegistry
/// @notice The claim topics that an identity needs, by ERC-3643.
interface IClaimTopicsRegistry {
    /// @notice A topic became required.
    event ClaimTopicAdded(uint256 indexed claimTopic);

    /// @notice A topic is no longer required.
    event ClaimTopicRemoved(uint256 indexed claimTopic);

    /// @notice Requires a topic.
    /// @dev Requirements: the caller is the owner; not required yet; at most 15. Emits {ClaimTopicAdded}.
    function addClaimTopic(uint256 claimTopic) external;

    /// @notice Drops a topic; without effect if it is not required.
    /// @dev Requirements: the caller is the owner. Emits {ClaimTopicRemoved}.
    function removeClaimTopic(uint256 claimTopic) external;

    /// @notice The required topics.
    function getClaimTopics() external view returns (uint256[] memory);
}
