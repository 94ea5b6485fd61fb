// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC3643} from "./IERC3643.sol";

/// @notice The contracts that a token works with.
struct Wiring {
    /// The owner.
    address owner;
    /// The first agent.
    address agent;
    /// The identity registry.
    address registry;
    /// The compliance contract.
    address compliance;
    /// The contract of registered quantities.
    address quantity;
    /// The contract of encumbrances.
    address encumbrances;
    /// The contract that settles trades.
    address settlement;
}

/// @title ISecurityToken
/// @notice An ERC-3643 token of one issue, with settlement, encumbrances and a verdict ahead of each transfer.
/// @dev Units are whole (0 decimals) and at most 2^96 - 1. Checks in order: pause, account and freeze (sender,
/// receiver), identity (sender, receiver), rules, balance, encumbrance, allowance. Assumes that registry, quantity and
/// encumbrances are the suite's own.
interface ISecurityToken is IERC3643 {
    /// @notice The lists of a batch differ in length.
    error SecurityTokenLengthMismatch();

    /// @notice The token is not paused.
    error SecurityTokenNotPaused();

    /// @notice The registry has not the suite's interface.
    error SecurityTokenRegistryUnsupported(address registry);

    /// @notice A compliance contract of another make says no and no more.
    error SecurityTokenComplianceRefused(address compliance, address from, address to, uint256 amount);

    /// @notice The account is not of this identity.
    error SecurityTokenIdentityMismatch(address account, address identity);

    /// @notice The permit's deadline has passed.
    error SecurityTokenPermitExpired(uint256 deadline);

    /// @notice Units moved by force; basis and document are zero where the standard's function gave none.
    event ForcedTransfer(
        address indexed actor, address indexed from, address indexed to, uint256 units, bytes32 basis, bytes32 document
    );

    /// @notice Encumbered units of an account changed to this sum.
    event EncumberedUnits(address indexed account, uint96 encumbered);

    /// @notice Constructor of the proxy; the token starts paused and binds itself to the compliance contract.
    function initialize(string calldata name, string calldata symbol, bytes12 isin, Wiring calldata wiring) external;

    /// @notice Moves units of a settled trade, with all checks.
    /// @dev Requirements: the caller is the settlement contract; the checks pass. Emits Transfer.
    function settle(address from, address to, uint256 units) external;

    /// @notice Encumbers free units.
    /// @dev Requirements: the caller is the encumbrances contract; so many units are free. Emits {EncumberedUnits}.
    function lock(address account, uint96 units) external;

    /// @notice Releases encumbered units.
    /// @dev Requirements: the caller is the encumbrances contract. Emits {EncumberedUnits}.
    function unlock(address account, uint96 units) external;

    /// @notice Forced transfer with its legal basis and the hash of its document.
    /// @dev Requirements: as forcedTransfer; both are given. Emits {ForcedTransfer}.
    function forcedTransferFor(address from, address to, uint256 units, bytes32 basis, bytes32 document) external;

    /// @notice The revert data that a transfer of `amount` by `spender` would give in this block, empty if it passes.
    /// @dev `spender` equal to `from`, or zero, needs no allowance.
    function verdict(address from, address to, uint256 amount, address spender)
        external
        view
        returns (bytes memory refusal);

    /// @notice Asks the compliance contract anew whether it must be called; the compliance contract calls this.
    function refreshCompliance() external;

    /// @notice The ISIN of the issue.
    function isin() external view returns (bytes12);

    /// @notice Balance, frozen and encumbered units of an account, and whether it is frozen as a whole.
    function accountOf(address account)
        external
        view
        returns (uint256 balance, uint256 frozen, uint256 encumbered, bool isFrozen);

    /// @notice The registered quantity's contract, the encumbrances' and the settlement's.
    function wiring() external view returns (address quantity, address encumbrances, address settlement);

    /// @notice ERC-1404: a number for the reason of a refusal, zero if none.
    function detectTransferRestriction(address from, address to, uint256 value) external view returns (uint8);

    /// @notice ERC-1404: the refusal code of a number.
    function messageForTransferRestriction(uint8 restrictionCode) external view returns (string memory);
}
