// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IAgentRole} from "../../contracts/interfaces/IAgentRole.sol";
import {IAttestedIdentityRegistry} from "../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IClaimTopicsRegistry} from "../../contracts/interfaces/IClaimTopicsRegistry.sol";
import {IIdentityRegistryStorage} from "../../contracts/interfaces/IIdentityRegistryStorage.sol";
import {ISecurityToken} from "../../contracts/interfaces/ISecurityToken.sol";
import {ITrustedIssuersRegistry} from "../../contracts/interfaces/ITrustedIssuersRegistry.sol";
import {
    IClaimTopicsMask,
    IIdentityProfiles,
    ITrustedIssuersMask
} from "../../contracts/interfaces/IVerificationSources.sol";

/// @title IGoverned
/// @notice What every contract of the suite answers as Governed: owner and upgrade.
interface IGoverned {
    function transferOwnership(address newOwner) external;
    function acceptOwnership() external;
    function renounceOwnership() external;
    function upgradeToAndCall(address code, bytes calldata data) external payable;
    function owner() external view returns (address);
    function implementation() external view returns (address);
}

/// @title IToken
/// @notice All that a SecurityToken answers.
interface IToken is ISecurityToken, IAgentRole, IGoverned, IERC20Metadata, IERC20Permit, IERC165, IERC5267 {}

/// @title IRegistry
/// @notice All that an IdentityRegistry answers.
interface IRegistry is IAttestedIdentityRegistry, IAgentRole, IGoverned {}

/// @title ITopics
/// @notice All that a ClaimTopicsRegistry answers.
interface ITopics is IClaimTopicsRegistry, IClaimTopicsMask, IGoverned {
    function initialize(address owner, address identityRegistry, uint256[] calldata topics) external;
}

/// @title IIssuers
/// @notice All that a TrustedIssuersRegistry answers.
interface IIssuers is ITrustedIssuersRegistry, ITrustedIssuersMask, IGoverned {
    function initialize(
        address owner,
        address identityRegistry,
        address[] calldata issuers,
        uint256[][] calldata claimTopics
    ) external;
}

/// @title IStore
/// @notice All that an IdentityRegistryStorage answers.
interface IStore is IIdentityRegistryStorage, IIdentityProfiles, IAgentRole, IGoverned {
    function initialize(address owner, address identityRegistry) external;
}
