// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Governed} from "./Governed.sol";
import {Signatures} from "./Signatures.sol";
import {TypedData} from "./TypedData.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {Grounds, IAuthority} from "../interfaces/IAuthority.sol";
import {IERC3643} from "../interfaces/IERC3643.sol";
import {AccountHold, ILegalActions, MeasureTerms, Suspension} from "../interfaces/ILegalActions.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IRestraints} from "../interfaces/IRestraints.sol";

/// @title Measures
/// @notice Pauses, restrictions, holds and freezes: who imposed them, why, until when, and how many bar one subject.
abstract contract Measures is Governed, TypedData, ILegalActions {
    /// @dev `before`: barred already when the first measure came, so that the last one does not release it.
    struct Bar {
        uint32 count;
        bool before;
    }

    /// @custom:storage-location erc7201:stoken.storage.LegalActions
    struct Data {
        IMemberRegistry members;
        uint64 last;
        address registry;
        mapping(uint64 id => Measure) measures;
        mapping(bytes32 subject => Bar) bars;
        mapping(bytes20 member => mapping(uint256 nonce => bool)) nonces;
        mapping(address account => uint40) holdableFrom;
        mapping(uint64 id => Recovery) recoveries;
        mapping(address token => mapping(address account => address)) successors;
    }

    uint8 internal constant _ISSUE = 1;
    uint8 internal constant _INSTITUTION = 2;
    uint8 internal constant _ACCOUNT = 3;
    uint8 internal constant _NETWORK = 4;
    uint8 internal constant _UNITS = 5;

    uint8 private constant _NO_SALE = 1;
    uint8 private constant _NO_PURCHASE = 2;
    uint8 private constant _BOTH = 3;

    uint8 private constant _ACTIVE = 1;
    uint8 private constant _LIFTED = 2;

    uint8 private constant _INSTRUCTION = 4;
    uint16 private constant _SUPERVISOR = 1 << 9;
    uint40 private constant _HOLD_MAX = 72 hours;
    uint40 private constant _REPOSE = 30 days;

    bytes32 private constant _SUSPENSION =
        keccak256("Suspension(bytes32 basis,bytes32 document,uint40 until,uint256 nonce,uint40 deadline)");
    bytes32 private constant _HOLD = keccak256(
        "AccountHold(address account,bytes32 basis,bytes32 document,uint40 until,uint256 nonce,uint40 deadline)"
    );

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.LegalActions")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc ILegalActions
    function impose(MeasureTerms calldata terms) external onlyOwner returns (uint64) {
        return _impose(terms, false, _grounds());
    }

    /// @inheritdoc ILegalActions
    function lift(uint64 id) external {
        Measure storage measure = _activeMeasure(id);
        Grounds memory grounds;
        uint40 until = measure.terms.until;
        if (until == 0 || block.timestamp <= until) {
            _checkOwner();
            grounds = _grounds();
        }
        measure.status = _LIFTED;
        emit MeasureLifted(id, grounds);
        _release(measure.terms);
    }

    /// @inheritdoc ILegalActions
    function confirm(uint64 id, uint40 until) external onlyOwner {
        Measure storage measure = _activeMeasure(id);
        if (!measure.provisional) revert LegalActionsNotProvisional(id);
        if (block.timestamp > measure.terms.until) revert TooLate(measure.terms.until, block.timestamp);
        _checkUntil(measure.terms.scope, until);
        Grounds memory grounds = _grounds();
        bytes20 author = measure.grounds.author;
        if (grounds.author == author || grounds.approver == author) revert DualControlRequired();
        measure.provisional = false;
        measure.terms.until = until;
        emit MeasureConfirmed(id, until, grounds);
    }

    /// @inheritdoc ILegalActions
    function suspendNetwork(Suspension calldata suspension, bytes calldata signature) external returns (uint64) {
        bytes32 digest = _digest(keccak256(abi.encode(_SUSPENSION, suspension)));
        address signer = Signatures.signerOf(digest, signature);
        IMemberRegistry members = _data().members;
        bytes20 member = members.authorise(signer, _INSTRUCTION, block.timestamp);
        if (member == 0) revert SignatureInvalid(signer);
        (uint16 roles,) = members.memberOf(member);
        if (roles & _SUPERVISOR == 0) revert RoleRequired(bytes32(uint256(_SUPERVISOR)));
        _useOnce(member, suspension.nonce, suspension.deadline);
        MeasureTerms memory terms = MeasureTerms(_NETWORK, 0, suspension.until, address(0), 0, 0);
        return _impose(terms, false, Grounds(digest, member, 0, suspension.basis, suspension.document));
    }

    /// @inheritdoc ILegalActions
    function holdAccount(AccountHold calldata hold, bytes calldata signature) external returns (uint64) {
        bytes32 digest = _digest(keccak256(abi.encode(_HOLD, hold)));
        address signer = Signatures.signerOf(digest, signature);
        Data storage $ = _data();
        bytes20 member = $.members.authorise(signer, _INSTRUCTION, block.timestamp);
        if (member == 0) revert SignatureInvalid(signer);
        (bytes20 manager,) = IAttestedIdentityRegistry($.registry).managerOf(hold.account);
        if (manager != member) revert NotAccountManager(hold.account, member);
        _useOnce(member, hold.nonce, hold.deadline);
        uint256 latest = block.timestamp + _HOLD_MAX;
        if (hold.until == 0 || hold.until > latest) revert LegalActionsHoldTooLong(hold.until, latest);
        uint40 from = $.holdableFrom[hold.account];
        if (block.timestamp < from) revert LegalActionsHoldRepeated(hold.account, from);
        $.holdableFrom[hold.account] = hold.until + _REPOSE;
        MeasureTerms memory terms = MeasureTerms(_ACCOUNT, _BOTH, hold.until, address(0), bytes20(hold.account), 0);
        return _impose(terms, true, Grounds(digest, member, 0, hold.basis, hold.document));
    }

    /// @inheritdoc ILegalActions
    function measureOf(uint64 id) external view returns (Measure memory) {
        return _data().measures[id];
    }

    /// @inheritdoc ILegalActions
    function countOf(uint8 scope, address token, bytes20 subject, uint8 effect) external view returns (uint32) {
        return _bar(scope, token, subject, effect).count;
    }

    /// @inheritdoc ILegalActions
    function nonceUsed(bytes20 member, uint256 nonce) external view returns (bool) {
        return _data().nonces[member][nonce];
    }

    /// @dev Measures on a lost account go along with its units; a hold in all issues stays on both accounts.
    function _follow(address token, address lost, address successor, bool wasFrozen) internal {
        Data storage $ = _data();
        _link(token, lost, successor);
        _moveBar(token, lost, successor, 0, wasFrozen);
        uint8 held = _held(lost);
        if (held == 0) return;
        _link(address(0), lost, successor);
        _moveBar(address(0), lost, successor, _NO_SALE, false);
        _moveBar(address(0), lost, successor, _NO_PURCHASE, false);
        IRestraints($.registry).setHold(successor, _held(successor));
    }

    function _grounds() internal view returns (Grounds memory grounds) {
        grounds = IAuthority(owner()).acting();
        _checkGrounds(grounds);
    }

    function _nextId() internal returns (uint64) {
        return ++_data().last;
    }

    function _data() internal pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken LegalActions";
    }

    function _impose(MeasureTerms memory terms, bool provisional, Grounds memory grounds) private returns (uint64 id) {
        _checkGrounds(grounds);
        _checkTerms(terms);
        _checkNotRecovered(terms);
        id = _nextId();
        _data().measures[id] = Measure(terms, _ACTIVE, provisional, grounds);
        emit MeasureImposed(
            id, terms.scope, terms.token, terms.subject, terms.effect, terms.units, terms.until, provisional, grounds
        );
        _enforce(terms);
    }

    function _enforce(MeasureTerms memory terms) private {
        address account = address(terms.subject);
        if (terms.scope == _UNITS) {
            IERC3643(terms.token).freezePartialTokens(account, terms.units);
        } else if (terms.scope == _ACCOUNT && terms.token == address(0)) {
            if (terms.effect & _NO_SALE != 0) ++_bar(_ACCOUNT, address(0), terms.subject, _NO_SALE).count;
            if (terms.effect & _NO_PURCHASE != 0) ++_bar(_ACCOUNT, address(0), terms.subject, _NO_PURCHASE).count;
            IRestraints(_data().registry).setHold(account, _held(account));
        } else {
            Bar storage bar = _bar(terms.scope, terms.token, terms.subject, 0);
            if (++bar.count > 1) return;
            bar.before = _isBarred(terms.scope, terms.token, account);
            if (!bar.before) _set(terms.scope, terms.token, terms.subject, true);
        }
    }

    function _release(MeasureTerms memory terms) private {
        if (terms.scope == _ACCOUNT && terms.token == address(0)) return _releaseHold(terms);
        bool ofAccount = terms.scope == _ACCOUNT || terms.scope == _UNITS;
        address account = ofAccount ? _holderOf(terms.token, terms.subject) : address(terms.subject);
        if (terms.scope == _UNITS) {
            uint256 units = Math.min(terms.units, IERC3643(terms.token).getFrozenTokens(account));
            if (units != 0) IERC3643(terms.token).unfreezePartialTokens(account, units);
            return;
        }
        Bar storage bar = _bar(terms.scope, terms.token, bytes20(account), 0);
        if (--bar.count > 0 || bar.before) return;
        // Two institutions may have released issue or account by an act of their own.
        bool ofToken = terms.scope == _ACCOUNT || terms.scope == _ISSUE;
        if (ofToken && !_isBarred(terms.scope, terms.token, account)) return;
        _set(terms.scope, terms.token, bytes20(account), false);
    }

    /// @dev The hold stayed on every account that the units passed through.
    function _releaseHold(MeasureTerms memory terms) private {
        bytes20 holder = bytes20(_holderOf(address(0), terms.subject));
        if (terms.effect & _NO_SALE != 0) --_bar(_ACCOUNT, address(0), holder, _NO_SALE).count;
        if (terms.effect & _NO_PURCHASE != 0) --_bar(_ACCOUNT, address(0), holder, _NO_PURCHASE).count;
        uint8 effect = _held(address(holder));
        Data storage $ = _data();
        address account = address(terms.subject);
        while (account != address(0)) {
            IRestraints($.registry).setHold(account, effect);
            account = $.successors[address(0)][account];
        }
    }

    function _set(uint8 scope, address token, bytes20 subject, bool barred) private {
        if (scope == _ISSUE) {
            if (barred) IERC3643(token).pause();
            else IERC3643(token).unpause();
        } else if (scope == _ACCOUNT) {
            IERC3643(token).setAddressFrozen(address(subject), barred);
        } else if (scope == _INSTITUTION) {
            IRestraints(_data().registry).setRestriction(subject, token, barred);
        } else {
            IRestraints(_data().registry).setSuspended(barred);
        }
    }

    /// @dev Restrictions and the suspension are this contract's alone: nobody else sets them before it.
    function _isBarred(uint8 scope, address token, address account) private view returns (bool) {
        if (scope == _ISSUE) return IERC3643(token).paused();
        return scope == _ACCOUNT && IERC3643(token).isFrozen(account);
    }

    function _moveBar(address token, address lost, address successor, uint8 effect, bool wasFrozen) private {
        Bar storage from = _bar(_ACCOUNT, token, bytes20(lost), effect);
        Bar storage to = _bar(_ACCOUNT, token, bytes20(successor), effect);
        to.before = from.before || (to.count == 0 ? wasFrozen : to.before);
        to.count += from.count;
        from.count = 0;
        from.before = false;
    }

    /// @dev An account that was recovered takes part again only by getting back what it lost: so no cycle arises, and
    /// every measure stays where its units are.
    function _link(address token, address lost, address successor) private {
        mapping(address => address) storage successors = _data().successors[token];
        address holder = _holderOf(token, bytes20(successor));
        if (holder != successor && holder != lost) revert LegalActionsAccountRecovered(successor, holder);
        delete successors[successor];
        successors[lost] = successor;
    }

    function _useOnce(bytes20 member, uint256 nonce, uint40 deadline) private {
        if (block.timestamp > deadline) revert TooLate(deadline, block.timestamp);
        mapping(uint256 => bool) storage used = _data().nonces[member];
        if (used[nonce]) revert NonceReplayed(member, nonce);
        used[nonce] = true;
    }

    /// @dev Follows recoveries to the account that holds the units today; {_follow} leaves no cycle.
    function _holderOf(address token, bytes20 subject) private view returns (address account) {
        mapping(address => address) storage successors = _data().successors[token];
        account = address(subject);
        while (successors[account] != address(0)) account = successors[account];
    }

    function _held(address account) private view returns (uint8 effect) {
        bytes20 subject = bytes20(account);
        if (_bar(_ACCOUNT, address(0), subject, _NO_SALE).count != 0) effect |= _NO_SALE;
        if (_bar(_ACCOUNT, address(0), subject, _NO_PURCHASE).count != 0) effect |= _NO_PURCHASE;
    }

    function _bar(uint8 scope, address token, bytes20 subject, uint8 effect) private view returns (Bar storage) {
        return _data().bars[keccak256(abi.encode(scope, token, subject, effect))];
    }

    function _activeMeasure(uint64 id) private view returns (Measure storage measure) {
        measure = _data().measures[id];
        if (measure.status != _ACTIVE) revert LegalActionsMeasureNotActive(id);
    }

    function _checkGrounds(Grounds memory grounds) private pure {
        if (grounds.basis == 0 || grounds.document == 0) revert LegalBasisRequired();
    }

    function _checkTerms(MeasureTerms memory terms) private view {
        (uint8 scope, bool token, bool subject) = (terms.scope, terms.token != address(0), terms.subject != 0);
        bool fits = (scope == _ISSUE && token && !subject) || (scope == _INSTITUTION && subject)
            || (scope == _ACCOUNT && subject) || (scope == _NETWORK && !token && !subject)
            || (scope == _UNITS && token && subject);
        bool holds = scope == _ACCOUNT && !token;
        fits = fits && (holds ? terms.effect != 0 && terms.effect <= _BOTH : terms.effect == 0);
        if (!fits || (terms.units != 0) != (scope == _UNITS)) revert LegalActionsTermsInvalid(scope);
        _checkUntil(scope, terms.until);
    }

    function _checkNotRecovered(MeasureTerms memory terms) private view {
        if (terms.scope != _ACCOUNT && terms.scope != _UNITS) return;
        address holder = _holderOf(terms.token, terms.subject);
        if (bytes20(holder) != terms.subject) revert LegalActionsAccountRecovered(address(terms.subject), holder);
    }

    function _checkUntil(uint8 scope, uint40 until) private view {
        if (until != 0 && until <= block.timestamp) revert LegalActionsTermsInvalid(scope);
    }
}
