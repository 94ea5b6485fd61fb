// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title ITrustedIssuersRegistry
/// @notice The claim issuers that count, each for its topics, by ERC-3643.
interface ITrustedIssuersRegistry {
    /// @notice An issuer is trusted for topics.
    event TrustedIssuerAdded(address indexed trustedIssuer, uint256[] claimTopics);

    /// @notice An issuer is no longer trusted.
    event TrustedIssuerRemoved(address indexed trustedIssuer);

    /// @notice An issuer is trusted for exactly these topics.
    event ClaimTopicsUpdated(address indexed trustedIssuer, uint256[] claimTopics);

    /// @notice Trusts an issuer.
    /// @dev Requirements: the caller is the owner; not trusted yet; 1 to 15 topics; at most 50 issuers.
    /// Emits {TrustedIssuerAdded}.
    function addTrustedIssuer(address trustedIssuer, uint256[] calldata claimTopics) external;

    /// @notice Stops trusting an issuer; its claims no longer count in the next block.
    /// @dev Requirements: the caller is the owner; it is trusted. Emits {TrustedIssuerRemoved}.
    function removeTrustedIssuer(address trustedIssuer) external;

    /// @notice Replaces the topics of an issuer.
    /// @dev Requirements: the caller is the owner; it is trusted; 1 to 15 topics. Emits {ClaimTopicsUpdated}.
    function updateIssuerClaimTopics(address trustedIssuer, uint256[] calldata claimTopics) external;

    /// @notice The trusted issuers.
    function getTrustedIssuers() external view returns (address[] memory);

    /// @notice Whether an issuer is trusted for any topic.
    function isTrustedIssuer(address issuer) external view returns (bool);

    /// @notice The topics of an issuer.
    /// @dev Requirements: it is trusted.
    function getTrustedIssuerClaimTopics(address trustedIssuer) external view returns (uint256[] memory);

    /// @notice The issuers trusted for a topic.
    function getTrustedIssuersForClaimTopic(uint256 claimTopic) external view returns (address[] memory);

    /// @notice Whether an issuer is trusted for a topic.
    function hasClaimTopic(address issuer, uint256 claimTopic) external view returns (bool);
}
