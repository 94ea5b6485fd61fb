// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice A key of a member: what it may sign (scope bits) and its validity in block time, both ends included.
struct Key {
    /// The address of the key.
    address key;
    /// MEMBER 1, or SENDER 16, or any of ORDER 2, INSTRUCTION 4, CASH 8.
    uint8 scopes;
    /// First second of block time at which it counts.
    uint40 since;
    /// Last second of block time at which it counts.
    uint40 until;
}

/// @notice A member at the start: institutions are bound by their keys from the first block on.
struct Founder {
    /// 20 characters of the LEI.
    bytes20 member;
    /// Role bits, ISSUER 0 to AUDITOR 12.
    uint16 roles;
    /// Its first keys.
    Key[] keys;
}

/// @title IMemberRegistry
/// @notice The institutions (20 ASCII characters of the LEI), their roles and their keys.
/// @dev Scopes: MEMBER 1 (changes the member's keys, two persons), ORDER 2, INSTRUCTION 4, CASH 8, SENDER 16 (carries
/// transactions). Status of keys and members: ACTIVE 1, RETIRED or SUSPENDED 2, REVOKED 3. A retired key signs
/// nothing new, but its orders still settle; a revoked key's signatures no longer count. A key belongs to one member
/// for ever. Roles are bits in the order of the reference data model, ISSUER 0 to AUDITOR 12.
interface IMemberRegistry {
    /// @notice The member's id is zero, unknown or that of a revoked member.
    error MemberRegistryMemberInvalid(bytes20 member);

    /// @notice The key is zero, mixes kinds of scopes or ends before it begins.
    error MemberRegistryKeyInvalid(address key);

    /// @notice The key belongs to this member, for ever.
    error MemberRegistryKeyTaken(address key, bytes20 member);

    /// @notice The key is not the member's, or has ended as far already.
    error MemberRegistryKeyUnknown(address key, bytes20 member);

    /// @notice There is no such status.
    error MemberRegistryStatusInvalid(uint8 status);

    /// @notice An institution is a member with these roles (all of them: this replaces what was said before).
    event MemberAdmitted(bytes20 indexed member, uint16 roles);

    /// @notice A member became active (1), suspended (2) or revoked (3).
    event MemberStatusChanged(bytes20 indexed member, uint8 status);

    /// @notice A key may sign for a member within its scopes and validity.
    event KeyAdded(address indexed key, bytes20 indexed member, uint8 scopes, uint40 since, uint40 until);

    /// @notice A key signs nothing new; what it signed still settles.
    event KeyRetired(address indexed key);

    /// @notice A key's signatures no longer count.
    event KeyRevoked(address indexed key);

    /// @notice Constructor of the proxy: everything belongs to `owner`; the founders are active members.
    /// @dev Emits {MemberAdmitted} and {KeyAdded} each.
    function initialize(address owner, Founder[] calldata founders) external;

    /// @notice Admits a member, or changes the roles of one and adds keys (as when all its MEMBER keys are lost).
    /// @dev Requirements: the caller is the owner; the id is not zero; every key is fresh, with scopes and a validity.
    /// Emits {MemberAdmitted} and {KeyAdded} each.
    function admit(bytes20 member, uint16 roles, Key[] calldata keys) external;

    /// @notice Activates, suspends or revokes a member: nothing that it signs counts unless it is active.
    /// @dev Requirements: the caller is the owner; the member exists. Emits {MemberStatusChanged}.
    function setMemberStatus(bytes20 member, uint8 status) external;

    /// @notice Changes a member's keys; anyone relays.
    /// @dev Requirements: the deadline has not passed; the nonce is fresh for the member; two different active keys of
    /// the member with scope MEMBER signed `KeyChange` (EIP-712); added keys are fresh; retired ones active; revoked
    /// ones not yet revoked. Emits {KeyAdded}, {KeyRetired} and {KeyRevoked} each.
    function setKeys(
        bytes20 member,
        Key[] calldata add,
        address[] calldata retire,
        address[] calldata revoke,
        uint256 nonce,
        uint40 deadline,
        bytes[2] calldata signatures
    ) external;

    /// @notice A key's member, scopes, status and validity; all zero if unknown.
    function keyOf(address key)
        external
        view
        returns (bytes20 member, uint8 scopes, uint8 status, uint40 since, uint40 until);

    /// @notice A member's roles and status; zero if unknown.
    function memberOf(bytes20 member) external view returns (uint16 roles, uint8 status);

    /// @notice The active member for which a key may sign in a scope at a time; zero if there is none.
    /// @dev The key is active and valid at that time. In scope ORDER a retired key still counts, as long as its
    /// validity had begun: only the settlement contract asks for it, and for orders only.
    function authorise(address key, uint8 scope, uint256 at) external view returns (bytes20 member);

    /// @notice The member as {authorise} gives it, if it holds one of the roles (a mask); zero otherwise.
    function authoriseRole(address key, uint8 scope, uint16 roles, uint256 at) external view returns (bytes20 member);

    /// @notice Whether a member used a nonce of {setKeys}.
    function nonceUsed(bytes20 member, uint256 nonce) external view returns (bool);
}
