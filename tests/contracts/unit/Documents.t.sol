// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1643} from "../../../contracts/interfaces/IERC1643.sol";
import {ISecurityToken} from "../../../contracts/interfaces/ISecurityToken.sol";
import {Suite} from "../Suite.sol";

/// @notice Documents by ERC-1643: hashes, and no text but the hash again.
contract DocumentsTest is Suite {
    bytes32 private constant _HASH = 0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff;
    string private constant _URN = "urn:sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    function _expect(bytes32 name, string memory uri, bytes32 hash, uint256 time) private view {
        (string memory uriNow, bytes32 hashNow, uint256 timeNow) = token.getDocument(name);
        assertEq(uriNow, uri);
        assertEq(hashNow, hash);
        assertEq(timeNow, time);
    }

    function test_a_document_is_set_replaced_and_removed() public {
        vm.expectEmit(address(token));
        emit IERC1643.DocumentUpdated("terms", _URN, _HASH);
        token.setDocument("terms", _URN, _HASH);
        _expect("terms", _URN, _HASH, START);
        vm.warp(START + 5);
        token.setDocument("terms", "", "other");
        _expect("terms", "", "other", START + 5);
        assertEq(token.getAllDocuments().length, 1);
        vm.expectEmit(address(token));
        emit IERC1643.DocumentRemoved("terms", "", "other");
        token.removeDocument("terms");
        _expect("terms", "", 0, 0);
        assertEq(token.getAllDocuments().length, 0);
    }

    function test_those_left_are_listed_once_each() public {
        token.setDocument("a", "", "1");
        token.setDocument("b", _URN, _HASH);
        token.setDocument("c", "", "3");
        token.removeDocument("a");
        bytes32[] memory names = token.getAllDocuments();
        assertTrue(names.length == 2 && names[0] == "c" && names[1] == "b");
        token.removeDocument("c");
        vm.expectEmit(address(token));
        emit IERC1643.DocumentRemoved("b", _URN, _HASH);
        token.removeDocument("b");
        assertEq(token.getAllDocuments().length, 0);
        vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenDocumentUnknown.selector, bytes32("b")));
        token.removeDocument("b");
    }

    function test_no_text_but_the_hash_goes_on_chain() public {
        string[5] memory uris = [
            "https://example.org/Hong-Gildong.pdf",
            "urn:sha256:00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF",
            "urn:sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeefe",
            "urn:sha256:",
            " "
        ];
        for (uint256 i = 0; i < uris.length; i++) {
            vm.expectRevert(abi.encodeWithSelector(PiiOnChainForbidden.selector));
            token.setDocument("terms", uris[i], _HASH);
        }
    }

    function test_a_document_has_a_name_and_a_hash() public {
        vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenDocumentInvalid.selector, bytes32(0)));
        token.setDocument(0, "", _HASH);
        vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenDocumentInvalid.selector, bytes32("terms")));
        token.setDocument("terms", "", 0);
    }
}
