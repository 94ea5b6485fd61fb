// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {IERC1643} from "../interfaces/IERC1643.sol";
import {ISecurityToken, Roles} from "../interfaces/ISecurityToken.sol";
import {TokenSnapshots} from "./TokenSnapshots.sol";

/// @title TokenRecords
/// @notice Record dates, documents, and the end of an instrument.
abstract contract TokenRecords is TokenSnapshots, IERC1643 {
    /// @dev See {ISecurityToken-setRecordDate}.
    function setRecordDate() external onlyRole(Roles.RECORD, "RECORD") returns (uint24 id) {
        Data storage $ = _data();
        id = uint24(_recordId($.cfg)) + 1;
        $.cfg += _RECORD_UNIT;
        $.recordDates[id] = block.number << 64 | block.timestamp;
        emit ISecurityToken.RecordDateSet(id, uint64(block.number), uint64(block.timestamp));
    }

    /// @dev See {ISecurityToken-terminate}.
    function terminate(bytes32 document) external onlyRole(Roles.TERMINATE, "TERMINATE") {
        Data storage $ = _data();
        if ($.cfg & _TERMINATED != 0) revert InstrumentTerminated();
        if (document == 0) revert LegalBasisRequired();
        if ($.totalSupply != 0) revert ISecurityToken.SecurityTokenUnitsOutstanding($.totalSupply);
        $.cfg |= _TERMINATED;
        emit ISecurityToken.Terminated(msg.sender, document);
    }

    /// @inheritdoc IERC1643
    function setDocument(bytes32 name, string calldata uri, bytes32 documentHash)
        external
        onlyRole(Roles.DOCUMENTS, "DOCUMENTS")
    {
        if (name == 0 || documentHash == 0) revert ISecurityToken.SecurityTokenDocumentInvalid(name);
        bool located = bytes(uri).length != 0;
        if (located && keccak256(bytes(uri)) != keccak256(bytes(_urn(documentHash)))) revert PiiOnChainForbidden();
        Data storage $ = _data();
        Document storage document = $.documents[name];
        if (document.index == 0) {
            $.documentNames.push(name);
            document.index = uint64($.documentNames.length);
        }
        (document.hash, document.modified, document.located) = (documentHash, uint64(block.timestamp), located);
        emit DocumentUpdated(name, uri, documentHash);
    }

    /// @inheritdoc IERC1643
    function removeDocument(bytes32 name) external onlyRole(Roles.DOCUMENTS, "DOCUMENTS") {
        Data storage $ = _data();
        Document memory document = $.documents[name];
        if (document.index == 0) revert ISecurityToken.SecurityTokenDocumentUnknown(name);
        bytes32 last = $.documentNames[$.documentNames.length - 1];
        $.documentNames[document.index - 1] = last;
        $.documents[last].index = document.index;
        $.documentNames.pop();
        delete $.documents[name];
        emit DocumentRemoved(name, _uriOf(document), document.hash);
    }

    /// @inheritdoc IERC1643
    function getDocument(bytes32 name) external view returns (string memory, bytes32, uint256) {
        Document memory document = _data().documents[name];
        return (_uriOf(document), document.hash, document.modified);
    }

    /// @inheritdoc IERC1643
    function getAllDocuments() external view returns (bytes32[] memory) {
        return _data().documentNames;
    }

    /// @dev See {ISecurityToken-balanceOfAt}.
    function balanceOfAt(address account, uint24 id) external view returns (uint256) {
        Data storage $ = _data();
        _requireRecordDate($, id);
        uint256 word = $.accounts[account].word;
        return _at($.snapshots[account], uint24(word >> 208), id, _balance(word));
    }

    /// @dev See {ISecurityToken-totalSupplyAt}.
    function totalSupplyAt(uint24 id) external view returns (uint256) {
        Data storage $ = _data();
        _requireRecordDate($, id);
        return _at($.supplySnapshots, $.supplyRecordId, id, $.totalSupply);
    }

    /// @dev See {ISecurityToken-recordDateOf}.
    function recordDateOf(uint24 id) external view returns (uint64 blockNumber, uint64 time) {
        Data storage $ = _data();
        _requireRecordDate($, id);
        uint256 word = $.recordDates[id];
        return (uint64(word >> 64), uint64(word));
    }

    /// @dev See {ISecurityToken-recordDates}.
    function recordDates() external view returns (uint24) {
        return uint24(_recordId(_data().cfg));
    }

    /// @dev See {ISecurityToken-terminated}.
    function terminated() external view returns (bool) {
        return _data().cfg & _TERMINATED != 0;
    }

    function _requireRecordDate(Data storage $, uint24 id) private view {
        if (id == 0 || id > _recordId($.cfg)) revert CaRecordDateInvalid(id);
    }

    function _uriOf(Document memory document) private pure returns (string memory) {
        return document.located ? _urn(document.hash) : "";
    }

    /// @dev The only text admitted to the chain.
    function _urn(bytes32 documentHash) private pure returns (string memory) {
        bytes memory digits = bytes(Strings.toHexString(uint256(documentHash), 32));
        // Without its 0x.
        assembly ("memory-safe") {
            let length := sub(mload(digits), 2)
            digits := add(digits, 2)
            mstore(digits, length)
        }
        return string.concat("urn:sha256:", string(digits));
    }
}
