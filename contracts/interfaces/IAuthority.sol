// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Founder} from "./IMemberRegistry.sol";

/// @notice A call that two institutions approve: `basis` is the code of its legal basis, `document` the hash of its
/// document, `salt` tells equal calls apart.
struct Act {
    /// The contract to call.
    address target;
    /// The call: selector and arguments.
    bytes data;
    /// Code of the legal basis, zero where none is required.
    bytes32 basis;
    /// SHA-256 of the document, zero where none is required.
    bytes32 document;
    /// Tells equal calls apart.
    uint256 salt;
    /// Last block time in seconds at which it is carried out.
    uint40 deadline;
}

/// @notice On what an act of force rests: the digest that was signed, who signed it, and why.
struct Grounds {
    /// The digest that was signed.
    bytes32 act;
    /// The institution that signed first: 20 characters of its LEI.
    bytes20 author;
    /// The institution that signed second, zero where one alone acts.
    bytes20 approver;
    /// Code of the legal basis.
    bytes32 basis;
    /// SHA-256 of the document.
    bytes32 document;
}

/// @title IAuthority
/// @notice Owner and agent of every other contract: what it does, two institutions signed, each in the role that the
/// called function asks for. No key owns anything.
/// @dev Policies are kept by the called function's selector: the first and the second institution's roles as masks,
/// and a waiting time. With a waiting time an act is first proposed, with its approvals, and can be executed once the
/// time has passed. Functions that are voted on or recover an account always have one. Code changes by an upgrade, by a
/// rollback, by the code of issues to come, and by another owner, agent, compliance contract, registry or source of the
/// registry: all of it is audited (see {IReleases}) and voted on by the members (see {IMemberVotes}). Policies and who
/// votes change by a vote too. What an upgrade calls at once is neither voted on by itself nor of force.
interface IAuthority {
    /// @notice The act's data names no function.
    error AuthorityActMalformed();

    /// @notice A policy needs roles of both institutions.
    error AuthorityPolicyInvalid(bytes4 selector);

    /// @notice The act was not proposed.
    error AuthorityNotProposed(bytes32 act);

    /// @notice Acts that call this function have no waiting time: they are executed at once.
    error AuthorityNotDelayed(bytes4 selector);

    /// @notice The waiting time of the act ends at `eta`.
    error AuthorityDelayed(uint256 eta, uint256 at);

    /// @notice The act was withdrawn.
    error AuthorityActCanceled(bytes32 act);

    /// @notice An act was carried out; `act` is the digest that the institutions signed.
    event ActExecuted(
        bytes32 indexed act,
        address indexed target,
        bytes4 indexed selector,
        bytes20 first,
        bytes20 second,
        bytes32 basis,
        bytes32 document
    );

    /// @notice An act was approved and may be executed from `eta` on.
    event ActProposed(
        bytes32 indexed act,
        address indexed target,
        bytes4 indexed selector,
        bytes20 first,
        bytes20 second,
        bytes32 basis,
        bytes32 document,
        uint40 eta
    );

    /// @notice A proposed act will not be carried out; `member` withdrew it.
    event ActCanceled(bytes32 indexed act, bytes20 indexed member);

    /// @notice A proxy runs the code again that its last upgrade replaced.
    event RolledBack(address indexed proxy, address indexed code, bytes32 codeHash);

    /// @notice Acts that call this function need these roles and wait for `delay` seconds.
    event PolicySet(bytes4 indexed selector, uint16 first, uint16 second, uint32 delay);

    /// @notice Constructor of the proxy: creates the member registry, with the founders, and the releases, both owned
    /// by this contract.
    /// @dev Emits {PolicySet} for each function whose policy is not the default.
    function initialize(
        address memberRegistryImplementation,
        address releasesImplementation,
        Founder[] calldata founders
    ) external;

    /// @notice Carries out an act; anyone relays. Returns what the callee returned, or reverts with its revert data.
    /// @dev Requirements: the deadline has not passed; the act was not carried out before; two approvals, 65-byte
    /// signatures by active keys with scope INSTRUCTION, of different institutions that hold, in order, a role of the
    /// policy; basis and document where force is used. Where the policy has a waiting time, the act was proposed, is
    /// not canceled, and its time has passed (UPGRADE_TIMELOCK, RECOVERY_COOLDOWN); the approvals were given then, and
    /// none is looked at. New code has an audit that is recorded (CODE_HASH_MISMATCH) and has not expired
    /// (LEDGER_AUDIT_EXPIRED), and the votes of the members (SIGNATURE_POLICY_UNMET). Who becomes an agent is a contract
    /// (CODE_HASH_MISMATCH). Emits {ActExecuted}.
    function execute(Act calldata act, bytes[] calldata approvals) external returns (bytes memory);

    /// @notice Begins the waiting time of an act; anyone relays.
    /// @dev Requirements: as {execute}; its policy has a waiting time, which ends before the act's deadline; the act
    /// was not proposed before. Emits {ActProposed}.
    function propose(Act calldata act, bytes[] calldata approvals) external;

    /// @notice Withdraws a proposed act; anyone relays.
    /// @dev Requirements: the act waits; `signature` over `CancelAct(bytes32 act)` (EIP-712) by an active INSTRUCTION
    /// key of an institution that approved it, or of a supervisor. Emits {ActCanceled}.
    function cancel(bytes32 act, bytes calldata signature) external;

    /// @notice Puts a proxy back to the code that its last upgrade, or rollback, replaced: a measure of its own, since it
    /// waits hours instead of days.
    /// @dev Requirements: the caller is this contract, by an act as {execute} asks: `code` is what {formerOf} says
    /// (CODE_HASH_MISMATCH), has an audit that has not expired, and the votes of the members. Emits {RolledBack}.
    function rollback(address proxy, address code) external;

    /// @notice Sets the roles that a function needs, and its waiting time in seconds.
    /// @dev Requirements: the caller is this contract; neither mask is empty; no shorter time than two days for a
    /// function that is voted on, than three days for a recovery, than four hours for a rollback. Emits {PolicySet}.
    function setPolicy(bytes4 selector, uint16 first, uint16 second, uint32 delay) external;

    /// @notice The roles that a function needs, of the first and of the second institution, and its waiting time.
    function policyOf(bytes4 selector) external view returns (uint16 first, uint16 second, uint32 delay);

    /// @notice The digest that institutions sign to approve an act.
    function actDigest(Act calldata act) external view returns (bytes32);

    /// @notice Whether an act was carried out.
    function executed(bytes32 act) external view returns (bool);

    /// @notice A proposed act: who approved it, from when it may be executed, and whether it was withdrawn.
    function proposalOf(bytes32 act) external view returns (bytes20 first, bytes20 second, uint40 eta, bool canceled);

    /// @notice The grounds of the act of force that is being carried out in this very call; all zero otherwise.
    function acting() external view returns (Grounds memory);

    /// @notice Whether a function does something to holders without them: its acts need basis and document.
    function isForce(bytes4 selector) external pure returns (bool);

    /// @notice The code that a proxy ran before its last upgrade; zero if it never was upgraded.
    function formerOf(address proxy) external view returns (address);

    /// @notice The registry of institutions and keys.
    function memberRegistry() external view returns (address);

    /// @notice The audited builds.
    function releases() external view returns (address);
}
