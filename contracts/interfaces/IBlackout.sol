// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IComplianceModule} from "./IComplianceModule.sol";

/// @title IBlackout
/// @notice A module: identities that may not sell, or not buy, until a time; refused with InsiderBlackout.
/// @dev An allotment at issuance is no purchase: mints are not asked.
interface IBlackout is IComplianceModule {
    /// @notice Sides are 0 to 3.
    error BlackoutSidesInvalid(uint8 sides);

    /// @notice An identity is barred from sides (1 selling, 2 buying) through the second `until`.
    event BlackoutSet(address indexed compliance, address indexed identity, uint8 sides, uint40 until);

    /// @notice Bars an identity through the second `until`, in place of any earlier blackout; no sides ends it.
    /// @dev Requirements: the caller is the owner of the compliance contract, which binds this module or did so once;
    /// sides are 0 to 3. Emits {BlackoutSet}.
    function setBlackout(address compliance, address identity, uint8 sides, uint40 until) external;

    /// @notice The blackout entered for an identity, past or not.
    function blackoutOf(address compliance, address identity) external view returns (uint8 sides, uint40 until);
}
