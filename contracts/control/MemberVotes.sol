// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Electorates} from "./Electorates.sol";
import {Governed} from "./Governed.sol";
import {Signatures} from "./Signatures.sol";
import {TypedData} from "./TypedData.sol";
import {IAuthority} from "../interfaces/IAuthority.sol";
import {Key} from "../interfaces/IMemberRegistry.sol";
import {IMemberVotes, MemberProposal} from "../interfaces/IMemberVotes.sol";

/// @title MemberVotes
/// @notice Votes of the members on who joins and who leaves, and on acts that change code or who decides.
abstract contract MemberVotes is Governed, TypedData, Electorates {
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
        _putToVote(id);
        emit MemberProposed(id, kind, member, _voter(id, member, id, signature), proposal.deadline);
    }

    /// @inheritdoc IMemberVotes
    function voteMember(bytes32 id, bool support, bytes calldata signature) external {
        Ballot storage ballot = _open(id);
        bytes20 voter = _voter(id, ballot.member, _digest(keccak256(abi.encode(_VOTE, id, support))), signature);
        if (ballot.votes[voter] != 0) revert DuplicateInstruction(id);
        ballot.votes[voter] = support ? _FOR : _AGAINST;
        emit MemberVoted(id, voter, support);
    }

    /// @inheritdoc IMemberVotes
    function executeMember(MemberProposal calldata proposal) external {
        bytes32 id = _proposalId(proposal);
        Ballot storage ballot = _open(id);
        if (!_fits(proposal.kind, proposal.member)) revert MemberVotesProposalInvalid(proposal.kind, proposal.member);
        (uint256 votes, uint256 electors, bool carried) = _tally(id, ballot.votes, ballot.member);
        if (!carried) revert MemberVotesMajorityMissing(votes, electors, _electorateOf(id).majority);
        ballot.decided = true;
        emit MemberDecided(id, votes, electors);
        if (proposal.kind == _ADMIT) _admit(proposal.member, proposal.roles, proposal.keys);
        else _setStatus(proposal.member, proposal.kind == _REINSTATE ? 1 : proposal.kind);
    }

    /// @inheritdoc IMemberVotes
    function putToVote(bytes32 act) external onlyOwner {
        if (_electorateOf(act).votingRoles != 0) revert DuplicateInstruction(act);
        // No act of two institutions takes an electorate ahead of the proposal.
        (,, uint40 eta,) = IAuthority(owner()).proposalOf(act);
        if (eta == 0) revert MemberVotesProposalUnknown(act);
        _putToVote(act);
    }

    /// @inheritdoc IMemberVotes
    function voteAct(bytes32 act, bool support, bytes calldata signature) external {
        (,,, bool canceled) = IAuthority(owner()).proposalOf(act);
        if (canceled || _electorateOf(act).votingRoles == 0) revert MemberVotesProposalUnknown(act);
        bytes20 voter = _voter(act, 0, _digest(keccak256(abi.encode(_ACT_VOTE, act, support))), signature);
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
        return _tally(act, _votesData().actVotes[act], 0);
    }

    /// @inheritdoc IMemberVotes
    function isElector(bytes32 proposal, bytes20 member) external view returns (bool) {
        return _isElector(_electorateOf(proposal), _votesData().ballots[proposal].member, member);
    }

    /// @inheritdoc IMemberVotes
    function memberList() external view returns (bytes20[] memory) {
        return _votesData().members;
    }

    /// @inheritdoc IMemberVotes
    function tallyOf(bytes32 id) external view returns (uint256 votes, uint256 electors) {
        Ballot storage ballot = _votesData().ballots[id];
        (votes, electors,) = _tally(id, ballot.votes, ballot.member);
    }

    function _admit(bytes20 member, uint16 roles, Key[] calldata keys) internal virtual;

    function _setStatus(bytes20 member, uint8 status) internal virtual;

    /// @dev The active member for which a key signs instructions; zero if there is none.
    function _instructing(address signer) internal view virtual returns (bytes20 member);

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

    function _putToVote(bytes32 id) private {
        _takeElectorate(id, _votesData().votingRoles, _votesData().majority);
    }

    function _tally(bytes32 id, mapping(bytes20 => uint8) storage given, bytes20 affected)
        private
        view
        returns (uint256 votes, uint256 electors, bool carried)
    {
        Electorate memory electorate = _electorateOf(id);
        bytes20[] memory members = _votesData().members;
        for (uint256 i = 0; i < members.length; ++i) {
            if (!_isElector(electorate, affected, members[i])) continue;
            ++electors;
            if (given[members[i]] == _FOR) ++votes;
        }
        carried = electors != 0 && votes * _WHOLE >= electors * electorate.majority;
    }

    /// @dev A key of an active member, which had a vote when the proposal was made.
    function _voter(bytes32 id, bytes20 affected, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bytes20 member)
    {
        address signer = Signatures.signerOf(digest, signature);
        member = _instructing(signer);
        if (member == 0) revert SignatureInvalid(signer);
        Electorate memory electorate = _electorateOf(id);
        if (!_isElector(electorate, affected, member)) {
            revert RoleRequired(bytes32(uint256(electorate.votingRoles)));
        }
    }

    function _isElector(Electorate memory electorate, bytes20 affected, bytes20 member) private view returns (bool) {
        return member != affected && _hasVote(electorate, member);
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
