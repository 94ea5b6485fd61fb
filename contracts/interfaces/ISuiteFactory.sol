// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {RuleSet} from "./IModularCompliance.sol";

/// @notice What one issue is made of.
struct IssueParams {
    /// The ISIN, 12 ASCII characters.
    bytes12 isin;
    /// The token's name; public, so never a person's.
    string name;
    /// The token's symbol.
    string symbol;
    /// The first rule set, effective at once.
    RuleSet rules;
    /// Blocks between the announcement of later rule sets and their effect.
    uint64 noticeBlocks;
    /// Tells the addresses of two suites of parameters apart.
    bytes32 salt;
}

/// @notice The contracts that all issues share, and the code behind their proxies.
struct SuiteParts {
    /// The identity registry.
    address registry;
    /// The contract of registered quantities.
    address quantity;
    /// The contract of encumbrances.
    address encumbrances;
    /// The contract that settles trades.
    address settlement;
    /// The contract that moves units by account managers' instructions.
    address instructions;
    /// The contract of legal actions.
    address legal;
    /// The contract of splits and merges.
    address conversions;
    /// Code of tokens to come.
    address tokenImplementation;
    /// Code of compliance contracts to come.
    address complianceImplementation;
}

/// @title ISuiteFactory
/// @notice Makes an issue, token and compliance, in one transaction at predictable addresses, and keeps nothing of it.
interface ISuiteFactory {
    /// @notice The ISIN has this token.
    error SuiteFactoryIssueExists(bytes12 isin, address token);

    /// @notice There is no code at the implementation's address.
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
