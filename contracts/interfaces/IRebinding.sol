// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice What moved from one manager to another so far: accounts, and the hash over all of them in their order.
struct Procedure {
    /// Accounts that moved so far.
    uint64 count;
    /// Hash over all of them, batch after batch.
    bytes32 accountsHash;
}

/// @title IRebinding
/// @notice The customers of a failed institution go to another, in batches of one procedure.
/// @dev Units stay in their accounts, so no total of any issue can change; that every account went is shown by count
/// and hash: hash' = keccak256(abi.encode(hash, accounts)) for each batch, from zero.
interface IRebinding {
    /// @notice The accounts are to go to the manager that has them.
    error IdentityRegistrySameManager(bytes20 manager);

    /// @notice A batch of accounts went from one manager to another; `total` and `accountsHash` are of the whole
    /// procedure so far.
    event AccountsRebound(bytes20 indexed from, bytes20 indexed to, uint256 count, uint256 total, bytes32 accountsHash);

    /// @notice Binds customers' accounts of one manager to another. Identities, claims, holds and owner types stay.
    /// @dev Requirements: the caller is the owner; managers differ; the new one is an active member with the account
    /// manager's role; every account is a customer's and managed by `from`. Emits AccountBound each and
    /// {AccountsRebound}.
    function rebindAccounts(bytes20 from, bytes20 to, address[] calldata accounts) external;

    /// @notice What moved from one manager to another so far.
    function procedureOf(bytes20 from, bytes20 to) external view returns (Procedure memory);
}
