// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {RuleSet} from "./IModularCompliance.sol";

/// @notice What one issue is made of.
struct IssueParams {
    bytes12 isin;
    string name;
    string symbol;
    RuleSet rules;
    uint64 noticeBlocks;
    bytes32 salt;
}

/// @notice The contracts that all issues share, and the code behind their proxies.
struct SuiteParts {
    address registry;
    address quantity;
    address encumbrances;
    address settlement;
    address instructions;
    address tokenImplementation;
    address complianceImplementation;
}

/// @title ISuiteFactory
/// @notice Makes an issue, token and compliance, in one transaction at predictable addresses, and keeps nothing of it.
interface ISuiteFactory {
    error SuiteFactoryIssueExists(bytes12 isin, address token);
    error SuiteFactoryCodeMissing(address implementation);

    /// @notice An issue came into being; the hashes are those of the implementations behind its proxies.
    event IssueCreated(
        bytes12 indexed isin,
        address indexed token,
        address indexed compliance,
        bytes32 tokenCodeHash,
        bytes32 complianceCodeHash
    );

    /// @notice Issues to come use this code.
    event ImplementationsSet(address indexed token, address indexed compliance);

    /// @notice Constructor of the proxy: everything belongs to `owner`, also each issue to come.
    function initialize(address owner, SuiteParts calldata parts) external;

    /// @notice Makes an issue, owned and served as agent by the factory's owner; its token starts paused.
    /// @dev Requirements: the caller is the owner; the ISIN's check digit is right; it has no issue yet.
    /// Emits {IssueCreated}.
    function createIssue(IssueParams calldata params) external returns (address token, address compliance);

    /// @notice Changes the code of issues to come.
    /// @dev Requirements: the caller is the owner; both addresses have code. Emits {ImplementationsSet}.
    function setImplementations(address tokenImplementation, address complianceImplementation) external;

    /// @notice The addresses that {createIssue} would give.
    function predict(IssueParams calldata params) external view returns (address token, address compliance);

    /// @notice The token of an ISIN, zero if there is none.
    function tokenOf(bytes12 isin) external view returns (address);

    /// @notice The contracts that issues share.
    function parts() external view returns (SuiteParts memory);
}
