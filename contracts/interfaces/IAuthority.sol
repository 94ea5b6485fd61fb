// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Founder} from "./IMemberRegistry.sol";

/// @notice A call that two institutions approve: `basis` is the code of its legal basis, `document` the hash of its
/// document, `salt` tells equal calls apart.
struct Act {
    /// The contract to call.
    address target;
    /// The call: selector and arguments.
    bytes data;
    /// Code of the legal basis, zero where none is required.
    bytes32 basis;
    /// SHA-256 of the document, zero where none is required.
    bytes32 document;
    /// Tells equal calls apart.
    uint256 salt;
    /// Last block time in seconds at which it is carried out.
    uint40 deadline;
}

/// @title IAuthority
/// @notice Owner and agent of every other contract: what it does, two institutions signed, each in the role that the
/// called function asks for. No key owns anything.
/// @dev Policies are kept by the called function's selector, the first and the second institution's roles as masks.
interface IAuthority {
    /// @notice The act's data names no function.
    error AuthorityActMalformed();

    /// @notice A policy needs roles of both institutions.
    error AuthorityPolicyInvalid(bytes4 selector);

    /// @notice An act was carried out; `act` is the digest that the institutions signed.
    event ActExecuted(
        bytes32 indexed act,
        address indexed target,
        bytes4 indexed selector,
        bytes20 first,
        bytes20 second,
        bytes32 basis,
        bytes32 document
    );

    /// @notice Acts that call this function need these roles.
    event PolicySet(bytes4 indexed selector, uint16 first, uint16 second);

    /// @notice Constructor of the proxy: creates the member registry, owned by this contract, with the founders.
    /// @dev Emits {PolicySet} for each function whose policy is not the default.
    function initialize(address memberRegistryImplementation, Founder[] calldata founders) external;

    /// @notice Carries out an act; anyone relays. Returns what the callee returned, or reverts with its revert data.
    /// @dev Requirements: the deadline has not passed; the act was not carried out before; two approvals, 65-byte
    /// signatures by active keys with scope INSTRUCTION, of different institutions that hold, in order, a role of the
    /// policy; basis and document where force is used (freeze, forced transfer, burn, recovery).
    /// Emits {ActExecuted}.
    function execute(Act calldata act, bytes[] calldata approvals) external returns (bytes memory);

    /// @notice Sets the roles that a function needs.
    /// @dev Requirements: the caller is this contract; neither mask is empty. Emits {PolicySet}.
    function setPolicy(bytes4 selector, uint16 first, uint16 second) external;

    /// @notice The roles that a function needs, of the first and of the second institution.
    function policyOf(bytes4 selector) external view returns (uint16 first, uint16 second);

    /// @notice The digest that institutions sign to approve an act.
    function actDigest(Act calldata act) external view returns (bytes32);

    /// @notice Whether an act was carried out.
    function executed(bytes32 act) external view returns (bool);

    /// @notice The registry of institutions and keys.
    function memberRegistry() external view returns (address);
}
