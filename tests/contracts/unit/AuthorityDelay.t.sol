// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Act, IAuthority} from "../../../contracts/interfaces/IAuthority.sol";
import {IAgentRole} from "../../../contracts/interfaces/IAgentRole.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {IIdentityRegistryStorage} from "../../../contracts/interfaces/IIdentityRegistryStorage.sol";
import {IMemberRegistry, Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {IMemberVotes} from "../../../contracts/interfaces/IMemberVotes.sol";
import {IModularCompliance} from "../../../contracts/interfaces/IModularCompliance.sol";
import {IReleases} from "../../../contracts/interfaces/IReleases.sol";
import {ISecurityToken} from "../../../contracts/interfaces/ISecurityToken.sol";
import {ISuiteFactory} from "../../../contracts/interfaces/ISuiteFactory.sol";
import {IGoverned} from "../Interfaces.sol";
import {Untelling} from "../mocks/Untelling.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title AuthorityDelayTest
/// @notice Acts with a waiting time, and the audited builds: see AuthorityDelay.tree.
contract AuthorityDelayTest is ProductionSuite {
    bytes32 private constant _SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);

    IReleases private _releases;
    address private _code;
    bytes[] private _none;

    function setUp() public override {
        super.setUp();
        _releases = IReleases(authority.releases());
        _code = deploy("MemberRegistry");
    }

    /// @custom:requirement NET-06
    function test_an_upgrade_waits_two_days() public {
        _record(_code, LATER);
        Act memory act = _upgrade(_code);
        bytes32 digest = actDigest(act);
        vm.expectEmit(address(authority));
        emit IAuthority.ActProposed(
            digest,
            address(members),
            IGoverned.upgradeToAndCall.selector,
            REGISTRAR,
            VENUE,
            act.basis,
            act.document,
            START + 2 days
        );
        _propose(act);
        (bytes20 first, bytes20 second, uint40 eta, bool canceled) = authority.proposalOf(digest);
        assertTrue(first == REGISTRAR && second == VENUE && eta == START + 2 days && !canceled);
        vm.warp(START + 2 days - 1);
        _refuses(act, abi.encodeWithSelector(UpgradeTimelock.selector, START + 2 days, START + 2 days - 1));
        vm.warp(START + 2 days);
        _refuses(act, abi.encodeWithSelector(SignaturePolicyUnmet.selector, 0, 4));
        carry(digest);
        authority.execute(act, _none);
        assertEq(_implementation(), _code);
        _refuses(act, abi.encodeWithSelector(DuplicateInstruction.selector, digest));
        vm.expectRevert(abi.encodeWithSelector(DuplicateInstruction.selector, digest));
        authority.cancel(digest, _cancelation(digest, VENUE_NO));
    }

    /// @custom:requirement NET-06
    function test_a_rollback_brings_the_former_code_back_within_hours() public {
        address former = _implementation();
        _record(_code, LATER);
        _record(former, LATER);
        assertEq(authority.formerOf(address(members)), address(0));
        _runUpgrade(_code);
        assertEq(authority.formerOf(address(members)), former);
        uint40 at = uint40(vm.getBlockTimestamp());
        Act memory act = _rollback(former);
        _propose(act);
        vm.warp(at + 4 hours - 1);
        _refuses(act, abi.encodeWithSelector(UpgradeTimelock.selector, at + 4 hours, at + 4 hours - 1));
        vm.warp(at + 4 hours);
        _refuses(act, abi.encodeWithSelector(SignaturePolicyUnmet.selector, 0, 4));
        carry(actDigest(act));
        vm.expectEmit(address(authority));
        emit IAuthority.RolledBack(address(members), former, former.codehash);
        authority.execute(act, _none);
        assertEq(_implementation(), former);
        assertEq(authority.formerOf(address(members)), _code, "and forth again");
    }

    /// @custom:requirement NET-06
    function test_a_rollback_is_to_the_code_before_and_audited() public {
        address former = _implementation();
        _refusesProposal(_rollback(address(0)), abi.encodeWithSelector(CodeHashMismatch.selector, bytes32(0)));
        _refusesProposal(_rollback(_code), abi.encodeWithSelector(CodeHashMismatch.selector, _code.codehash));
        _record(_code, LATER);
        _runUpgrade(_code);
        _refusesProposal(_rollback(_code), abi.encodeWithSelector(CodeHashMismatch.selector, _code.codehash));
        _refusesProposal(_rollback(former), abi.encodeWithSelector(CodeHashMismatch.selector, former.codehash));
        uint40 until = uint40(vm.getBlockTimestamp()) + 1 hours;
        _record(former, until);
        Act memory act = _rollback(former);
        _propose(act);
        carry(actDigest(act));
        vm.warp(until + 4 hours);
        _refuses(act, abi.encodeWithSelector(LedgerAuditExpired.selector, former.codehash, until));
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        authority.rollback(address(members), former);
    }

    function test_the_authority_goes_back_itself() public {
        address code = deploy("Authority");
        address former = IGoverned(address(authority)).implementation();
        _record(code, LATER);
        _record(former, LATER);
        Act memory act = _later(address(authority), abi.encodeCall(IGoverned.upgradeToAndCall, (code, "")));
        _run(act, 2 days);
        assertEq(IGoverned(address(authority)).implementation(), code);
        act = _later(address(authority), abi.encodeCall(IAuthority.rollback, (address(authority), former)));
        _run(act, 4 hours);
        assertEq(IGoverned(address(authority)).implementation(), former);
    }

    /// @custom:requirement NET-06
    function test_members_vote_once_on_an_act_that_waits() public {
        _record(_code, LATER);
        Act memory act = _upgrade(_code);
        bytes32 digest = actDigest(act);
        _refusesVote(digest, VENUE_NO, abi.encodeWithSelector(IMemberVotes.MemberVotesProposalUnknown.selector, digest));
        _propose(act);
        vm.expectEmit(address(members));
        emit IMemberVotes.ActVoted(digest, VENUE, true);
        voteAct(digest, true, VENUE_NO);
        _refusesVote(digest, VENUE_NO, abi.encodeWithSelector(DuplicateInstruction.selector, digest));
        _refusesVote(digest, CASH_AGENT_NO, abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(0x78))));
        voteAct(digest, true, BROKER_1_NO);
        voteAct(digest, false, BROKER_2_NO);
        vm.warp(START + 2 days);
        _refuses(act, abi.encodeWithSelector(SignaturePolicyUnmet.selector, 2, 4));
        vm.expectPartialRevert(SignatureInvalid.selector);
        IMemberVotes(address(members)).voteAct(digest, true, actVote(digest, false, REGISTRAR_NO));
        voteAct(digest, true, REGISTRAR_NO);
        authority.execute(act, _none);
        assertEq(_implementation(), _code);
    }

    /// @custom:requirement NET-06
    function test_nobody_is_suspended_out_of_a_vote_or_admitted_into_it() public {
        _record(_code, LATER);
        Act memory act = _upgrade(_code);
        bytes32 digest = actDigest(act);
        vm.expectEmit(address(members));
        emit IMemberVotes.ElectorateTaken(digest, 0, 0x78, 6_667);
        _propose(act);
        voteAct(digest, true, VENUE_NO);
        voteAct(digest, true, REGISTRAR_NO);
        registrarAct(address(members), abi.encodeCall(IMemberRegistry.setMemberStatus, (BROKER_1, 2)));
        registrarAct(address(members), abi.encodeCall(IMemberRegistry.setMemberStatus, (BROKER_2, 3)));
        Key[] memory keys = new Key[](1);
        keys[0] = Key(vm.addr(SIGNER + 0x77), INSTRUCTION, START, LATER);
        bytes20 friend = "ZZZZ0000000000002150";
        registrarAct(address(members), abi.encodeCall(IMemberRegistry.admit, (friend, 1 << 4, keys)));
        _refusesVote(digest, 0x77, abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(0x78))));
        assertFalse(IMemberVotes(address(members)).isElector(digest, friend));
        vm.warp(START + 2 days);
        _refuses(act, abi.encodeWithSelector(SignaturePolicyUnmet.selector, 2, 4));
        registrarAct(address(members), abi.encodeCall(IMemberRegistry.setMemberStatus, (BROKER_1, 1)));
        voteAct(digest, true, BROKER_1_NO);
        authority.execute(act, _none);
        assertEq(_implementation(), _code);
    }

    /// @custom:requirement NET-06
    function test_every_act_that_is_voted_on_has_the_electorate_of_its_proposal() public {
        address former = _implementation();
        _record(_code, LATER);
        _record(former, LATER);
        _runUpgrade(_code);
        _recordHash(_releases.instanceHash(address(legal)), LATER);
        bytes[6] memory calls = [
            abi.encodeCall(IGoverned.upgradeToAndCall, (former, "")),
            abi.encodeCall(ISuiteFactory.setImplementations, (_code, former)),
            abi.encodeCall(IAuthority.rollback, (address(members), former)),
            abi.encodeCall(ISecurityToken.addAgentFor, (address(legal), 1)),
            abi.encodeCall(IAuthority.setPolicy, (IERC3643.pause.selector, 1, 1, 0)),
            abi.encodeCall(IMemberVotes.setVoting, (1 << 3, 10_000))
        ];
        Act[6] memory acts;
        for (uint256 i = 0; i < 6; i++) {
            acts[i] = _later(address(members), calls[i]);
            _propose(acts[i]);
        }
        vm.startPrank(address(authority));
        members.setMemberStatus(BROKER_1, 2);
        members.setMemberStatus(BROKER_2, 2);
        members.admit(CASH_AGENT, 1 << 6, new Key[](0));
        IMemberVotes(address(members)).setVoting(1 << 9, 6_000);
        vm.stopPrank();
        for (uint256 i = 0; i < 6; i++) {
            bytes32 digest = actDigest(acts[i]);
            voteAct(digest, true, VENUE_NO);
            voteAct(digest, true, REGISTRAR_NO);
            (uint256 votes, uint256 electors, bool carried) = IMemberVotes(address(members)).tallyOfAct(digest);
            assertTrue(votes == 2 && electors == 4 && !carried);
        }
        vm.warp(vm.getBlockTimestamp() + 2 days);
        for (uint256 i = 0; i < 6; i++) {
            _refuses(acts[i], abi.encodeWithSelector(SignaturePolicyUnmet.selector, 2, 4));
        }
    }

    function test_the_electorate_is_taken_by_the_proposal_alone_and_once() public {
        _record(_code, LATER);
        Act memory act = _upgrade(_code);
        bytes32 digest = actDigest(act);
        IMemberVotes votes = IMemberVotes(address(members));
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        votes.putToVote(digest);
        vm.startPrank(address(authority));
        vm.expectRevert(abi.encodeWithSelector(IMemberVotes.MemberVotesProposalUnknown.selector, digest));
        votes.putToVote(digest);
        vm.stopPrank();
        (,, bool carried) = votes.tallyOfAct(digest);
        assertFalse(carried);
        _propose(act);
        vm.prank(address(authority));
        vm.expectRevert(abi.encodeWithSelector(DuplicateInstruction.selector, digest));
        votes.putToVote(digest);
        act = _later(address(token), abi.encodeCall(IERC3643.recoveryAddress, (seller, house, seller)));
        _propose(act);
        digest = actDigest(act);
        _refusesVote(digest, VENUE_NO, abi.encodeWithSelector(IMemberVotes.MemberVotesProposalUnknown.selector, digest));
    }

    function test_code_that_does_not_tell_what_it_is_can_be_replaced_with_no_way_back() public {
        _record(_code, LATER);
        _record(IGoverned(address(factory)).implementation(), LATER);
        for (uint256 manner = 0; manner < 4; manner++) {
            uint256 before = vm.snapshotState();
            _runOn(address(factory), _code);
            address former = authority.formerOf(address(factory));
            assertTrue(former != address(0));
            address untelling = address(new Untelling(Untelling.Manner(manner)));
            vm.store(address(factory), _SLOT, bytes32(uint256(uint160(untelling))));
            _runOn(address(factory), _code);
            assertEq(IGoverned(address(factory)).implementation(), _code);
            assertEq(authority.formerOf(address(factory)), address(0));
            Act memory act = _later(address(authority), abi.encodeCall(IAuthority.rollback, (address(factory), former)));
            _refusesProposal(act, abi.encodeWithSelector(CodeHashMismatch.selector, former.codehash));
            vm.revertToState(before);
        }
    }

    function test_a_canceled_act_is_not_voted_on() public {
        _record(_code, LATER);
        Act memory act = _upgrade(_code);
        _propose(act);
        bytes32 digest = actDigest(act);
        authority.cancel(digest, _cancelation(digest, VENUE_NO));
        _refusesVote(digest, VENUE_NO, abi.encodeWithSelector(IMemberVotes.MemberVotesProposalUnknown.selector, digest));
    }

    function test_another_compliance_contract_or_registry_is_code_too() public {
        bytes4[5] memory swaps = [
            IERC3643.setCompliance.selector,
            IERC3643.setIdentityRegistry.selector,
            IIdentityRegistry.setIdentityRegistryStorage.selector,
            IIdentityRegistry.setClaimTopicsRegistry.selector,
            IIdentityRegistry.setTrustedIssuersRegistry.selector
        ];
        bytes memory init = abi.encodeCall(IModularCompliance.initialize, (address(authority), rules(), 100));
        address next = _proxy(deploy("ModularCompliance"), init);
        bytes32 instance = _releases.instanceHash(next);
        assertEq(instance, keccak256(abi.encode(next, next.codehash)));
        // That its proxy was audited says nothing of the code behind it.
        _record(next, LATER);
        for (uint256 i = 0; i < 5; i++) {
            (,, uint32 delay) = authority.policyOf(swaps[i]);
            assertEq(delay, 2 days);
            Act memory swap = _later(address(token), abi.encodePacked(swaps[i], abi.encode(next)));
            _refusesProposal(swap, abi.encodeWithSelector(CodeHashMismatch.selector, instance));
        }
        _recordHash(instance, LATER);
        Act memory act = _later(address(token), abi.encodeCall(IERC3643.setCompliance, (next)));
        _propose(act);
        vm.warp(START + 2 days);
        _refuses(act, abi.encodeWithSelector(SignaturePolicyUnmet.selector, 0, 4));
        carry(actDigest(act));
        authority.execute(act, _none);
        assertEq(token.compliance(), next);
    }

    function test_only_contracts_become_agents() public {
        bytes memory refusal = abi.encodeWithSelector(CodeHashMismatch.selector, buyer.codehash);
        bytes[5] memory calls = [
            abi.encodeCall(IAgentRole.addAgent, (buyer)),
            abi.encodeCall(ISecurityToken.addAgentFor, (buyer, 1)),
            abi.encodeCall(IIdentityRegistryStorage.bindIdentityRegistry, (buyer)),
            abi.encodePacked(IAgentRole.addAgent.selector),
            abi.encodePacked(IAgentRole.addAgent.selector, bytes31(0))
        ];
        bytes memory malformed = abi.encodeWithSelector(IAuthority.AuthorityActMalformed.selector);
        for (uint256 i = 0; i < 5; i++) {
            _refusesProposal(_later(address(token), calls[i]), i < 3 ? refusal : malformed);
        }
    }

    function test_agents_and_owners_are_audited_and_voted_on() public {
        bytes[2] memory calls = [
            abi.encodeCall(ISecurityToken.addAgentFor, (address(legal), 1)),
            abi.encodeCall(IGoverned.transferOwnership, (address(legal)))
        ];
        bytes32 instance = _releases.instanceHash(address(legal));
        for (uint256 i = 0; i < 2; i++) {
            _refusesProposal(
                _later(address(token), calls[i]), abi.encodeWithSelector(CodeHashMismatch.selector, instance)
            );
        }
        _recordHash(instance, LATER);
        for (uint256 i = 0; i < 2; i++) {
            Act memory act = _later(address(token), calls[i]);
            _propose(act);
            vm.warp(START + 2 days * (i + 1));
            _refuses(act, abi.encodeWithSelector(SignaturePolicyUnmet.selector, 0, 4));
            carry(actDigest(act));
            authority.execute(act, _none);
        }
        assertEq(token.rolesOf(address(legal)), 1);
    }

    function test_policies_and_votes_change_by_a_vote() public {
        bytes4 selector = IERC3643.pause.selector;
        bytes[2] memory calls = [
            abi.encodeCall(IAuthority.setPolicy, (selector, 1 << 6, 1 << 9, 0)),
            abi.encodeCall(IMemberVotes.setVoting, (1 << 3, 10_000))
        ];
        for (uint256 i = 0; i < 2; i++) {
            Act memory act = _later(i == 0 ? address(authority) : address(members), calls[i]);
            _propose(act);
            vm.warp(START + 2 days * (i + 1));
            _refuses(act, abi.encodeWithSelector(SignaturePolicyUnmet.selector, 0, 4));
            carry(actDigest(act));
            authority.execute(act, _none);
        }
        (uint16 first, uint16 second,) = authority.policyOf(selector);
        assertEq(first, 1 << 6);
        assertEq(second, 1 << 9);
    }

    function test_an_upgrade_does_nothing_else_that_waits_or_forces() public {
        _record(_code, LATER);
        bytes[4] memory calls = [
            abi.encodeCall(IGoverned.upgradeToAndCall, (address(this), "")),
            abi.encodeCall(IAgentRole.addAgent, (address(legal))),
            abi.encodeCall(IGoverned.transferOwnership, (address(legal))),
            abi.encodeCall(IERC3643.burn, (seller, 1))
        ];
        for (uint256 i = 0; i < 4; i++) {
            Act memory act = _later(address(token), abi.encodeCall(IGoverned.upgradeToAndCall, (_code, calls[i])));
            _refusesProposal(act, abi.encodeWithSelector(IAuthority.AuthorityActMalformed.selector));
        }
    }

    function test_an_upgrade_is_not_executed_without_a_proposal() public {
        _record(_code, LATER);
        Act memory act = _upgrade(_code);
        bytes[] memory both = approvals(act, REGISTRAR_NO, VENUE_NO);
        vm.expectRevert(abi.encodeWithSelector(UpgradeTimelock.selector, 0, START));
        authority.execute(act, both);
    }

    function test_code_without_an_audit_is_refused() public {
        Act memory act = _upgrade(_code);
        _refusesProposal(act, abi.encodeWithSelector(CodeHashMismatch.selector, _code.codehash));
        act = _upgrade(address(0xDEAD));
        _refusesProposal(act, abi.encodeWithSelector(CodeHashMismatch.selector, bytes32(0)));
        act = _later(address(factory), abi.encodeCall(ISuiteFactory.setImplementations, (_code, address(token))));
        _refusesProposal(act, abi.encodeWithSelector(CodeHashMismatch.selector, _code.codehash));
        _record(_code, LATER);
        _refusesProposal(act, abi.encodeWithSelector(CodeHashMismatch.selector, address(token).codehash));
    }

    function test_code_of_issues_to_come_waits_too() public {
        address other = deploy("ModularCompliance");
        _record(_code, LATER);
        _record(other, LATER);
        Act memory act = _later(address(factory), abi.encodeCall(ISuiteFactory.setImplementations, (_code, other)));
        _propose(act);
        _refuses(act, abi.encodeWithSelector(UpgradeTimelock.selector, START + 2 days, START));
        vm.warp(START + 2 days);
        _refuses(act, abi.encodeWithSelector(SignaturePolicyUnmet.selector, 0, 4));
        carry(actDigest(act));
        authority.execute(act, _none);
        assertEq(factory.parts().tokenImplementation, _code);
    }

    /// @custom:requirement NET-10
    function test_an_audit_that_expires_while_an_upgrade_waits_stops_it() public {
        _record(_code, START + 1 days);
        Act memory act = _upgrade(_code);
        _propose(act);
        vm.warp(START + 2 days);
        bytes memory expired = abi.encodeWithSelector(LedgerAuditExpired.selector, _code.codehash, START + 1 days);
        _refuses(act, expired);
        _refusesProposal(_upgrade(_code), expired);
    }

    function test_an_approver_or_the_supervisor_cancels() public {
        _record(_code, LATER);
        uint256[3] memory withdrawing = [REGISTRAR_NO, VENUE_NO, SUPERVISOR_NO];
        bytes20[3] memory names = [REGISTRAR, VENUE, SUPERVISOR];
        for (uint256 i = 0; i < 3; i++) {
            Act memory act = _upgrade(_code);
            act.salt = i;
            _propose(act);
            bytes32 digest = actDigest(act);
            vm.expectEmit(address(authority));
            emit IAuthority.ActCanceled(digest, names[i]);
            authority.cancel(digest, _cancelation(digest, withdrawing[i]));
            vm.expectRevert(abi.encodeWithSelector(IAuthority.AuthorityActCanceled.selector, digest));
            authority.cancel(digest, _cancelation(digest, withdrawing[i]));
            _refuses(act, abi.encodeWithSelector(IAuthority.AuthorityActCanceled.selector, digest));
            _refusesProposal(act, abi.encodeWithSelector(DuplicateInstruction.selector, digest));
        }
    }

    function test_nobody_else_cancels() public {
        _record(_code, LATER);
        Act memory act = _upgrade(_code);
        bytes32 digest = actDigest(act);
        vm.expectRevert(abi.encodeWithSelector(IAuthority.AuthorityNotProposed.selector, digest));
        authority.cancel(digest, _cancelation(digest, VENUE_NO));
        _propose(act);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1 << 9))));
        authority.cancel(digest, _cancelation(digest, BROKER_1_NO));
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(CARRIER + VENUE_NO)));
        authority.cancel(digest, _cancelation(digest, VENUE_NO + CARRIER - SIGNER));
        bytes32 elsewhere = typedAt("stoken Authority", address(authority), 1, _cancelHash(digest));
        vm.expectPartialRevert(SignatureInvalid.selector);
        authority.cancel(digest, signatureOf(SIGNER + VENUE_NO, elsewhere));
    }

    function test_the_waiting_time_ends_before_the_deadline() public {
        _record(_code, LATER);
        Act memory act = _upgrade(_code);
        act.deadline = START + 2 days - 1;
        _refusesProposal(act, abi.encodeWithSelector(TooLate.selector, act.deadline, START + 2 days));
        act.deadline = START + 2 days;
        _propose(act);
        vm.warp(START + 2 days + 1);
        _refuses(act, abi.encodeWithSelector(TooLate.selector, START + 2 days, START + 2 days + 1));
    }

    function test_a_proposal_needs_what_an_act_needs() public {
        _record(_code, LATER);
        Act memory act = _upgrade(_code);
        vm.expectRevert(DualControlRequired.selector);
        authority.propose(act, _none);
        bytes[] memory wrong = approvals(act, REGISTRAR_NO, BROKER_1_NO);
        vm.expectPartialRevert(RoleRequired.selector);
        authority.propose(act, wrong);
        act = _later(address(token), abi.encodeCall(IERC3643.pause, ()));
        _refusesProposal(act, abi.encodeWithSelector(IAuthority.AuthorityNotDelayed.selector, IERC3643.pause.selector));
    }

    function test_any_policy_may_have_a_waiting_time() public {
        bytes4 selector = IERC3643.pause.selector;
        vm.prank(address(authority));
        authority.setPolicy(selector, 1 << 3, 1 << 9, 1 hours);
        Act memory act = _later(address(token), abi.encodeCall(IERC3643.pause, ()));
        _refuses(act, abi.encodeWithSelector(IAuthority.AuthorityNotProposed.selector, actDigest(act)));
        authority.propose(act, approvals(act, REGISTRAR_NO, SUPERVISOR_NO));
        _refuses(act, abi.encodeWithSelector(IAuthority.AuthorityDelayed.selector, START + 1 hours, START));
        vm.warp(START + 1 hours);
        authority.execute(act, _none);
        assertTrue(token.paused());
    }

    function test_no_policy_shortens_what_guards_the_code() public {
        bytes4[3] memory guarded = [
            IGoverned.upgradeToAndCall.selector,
            IGoverned.transferOwnership.selector,
            ISuiteFactory.setImplementations.selector
        ];
        vm.startPrank(address(authority));
        for (uint256 i = 0; i < 3; i++) {
            (,, uint32 delay) = authority.policyOf(guarded[i]);
            assertEq(delay, 2 days);
            vm.expectRevert(abi.encodeWithSelector(IAuthority.AuthorityPolicyInvalid.selector, guarded[i]));
            authority.setPolicy(guarded[i], 1, 1, 2 days - 1);
            authority.setPolicy(guarded[i], 1 << 3, 1 << 6, 3 days);
        }
        bytes4 rollback = IAuthority.rollback.selector;
        vm.expectRevert(abi.encodeWithSelector(IAuthority.AuthorityPolicyInvalid.selector, rollback));
        authority.setPolicy(rollback, 1, 1, 4 hours - 1);
        bytes4 recovery = IERC3643.recoveryAddress.selector;
        vm.expectRevert(abi.encodeWithSelector(IAuthority.AuthorityPolicyInvalid.selector, recovery));
        authority.setPolicy(recovery, 1, 1, 3 days - 1);
        vm.stopPrank();
    }

    function test_the_standards_recovery_waits_too() public {
        Act memory act = _later(address(token), abi.encodeCall(IERC3643.recoveryAddress, (seller, house, seller)));
        _refuses(act, abi.encodeWithSelector(RecoveryCooldown.selector, 0, START));
        _propose(act);
        _refuses(act, abi.encodeWithSelector(RecoveryCooldown.selector, START + 3 days, START));
    }

    /// @custom:requirement NET-10
    function test_audits_are_recorded_by_the_auditor_with_registrar_or_supervisor() public {
        bytes32 hash = _code.codehash;
        Act memory act = actOf(address(_releases), _recording(hash, START, LATER));
        bytes[] memory wrong = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32(uint256(1 << 12))));
        authority.execute(act, wrong);
        bytes[] memory right = approvals(act, AUDITOR_NO, SUPERVISOR_NO);
        vm.expectEmit(address(_releases));
        emit IReleases.ReleaseRecorded(hash, "report", "compatibility", START, LATER);
        authority.execute(act, right);
        IReleases.Release memory release = _releases.releaseOf(hash);
        assertEq(release.report, "report");
        assertEq(release.expiresAt, LATER);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        _releases.record(hash, "report", "compatibility", START, LATER);
    }

    function test_an_audit_counts_for_a_year_and_is_no_older_than_the_last() public {
        vm.startPrank(address(authority));
        bytes32 hash = _code.codehash;
        vm.expectRevert(abi.encodeWithSelector(IReleases.ReleasesRecordIncomplete.selector, hash));
        _releases.record(hash, 0, "compatibility", START, LATER);
        vm.expectRevert(abi.encodeWithSelector(IReleases.ReleasesRecordIncomplete.selector, hash));
        _releases.record(hash, "report", 0, START, LATER);
        vm.expectRevert(abi.encodeWithSelector(IReleases.ReleasesRecordIncomplete.selector, bytes32(0)));
        _releases.record(0, "report", "compatibility", START, LATER);
        _misdated(hash, START + 1, LATER);
        _misdated(hash, START, START);
        _misdated(hash, START, START + 366 days + 1);
        _releases.record(hash, "report", "compatibility", START, START + 366 days);
        _misdated(hash, START - 1, LATER);
        vm.stopPrank();
    }

    function _misdated(bytes32 hash, uint40 auditedAt, uint40 expiresAt) private {
        vm.expectRevert(abi.encodeWithSelector(IReleases.ReleasesPeriodInvalid.selector, auditedAt, expiresAt));
        _releases.record(hash, "report", "compatibility", auditedAt, expiresAt);
    }

    function _runOn(address target, address code) private {
        _run(_later(target, abi.encodeCall(IGoverned.upgradeToAndCall, (code, ""))), 2 days);
    }

    function _runUpgrade(address code) private {
        _run(_upgrade(code), 2 days);
    }

    function _run(Act memory act, uint256 delay) private {
        _propose(act);
        carry(actDigest(act));
        vm.warp(vm.getBlockTimestamp() + delay);
        authority.execute(act, _none);
    }

    function _record(address code, uint40 expiresAt) private {
        _recordHash(code.codehash, expiresAt);
    }

    function _recordHash(bytes32 hash, uint40 expiresAt) private {
        Act memory act = actOf(address(_releases), _recording(hash, START, expiresAt));
        authority.execute(act, approvals(act, AUDITOR_NO, REGISTRAR_NO));
    }

    function _recording(bytes32 hash, uint40 auditedAt, uint40 expiresAt) private pure returns (bytes memory) {
        return abi.encodeCall(IReleases.record, (hash, "report", "compatibility", auditedAt, expiresAt));
    }

    function _upgrade(address code) private view returns (Act memory) {
        return _later(address(members), abi.encodeCall(IGoverned.upgradeToAndCall, (code, "")));
    }

    function _rollback(address code) private view returns (Act memory) {
        return _later(address(authority), abi.encodeCall(IAuthority.rollback, (address(members), code)));
    }

    function _refusesVote(bytes32 act, uint256 number, bytes memory refusal) private {
        bytes memory signature = actVote(act, true, number);
        vm.expectRevert(refusal);
        IMemberVotes(address(members)).voteAct(act, true, signature);
    }

    function _later(address target, bytes memory data) private view returns (Act memory act) {
        act = actOf(target, data);
        act.deadline = LATER;
        act.salt = vm.getBlockTimestamp();
    }

    function _propose(Act memory act) private {
        authority.propose(act, approvals(act, REGISTRAR_NO, VENUE_NO));
    }

    function _refusesProposal(Act memory act, bytes memory refusal) private {
        bytes[] memory both = approvals(act, REGISTRAR_NO, VENUE_NO);
        vm.expectRevert(refusal);
        authority.propose(act, both);
    }

    function _refuses(Act memory act, bytes memory refusal) private {
        vm.expectRevert(refusal);
        authority.execute(act, _none);
    }

    function _cancelation(bytes32 digest, uint256 number) private view returns (bytes memory) {
        return signatureOf(SIGNER + number, typed("stoken Authority", address(authority), _cancelHash(digest)));
    }

    function _cancelHash(bytes32 digest) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("CancelAct(bytes32 act)"), digest));
    }

    function _implementation() private view returns (address) {
        return address(uint160(uint256(vm.load(address(members), _SLOT))));
    }
}
