// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title IERC3643
/// @notice The token interface of ERC-3643: ERC-20 between verified holders, governed by an owner and agents.
/// @dev Contract types of the standard are written as `address`: selectors and topics are the same.
interface IERC3643 is IERC20 {
    /// @notice Name, symbol, decimals, version or the token's own identity changed.
    event UpdatedTokenInformation(
        string newName, string newSymbol, uint8 newDecimals, string newVersion, address newOnchainID
    );

    /// @notice The token asks this identity registry from now on.
    event IdentityRegistryAdded(address indexed identityRegistry);

    /// @notice The token asks this compliance contract from now on.
    event ComplianceAdded(address indexed compliance);

    /// @notice A lost account's units moved to another account of the same identity.
    event RecoverySuccess(address lostWallet, address newWallet, address investorOnchainID);

    /// @notice An account was frozen or released; `owner` is the agent that did it.
    event AddressFrozen(address indexed userAddress, bool indexed isFrozen, address indexed owner);

    /// @notice Units of an account were frozen.
    event TokensFrozen(address indexed userAddress, uint256 amount);

    /// @notice Units of an account were released.
    event TokensUnfrozen(address indexed userAddress, uint256 amount);

    /// @notice The token was paused.
    event Paused(address userAddress);

    /// @notice The token was released from pause.
    event Unpaused(address userAddress);

    /// @notice The identity contract of the token itself, zero if none.
    function onchainID() external view returns (address);

    /// @notice The version of the token's code.
    function version() external view returns (string memory);

    /// @notice The registry that says who may hold the token.
    function identityRegistry() external view returns (address);

    /// @notice The contract that says which transfers the rules allow.
    function compliance() external view returns (address);

    /// @notice Whether transfers are paused; mint, burn and forced transfer work all the same.
    function paused() external view returns (bool);

    /// @notice Whether an account as a whole is frozen.
    function isFrozen(address userAddress) external view returns (bool);

    /// @notice How many units of an account are frozen.
    function getFrozenTokens(address userAddress) external view returns (uint256);

    /// @notice Renames the token.
    /// @dev Requirements: the caller is the owner. Emits {UpdatedTokenInformation}.
    function setName(string calldata name) external;

    /// @notice Changes the symbol.
    /// @dev Requirements: the caller is the owner. Emits {UpdatedTokenInformation}.
    function setSymbol(string calldata symbol) external;

    /// @notice Sets the token's own identity contract.
    /// @dev Requirements: the caller is the owner. Emits {UpdatedTokenInformation}.
    function setOnchainID(address onchainID) external;

    /// @notice Pauses transfers.
    /// @dev Requirements: the caller is an agent; the token is not paused. Emits {Paused}.
    function pause() external;

    /// @notice Releases transfers.
    /// @dev Requirements: the caller is an agent; the token is paused. Emits {Unpaused}.
    function unpause() external;

    /// @notice Freezes or releases an account.
    /// @dev Requirements: the caller is an agent. Emits {AddressFrozen}.
    function setAddressFrozen(address userAddress, bool freeze) external;

    /// @notice Freezes units of an account.
    /// @dev Requirements: the caller is an agent; so many units are free. Emits {TokensFrozen}.
    function freezePartialTokens(address userAddress, uint256 amount) external;

    /// @notice Releases frozen units of an account.
    /// @dev Requirements: the caller is an agent; so many units are frozen. Emits {TokensUnfrozen}.
    function unfreezePartialTokens(address userAddress, uint256 amount) external;

    /// @notice Changes the identity registry.
    /// @dev Requirements: the caller is the owner. Emits {IdentityRegistryAdded}.
    function setIdentityRegistry(address identityRegistry) external;

    /// @notice Unbinds the old compliance contract and binds the new one.
    /// @dev Requirements: the caller is the owner. Emits {ComplianceAdded}.
    function setCompliance(address compliance) external;

    /// @notice Moves units without the holder's consent; works while paused, and releases frozen units it lacks.
    /// @dev Requirements: the caller is an agent; the receiver is verified. Emits Transfer, {TokensUnfrozen}.
    function forcedTransfer(address from, address to, uint256 amount) external returns (bool);

    /// @notice Creates units; works while paused.
    /// @dev Requirements: the caller is an agent; the receiver is verified; the rules allow it. Emits Transfer.
    function mint(address to, uint256 amount) external;

    /// @notice Destroys units; works while paused, and releases frozen units it lacks.
    /// @dev Requirements: the caller is an agent. Emits Transfer, {TokensUnfrozen}.
    function burn(address userAddress, uint256 amount) external;

    /// @notice Moves everything of a lost account to another account of the same identity.
    /// @dev Requirements: the caller is an agent. Emits Transfer, {RecoverySuccess}.
    function recoveryAddress(address lostWallet, address newWallet, address investorOnchainID) external returns (bool);

    /// @notice Several transfers of the caller, all or none, as if they were sent one after another.
    function batchTransfer(address[] calldata toList, uint256[] calldata amounts) external;

    /// @notice Several forced transfers, all or none.
    function batchForcedTransfer(address[] calldata fromList, address[] calldata toList, uint256[] calldata amounts)
        external;

    /// @notice Several mints, all or none.
    function batchMint(address[] calldata toList, uint256[] calldata amounts) external;

    /// @notice Several burns, all or none.
    function batchBurn(address[] calldata userAddresses, uint256[] calldata amounts) external;

    /// @notice Freezes or releases several accounts.
    function batchSetAddressFrozen(address[] calldata userAddresses, bool[] calldata freeze) external;

    /// @notice Freezes units of several accounts.
    function batchFreezePartialTokens(address[] calldata userAddresses, uint256[] calldata amounts) external;

    /// @notice Releases units of several accounts.
    function batchUnfreezePartialTokens(address[] calldata userAddresses, uint256[] calldata amounts) external;
}
