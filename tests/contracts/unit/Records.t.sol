// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Anchor, IAnchors} from "../../../contracts/interfaces/IAnchors.sol";
import {IIssueDirectory} from "../../../contracts/interfaces/IIssueDirectory.sol";
import {Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {IRegisteredQuantity, QuantityProposal} from "../../../contracts/interfaces/IRegisteredQuantity.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title RecordsTest
/// @notice What institutions put on record: anchors, the directory of issues, registered quantities in two steps.
contract RecordsTest is ProductionSuite {
    IAnchors private _anchors;
    IIssueDirectory private _directory;

    function setUp() public override {
        super.setUp();
        _anchors = IAnchors(
            _proxy(deploy("Anchors"), abi.encodeCall(IAnchors.initialize, (address(authority), address(members))))
        );
        _directory = IIssueDirectory(
            _proxy(deploy("IssueDirectory"), abi.encodeCall(IIssueDirectory.initialize, (address(authority))))
        );
    }

    function test_a_root_is_anchored_once() public {
        Anchor memory item = Anchor(BROKER_1, 2, 20261124, keccak256("root"), LATER);
        bytes memory signature = _signed(item, BROKER_1_NO);
        vm.expectEmit(address(_anchors));
        emit IAnchors.Anchored(BROKER_1, 2, 20261124, keccak256("root"));
        _anchors.anchor(item, signature);
        assertEq(_anchors.rootOf(BROKER_1, 2, 20261124), keccak256("root"));
        item.root = keccak256("another");
        _refuses(
            item,
            BROKER_1_NO,
            abi.encodeWithSelector(
                DuplicateInstruction.selector, keccak256(abi.encode(BROKER_1, uint8(2), uint64(20261124)))
            )
        );
    }

    function test_an_anchor_is_of_its_institution_and_in_time() public {
        Anchor memory item = Anchor(BROKER_1, 2, 1, keccak256("root"), LATER);
        _refuses(item, BROKER_2_NO, abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(SIGNER + BROKER_2_NO)));
        item.member = 0;
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, address(0)));
        _anchors.anchor(item, "");
        item = Anchor(BROKER_1, 0, 1, keccak256("root"), LATER);
        _refuses(item, BROKER_1_NO, abi.encodeWithSelector(IAnchors.AnchorsKindInvalid.selector, 0));
        item.kind = 5;
        _refuses(item, BROKER_1_NO, abi.encodeWithSelector(IAnchors.AnchorsKindInvalid.selector, 5));
        item = Anchor(BROKER_1, 1, 1, 0, LATER);
        _refuses(item, BROKER_1_NO, abi.encodePacked(IAnchors.AnchorsRootZero.selector));
        item = Anchor(BROKER_1, 1, 1, keccak256("root"), START - 1);
        _refuses(item, BROKER_1_NO, abi.encodeWithSelector(TooLate.selector, START - 1, START));
    }

    /// @custom:requirement NET-11
    function test_an_issue_is_listed_with_chain_token_and_identifier() public {
        bytes memory data =
            abi.encodeCall(IIssueDirectory.list, (ISIN, uint64(block.chainid), address(token), "X9J9K872S"));
        vm.expectEmit(address(_directory));
        emit IIssueDirectory.IssueListed(ISIN, uint64(block.chainid), address(token), "X9J9K872S");
        registrarAct(address(_directory), data);
        IIssueDirectory.Listing memory listing = _directory.listingOf(ISIN);
        assertEq(listing.token, address(token));
        assertEq(listing.chainId, block.chainid);
        assertEq(bytes32(listing.dti), bytes32(bytes9("X9J9K872S")));
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        _directory.list(ISIN, 1, address(token), "X9J9K872S");
    }

    /// @dev Identifiers that were assigned.
    function test_check_characters_of_token_identifiers_are_right() public {
        bytes9[8] memory right = [
            bytes9("X9J9K872S"),
            "14CCHV9R7",
            "17002NH5Z",
            "20J63Z4N3",
            "2QWSBDMNC",
            "31J1K641M",
            "37QP0NB0G",
            "W0HBX7RC4"
        ];
        vm.startPrank(address(authority));
        for (uint256 i = 0; i < 8; i++) {
            _directory.list(ISIN, 1, address(token), right[i]);
            assertEq(bytes32(_directory.listingOf(ISIN).dti), bytes32(right[i]));
            bytes9 wrong = right[i] ^ bytes9(uint72(1));
            vm.expectRevert(abi.encodeWithSelector(IdentifierInvalid.selector, bytes32(wrong)));
            _directory.list(ISIN, 1, address(token), wrong);
        }
        vm.stopPrank();
    }

    /// @custom:requirement NET-11
    function test_malformed_identifiers_are_refused() public {
        vm.startPrank(address(authority));
        bytes9[8] memory wrong = [
            bytes9("09J9K872S"),
            "X9J9K872A",
            "X9J9K872",
            "x9J9K872S",
            "X9J9K87-S",
            "X9J9Y872S",
            "X9J9K872T",
            "9XJ9K872S"
        ];
        for (uint256 i = 0; i < 8; i++) {
            vm.expectRevert(abi.encodeWithSelector(IdentifierInvalid.selector, bytes32(wrong[i])));
            _directory.list(ISIN, 1, address(token), wrong[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(IdentifierInvalid.selector, bytes32("ZZ0000000017")));
        _directory.list("ZZ0000000017", 1, address(token), "X9J9K872S");
        vm.expectRevert(IIssueDirectory.IssueDirectoryTokenZero.selector);
        _directory.list(ISIN, 1, address(0), "X9J9K872S");
        vm.expectRevert(IIssueDirectory.IssueDirectoryTokenZero.selector);
        _directory.list(ISIN, 0, address(token), "X9J9K872S");
        vm.stopPrank();
    }

    /// @custom:requirement ISS-02
    function test_a_quantity_is_proposed_then_registered() public {
        QuantityProposal memory proposal = _proposal(2, 500);
        bytes32 id = _idOf(proposal);
        vm.expectEmit(address(quantity));
        emit IRegisteredQuantity.QuantityProposed(id, address(token), 2, 500, ISSUER, keccak256("resolution"));
        quantity.propose(proposal, signatureOf(SIGNER + ISSUER_NO, id));
        assertEq(quantity.quantityOf(address(token)), 1_000_000);
        vm.expectEmit(address(quantity));
        emit IRegisteredQuantity.SeriesRegistered(id, address(token), 2, 500, REGISTRAR);
        vm.expectEmit(address(quantity));
        emit IRegisteredQuantity.QuantityRegistered(address(token), 1_000_500);
        quantity.registerProposed(proposal, _registration(id, REGISTRAR_NO));
        assertEq(quantity.quantityOfSeries(address(token), 2), 500);
        assertEq(quantity.quantityOfSeries(address(token), 0), 1_000_000);
        bytes memory signature = _registration(id, REGISTRAR_NO);
        vm.expectRevert(abi.encodeWithSelector(DuplicateInstruction.selector, id));
        quantity.registerProposed(proposal, signature);
        signature = signatureOf(SIGNER + ISSUER_NO, id);
        vm.expectRevert(abi.encodeWithSelector(DuplicateInstruction.selector, id));
        quantity.propose(proposal, signature);
    }

    /// @custom:requirement ISS-03
    function test_nothing_is_minted_beyond_what_is_registered() public {
        vm.startPrank(address(authority));
        vm.expectRevert(abi.encodeWithSelector(SupplyCapExceeded.selector, 1_000_000, 1_000_001));
        token.mint(seller, 990_001);
        token.mint(seller, 990_000);
        vm.stopPrank();
    }

    /// @custom:requirement ISS-02
    function test_each_step_has_its_role_and_its_own_institution() public {
        QuantityProposal memory proposal = _proposal(1, 500);
        bytes32 id = _idOf(proposal);
        bytes memory signature = _registration(id, REGISTRAR_NO);
        vm.expectRevert(abi.encodeWithSelector(IRegisteredQuantity.RegisteredQuantityProposalUnknown.selector, id));
        quantity.registerProposed(proposal, signature);
        signature = signatureOf(SIGNER + REGISTRAR_NO, id);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1 | (1 << 5)))));
        quantity.propose(proposal, signature);
        signature = signatureOf(CARRIER + ISSUER_NO, id);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(CARRIER + ISSUER_NO)));
        quantity.propose(proposal, signature);
        quantity.propose(proposal, signatureOf(SIGNER + ISSUER_NO, id));
        signature = _registration(id, VENUE_NO);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1 << 3))));
        quantity.registerProposed(proposal, signature);
        vm.prank(address(authority));
        members.admit(ISSUER, 1 | (1 << 3), new Key[](0));
        signature = _registration(id, ISSUER_NO);
        vm.expectRevert(DualControlRequired.selector);
        quantity.registerProposed(proposal, signature);
    }

    function test_a_proposal_is_in_time_and_raises() public {
        QuantityProposal memory proposal = _proposal(0, 1_000_000);
        bytes32 id = _idOf(proposal);
        quantity.propose(proposal, signatureOf(SIGNER + ISSUER_NO, id));
        bytes memory signature = _registration(id, REGISTRAR_NO);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRegisteredQuantity.RegisteredQuantityNotRaised.selector, address(token), 1_000_000, 1_000_000
            )
        );
        quantity.registerProposed(proposal, signature);
        vm.warp(LATER + 1);
        bytes memory late = abi.encodeWithSelector(TooLate.selector, LATER, LATER + 1);
        vm.expectRevert(late);
        quantity.registerProposed(proposal, signature);
        vm.expectRevert(late);
        quantity.propose(proposal, signature);
    }

    /// @custom:requirement ISS-03
    function testFuzz_the_total_is_the_sum_of_the_series(uint96 first, uint96 second) public {
        first = uint96(bound(first, 1, type(uint96).max / 4));
        second = uint96(bound(second, 1, type(uint96).max / 4));
        _register(1, first);
        _register(2, second);
        assertEq(quantity.quantityOf(address(token)), 1_000_000 + uint256(first) + second);
    }

    function _register(uint32 series, uint96 units) private {
        QuantityProposal memory proposal = _proposal(series, units);
        bytes32 id = _idOf(proposal);
        quantity.propose(proposal, signatureOf(SIGNER + ISSUER_NO, id));
        quantity.registerProposed(proposal, _registration(id, REGISTRAR_NO));
    }

    function _proposal(uint32 series, uint96 units) private view returns (QuantityProposal memory) {
        return QuantityProposal(address(token), series, units, keccak256("resolution"), 1, LATER);
    }

    function _idOf(QuantityProposal memory proposal) private view returns (bytes32) {
        bytes32 kind = keccak256(
            "QuantityProposal(address token,uint32 series,uint96 quantity,bytes32 document,uint256 salt,uint40 deadline)"
        );
        return typed("stoken RegisteredQuantity", address(quantity), keccak256(abi.encode(kind, proposal)));
    }

    function _registration(bytes32 id, uint256 number) private view returns (bytes memory) {
        bytes32 hash = keccak256(abi.encode(keccak256("QuantityRegistration(bytes32 proposal)"), id));
        return signatureOf(SIGNER + number, typed("stoken RegisteredQuantity", address(quantity), hash));
    }

    function _signed(Anchor memory item, uint256 number) private view returns (bytes memory) {
        bytes32 kind = keccak256("Anchor(bytes20 member,uint8 kind,uint64 period,bytes32 root,uint40 deadline)");
        bytes32 digest = typed("stoken Anchors", address(_anchors), keccak256(abi.encode(kind, item)));
        return signatureOf(SIGNER + number, digest);
    }

    function _refuses(Anchor memory item, uint256 number, bytes memory refusal) private {
        bytes memory signature = _signed(item, number);
        vm.expectRevert(refusal);
        _anchors.anchor(item, signature);
    }
}
