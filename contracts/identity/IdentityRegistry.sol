// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Words} from "./Words.sol";
import {IAgentRole} from "../interfaces/IAgentRole.sol";
import {
    Attested,
    IAttestedIdentityRegistry,
    Onboarding,
    OnboardingBatch
} from "../interfaces/IAttestedIdentityRegistry.sol";
import {IIdentityRegistry} from "../interfaces/IIdentityRegistry.sol";
import {IIdentityRegistryStorage} from "../interfaces/IIdentityRegistryStorage.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IRestraints} from "../interfaces/IRestraints.sol";
import {IEpochSource, IIdentityProfiles, ITrustedIssuersMask} from "../interfaces/IVerificationSources.sol";

/// @title IdentityRegistry
contract IdentityRegistry is Words, IERC165 {
    uint8 private constant _INSTRUCTION = 4;

    bytes32 private constant _BATCH = keccak256(
        "OnboardingBatch(bytes20 manager,address claimIssuer,uint256 nonce,uint40 deadline,Onboarding[] items)"
        "Onboarding(address account,address identity,uint16 country,uint8 class,uint8 ownerType,uint64 topics,uint40 until)"
    );
    bytes32 private constant _ATTEST = keccak256(
        "Attest(address claimIssuer,Attested[] items,uint256 nonce,uint40 deadline)"
        "Attested(address identity,uint64 topics,uint40 until)"
    );
    bytes32 private constant _REVOKE =
        keccak256("Revoke(address claimIssuer,address identity,bool forCause,uint256 nonce,uint40 deadline)");

    /// @inheritdoc IAttestedIdentityRegistry
    function initialize(
        address owner,
        address agent,
        address legal,
        address identityStorage_,
        address topicsRegistry_,
        address issuersRegistry_,
        address memberRegistry_
    ) external initializer {
        __Ownable_init(owner);
        _addAgent(agent);
        if (legal != address(0)) _addAgent(legal);
        Data storage $ = _data();
        // A word of all zero is stale from the first block on.
        $.current = 1 << 8;
        $.memberRegistry = memberRegistry_;
        $.identityStorage = identityStorage_;
        $.topicsRegistry = topicsRegistry_;
        $.issuersRegistry = issuersRegistry_;
        emit IdentityStorageSet(identityStorage_);
        emit ClaimTopicsRegistrySet(topicsRegistry_);
        emit TrustedIssuersRegistrySet(issuersRegistry_);
    }

    /// @inheritdoc IIdentityRegistry
    function setIdentityRegistryStorage(address identityRegistryStorage) external onlyOwner {
        if (!IAgentRole(identityRegistryStorage).isAgent(address(this))) {
            revert IdentityRegistrySourceUnbound(identityRegistryStorage);
        }
        _data().identityStorage = identityRegistryStorage;
        emit IdentityStorageSet(identityRegistryStorage);
        _advance();
    }

    /// @inheritdoc IIdentityRegistry
    function setClaimTopicsRegistry(address claimTopicsRegistry) external onlyOwner {
        _requireBound(claimTopicsRegistry);
        _data().topicsRegistry = claimTopicsRegistry;
        emit ClaimTopicsRegistrySet(claimTopicsRegistry);
        _advance();
    }

    /// @inheritdoc IIdentityRegistry
    function setTrustedIssuersRegistry(address trustedIssuersRegistry) external onlyOwner {
        _requireBound(trustedIssuersRegistry);
        _data().issuersRegistry = trustedIssuersRegistry;
        emit TrustedIssuersRegistrySet(trustedIssuersRegistry);
        _advance();
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function advanceEpoch() external {
        Data storage $ = _data();
        if (msg.sender != $.topicsRegistry && msg.sender != $.issuersRegistry && msg.sender != owner()) {
            // A source that is bound but not in use changes nothing here.
            return;
        }
        _advance();
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function forget(address account) external {
        Data storage $ = _data();
        if (msg.sender != $.identityStorage) return;
        delete $.words[account];
    }

    /// @inheritdoc IIdentityRegistry
    function registerIdentity(address userAddress, address identity_, uint16 country) external onlyAgent {
        _register(userAddress, identity_, country);
    }

    /// @inheritdoc IIdentityRegistry
    function batchRegisterIdentity(
        address[] calldata userAddresses,
        address[] calldata identities,
        uint16[] calldata countries
    ) external onlyAgent {
        if (userAddresses.length != identities.length || userAddresses.length != countries.length) {
            revert IdentityRegistryLengthMismatch();
        }
        for (uint256 i = 0; i < userAddresses.length; i++) {
            _register(userAddresses[i], identities[i], countries[i]);
        }
    }

    /// @inheritdoc IIdentityRegistry
    function deleteIdentity(address userAddress) external onlyAgent {
        IIdentityRegistryStorage store = IIdentityRegistryStorage(_data().identityStorage);
        address former = store.storedIdentity(userAddress);
        store.removeIdentityFromStorage(userAddress);
        emit IdentityRemoved(userAddress, former);
    }

    /// @inheritdoc IIdentityRegistry
    function updateCountry(address userAddress, uint16 country) external onlyAgent {
        IIdentityRegistryStorage(_data().identityStorage).modifyStoredInvestorCountry(userAddress, country);
        emit CountryUpdated(userAddress, country);
        _emitBound(userAddress);
    }

    /// @inheritdoc IIdentityRegistry
    function updateIdentity(address userAddress, address identity_) external onlyAgent {
        IIdentityRegistryStorage store = IIdentityRegistryStorage(_data().identityStorage);
        address former = store.storedIdentity(userAddress);
        store.modifyStoredIdentity(userAddress, identity_);
        emit IdentityUpdated(former, identity_);
        _emitBound(userAddress);
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function updateClass(address account, uint8 class) external onlyAgent {
        IIdentityProfiles(_data().identityStorage).modifyStoredClass(account, class);
        _emitBound(account);
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function registerAccounts(
        OnboardingBatch calldata batch,
        bytes calldata managerSignature,
        bytes calldata attestation
    ) external {
        _requireInTime(batch.deadline);
        bytes32 digest = _digest(
            keccak256(
                abi.encode(
                    _BATCH, batch.manager, batch.claimIssuer, batch.nonce, batch.deadline, _hashOnboardings(batch.items)
                )
            )
        );
        _requireManager(batch.manager, batch.nonce, digest, managerSignature);
        _requireSigner(batch.claimIssuer, digest, attestation);
        _useNonce(batch.claimIssuer, bytes20(batch.claimIssuer), batch.nonce);
        Data storage $ = _data();
        uint64 trusted = ITrustedIssuersMask($.issuersRegistry).topicMaskOf(batch.claimIssuer);
        IIdentityProfiles profiles = IIdentityProfiles($.identityStorage);
        for (uint256 i = 0; i < batch.items.length; i++) {
            _onboard(profiles, batch, batch.items[i], trusted);
        }
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function attest(
        address claimIssuer,
        Attested[] calldata items,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        bytes32 structHash = keccak256(abi.encode(_ATTEST, claimIssuer, _hashAttested(items), nonce, deadline));
        _requireSigner(claimIssuer, _digest(structHash), signature);
        _useNonce(claimIssuer, bytes20(claimIssuer), nonce);
        uint64 trusted = ITrustedIssuersMask(_data().issuersRegistry).topicMaskOf(claimIssuer);
        for (uint256 i = 0; i < items.length; i++) {
            if (items[i].identity == address(0)) revert IdentityRegistryAddressZero();
            _attest(claimIssuer, trusted, items[i].identity, items[i].topics, items[i].until);
        }
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function revoke(
        address claimIssuer,
        address identity_,
        bool forCause,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        bytes32 structHash = keccak256(abi.encode(_REVOKE, claimIssuer, identity_, forCause, nonce, deadline));
        _requireSigner(claimIssuer, _digest(structHash), signature);
        _useNonce(claimIssuer, bytes20(claimIssuer), nonce);
        if (ITrustedIssuersMask(_data().issuersRegistry).topicMaskOf(claimIssuer) == 0) {
            revert ClaimIssuerUntrusted(claimIssuer);
        }
        _revoke(claimIssuer, identity_, forCause);
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function managerOf(address account) external view returns (bytes20 manager, uint8 ownerType) {
        return IIdentityProfiles(_data().identityStorage).managerOf(account);
    }

    /// @inheritdoc IIdentityRegistry
    function isVerified(address userAddress) external view returns (bool) {
        uint256 word = wordOf(userAddress);
        return word & _VERIFIED != 0 && uint40(word >> 32) >= block.timestamp;
    }

    /// @inheritdoc IIdentityRegistry
    function contains(address userAddress) external view returns (bool) {
        return identity(userAddress) != address(0);
    }

    /// @inheritdoc IIdentityRegistry
    function investorCountry(address userAddress) external view returns (uint16) {
        return IIdentityRegistryStorage(_data().identityStorage).storedInvestorCountry(userAddress);
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function attestationOf(address identity_, address issuer)
        external
        view
        returns (uint64 topics, uint40 until, bool forCause)
    {
        uint256 word = _data().attestations[identity_][issuer];
        return (uint64(word), uint40(word >> 64), word >> 104 != 0);
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function firstIdentityOf(address account) external view returns (address) {
        return IIdentityProfiles(_data().identityStorage).firstIdentityOf(account);
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function nonceUsed(address signer, uint256 nonce) external view returns (bool) {
        return _data().nonces[signer][nonce >> 8] >> (nonce & 0xff) & 1 != 0;
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function epoch() external view returns (uint24) {
        return uint24(_data().current >> 8);
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function memberRegistry() external view returns (address) {
        return _data().memberRegistry;
    }

    /// @inheritdoc IIdentityRegistry
    function identityStorage() external view returns (address) {
        return _data().identityStorage;
    }

    /// @inheritdoc IIdentityRegistry
    function issuersRegistry() external view returns (address) {
        return _data().issuersRegistry;
    }

    /// @inheritdoc IIdentityRegistry
    function topicsRegistry() external view returns (address) {
        return _data().topicsRegistry;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IIdentityRegistry).interfaceId
            || interfaceId == type(IAttestedIdentityRegistry).interfaceId
            || interfaceId == type(IRestraints).interfaceId || interfaceId == type(IAgentRole).interfaceId;
    }

    /// @inheritdoc IIdentityRegistry
    function identity(address userAddress) public view returns (address) {
        return IIdentityRegistryStorage(_data().identityStorage).storedIdentity(userAddress);
    }

    function _register(address account, address identity_, uint16 country) private {
        IIdentityRegistryStorage(_data().identityStorage).addIdentityToStorage(account, identity_, country);
        emit IdentityRegistered(account, identity_);
        _emitBound(account);
    }

    function _onboard(
        IIdentityProfiles profiles,
        OnboardingBatch calldata batch,
        Onboarding calldata item,
        uint64 trusted
    ) private {
        if (item.ownerType != 1 && item.ownerType != 2) {
            revert IdentityRegistryOwnerTypeInvalid(item.ownerType);
        }
        profiles.addProfile(item.account, item.identity, item.country, item.class, item.ownerType, batch.manager);
        emit IdentityRegistered(item.account, item.identity);
        emit AccountBound(item.account, batch.manager, item.identity, item.country, item.class, item.ownerType);
        _attest(batch.claimIssuer, trusted, item.identity, item.topics, item.until);
    }

    /// @dev The whole binding of an account, since the standard's events name only parts of it.
    function _emitBound(address account) private {
        IIdentityProfiles profiles = IIdentityProfiles(_data().identityStorage);
        uint256 profile = profiles.profileWord(account);
        (bytes20 manager, uint8 ownerType) = profiles.managerOf(account);
        emit AccountBound(
            account, manager, address(uint160(profile >> 96)), uint16(profile >> 80), uint8(profile >> 72), ownerType
        );
    }

    function _requireManager(bytes20 manager, uint256 nonce, bytes32 digest, bytes calldata signature) private {
        address signer = _recover(digest, signature);
        bytes20 member = IMemberRegistry(_data().memberRegistry)
            .authoriseRole(signer, _INSTRUCTION, _ACCOUNT_MANAGER, block.timestamp);
        if (member == 0 || member != manager) revert SignatureInvalid(signer);
        _useNonce(signer, manager, nonce);
    }

    function _requireInTime(uint40 deadline) private view {
        if (block.timestamp > deadline) revert TooLate(deadline, block.timestamp);
    }

    function _requireBound(address source) private view {
        if (!IEpochSource(source).isBoundIdentityRegistry(address(this))) revert IdentityRegistrySourceUnbound(source);
    }
}
