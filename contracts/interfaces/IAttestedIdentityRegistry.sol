// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IIdentityRegistry} from "./IIdentityRegistry.sol";
import {IClaimNotes} from "./IClaimNotes.sol";
import {IRebinding} from "./IRebinding.sol";
import {IRestraints} from "./IRestraints.sol";

/// @notice One account to bring into the registry, attested by the batch's claim issuer.
struct Onboarding {
    /// The securities account; nobody needs to hold a key of it.
    address account;
    /// The investor's identity, to which claims are attested.
    address identity;
    /// Country of residence, ISO 3166 numeric.
    uint16 country;
    /// Investor class, 0 to 15.
    uint8 class;
    /// Whom the account serves: customer 1, the manager itself 2.
    uint8 ownerType;
    /// What the issuer attests: bit 1 << topic.
    uint64 topics;
    /// Last block time in seconds at which that counts.
    uint40 until;
}

/// @notice Accounts of one manager, attested by one claim issuer; both sign it.
struct OnboardingBatch {
    /// The account manager: 20 characters of its LEI.
    bytes20 manager;
    /// The claim issuer; its address signs.
    address claimIssuer;
    /// Fresh for the manager's key and for the issuer.
    uint256 nonce;
    /// Last block time in seconds at which it is taken.
    uint40 deadline;
    /// The accounts.
    Onboarding[] items;
}

/// @notice What an issuer says of an identity: topics (bit 1 << topic) until a block time.
struct Attested {
    /// The identity.
    address identity;
    /// Bit 1 << topic for each topic; none withdraws them all.
    uint64 topics;
    /// Last block time in seconds at which that counts.
    uint40 until;
}

/// @title IAttestedIdentityRegistry
/// @notice The identity registry with account managers, claims attested by signature and one packed word an account:
/// identity:160 | country:16 | class:8 | until:40 | epoch:24 | status:8, from the high bits down.
/// @dev Status bits: registered 1, verified 2, revoked for cause 4, identity replaced once 8, and
/// those of {IRestraints}. `until` counts only with
/// verified: the earliest end of the required claims, a topic attested by several issuers counting to the latest of
/// them. A revocation for cause by any issuer stands until that issuer attests anew, also when it is no longer trusted.
/// A word with a stale epoch is worked out anew, in views and transfers alike, and so is a receiver's that is not
/// verified or has expired; transfers store what they worked out.
interface IAttestedIdentityRegistry is IIdentityRegistry, IRestraints, IClaimNotes, IRebinding {
    /// @notice The zero address is no identity.
    error IdentityRegistryAddressZero();

    /// @notice The lists of a batch differ in length.
    error IdentityRegistryLengthMismatch();

    /// @notice An account serves a customer (1) or its manager (2).
    error IdentityRegistryOwnerTypeInvalid(uint8 ownerType);

    /// @notice All epochs are used up: words of an earlier one would count again. It takes 16,777,214 changes.
    error IdentityRegistryEpochsSpent();

    /// @notice The source does not tell this registry of changes.
    error IdentityRegistrySourceUnbound(address source);

    /// @notice An account belongs to a manager and an identity; a zero manager is none.
    event AccountBound(
        address indexed account,
        bytes20 indexed manager,
        address indexed identity,
        uint16 country,
        uint8 class,
        uint8 ownerType
    );

    /// @notice An issuer attests topics of an identity until a block time; this replaces what it said before.
    event ClaimAttested(address indexed identity, address indexed issuer, uint64 topics, uint40 until);

    /// @notice An issuer withdrew its attestation; for cause, the identity may not even sell.
    event ClaimRevoked(address indexed identity, address indexed issuer, bool forCause);

    /// @notice All words became stale.
    event EpochAdvanced(uint24 epoch);

    /// @notice Constructor of the proxy; `legal` is the contract of legal actions, an agent too, zero for none.
    function initialize(
        address owner,
        address agent,
        address legal,
        address identityStorage,
        address topicsRegistry,
        address issuersRegistry,
        address memberRegistry
    ) external;

    /// @notice Registers a batch of accounts with their claims; anyone relays.
    /// @dev Requirements: the deadline has not passed; the manager is a member with the account manager's role whose
    /// INSTRUCTION key signed; the claim issuer is trusted for every topic and signed the same digest; nonces of both
    /// signers are fresh; no account is registered. Emits {AccountBound}, {ClaimAttested} and IdentityRegistered each.
    function registerAccounts(
        OnboardingBatch calldata batch,
        bytes calldata managerSignature,
        bytes calldata attestation
    ) external;

    /// @notice Replaces what an issuer says of identities; anyone relays.
    /// @dev Requirements: the issuer is trusted for every topic and signed; fresh nonce; deadline. Emits
    /// {ClaimAttested} each.
    function attest(
        address claimIssuer,
        Attested[] calldata items,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice Withdraws what an issuer says of an identity; anyone relays.
    /// @dev Requirements: the issuer is trusted and signed; fresh nonce; deadline. Emits {ClaimRevoked}.
    function revoke(
        address claimIssuer,
        address identity,
        bool forCause,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice The member that manages an account and whom the account serves: customer 1, own 2; zero if none.
    function managerOf(address account) external view returns (bytes20 manager, uint8 ownerType);

    /// @notice The words of two accounts as they stand in this block.
    function pair(address from, address to) external view returns (uint256 fromWord, uint256 toWord);

    /// @notice {pair}, storing the words that were stale.
    function pairRefreshed(address from, address to) external returns (uint256 fromWord, uint256 toWord);

    /// @notice As {pairRefreshed} for one sender and several receivers.
    function wordsFrom(address from, address[] calldata receivers)
        external
        returns (uint256 fromWord, uint256[] memory words);

    /// @notice The word of one account as it stands in this block.
    function wordOf(address account) external view returns (uint256 word);

    /// @notice Works out the words of accounts and stores them; anyone may call.
    function refresh(address[] calldata accounts) external;

    /// @notice What an issuer says of an identity; no topics after a revocation.
    function attestationOf(address identity, address issuer)
        external
        view
        returns (uint64 topics, uint40 until, bool forCause);

    /// @notice Replaces the class of an account's investor.
    /// @dev Requirements: the caller is an agent; the account is registered. Emits {AccountBound}.
    function updateClass(address account, uint8 class) external;

    /// @notice The identity under which an account was first registered, if it was replaced since.
    function firstIdentityOf(address account) external view returns (address);

    /// @notice Whether a signer has used a nonce.
    function nonceUsed(address signer, uint256 nonce) external view returns (bool);

    /// @notice The epoch that a word must carry.
    function epoch() external view returns (uint24);

    /// @notice Makes all words stale, as topics or issuers changed; without effect unless the caller is the registry of
    /// topics or of issuers in use, or the owner.
    /// @dev Emits {EpochAdvanced}.
    function advanceEpoch() external;

    /// @notice Forgets the word of an account, as the storage changed it; without effect unless the caller is the
    /// storage in use.
    function forget(address account) external;

    /// @notice The registry of institutions and keys.
    function memberRegistry() external view returns (address);
}
