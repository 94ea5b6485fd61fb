// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "./Governed.sol";
import {Signatures} from "./Signatures.sol";
import {TypedData} from "./TypedData.sol";
import {Anchor, IAnchors} from "../interfaces/IAnchors.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";

/// @title Anchors
contract Anchors is Governed, TypedData, IAnchors {
    /// @custom:storage-location erc7201:stoken.storage.Anchors
    struct Data {
        IMemberRegistry members;
        mapping(bytes32 key => bytes32 root) roots;
    }

    uint8 private constant _INSTRUCTION = 4;
    uint8 private constant _KIND_MAX = 4;

    bytes32 private constant _ANCHOR =
        keccak256("Anchor(bytes20 member,uint8 kind,uint64 period,bytes32 root,uint40 deadline)");

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Anchors")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IAnchors
    function initialize(address owner, address memberRegistry) external initializer {
        __Ownable_init(owner);
        _data().members = IMemberRegistry(memberRegistry);
    }

    /// @inheritdoc IAnchors
    function anchor(Anchor calldata item, bytes calldata signature) external {
        if (block.timestamp > item.deadline) revert TooLate(item.deadline, block.timestamp);
        if (item.kind == 0 || item.kind > _KIND_MAX) revert AnchorsKindInvalid(item.kind);
        if (item.root == 0) revert AnchorsRootZero();
        Data storage $ = _data();
        address signer = Signatures.signerOf(_digest(keccak256(abi.encode(_ANCHOR, item))), signature);
        bytes20 member = $.members.authorise(signer, _INSTRUCTION, block.timestamp);
        if (member == 0 || member != item.member) revert SignatureInvalid(signer);
        bytes32 key = _key(item.member, item.kind, item.period);
        if ($.roots[key] != 0) revert DuplicateInstruction(key);
        $.roots[key] = item.root;
        emit Anchored(item.member, item.kind, item.period, item.root);
    }

    /// @inheritdoc IAnchors
    function rootOf(bytes20 member, uint8 kind, uint64 period) external view returns (bytes32) {
        return _data().roots[_key(member, kind, period)];
    }

    function _key(bytes20 member, uint8 kind, uint64 period) private pure returns (bytes32) {
        return keccak256(abi.encode(member, kind, period));
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken Anchors";
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
