// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "./Governed.sol";
import {Signatures} from "./Signatures.sol";
import {TypedData} from "./TypedData.sol";
import {IAuthority} from "../interfaces/IAuthority.sol";
import {Key} from "../interfaces/IMemberRegistry.sol";
import {IMemberVotes, MemberProposal} from "../interfaces/IMemberVotes.sol";

/// @title MemberVotes
/// @notice Votes of the members on who joins and who leaves, and on acts that change code.
abstract contract MemberVotes is Governed, TypedData, IMemberVotes {
    /// @dev A vote: 1 for, 2 against.
    struct Ballot {
        bytes20 member;
        uint8 kind;
        uint40 deadline;
        bool decided;
        mapping(bytes20 voter => uint8) votes;
    }

    /// @custom:storage-location erc7201:stoken.storage.MemberVotes
    struct VotesData {
        uint16 votingRoles;
        uint16 majority;
        bytes20[] members;
        mapping(bytes32 id => Ballot) ballots;
        mapping(bytes32 act => mapping(bytes20 voter => uint8)) actVotes;
    }

    uint8 private constant _ADMIT = 1;
    uint8 private constant _SUSPEND = 2;
    uint8 private constant _EXPEL = 3;
    uint8 private constant _REINSTATE = 4;

    uint8 private constant _FOR = 1;
    uint8 private constant _AGAINST = 2;

    uint16 private constant _WHOLE = 10_000;
    uint16 private constant _HALF = 5_000;

    bytes32 internal constant _KEY = keccak256("Key(address key,uint8 scopes,uint40 since,uint40 until)");
    bytes32 private constant _PROPOSAL = keccak256(
        "MemberProposal(uint8 kind,bytes20 member,uint16 roles,Key[] keys,uint256 salt,uint40 deadline)"
        "Key(address key,uint8 scopes,uint40 since,uint40 until)"
    );
    bytes32 private constant _VOTE = keccak256("MemberVote(bytes32 proposal,bool support)");
    bytes32 private constant _ACT_VOTE = keccak256("ActVote(bytes32 act,bool support)");

    bytes32 private constant _VOTES =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.MemberVotes")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IMemberVotes
    function proposeMember(MemberProposal calldata proposal, bytes calldata signature) external returns (bytes32 id) {
        if (block.timestamp > proposal.deadline) revert TooLate(proposal.deadline, block.timestamp);
        (uint8 kind, bytes20 member) = (proposal.kind, proposal.member);
        if (!_fits(kind, member)) revert MemberVotesProposalInvalid(kind, member);
        id = _proposalId(proposal);
        Ballot storage ballot = _votesData().ballots[id];
        if (ballot.kind != 0) revert DuplicateInstruction(id);
        (ballot.member, ballot.kind, ballot.deadline) = (member, kind, proposal.deadline);
        emit MemberProposed(id, kind, member, _voter(member, id, signature), proposal.deadline);
    }

    /// @inheritdoc IMemberVotes
    function voteMember(bytes32 id, bool support, bytes calldata signature) external {
        Ballot storage ballot = _open(id);
        bytes20 voter = _voter(ballot.member, _digest(keccak256(abi.encode(_VOTE, id, support))), signature);
        if (ballot.votes[voter] != 0) revert DuplicateInstruction(id);
        ballot.votes[voter] = support ? _FOR : _AGAINST;
        emit MemberVoted(id, voter, support);
    }

    /// @inheritdoc IMemberVotes
    function executeMember(MemberProposal calldata proposal) external {
        bytes32 id = _proposalId(proposal);
        Ballot storage ballot = _open(id);
        if (!_fits(proposal.kind, proposal.member)) revert MemberVotesProposalInvalid(proposal.kind, proposal.member);
        (uint256 votes, uint256 electors) = tallyOf(id);
        uint16 majority = _votesData().majority;
        if (electors == 0 || votes * _WHOLE < electors * majority) {
            revert MemberVotesMajorityMissing(votes, electors, majority);
        }
        ballot.decided = true;
        emit MemberDecided(id, votes, electors);
        if (proposal.kind == _ADMIT) _admit(proposal.member, proposal.roles, proposal.keys);
        else _setStatus(proposal.member, proposal.kind == _REINSTATE ? 1 : proposal.kind);
    }

    /// @inheritdoc IMemberVotes
    function voteAct(bytes32 act, bool support, bytes calldata signature) external {
        (,, uint40 eta, bool canceled) = IAuthority(owner()).proposalOf(act);
        if (eta == 0 || canceled) revert MemberVotesProposalUnknown(act);
        bytes20 voter = _voter(0, _digest(keccak256(abi.encode(_ACT_VOTE, act, support))), signature);
        mapping(bytes20 => uint8) storage votes = _votesData().actVotes[act];
        if (votes[voter] != 0) revert DuplicateInstruction(act);
        votes[voter] = support ? _FOR : _AGAINST;
        emit ActVoted(act, voter, support);
    }

    /// @inheritdoc IMemberVotes
    function setVoting(uint16 votingRoles, uint16 majority) external onlyOwner {
        _setVoting(votingRoles, majority);
    }

    /// @inheritdoc IMemberVotes
    function voting() external view returns (uint16 votingRoles, uint16 majority) {
        return (_votesData().votingRoles, _votesData().majority);
    }

    /// @inheritdoc IMemberVotes
    function tallyOfAct(bytes32 act) external view returns (uint256 votes, uint256 electors, bool carried) {
        VotesData storage $ = _votesData();
        (votes, electors) = _tally($.actVotes[act], 0);
        carried = electors != 0 && votes * _WHOLE >= electors * $.majority;
    }

    /// @inheritdoc IMemberVotes
    function memberList() external view returns (bytes20[] memory) {
        return _votesData().members;
    }

    /// @inheritdoc IMemberVotes
    function tallyOf(bytes32 id) public view returns (uint256 votes, uint256 electors) {
        Ballot storage ballot = _votesData().ballots[id];
        return _tally(ballot.votes, ballot.member);
    }

    function _admit(bytes20 member, uint16 roles, Key[] calldata keys) internal virtual;

    function _setStatus(bytes20 member, uint8 status) internal virtual;

    /// @dev The active member for which a key signs instructions, and its roles; zero if there is none.
    function _instructing(address signer) internal view virtual returns (bytes20 member, uint16 roles);

    /// @dev The roles of an active member, zero of any other.
    function _activeRoles(bytes20 member) internal view virtual returns (uint16);

    /// @dev Status as in the registry; zero if unknown.
    function _statusOf(bytes20 member) internal view virtual returns (uint8);

    function _setVoting(uint16 votingRoles, uint16 majority) internal {
        if (votingRoles == 0 || majority <= _HALF || majority > _WHOLE) {
            revert MemberVotesParametersInvalid(votingRoles, majority);
        }
        (_votesData().votingRoles, _votesData().majority) = (votingRoles, majority);
        emit VotingSet(votingRoles, majority);
    }

    function _enlist(bytes20 member) internal {
        _votesData().members.push(member);
    }

    function _tally(mapping(bytes20 => uint8) storage given, bytes20 affected)
        private
        view
        returns (uint256 votes, uint256 electors)
    {
        VotesData storage $ = _votesData();
        bytes20[] memory members = $.members;
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] == affected || _activeRoles(members[i]) & $.votingRoles == 0) continue;
            ++electors;
            if (given[members[i]] == _FOR) ++votes;
        }
    }

    function _voter(bytes20 affected, bytes32 digest, bytes calldata signature) private view returns (bytes20 member) {
        address signer = Signatures.signerOf(digest, signature);
        uint16 roles;
        (member, roles) = _instructing(signer);
        if (member == 0) revert SignatureInvalid(signer);
        uint16 voting_ = _votesData().votingRoles;
        if (roles & voting_ == 0 || member == affected) revert RoleRequired(bytes32(uint256(voting_)));
    }

    function _open(bytes32 id) private view returns (Ballot storage ballot) {
        ballot = _votesData().ballots[id];
        if (ballot.kind == 0) revert MemberVotesProposalUnknown(id);
        if (ballot.decided) revert DuplicateInstruction(id);
        if (block.timestamp > ballot.deadline) revert TooLate(ballot.deadline, block.timestamp);
    }

    /// @dev A newcomer is admitted, an active member suspended, one that is not expelled yet expelled.
    function _fits(uint8 kind, bytes20 member) private view returns (bool) {
        uint8 status = _statusOf(member);
        if (kind == _ADMIT) return member != 0 && status == 0;
        if (kind == _SUSPEND) return status == 1;
        if (kind == _EXPEL) return status == 1 || status == 2;
        return kind == _REINSTATE && status == 2;
    }

    function _proposalId(MemberProposal calldata proposal) private view returns (bytes32) {
        bytes32[] memory keys = new bytes32[](proposal.keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            keys[i] = keccak256(abi.encode(_KEY, proposal.keys[i]));
        }
        bytes32 keysHash = keccak256(abi.encodePacked(keys));
        return _digest(
            keccak256(
                abi.encode(
                    _PROPOSAL,
                    proposal.kind,
                    proposal.member,
                    proposal.roles,
                    keysHash,
                    proposal.salt,
                    proposal.deadline
                )
            )
        );
    }

    function _votesData() private pure returns (VotesData storage $) {
        bytes32 slot = _VOTES;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
