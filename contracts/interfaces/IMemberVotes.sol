// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Key} from "./IMemberRegistry.sol";

/// @notice What members vote on. Kinds: ADMIT 1 (with roles and keys), SUSPEND 2, EXPEL 3, REINSTATE 4 (of a suspended
/// member); `salt` tells equal proposals apart.
struct MemberProposal {
    /// Admit 1, suspend 2, expel 3, reinstate 4.
    uint8 kind;
    /// The member that it is about: 20 characters of its LEI.
    bytes20 member;
    /// Role bits of the member to admit, ISSUER 0 to AUDITOR 12.
    uint16 roles;
    /// First keys of the member to admit.
    Key[] keys;
    /// Tells equal proposals apart.
    uint256 salt;
    /// Last block time in seconds at which it is voted on and carried out.
    uint40 deadline;
}

/// @title IMemberVotes
/// @notice Votes of the members on who joins and who leaves, and on the acts of Authority that need one: other code and
/// the way back to the code before; another owner or agent, compliance contract, registry or source of the registry;
/// the policies of acts; and who votes.
/// @dev Whoever was an active member with a voting role when the proposal was made has one vote, except on itself, and
/// the majority is of these and as it was then. What happens to members afterwards changes neither: who is admitted
/// later has no vote on it; who is suspended or expelled later still counts among those that could vote, keeps the vote
/// it gave, and gives none while it is not active. A proposal on a member expires at its deadline, an act at its own.
/// What passes on a member needs no act of Authority; the other way, an act of registrar and supervisor or venue, stays
/// for what cannot wait.
interface IMemberVotes {
    /// @notice The kind does not fit the member as it is.
    error MemberVotesProposalInvalid(uint8 kind, bytes20 member);

    /// @notice There is no such proposal, or it was carried out.
    error MemberVotesProposalUnknown(bytes32 proposal);

    /// @notice The votes do not reach the majority yet.
    error MemberVotesMajorityMissing(uint256 votes, uint256 electors, uint16 majority);

    /// @notice No role votes, or the majority is not above 5,000 and at most 10,000.
    error MemberVotesParametersInvalid(uint16 votingRoles, uint16 majority);

    /// @notice A member put a proposal to the vote.
    event MemberProposed(
        bytes32 indexed proposal, uint8 kind, bytes20 indexed member, bytes20 indexed proposer, uint40 deadline
    );

    /// @notice Who votes on a proposal, or on an act, was fixed: members that were active with one of these roles
    /// before this event, with this majority. Each electorate ends an epoch.
    event ElectorateTaken(bytes32 indexed proposal, uint48 epoch, uint16 votingRoles, uint16 majority);

    /// @notice A member voted.
    event MemberVoted(bytes32 indexed proposal, bytes20 indexed voter, bool support);

    /// @notice A member voted on an act that waits at the Authority; `act` is the digest that two institutions signed.
    event ActVoted(bytes32 indexed act, bytes20 indexed voter, bool support);

    /// @notice A proposal passed and was carried out.
    event MemberDecided(bytes32 indexed proposal, uint256 votes, uint256 electors);

    /// @notice Members with one of these roles vote; a proposal needs so many ten-thousandths of their votes.
    event VotingSet(uint16 votingRoles, uint16 majority);

    /// @notice Puts a proposal to the vote; anyone relays. Returns its digest (EIP-712), which is its id.
    /// @dev Requirements: the deadline has not passed; it is new; its kind fits the member; an active INSTRUCTION key
    /// of a member that may vote on it signed it. Emits {ElectorateTaken} and {MemberProposed}.
    function proposeMember(MemberProposal calldata proposal, bytes calldata signature) external returns (bytes32 id);

    /// @notice Votes once; anyone relays.
    /// @dev Requirements: the proposal is open; the signature over `MemberVote(bytes32 proposal,bool support)` by an
    /// active INSTRUCTION key of a member that may vote on it and has not. Emits {MemberVoted}.
    function voteMember(bytes32 id, bool support, bytes calldata signature) external;

    /// @notice Carries out what passed; anyone may.
    /// @dev Requirements: the proposal is open and has its majority. Emits {MemberDecided}, and what the change emits.
    function executeMember(MemberProposal calldata proposal) external;

    /// @notice Fixes who votes on an act, when it is proposed.
    /// @dev Requirements: the caller is the owner, an Authority, where the act was proposed; it was not put to the vote
    /// before. Emits {ElectorateTaken}.
    function putToVote(bytes32 act) external;

    /// @notice Votes once on an act of the owner, an Authority, while it waits; anyone relays.
    /// @dev Requirements: the act was proposed there, is voted on and not canceled; the signature over
    /// `ActVote(bytes32 act,bool support)` by an active INSTRUCTION key of a member that may vote and has not.
    /// Emits {ActVoted}.
    function voteAct(bytes32 act, bool support, bytes calldata signature) external;

    /// @notice Sets who votes and by what majority, on proposals to come.
    /// @dev Requirements: the caller is the owner; a role; more than 5,000 and at most 10,000. Emits {VotingSet}.
    function setVoting(uint16 votingRoles, uint16 majority) external;

    /// @notice Who votes and by what majority.
    function voting() external view returns (uint16 votingRoles, uint16 majority);

    /// @notice Votes for a proposal, and how many could be given.
    function tallyOf(bytes32 id) external view returns (uint256 votes, uint256 electors);

    /// @notice Votes for an act, how many could be given, and whether they reach the majority.
    function tallyOfAct(bytes32 act) external view returns (uint256 votes, uint256 electors, bool carried);

    /// @notice Whether a member had a vote on a proposal, or on an act, when it was made.
    function isElector(bytes32 proposal, bytes20 member) external view returns (bool);

    /// @notice All members, whatever their status.
    function memberList() external view returns (bytes20[] memory);
}
