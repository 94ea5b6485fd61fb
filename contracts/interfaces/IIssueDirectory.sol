// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IIssueDirectory
/// @notice Where each issue's register is: chain, token and digital token identifier (ISO 24165) of an ISIN.
/// @dev The audit of the code behind a token is in the releases. A DTI is nine characters, digits and the consonants
/// without Y, does not begin with 0, and ends with a check character. That it was assigned says the DTI Foundation's
/// register alone.
interface IIssueDirectory {
    /// @notice One issue.
    struct Listing {
        /// The chain's id.
        uint64 chainId;
        /// The security's address on that chain.
        address token;
        /// Its digital token identifier, nine ASCII characters.
        bytes9 dti;
    }

    /// @notice Chain or token is zero.
    error IssueDirectoryTokenZero();

    /// @notice The register of an issue is here; a later listing replaces this one.
    event IssueListed(bytes12 indexed isin, uint64 chainId, address indexed token, bytes9 dti);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner) external;

    /// @notice Lists an issue, or moves it.
    /// @dev Requirements: the caller is the owner; form and check characters of ISIN and DTI are right (IdentifierInvalid); a chain and a
    /// token. Emits {IssueListed}.
    function list(bytes12 isin, uint64 chainId, address token, bytes9 dti) external;

    /// @notice Where an issue's register is; all zero if it is not listed.
    function listingOf(bytes12 isin) external view returns (Listing memory);
}
