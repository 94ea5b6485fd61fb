// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title ICompliance
/// @notice The compliance contract of ERC-3643: the rules of one token.
interface ICompliance {
    /// @notice The rules serve this token from now on.
    event TokenBound(address token);

    /// @notice The rules no longer serve this token.
    event TokenUnbound(address token);

    /// @notice Binds a token.
    /// @dev Requirements: the caller is the owner, or, while none is bound, the token itself. Emits {TokenBound}.
    function bindToken(address token) external;

    /// @notice Unbinds a token.
    /// @dev Requirements: the caller is the owner or the token. Emits {TokenUnbound}.
    function unbindToken(address token) external;

    /// @notice Whether a token is bound.
    function isTokenBound(address token) external view returns (bool);

    /// @notice The token bound, zero if none.
    function getTokenBound() external view returns (address);

    /// @notice Whether the rules allow a transfer; a zero sender asks for a mint.
    function canTransfer(address from, address to, uint256 amount) external view returns (bool);

    /// @notice Records a transfer.
    /// @dev Requirements: the caller is the token.
    function transferred(address from, address to, uint256 amount) external;

    /// @notice Records a mint.
    /// @dev Requirements: the caller is the token.
    function created(address to, uint256 amount) external;

    /// @notice Records a burn.
    /// @dev Requirements: the caller is the token.
    function destroyed(address from, uint256 amount) external;
}
