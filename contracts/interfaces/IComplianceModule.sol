// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice A move of units as a module is asked about it: accounts, the identities under which their units count (the
/// sender zero at a mint), the registry's words of both accounts, units, supply before, and the channel.
struct Movement {
    /// The account that gives, zero at a mint.
    address from;
    /// The account that receives.
    address to;
    /// The identity under which the giver's units count, zero at a mint.
    address sender;
    /// The identity under which the receiver's units count.
    address receiver;
    /// The registry's word of the giving account.
    uint256 fromWord;
    /// The registry's word of the receiving account.
    uint256 toWord;
    /// Units.
    uint256 amount;
    /// Units that exist before the move.
    uint256 supply;
    /// Plain transfer 0, venue 1, instruction 2, mint 3.
    uint8 channel;
}

/// @title IComplianceModule
/// @notice A rule in a contract of its own, not behind a proxy, so that its code never changes.
/// @dev A module is asked in one call. It allows a move by returning the selector of {check}; it refuses by reverting
/// with the refusal, at most 512 bytes. Both entries run the same code, so that a verdict is what the move does. A call
/// has at most 200,000 gas; whatever else comes back counts as failure and refuses the move. Not asked: moves between
/// accounts of one identity, moves of nothing, burns and acts of force. State is kept by calling compliance contract.
interface IComplianceModule {
    /// @notice The compliance contract never bound this module.
    error ComplianceUnknown(address compliance);

    /// @notice The module serves a compliance contract from now on.
    event ComplianceBound(address indexed compliance);

    /// @notice The module was told that it leaves the rules of a compliance contract.
    event ComplianceUnbound(address indexed compliance);

    /// @notice Joins the rules of the calling compliance contract, and states capabilities: 1, it keeps state and
    /// records in {move}; 2, it is asked about mints too. A module that is not to serve the caller reverts.
    function bind() external returns (uint16 capabilities);

    /// @notice Tells that the module leaves the rules of the caller; it is asked until the announced block. It cannot
    /// object.
    function unbind() external;

    /// @notice Allows a move or reverts with the refusal; changes nothing.
    function check(Movement calldata movement) external view returns (bytes4 allowed);

    /// @notice Allows and records a move, or reverts with the refusal; asked of modules that keep state.
    function move(Movement calldata movement) external returns (bytes4 allowed);
}
