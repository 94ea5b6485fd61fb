// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IComplianceModule} from "./IComplianceModule.sol";

/// @title IConditionalApproval
/// @notice A module: each change of owner needs an approval of exactly these accounts and units, given beforehand and
/// used once. Without one, or after its last second, a move is refused with DualControlRequired: the owner of the rules
/// is an Authority, so that two institutions approve.
/// @dev Mints need none. The order book cannot know the pairs that it matches, so a venue takes no orders under this
/// rule.
interface IConditionalApproval is IComplianceModule {
    /// @notice A move is approved until a time, once; zero withdraws an approval. The id is the hash of compliance
    /// contract, accounts and units.
    event TransferApproved(
        address indexed compliance, bytes32 indexed id, address from, address to, uint96 units, uint40 until
    );

    /// @notice An approved move happened; its approval is spent.
    event ApprovalUsed(bytes32 indexed id);

    /// @notice Approves a move until a time, once, in place of any earlier approval of the same; zero withdraws it.
    /// @dev Requirements: the caller is the owner of the compliance contract, which binds this module or did so once.
    /// Emits {TransferApproved}.
    function approve(address compliance, address from, address to, uint96 units, uint40 until) external;

    /// @notice The last second of an approval, zero for none.
    function approvedUntil(address compliance, address from, address to, uint96 units) external view returns (uint40);
}
