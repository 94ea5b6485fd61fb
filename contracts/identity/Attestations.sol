// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Agents} from "../control/Agents.sol";
import {TypedData} from "../control/TypedData.sol";
import {Attested, IAttestedIdentityRegistry, Onboarding} from "../interfaces/IAttestedIdentityRegistry.sol";
import {Procedure} from "../interfaces/IRebinding.sol";
import {IClaimTopicsMask, IIdentityProfiles, ITrustedIssuersMask} from "../interfaces/IVerificationSources.sol";

/// @title Attestations
/// @notice Storage of the identity registry, what issuers say of identities, and the walk from it to a word.
abstract contract Attestations is Agents, TypedData, IAttestedIdentityRegistry {
    /// @custom:storage-location erc7201:stoken.storage.IdentityRegistry
    struct Data {
        address identityStorage;
        /// @dev epoch:24 | status:8 as the words must end now, the status telling of suspension alone: every transfer
        /// reads it.
        uint32 current;
        /// @dev How many restrictions are in force, so that without any the walk does not ask for managers.
        uint32 restrictionCount;
        address topicsRegistry;
        address issuersRegistry;
        address memberRegistry;
        /// @dev identity:160 | country:16 | class:8 | until:40 | epoch:24 | status:8, as worked out last.
        mapping(address account => uint256) words;
        /// @dev unused:151 | forCause:1 | until:40 | topics:64.
        mapping(address identity => mapping(address issuer => uint256)) attestations;
        /// @dev How many issuers revoked for cause.
        mapping(address identity => uint256) causes;
        /// @dev The accounts whose words were stored, so that a revocation finds them.
        mapping(address identity => address[]) stored;
        mapping(address signer => mapping(uint256 group => uint256)) nonces;
        mapping(address account => uint8 effect) holds;
        mapping(bytes20 manager => mapping(address token => bool)) restrictions;
        mapping(bytes20 manager => uint256) restrictionCounts;
        mapping(bytes32 codeHash => bool) admittedCodes;
        /// @dev What moved from one manager to another.
        mapping(bytes20 from => mapping(bytes20 to => Procedure)) procedures;
    }

    uint256 internal constant _REGISTERED = 1;
    uint256 internal constant _VERIFIED = 2;
    uint256 internal constant _CAUSE = 4;
    uint256 internal constant _REPLACED = 8;
    uint256 internal constant _RESTRICTED = 16;
    uint256 internal constant _SUSPENDED = 32;
    /// @dev A hold's effect, no sale 1 and no purchase 2, stands here in the status.
    uint256 internal constant _HOLD_SHIFT = 6;

    uint256 internal constant _EPOCH_MASK = uint256(type(uint24).max) << 8;

    uint256 private constant _FOR_CAUSE = 1 << 104;
    /// @dev So many words of an identity are stored, which a revocation clears; further accounts are worked out each time.
    uint256 private constant _STORED_MAX = 16;

    bytes32 private constant _ONBOARDING = keccak256(
        "Onboarding(address account,address identity,uint16 country,uint8 class,uint8 ownerType,uint64 topics,uint40 until)"
    );
    bytes32 private constant _ATTESTED = keccak256("Attested(address identity,uint64 topics,uint40 until)");

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.IdentityRegistry")) - 1)) & ~bytes32(uint256(0xff));

    function _domainName() internal pure override returns (string memory) {
        return "stoken IdentityRegistry";
    }

    function _attest(address issuer, uint64 trusted, address identity, uint64 topics, uint40 until) internal {
        if (trusted == 0 || topics & ~trusted != 0) revert ClaimIssuerUntrusted(issuer);
        Data storage $ = _data();
        uint256 former = $.attestations[identity][issuer];
        $.attestations[identity][issuer] = uint256(until) << 64 | topics;
        if (former & _FOR_CAUSE != 0) $.causes[identity]--;
        emit ClaimAttested(identity, issuer, topics, until);
        // Where nothing was said before, stored words can only be too strict, and those are worked out anew anyway.
        if (former != 0) _clear(identity);
    }

    function _revoke(address issuer, address identity, bool forCause) internal {
        Data storage $ = _data();
        bool before = $.attestations[identity][issuer] & _FOR_CAUSE != 0;
        $.attestations[identity][issuer] = forCause ? _FOR_CAUSE : 0;
        if (forCause && !before) $.causes[identity]++;
        if (!forCause && before) $.attestations[identity][issuer] = _FOR_CAUSE;
        emit ClaimRevoked(identity, issuer, forCause);
        _clear(identity);
    }

    /// @dev The latest time to which a trusted issuer that is a contract holds a claim of the identity valid, and
    /// whether the code of everyone asked tells of changes.
    function _claimedUntil(address identity, uint256 topic, uint256[] memory issuers, uint256 gasBefore)
        internal
        view
        virtual
        returns (uint256 until, bool tells);

    /// @dev Makes the stored words of an identity stale.
    function _clear(address identity) internal {
        Data storage $ = _data();
        address[] storage stored = $.stored[identity];
        uint256 count = stored.length;
        for (uint256 i = 0; i < count; i++) {
            delete $.words[stored[i]];
        }
        if (count != 0) delete $.stored[identity];
    }

    function _advance() internal {
        uint32 current = _data().current;
        // A number that comes back would bring words of old back: rather nothing changes any more until an upgrade.
        if (current >> 8 == type(uint24).max) revert IdentityRegistryEpochsSpent();
        uint32 next = current + 256;
        _data().current = next;
        emit EpochAdvanced(uint24(next >> 8));
    }

    function _store(address account, uint256 word) internal {
        Data storage $ = _data();
        address[] storage stored = $.stored[address(uint160(word >> 96))];
        uint256 count = stored.length;
        for (uint256 i = 0; i < count; i++) {
            if (stored[i] != account) continue;
            $.words[account] = word;
            return;
        }
        // A word that no list names would outlive a revocation.
        if (count >= _STORED_MAX) return;
        $.words[account] = word;
        stored.push(account);
    }

    /// @dev Works an account's word out from the storage, the topics, the issuers and what they attest or the identity
    /// claims; `lasting` if nothing can change it without telling. Claims are asked for only where it receives.
    function _walk(address account, bool receives) internal view returns (uint256 word, bool lasting) {
        if (account == address(0)) return (0, false);
        Data storage $ = _data();
        uint256 profile = IIdentityProfiles($.identityStorage).profileWord(account);
        uint256 status = uint256($.holds[account]) << _HOLD_SHIFT;
        if (uint8(profile) != 0) status |= _REPLACED;
        if (profile >> 96 == 0) return (status, false);
        address identity = address(uint160(profile >> 96));
        status |= _REGISTERED;
        if ($.restrictionCount != 0) {
            (bytes20 manager,) = IIdentityProfiles($.identityStorage).managerOf(account);
            if ($.restrictionCounts[manager] != 0) status |= _RESTRICTED;
        }
        uint256 until = 0;
        // With a cause, a later attestation could improve the word without anybody noticing.
        if ($.causes[identity] != 0) status |= _CAUSE;
        else (until, lasting) = _verifiedUntil(identity, receives);
        if (until != 0) status |= _VERIFIED;
        word = profile >> 72 << 72 | until << 32 | ($.current & _EPOCH_MASK) | status;
    }

    function _hashOnboardings(Onboarding[] calldata items) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](items.length);
        for (uint256 i = 0; i < items.length; i++) {
            Onboarding calldata item = items[i];
            hashes[i] = keccak256(
                abi.encode(
                    _ONBOARDING,
                    item.account,
                    item.identity,
                    item.country,
                    item.class,
                    item.ownerType,
                    item.topics,
                    item.until
                )
            );
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function _hashAttested(Attested[] calldata items) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](items.length);
        for (uint256 i = 0; i < items.length; i++) {
            hashes[i] = keccak256(abi.encode(_ATTESTED, items[i].identity, items[i].topics, items[i].until));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function _useNonce(address signer, bytes20 member, uint256 nonce) internal {
        mapping(uint256 group => uint256) storage groups = _data().nonces[signer];
        uint256 bit = 1 << (nonce & 0xff);
        uint256 used = groups[nonce >> 8];
        if (used & bit != 0) revert NonceReplayed(member, nonce);
        groups[nonce >> 8] = used | bit;
    }

    /// @dev High s and other lengths than 65 are refused: a signature has one shape.
    function _recover(bytes32 digest, bytes calldata signature) internal pure returns (address signer) {
        (signer,,) = ECDSA.tryRecover(digest, signature);
        if (signer == address(0)) revert SignatureInvalid(address(0));
    }

    function _requireSigner(address issuer, bytes32 digest, bytes calldata signature) internal pure {
        address signer = _recover(digest, signature);
        if (signer != issuer) revert SignatureInvalid(signer);
    }

    function _data() internal pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }

    /// @dev The time to which every required topic is attested, or claimed, by a trusted issuer; zero if one is not.
    function _verifiedUntil(address identity, bool receives) private view returns (uint256 until, bool lasting) {
        Data storage $ = _data();
        (uint64 required, bool beyondMask) = IClaimTopicsMask($.topicsRegistry).requiredTopics();
        if (beyondMask) return (0, true);
        lasting = true;
        until = type(uint40).max;
        if (required == 0) return (until, lasting);
        uint256[] memory issuers = ITrustedIssuersMask($.issuersRegistry).trustedIssuerWords();
        uint256[] memory attested = new uint256[](issuers.length);
        for (uint256 i = 0; i < issuers.length; i++) {
            uint256 attestation = $.attestations[identity][address(uint160(issuers[i] >> 96))];
            // What it attests within what it is trusted for: until:40 | topics:64.
            attested[i] = uint256(uint40(attestation >> 64)) << 64 | uint64(attestation & issuers[i]);
        }
        bool asks = receives && identity.code.length != 0;
        uint256 gasBefore = gasleft();
        for (uint256 topic = 0; required >> topic != 0; topic++) {
            if (required >> topic & 1 == 0) continue;
            uint256 best = 0;
            for (uint256 i = 0; i < attested.length; i++) {
                if (attested[i] >> topic & 1 != 0 && attested[i] >> 64 > best) best = attested[i] >> 64;
            }
            if (asks && best < block.timestamp) {
                (uint256 claimed, bool tells) = _claimedUntil(identity, topic, issuers, gasBefore);
                if (claimed > best) best = claimed;
                lasting = lasting && tells;
            }
            if (best < until) until = best;
        }
    }
}
