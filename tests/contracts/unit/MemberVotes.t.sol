// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {IMemberNodes, Node} from "../../../contracts/interfaces/IMemberNodes.sol";
import {IMemberVotes, MemberProposal} from "../../../contracts/interfaces/IMemberVotes.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title MemberVotesTest
/// @notice Votes on joining and leaving (see MemberVotes.tree), and nodes. Four members vote here: venue, registrar and
/// two brokers.
contract MemberVotesTest is ProductionSuite {
    bytes20 private constant _NEWCOMER = "ZZZZ0000000000002150";

    IMemberVotes private _votes;
    IMemberNodes private _nodes;

    function setUp() public override {
        super.setUp();
        _votes = IMemberVotes(address(members));
        _nodes = IMemberNodes(address(members));
    }

    function test_a_newcomer_joins_by_two_thirds() public {
        MemberProposal memory proposal = _proposal(1, _NEWCOMER);
        bytes32 id = _idOf(proposal);
        bytes memory signature = signatureOf(SIGNER + VENUE_NO, id);
        vm.expectEmit(address(members));
        emit IMemberVotes.ElectorateTaken(id, 0, 0x78, 6_667);
        vm.expectEmit(address(members));
        emit IMemberVotes.MemberProposed(id, 1, _NEWCOMER, VENUE, LATER);
        assertEq(_votes.proposeMember(proposal, signature), id);
        _vote(id, true, VENUE_NO);
        _vote(id, true, BROKER_1_NO);
        vm.expectRevert(abi.encodeWithSelector(IMemberVotes.MemberVotesMajorityMissing.selector, 2, 4, 6_667));
        _votes.executeMember(proposal);
        vm.expectEmit(address(members));
        emit IMemberVotes.MemberVoted(id, BROKER_2, true);
        _vote(id, true, BROKER_2_NO);
        vm.expectEmit(address(members));
        emit IMemberVotes.MemberDecided(id, 3, 4);
        _votes.executeMember(proposal);
        (uint16 roles, uint8 status) = members.memberOf(_NEWCOMER);
        assertTrue(roles == 1 << 4 && status == 1);
        assertEq(bytes32(members.authorise(address(0x77), INSTRUCTION, START)), bytes32(_NEWCOMER));
        assertEq(_votes.memberList().length, 9);
        bytes memory done = abi.encodeWithSelector(DuplicateInstruction.selector, id);
        vm.expectRevert(done);
        _votes.executeMember(proposal);
        _refusesVote(id, REGISTRAR_NO, done);
    }

    function test_votes_against_do_not_count_for() public {
        (MemberProposal memory proposal, bytes32 id) = _propose(1, _NEWCOMER);
        _vote(id, true, VENUE_NO);
        _vote(id, false, BROKER_1_NO);
        _vote(id, false, BROKER_2_NO);
        _vote(id, true, REGISTRAR_NO);
        vm.expectRevert(abi.encodeWithSelector(IMemberVotes.MemberVotesMajorityMissing.selector, 2, 4, 6_667));
        _votes.executeMember(proposal);
    }

    function test_the_affected_member_has_no_vote() public {
        (MemberProposal memory proposal, bytes32 id) = _propose(3, BROKER_1);
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(0x78)));
        _refusesVote(id, BROKER_1_NO, refusal);
        _refusesVote(id, CASH_AGENT_NO, refusal);
        _vote(id, true, VENUE_NO);
        _vote(id, true, BROKER_2_NO);
        vm.expectRevert(abi.encodeWithSelector(IMemberVotes.MemberVotesMajorityMissing.selector, 2, 3, 6_667));
        _votes.executeMember(proposal);
        _vote(id, true, REGISTRAR_NO);
        _votes.executeMember(proposal);
        (, uint8 status) = members.memberOf(BROKER_1);
        assertEq(status, 3);
    }

    function test_a_member_is_suspended_and_reinstated() public {
        _pass(2, BROKER_1);
        (, uint8 status) = members.memberOf(BROKER_1);
        assertEq(status, 2);
        _pass(4, BROKER_1);
        (, status) = members.memberOf(BROKER_1);
        assertEq(status, 1);
    }

    function test_who_is_suspended_meanwhile_still_counts_and_keeps_its_vote() public {
        (MemberProposal memory proposal, bytes32 id) = _propose(1, _NEWCOMER);
        _vote(id, true, VENUE_NO);
        _vote(id, true, BROKER_1_NO);
        _setStatus(BROKER_1, 2);
        _setStatus(BROKER_2, 3);
        _tallies(id, 2, 4);
        vm.expectRevert(abi.encodeWithSelector(IMemberVotes.MemberVotesMajorityMissing.selector, 2, 4, 6_667));
        _votes.executeMember(proposal);
        _refusesVote(id, BROKER_2_NO, abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(SIGNER + BROKER_2_NO)));
        assertTrue(_votes.isElector(id, BROKER_1) && _votes.isElector(id, BROKER_2));
        _vote(id, true, REGISTRAR_NO);
        _votes.executeMember(proposal);
    }

    function test_who_was_suspended_before_does_not_count() public {
        _setStatus(BROKER_1, 2);
        (, bytes32 id) = _propose(1, _NEWCOMER);
        _setStatus(BROKER_1, 1);
        _tallies(id, 0, 3);
        _refusesVote(id, BROKER_1_NO, abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(0x78))));
        assertFalse(_votes.isElector(id, BROKER_1));
        (, id) = _propose(2, BROKER_1);
        _tallies(id, 0, 3);
        assertFalse(_votes.isElector(id, BROKER_1), "the member concerned");
    }

    function test_who_is_admitted_meanwhile_has_no_vote() public {
        (, bytes32 before) = _propose(3, BROKER_1);
        Key[] memory keys = new Key[](1);
        keys[0] = Key(vm.addr(SIGNER + 0x77), INSTRUCTION, START, LATER);
        vm.startPrank(address(authority));
        members.admit(_NEWCOMER, 1 << 4, keys);
        members.admit(CASH_AGENT, (1 << 7) | (1 << 4), new Key[](0));
        members.admit(BROKER_2, 1, new Key[](0));
        vm.stopPrank();
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(0x78)));
        _refusesVote(before, 0x77, refusal);
        _refusesVote(before, CASH_AGENT_NO, refusal);
        _vote(before, true, BROKER_2_NO);
        _tallies(before, 1, 3);
        (, bytes32 next) = _propose(1, "ZZZZ0000000000009999");
        _vote(next, true, 0x77);
        _vote(next, true, CASH_AGENT_NO);
        _refusesVote(next, BROKER_2_NO, refusal);
        _tallies(next, 2, 5);
        _tallies(before, 1, 3);
    }

    function test_other_voting_rules_are_for_proposals_to_come() public {
        (MemberProposal memory proposal, bytes32 before) = _propose(1, _NEWCOMER);
        vm.prank(address(authority));
        _votes.setVoting(1 << 9, 10_000);
        _refusesVote(before, SUPERVISOR_NO, abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(0x78))));
        _vote(before, true, VENUE_NO);
        _vote(before, true, BROKER_1_NO);
        vm.expectRevert(abi.encodeWithSelector(IMemberVotes.MemberVotesMajorityMissing.selector, 2, 4, 6_667));
        _votes.executeMember(proposal);
        _vote(before, true, BROKER_2_NO);
        _votes.executeMember(proposal);
        _refusesProposal(
            _proposal(2, BROKER_1), VENUE_NO, abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1 << 9)))
        );
    }

    function testFuzz_no_change_of_members_turns_a_proposal(uint8 ayes, uint256 seed) public {
        (MemberProposal memory proposal, bytes32 id) = _propose(1, _NEWCOMER);
        bytes20[4] memory electors = [VENUE, REGISTRAR, BROKER_1, BROKER_2];
        uint256[4] memory voters = [VENUE_NO, REGISTRAR_NO, BROKER_1_NO, BROKER_2_NO];
        uint256 count;
        for (uint256 i = 0; i < 4; i++) {
            if (ayes >> i & 1 == 0) continue;
            _vote(id, true, voters[i]);
            count++;
        }
        for (uint256 i = 0; i < 8; i++) {
            uint256 drawn = uint256(keccak256(abi.encode(seed, i)));
            bytes20 member = drawn % 3 == 0 ? bytes20(uint160(drawn)) : electors[(drawn >> 8) % 4];
            vm.startPrank(address(authority));
            if (drawn % 3 == 0) members.admit(member, 1 << 4, new Key[](0));
            if (drawn % 3 == 1) members.admit(member, uint16(drawn >> 16), new Key[](0));
            (, uint8 status) = members.memberOf(member);
            if (drawn % 3 == 2) members.setMemberStatus(member, uint8(3 - status));
            vm.stopPrank();
            _tallies(id, count, 4);
        }
        if (count < 3) {
            vm.expectRevert(abi.encodeWithSelector(IMemberVotes.MemberVotesMajorityMissing.selector, count, 4, 6_667));
        }
        _votes.executeMember(proposal);
    }

    function test_a_vote_counts_once_by_an_active_instruction_key() public {
        (, bytes32 id) = _propose(1, _NEWCOMER);
        _vote(id, true, VENUE_NO);
        _refusesVote(id, VENUE_NO, abi.encodeWithSelector(DuplicateInstruction.selector, id));
        bytes32 elsewhere = typedAt("stoken MemberRegistry", address(members), 1, _voteHash(id, true));
        bytes memory signature = signatureOf(SIGNER + BROKER_1_NO, elsewhere);
        vm.expectPartialRevert(SignatureInvalid.selector);
        _votes.voteMember(id, true, signature);
        address key = vm.addr(SIGNER + BROKER_1_NO);
        retireKey(BROKER_1_NO, BROKER_1, key);
        _refusesVote(id, BROKER_1_NO, abi.encodeWithSelector(SignatureInvalid.selector, key));
        bytes32 unknown = keccak256("unknown");
        _refusesVote(
            unknown, VENUE_NO, abi.encodeWithSelector(IMemberVotes.MemberVotesProposalUnknown.selector, unknown)
        );
    }

    function test_a_proposal_expires() public {
        (MemberProposal memory proposal, bytes32 id) = _propose(1, _NEWCOMER);
        _vote(id, true, VENUE_NO);
        vm.warp(LATER + 1);
        bytes memory refusal = abi.encodeWithSelector(TooLate.selector, LATER, LATER + 1);
        vm.expectRevert(refusal);
        _votes.executeMember(proposal);
        _refusesVote(id, BROKER_1_NO, refusal);
        _refusesProposal(proposal, VENUE_NO, refusal);
    }

    function test_a_proposal_fits_the_members_status() public {
        uint8[5] memory kinds = [1, 4, 0, 5, 2];
        bytes20[5] memory about = [VENUE, VENUE, VENUE, VENUE, _NEWCOMER];
        for (uint256 i = 0; i < 5; i++) {
            _refusesProposal(
                _proposal(kinds[i], about[i]),
                BROKER_1_NO,
                abi.encodeWithSelector(IMemberVotes.MemberVotesProposalInvalid.selector, kinds[i], about[i])
            );
        }
        (MemberProposal memory proposal, bytes32 id) = _propose(1, _NEWCOMER);
        _refusesProposal(proposal, VENUE_NO, abi.encodeWithSelector(DuplicateInstruction.selector, id));
        vm.prank(address(authority));
        members.admit(_NEWCOMER, 1, new Key[](0));
        vm.expectPartialRevert(IMemberVotes.MemberVotesProposalInvalid.selector);
        _votes.executeMember(proposal);
    }

    function test_only_voting_members_propose() public {
        MemberProposal memory proposal = _proposal(1, _NEWCOMER);
        _refusesProposal(proposal, SUPERVISOR_NO, abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(0x78))));
        _refusesProposal(
            proposal,
            VENUE_NO + CARRIER - SIGNER,
            abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(CARRIER + VENUE_NO))
        );
    }

    function test_the_owner_says_who_votes() public {
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        _votes.setVoting(1, 10_000);
        vm.startPrank(address(authority));
        uint16[3] memory majorities = [uint16(5_000), 10_001, 6_000];
        for (uint256 i = 0; i < 3; i++) {
            uint16 roles = i == 2 ? 0 : 1;
            vm.expectRevert(
                abi.encodeWithSelector(IMemberVotes.MemberVotesParametersInvalid.selector, roles, majorities[i])
            );
            _votes.setVoting(roles, majorities[i]);
        }
        _votes.setVoting(1 << 9, 10_000);
        vm.stopPrank();
        (uint16 votingRoles, uint16 majority) = _votes.voting();
        assertTrue(votingRoles == 1 << 9 && majority == 10_000);
    }

    function testFuzz_a_majority_is_of_all_that_could_vote(uint8 ayes) public {
        (MemberProposal memory proposal, bytes32 id) = _propose(1, _NEWCOMER);
        uint256[4] memory voters = [VENUE_NO, REGISTRAR_NO, BROKER_1_NO, BROKER_2_NO];
        uint256 count;
        for (uint256 i = 0; i < 4; i++) {
            if (ayes >> i & 1 == 0) continue;
            _vote(id, true, voters[i]);
            count++;
        }
        if (count < 3) vm.expectPartialRevert(IMemberVotes.MemberVotesMajorityMissing.selector);
        _votes.executeMember(proposal);
    }

    function test_two_persons_of_a_member_list_its_nodes() public {
        Node memory node = Node(keccak256("high"), keccak256("low"), 1, START, LATER);
        bytes32 id = keccak256(abi.encodePacked(node.high, node.low));
        vm.expectEmit(address(members));
        emit IMemberNodes.NodeAdded(id, BROKER_1, node.high, node.low, 1, START, LATER);
        _setNodes(BROKER_1_NO, BROKER_1, _one(node), new bytes32[](0), "");
        (bytes20 member, Node memory found, bool permitted) = _nodes.nodeOf(id);
        assertTrue(member == BROKER_1 && found.role == 1 && permitted);
        assertEq(_nodes.nodes().length, 1);
        vm.prank(address(authority));
        members.setMemberStatus(BROKER_1, 2);
        (,, permitted) = _nodes.nodeOf(id);
        assertFalse(permitted);
        vm.prank(address(authority));
        members.setMemberStatus(BROKER_1, 1);
        vm.warp(LATER + 1);
        (,, permitted) = _nodes.nodeOf(id);
        assertFalse(permitted);
        vm.warp(START);
        bytes32[] memory ids = new bytes32[](1);
        ids[0] = id;
        _setNodes(
            BROKER_2_NO,
            BROKER_2,
            _one(node),
            new bytes32[](0),
            abi.encodeWithSelector(IMemberNodes.MemberNodesNodeTaken.selector, id, BROKER_1)
        );
        _setNodes(
            BROKER_2_NO,
            BROKER_2,
            new Node[](0),
            ids,
            abi.encodeWithSelector(IMemberNodes.MemberNodesNodeUnknown.selector, id, BROKER_2)
        );
        vm.expectEmit(address(members));
        emit IMemberNodes.NodeRemoved(id, BROKER_1);
        _setNodes(BROKER_1_NO, BROKER_1, new Node[](0), ids, "");
        assertEq(_nodes.nodes().length, 0);
    }

    function test_a_node_has_a_key_a_role_and_a_validity() public {
        Node[4] memory wrong = [
            Node(0, "low", 1, START, LATER),
            Node("high", "low", 0, START, LATER),
            Node("high", "low", 3, START, LATER),
            Node("high", "low", 1, LATER, START)
        ];
        for (uint256 i = 0; i < 4; i++) {
            bytes32 id = keccak256(abi.encodePacked(wrong[i].high, wrong[i].low));
            bytes memory refusal = abi.encodeWithSelector(IMemberNodes.MemberNodesNodeInvalid.selector, id);
            _setNodes(BROKER_1_NO, BROKER_1, _one(wrong[i]), new bytes32[](0), refusal);
        }
    }

    function _one(Node memory node) private pure returns (Node[] memory list) {
        list = new Node[](1);
        list[0] = node;
    }

    uint256 private _changes = 1_000;

    function _setNodes(uint256 number, bytes20 member, Node[] memory add, bytes32[] memory remove, bytes memory refusal)
        private
    {
        bytes memory added;
        for (uint256 i = 0; i < add.length; i++) {
            bytes32 kind = keccak256("Node(bytes32 high,bytes32 low,uint8 role,uint40 since,uint40 until)");
            added = bytes.concat(added, keccak256(abi.encode(kind, add[i])));
        }
        uint256 nonce = ++_changes;
        bytes32 changeKind = keccak256(
            "NodeChange(bytes20 member,Node[] add,bytes32[] remove,uint256 nonce,uint40 deadline)Node(bytes32 high,bytes32 low,uint8 role,uint40 since,uint40 until)"
        );
        bytes32 hash = keccak256(
            abi.encode(changeKind, member, keccak256(added), keccak256(abi.encodePacked(remove)), nonce, uint256(LATER))
        );
        bytes32 digest = typed("stoken MemberRegistry", address(members), hash);
        bytes[2] memory signatures =
            [signatureOf(PERSON + number, digest), signatureOf(PERSON + 0x800 + number, digest)];
        if (refusal.length != 0) vm.expectRevert(refusal);
        _nodes.setNodes(member, add, remove, nonce, LATER, signatures);
    }

    function _proposal(uint8 kind, bytes20 member) private view returns (MemberProposal memory) {
        Key[] memory keys = new Key[](kind == 1 && member == _NEWCOMER ? 1 : 0);
        if (keys.length == 1) keys[0] = Key(address(0x77), INSTRUCTION, START, LATER);
        return MemberProposal(kind, member, 1 << 4, keys, 1, LATER);
    }

    function _setStatus(bytes20 member, uint8 status) private {
        vm.prank(address(authority));
        members.setMemberStatus(member, status);
    }

    function _tallies(bytes32 id, uint256 expected, uint256 among) private view {
        (uint256 votes, uint256 electors) = _votes.tallyOf(id);
        assertEq(votes, expected);
        assertEq(electors, among);
    }

    function _propose(uint8 kind, bytes20 member) private returns (MemberProposal memory proposal, bytes32 id) {
        proposal = _proposal(kind, member);
        id = _votes.proposeMember(proposal, signatureOf(SIGNER + VENUE_NO, _idOf(proposal)));
    }

    function _pass(uint8 kind, bytes20 member) private {
        (MemberProposal memory proposal, bytes32 id) = _propose(kind, member);
        _vote(id, true, VENUE_NO);
        _vote(id, true, REGISTRAR_NO);
        _vote(id, true, BROKER_2_NO);
        _votes.executeMember(proposal);
    }

    function _refusesProposal(MemberProposal memory proposal, uint256 number, bytes memory refusal) private {
        bytes memory signature = signatureOf(SIGNER + number, _idOf(proposal));
        vm.expectRevert(refusal);
        _votes.proposeMember(proposal, signature);
    }

    function _vote(bytes32 id, bool support, uint256 number) private {
        _votes.voteMember(id, support, _signedVote(id, support, number));
    }

    function _refusesVote(bytes32 id, uint256 number, bytes memory refusal) private {
        bytes memory signature = _signedVote(id, true, number);
        vm.expectRevert(refusal);
        _votes.voteMember(id, true, signature);
    }

    function _signedVote(bytes32 id, bool support, uint256 number) private view returns (bytes memory) {
        bytes32 digest = typed("stoken MemberRegistry", address(members), _voteHash(id, support));
        return signatureOf(SIGNER + number, digest);
    }

    function _voteHash(bytes32 id, bool support) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("MemberVote(bytes32 proposal,bool support)"), id, support));
    }

    function _idOf(MemberProposal memory proposal) private view returns (bytes32) {
        bytes memory keys;
        for (uint256 i = 0; i < proposal.keys.length; i++) {
            bytes32 keyKind = keccak256("Key(address key,uint8 scopes,uint40 since,uint40 until)");
            keys = bytes.concat(keys, keccak256(abi.encode(keyKind, proposal.keys[i])));
        }
        bytes32 kind = keccak256(
            "MemberProposal(uint8 kind,bytes20 member,uint16 roles,Key[] keys,uint256 salt,uint40 deadline)Key(address key,uint8 scopes,uint40 since,uint40 until)"
        );
        bytes32 hash = keccak256(
            abi.encode(
                kind, proposal.kind, proposal.member, proposal.roles, keccak256(keys), proposal.salt, proposal.deadline
            )
        );
        return typed("stoken MemberRegistry", address(members), hash);
    }
}
