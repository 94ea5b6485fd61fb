// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IERC1643
/// @notice Documents of a security by name: on chain lies what proves a document, never the document or its place.
interface IERC1643 {
    /// @notice A document was added or replaced.
    event DocumentUpdated(bytes32 indexed name, string uri, bytes32 documentHash);

    /// @notice A document was removed; uri and hash are what it had.
    event DocumentRemoved(bytes32 indexed name, string uri, bytes32 documentHash);

    /// @notice Adds or replaces a document.
    /// @dev Requirements: the caller is an agent for documents; name and hash are not zero; the uri is empty or
    /// urn:sha256: with the hash in 64 lower-case hex digits. Emits {DocumentUpdated}.
    function setDocument(bytes32 name, string calldata uri, bytes32 documentHash) external;

    /// @notice Removes a document.
    /// @dev Requirements: the caller is an agent for documents; there is one of that name. Emits {DocumentRemoved}.
    function removeDocument(bytes32 name) external;

    /// @notice Uri, hash and block time of the last change; empty and zero where there is none.
    function getDocument(bytes32 name)
        external
        view
        returns (string memory uri, bytes32 documentHash, uint256 lastModified);

    /// @notice The names of all documents, in no order.
    function getAllDocuments() external view returns (bytes32[] memory names);
}
