// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Consents} from "./Consents.sol";
import {IEncumbrances} from "../interfaces/IEncumbrances.sol";
import {IIdentityProfiles} from "../interfaces/IVerificationSources.sol";
import {ISecurityToken, Roles} from "../interfaces/ISecurityToken.sol";

/// @title Encumbrances
contract Encumbrances is Consents, IEncumbrances {
    /// @dev One word. What is pledged is the rest of the token's sum but for what settlement holds, so that a pledge
    /// stores no sum here.
    struct Sums {
        uint96 lockup;
        uint96 restricted;
    }

    /// @custom:storage-location erc7201:stoken.storage.Encumbrances
    struct Data {
        /// @dev The hash of a record, or `_ENDED`.
        mapping(bytes32 id => bytes32) commitments;
        mapping(address token => mapping(address account => Sums)) sums;
        mapping(address token => mapping(address account => address)) successors;
        mapping(bytes32 digest => bool) carried;
    }

    uint8 private constant _LOCKUP = 1;
    uint8 private constant _PLEDGE = 2;
    uint8 private constant _TRUST_MARK = 3;
    uint8 private constant _CERTIFICATE = 4;
    uint8 private constant _COURT_ORDER = 5;
    bytes32 private constant _ENDED = bytes32(uint256(1));

    bytes32 private constant _ENCUMBER = keccak256(
        "Encumber(bytes32 id,address token,uint96 units,address account,uint40 until,uint8 kind,address party,"
        "bytes32 reason,uint40 deadline)"
    );
    bytes32 private constant _RELEASE = keccak256("Release(bytes32 id,uint40 deadline)");
    bytes32 private constant _MOVE_MARKED = keccak256("MoveMarked(bytes32 id,address to,bytes32 salt,uint40 deadline)");

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Encumbrances")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IEncumbrances
    function initialize(address owner, address memberRegistry, address identityRegistry) external initializer {
        __Ownable_init(owner);
        __Consents_init(memberRegistry, identityRegistry);
    }

    /// @inheritdoc IEncumbrances
    function lock(bytes32 id, address token, address account, uint8 kind, uint96 units, uint40 until)
        external
        onlyOwner
    {
        if (kind != _LOCKUP) revert EncumbrancesKindUnsupported(kind);
        if (until <= block.timestamp) revert EncumbrancesEndPassed(until, block.timestamp);
        _set(id, Encumbrance(token, units, account, until, kind, address(0), 0));
    }

    /// @inheritdoc IEncumbrances
    function decree(bytes32 id, Encumbrance calldata record, bytes32 basis) external onlyOwner {
        bool marked = record.kind == _TRUST_MARK;
        if (!marked && record.kind != _COURT_ORDER) revert EncumbrancesKindUnsupported(record.kind);
        if (marked == (record.party == address(0))) revert EncumbrancesPartyInvalid(record.party);
        if (record.until != 0) revert EncumbrancesEndInvalid(record.until);
        _requireBasis(basis, record.reason);
        _set(id, record);
        emit EncumbranceDecreed(id, basis, record.reason);
    }

    /// @inheritdoc IEncumbrances
    function encumber(
        bytes32 id,
        Encumbrance calldata record,
        uint40 deadline,
        bytes calldata accountSignature,
        bytes calldata partySignature
    ) external {
        _requireInTime(deadline);
        _requireForm(record);
        bytes32 digest = _digest(keccak256(abi.encode(_ENCUMBER, id, record, deadline)));
        IIdentityProfiles profiles = _profiles();
        _requireManager(profiles, record.account, digest, accountSignature);
        if (record.kind != _CERTIFICATE) _requireManager(profiles, record.party, digest, partySignature);
        _set(id, record);
    }

    /// @inheritdoc IEncumbrances
    function release(bytes32 id, Encumbrance calldata record) external {
        if (record.kind != _LOCKUP && record.kind != _CERTIFICATE) revert EncumbrancesKindUnsupported(record.kind);
        _requireRecord(id, record);
        if (block.timestamp < record.until) revert EncumbrancesStillActive(id, record.until);
        _end(id, record);
    }

    /// @inheritdoc IEncumbrances
    function releaseSigned(
        bytes32 id,
        Encumbrance calldata record,
        uint40 deadline,
        bytes calldata accountSignature,
        bytes calldata partySignature
    ) external {
        _requireInTime(deadline);
        uint8 kind = record.kind;
        if (kind == _LOCKUP || kind == _COURT_ORDER) revert EncumbrancesKindUnsupported(kind);
        _requireRecord(id, record);
        bytes32 digest = _digest(keccak256(abi.encode(_RELEASE, id, deadline)));
        IIdentityProfiles profiles = _profiles();
        if (kind != _TRUST_MARK) {
            _requireManager(profiles, holderOf(record.token, record.account), digest, accountSignature);
        }
        if (kind != _CERTIFICATE) {
            _requireManager(profiles, holderOf(record.token, record.party), digest, partySignature);
        }
        _end(id, record);
    }

    /// @inheritdoc IEncumbrances
    function lift(bytes32 id, Encumbrance calldata record, bytes32 basis, bytes32 document) external onlyOwner {
        if (record.kind != _COURT_ORDER && record.kind != _TRUST_MARK) {
            revert EncumbrancesKindUnsupported(record.kind);
        }
        _requireBasis(basis, document);
        _requireRecord(id, record);
        _end(id, record);
        emit EncumbranceDecreed(id, basis, document);
    }

    /// @inheritdoc IEncumbrances
    function enforce(bytes32 id, Encumbrance calldata record, bytes32 basis, bytes32 document) external onlyOwner {
        if (record.kind != _PLEDGE) revert EncumbrancesKindUnsupported(record.kind);
        _requireBasis(basis, document);
        _requireRecord(id, record);
        address from = holderOf(record.token, record.account);
        address to = holderOf(record.token, record.party);
        _end(id, record);
        emit PledgeEnforced(id, from, to, record.units, basis, document);
        ISecurityToken(record.token).forcedTransferFor(from, to, record.units, basis, document);
    }

    /// @inheritdoc IEncumbrances
    function moveMarked(
        bytes32 id,
        Encumbrance calldata record,
        address to,
        bytes32 salt,
        uint40 deadline,
        bytes calldata accountSignature,
        bytes calldata partySignature
    ) external {
        _requireInTime(deadline);
        if (record.kind != _TRUST_MARK) revert EncumbrancesKindUnsupported(record.kind);
        _requireRecord(id, record);
        bytes32 digest = _digest(keccak256(abi.encode(_MOVE_MARKED, id, to, salt, deadline)));
        if (_data().carried[digest]) revert DuplicateInstruction(digest);
        _data().carried[digest] = true;
        address from = holderOf(record.token, record.account);
        if (from == to) revert SelfTransfer(to);
        IIdentityProfiles profiles = _profiles();
        _requireManager(profiles, from, digest, accountSignature);
        _requireManager(profiles, holderOf(record.token, record.party), digest, partySignature);
        _carry(id, record, from, to, digest);
    }

    /// @inheritdoc IEncumbrances
    function rescale(
        address token,
        address account,
        bytes32[] calldata ids,
        Encumbrance[] calldata records,
        uint96 numerator,
        uint96 denominator
    ) external returns (uint96 encumbered) {
        if (ISecurityToken(token).rolesOf(msg.sender) & Roles.CONVERT == 0) {
            revert RoleRequired("CONVERT");
        }
        if (ids.length != records.length) revert ConversionQuantityMismatch(ids.length, records.length);
        Sums memory sum;
        uint256 before;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (i != 0 && ids[i] <= ids[i - 1]) revert EncumbrancesOrderInvalid(ids[i]);
            Encumbrance calldata record = records[i];
            if (record.token != token || holderOf(token, record.account) != account) {
                revert EncumbrancesIdUnknown(ids[i]);
            }
            before += record.units;
            uint96 units = _rescale(ids[i], record, numerator, denominator);
            encumbered += units;
            if (record.kind == _LOCKUP) sum.lockup += units;
            else if (record.kind != _PLEDGE) sum.restricted += units;
        }
        uint256 held = _encumbered(token, account);
        if (before != held) revert ConversionQuantityMismatch(held, before);
        _data().sums[token][account] = sum;
    }

    /// @inheritdoc IEncumbrances
    function relocate(address from, address to) external {
        Data storage $ = _data();
        // Else a chain of successors could close to a circle, in which no record would find its holder.
        if ($.successors[msg.sender][to] != address(0)) revert AccountClosed(to);
        Sums memory moved = $.sums[msg.sender][from];
        Sums storage target = $.sums[msg.sender][to];
        target.lockup += moved.lockup;
        target.restricted += moved.restricted;
        delete $.sums[msg.sender][from];
        $.successors[msg.sender][from] = to;
        emit EncumbrancesMoved(msg.sender, from, to);
    }

    /// @inheritdoc IEncumbrances
    function sums(address token, address account)
        external
        view
        returns (uint96 lockup, uint96 pledged, uint96 restricted)
    {
        Sums memory sum = _data().sums[token][account];
        uint256 encumbered = _encumbered(token, account) - ISecurityToken(token).heldOf(account);
        return (sum.lockup, uint96(encumbered) - sum.lockup - sum.restricted, sum.restricted);
    }

    /// @inheritdoc IEncumbrances
    function isActive(bytes32 id, Encumbrance calldata record) external view returns (bool) {
        return _data().commitments[id] == _commitment(record);
    }

    /// @inheritdoc IEncumbrances
    function holderOf(address token, address account) public view returns (address) {
        mapping(address => address) storage successors = _data().successors[token];
        address successor = successors[account];
        while (successor != address(0)) {
            account = successor;
            successor = successors[account];
        }
        return account;
    }

    function _set(bytes32 id, Encumbrance memory record) private {
        Data storage $ = _data();
        if ($.commitments[id] != 0) revert EncumbrancesIdUsed(id);
        if (record.units == 0) revert EncumbrancesEmpty(id);
        $.commitments[id] = _commitment(record);
        _lock(record.token, record.account, record.units, record.kind);
        _addSum(record, record.account, int256(uint256(record.units)));
        emit EncumbranceSet(
            id, record.token, record.account, record.kind, record.units, record.until, record.party, record.reason
        );
    }

    /// @dev The token names what falls short. To a pledge, units that are pledged already are ALREADY_PLEDGED.
    function _lock(address token, address account, uint96 units, uint8 kind) private {
        if (kind != _PLEDGE) {
            ISecurityToken(token).lock(account, units);
            return;
        }
        try ISecurityToken(token).lock(account, units) {}
        catch (bytes memory refusal) {
            bytes4 selector = AlreadyPledged.selector;
            if (bytes4(refusal) == SecuritiesPledged.selector) {
                // Both errors have the same arguments.
                assembly ("memory-safe") {
                    let word := mload(add(refusal, 0x20))
                    mstore(add(refusal, 0x20), or(selector, and(word, not(shl(224, 0xffffffff)))))
                }
            }
            assembly ("memory-safe") {
                revert(add(refusal, 0x20), mload(refusal))
            }
        }
    }

    /// @dev The id stays, so that it is never used again.
    function _end(bytes32 id, Encumbrance calldata record) private {
        _data().commitments[id] = _ENDED;
        address holder = holderOf(record.token, record.account);
        _addSum(record, holder, -int256(uint256(record.units)));
        emit EncumbranceReleased(id);
        ISecurityToken(record.token).unlock(holder, record.units);
    }

    function _carry(bytes32 id, Encumbrance calldata record, address from, address to, bytes32 digest) private {
        Data storage $ = _data();
        if ($.successors[record.token][to] != address(0)) revert AccountClosed(to);
        Encumbrance memory carried = record;
        carried.account = to;
        $.commitments[id] = _commitment(carried);
        _addSum(record, from, -int256(uint256(record.units)));
        emit EncumbranceCarried(id, from, to);
        ISecurityToken token = ISecurityToken(record.token);
        token.unlock(from, record.units);
        // Consent opens the mark and nothing else: pause, holds, identity and rules bind this move as any other.
        bytes memory refusal = token.verdict(from, to, record.units, address(0));
        if (refusal.length != 0) {
            assembly ("memory-safe") {
                revert(add(refusal, 0x20), mload(refusal))
            }
        }
        token.forcedTransferFor(from, to, record.units, "TRUST_MOVE", digest);
        token.lock(to, record.units);
        _addSum(record, to, int256(uint256(record.units)));
    }

    /// @dev A record with its units converted; the product of two 96-bit numbers cannot overflow.
    function _rescale(bytes32 id, Encumbrance calldata record, uint96 numerator, uint96 denominator)
        private
        returns (uint96 units)
    {
        _requireRecord(id, record);
        uint256 converted = uint256(record.units) * numerator / denominator;
        if (converted > type(uint96).max) revert ConversionQuantityMismatch(type(uint96).max, converted);
        units = uint96(converted);
        if (units == 0) {
            _data().commitments[id] = _ENDED;
            emit EncumbranceReleased(id);
            return 0;
        }
        Encumbrance memory rescaled = record;
        rescaled.units = units;
        _data().commitments[id] = _commitment(rescaled);
        emit EncumbranceRescaled(id, units);
    }

    function _addSum(Encumbrance memory record, address account, int256 units) private {
        if (record.kind == _PLEDGE) return;
        mapping(address => Sums) storage sums_ = _data().sums[record.token];
        Sums memory sum = sums_[account];
        if (record.kind == _LOCKUP) sum.lockup = uint96(uint256(int256(uint256(sum.lockup)) + units));
        else sum.restricted = uint96(uint256(int256(uint256(sum.restricted)) + units));
        sums_[account] = sum;
    }

    function _requireForm(Encumbrance calldata record) private view {
        uint8 kind = record.kind;
        if (kind == _CERTIFICATE) {
            if (record.party != address(0)) revert EncumbrancesPartyInvalid(record.party);
            if (record.until <= block.timestamp) revert EncumbrancesEndPassed(record.until, block.timestamp);
            if (record.reason == 0) revert LegalBasisRequired();
            return;
        }
        if (kind != _PLEDGE && kind != _TRUST_MARK) revert EncumbrancesKindUnsupported(kind);
        if (record.party == address(0) || record.party == record.account) {
            revert EncumbrancesPartyInvalid(record.party);
        }
        if (record.until != 0) revert EncumbrancesEndInvalid(record.until);
    }

    function _requireRecord(bytes32 id, Encumbrance calldata record) private view {
        if (_data().commitments[id] != _commitment(record)) revert EncumbrancesIdUnknown(id);
    }

    function _requireBasis(bytes32 basis, bytes32 document) private pure {
        if (basis == 0 || document == 0) revert LegalBasisRequired();
    }

    function _encumbered(address token, address account) private view returns (uint256 encumbered) {
        (,, encumbered,) = ISecurityToken(token).accountOf(account);
    }

    /// @dev A record lies in memory as it is encoded: seven words.
    function _commitment(Encumbrance memory record) private pure returns (bytes32 commitment) {
        assembly ("memory-safe") {
            commitment := keccak256(record, 0xe0)
        }
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken Encumbrances";
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
