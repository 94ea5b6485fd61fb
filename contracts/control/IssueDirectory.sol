// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "./Governed.sol";
import {Dti} from "../factory/Dti.sol";
import {Isin} from "../factory/Isin.sol";
import {IIssueDirectory} from "../interfaces/IIssueDirectory.sol";

/// @title IssueDirectory
contract IssueDirectory is Governed, IIssueDirectory {
    /// @custom:storage-location erc7201:stoken.storage.IssueDirectory
    struct Data {
        mapping(bytes12 isin => Listing) listings;
    }

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.IssueDirectory")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IIssueDirectory
    function initialize(address owner) external initializer {
        __Ownable_init(owner);
    }

    /// @inheritdoc IIssueDirectory
    function list(bytes12 isin, uint64 chainId, address token, bytes9 dti) external onlyOwner {
        if (!Isin.isValid(isin)) revert IdentifierInvalid(isin);
        if (!Dti.isValid(dti)) revert IdentifierInvalid(dti);
        if (chainId == 0 || token == address(0)) revert IssueDirectoryTokenZero();
        _data().listings[isin] = Listing(chainId, token, dti);
        emit IssueListed(isin, chainId, token, dti);
    }

    /// @inheritdoc IIssueDirectory
    function listingOf(bytes12 isin) external view returns (Listing memory) {
        return _data().listings[isin];
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
