// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MemberNodes} from "./MemberNodes.sol";
import {MemberVotes} from "./MemberVotes.sol";
import {Signatures} from "./Signatures.sol";
import {Founder, IMemberRegistry, Key} from "../interfaces/IMemberRegistry.sol";

/// @title MemberRegistry
contract MemberRegistry is MemberNodes, MemberVotes, IMemberRegistry {
    /// @dev One word.
    struct KeyRecord {
        bytes20 member;
        uint8 scopes;
        uint8 status;
        uint40 since;
        uint40 until;
    }

    struct Member {
        uint16 roles;
        uint8 status;
    }

    /// @custom:storage-location erc7201:stoken.storage.MemberRegistry
    struct Data {
        mapping(address key => KeyRecord) keys;
        mapping(bytes20 member => Member) members;
        mapping(bytes20 member => mapping(uint256 nonce => bool)) nonces;
    }

    uint8 private constant _MEMBER = 1;
    uint8 private constant _ORDER = 2;
    uint8 private constant _INSTRUCTION = 4;
    uint8 private constant _SIGNING = 2 | 4 | 8;
    uint8 private constant _SENDER = 16;

    uint8 private constant _ACTIVE = 1;
    uint8 private constant _RETIRED = 2;
    uint8 private constant _REVOKED = 3;

    /// @dev Registrar, account managers and venue vote, with two thirds; both may be set.
    uint16 private constant _VOTING_ROLES = (1 << 3) | (1 << 4) | (1 << 5) | (1 << 6);
    uint16 private constant _MAJORITY = 6_667;

    bytes32 private constant _KEY_CHANGE = keccak256(
        "KeyChange(bytes20 member,Key[] add,address[] retire,address[] revoke,uint256 nonce,uint40 deadline)"
        "Key(address key,uint8 scopes,uint40 since,uint40 until)"
    );

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.MemberRegistry")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IMemberRegistry
    function initialize(address owner, Founder[] calldata founders) external initializer {
        __Ownable_init(owner);
        _setVoting(_VOTING_ROLES, _MAJORITY);
        for (uint256 i = 0; i < founders.length; ++i) {
            _admit(founders[i].member, founders[i].roles, founders[i].keys);
        }
    }

    /// @inheritdoc IMemberRegistry
    function admit(bytes20 member, uint16 roles, Key[] calldata keys) external onlyOwner {
        _admit(member, roles, keys);
    }

    /// @inheritdoc IMemberRegistry
    function setMemberStatus(bytes20 member, uint8 status) external onlyOwner {
        uint8 present = _data().members[member].status;
        // Who was revoked does not come back.
        if (present == 0 || present == _REVOKED) revert MemberRegistryMemberInvalid(member);
        if (status < _ACTIVE || status > _REVOKED) revert MemberRegistryStatusInvalid(status);
        _setStatus(member, status);
    }

    /// @inheritdoc IMemberRegistry
    function setKeys(
        bytes20 member,
        Key[] calldata add,
        address[] calldata retire,
        address[] calldata revoke,
        uint256 nonce,
        uint40 deadline,
        bytes[2] calldata signatures
    ) external {
        _useChange(member, nonce, deadline);
        _checkPersons(member, _keyChange(member, add, retire, revoke, nonce, deadline), signatures);
        _addKeys(member, add);
        for (uint256 i = 0; i < retire.length; ++i) {
            _endKey(member, retire[i], _RETIRED);
            emit KeyRetired(retire[i]);
        }
        for (uint256 i = 0; i < revoke.length; ++i) {
            _endKey(member, revoke[i], _REVOKED);
            emit KeyRevoked(revoke[i]);
        }
    }

    /// @inheritdoc IMemberRegistry
    function keyOf(address key)
        external
        view
        returns (bytes20 member, uint8 scopes, uint8 status, uint40 since, uint40 until)
    {
        KeyRecord memory record = _data().keys[key];
        return (record.member, record.scopes, record.status, record.since, record.until);
    }

    /// @inheritdoc IMemberRegistry
    function memberOf(bytes20 member) external view returns (uint16 roles, uint8 status) {
        Member memory record = _data().members[member];
        return (record.roles, record.status);
    }

    /// @inheritdoc IMemberRegistry
    function authorise(address key, uint8 scope, uint256 at) external view returns (bytes20 member) {
        (member,) = _authorised(key, scope, at);
    }

    /// @inheritdoc IMemberRegistry
    function authoriseRole(address key, uint8 scope, uint16 roles, uint256 at) external view returns (bytes20) {
        (bytes20 member, uint16 held) = _authorised(key, scope, at);
        return held & roles == 0 ? bytes20(0) : member;
    }

    /// @inheritdoc IMemberRegistry
    function nonceUsed(bytes20 member, uint256 nonce) external view returns (bool) {
        return _data().nonces[member][nonce];
    }

    function _admit(bytes20 member, uint16 roles, Key[] calldata keys) internal override {
        Member storage record = _data().members[member];
        if (member == 0 || record.status == _REVOKED) revert MemberRegistryMemberInvalid(member);
        record.roles = roles;
        // A suspended member stays so: only its status says otherwise.
        if (record.status == 0) {
            record.status = _ACTIVE;
            _enlist(member);
        }
        _noteRoles(member, record.status == _ACTIVE ? roles : 0);
        emit MemberAdmitted(member, roles);
        _addKeys(member, keys);
    }

    function _setStatus(bytes20 member, uint8 status) internal override {
        Member storage record = _data().members[member];
        record.status = status;
        _noteRoles(member, status == _ACTIVE ? record.roles : 0);
        emit MemberStatusChanged(member, status);
    }

    function _useChange(bytes20 member, uint256 nonce, uint40 deadline) internal override {
        if (block.timestamp > deadline) revert TooLate(deadline, block.timestamp);
        mapping(uint256 => bool) storage used = _data().nonces[member];
        if (used[nonce]) revert NonceReplayed(member, nonce);
        used[nonce] = true;
    }

    function _checkPersons(bytes20 member, bytes32 digest, bytes[2] calldata signatures) internal view override {
        address first = Signatures.signerOf(digest, signatures[0]);
        address second = Signatures.signerOf(digest, signatures[1]);
        _checkPerson(member, first);
        _checkPerson(member, second);
        if (first == second) revert DualControlRequired();
    }

    function _instructing(address signer) internal view override returns (bytes20 member) {
        (member,) = _authorised(signer, _INSTRUCTION, block.timestamp);
    }

    function _isActive(bytes20 member) internal view override returns (bool) {
        return _statusOf(member) == _ACTIVE;
    }

    function _statusOf(bytes20 member) internal view override returns (uint8) {
        return _data().members[member].status;
    }

    function _addKeys(bytes20 member, Key[] calldata keys) private {
        mapping(address => KeyRecord) storage records = _data().keys;
        for (uint256 i = 0; i < keys.length; ++i) {
            Key calldata key = keys[i];
            bytes20 taken = records[key.key].member;
            if (taken != 0) revert MemberRegistryKeyTaken(key.key, taken);
            if (key.key == address(0) || !_isOneKind(key.scopes) || key.since > key.until) {
                revert MemberRegistryKeyInvalid(key.key);
            }
            records[key.key] = KeyRecord(member, key.scopes, _ACTIVE, key.since, key.until);
            emit KeyAdded(key.key, member, key.scopes, key.since, key.until);
        }
    }

    /// @dev Member keys, signing keys and sender keys are apart: a key that travels with transactions signs nothing.
    function _isOneKind(uint8 scopes) private pure returns (bool) {
        return scopes == _MEMBER || scopes == _SENDER || (scopes != 0 && scopes & ~_SIGNING == 0);
    }

    /// @dev A status only rises: active, retired, revoked.
    function _endKey(bytes20 member, address key, uint8 status) private {
        KeyRecord storage record = _data().keys[key];
        if (record.member != member || record.status >= status) revert MemberRegistryKeyUnknown(key, member);
        record.status = status;
    }

    function _checkPerson(bytes20 member, address signer) private view {
        (bytes20 signs,) = _authorised(signer, _MEMBER, block.timestamp);
        if (signs != member || member == 0) revert SignatureInvalid(signer);
    }

    function _authorised(address key, uint8 scope, uint256 at) private view returns (bytes20, uint16) {
        Data storage $ = _data();
        KeyRecord memory record = $.keys[key];
        if (record.scopes & scope == 0 || at < record.since) return (0, 0);
        bool lasting = scope == _ORDER && record.status == _RETIRED;
        if (!lasting && (record.status != _ACTIVE || at > record.until)) return (0, 0);
        Member memory member = $.members[record.member];
        return member.status == _ACTIVE ? (record.member, member.roles) : (bytes20(0), 0);
    }

    function _keyChange(
        bytes20 member,
        Key[] calldata add,
        address[] calldata retire,
        address[] calldata revoke,
        uint256 nonce,
        uint40 deadline
    ) private view returns (bytes32) {
        bytes32[] memory added = new bytes32[](add.length);
        for (uint256 i = 0; i < add.length; ++i) {
            added[i] = keccak256(abi.encode(_KEY, add[i]));
        }
        return _digest(
            keccak256(
                abi.encode(
                    _KEY_CHANGE,
                    member,
                    keccak256(abi.encodePacked(added)),
                    keccak256(abi.encodePacked(retire)),
                    keccak256(abi.encodePacked(revoke)),
                    nonce,
                    deadline
                )
            )
        );
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken MemberRegistry";
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
