// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Governed} from "../control/Governed.sol";
import {IComplianceModule, Movement} from "../interfaces/IComplianceModule.sol";
import {ICompliance} from "../interfaces/ICompliance.sol";
import {Channels, IModularCompliance, RuleSet} from "../interfaces/IModularCompliance.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";
import {Modules} from "./Modules.sol";
import {Positions} from "./Positions.sol";
import {Rules} from "./Rules.sol";

/// @title ModularCompliance
contract ModularCompliance is Governed, Positions, IModularCompliance, IERC165 {
    using Modules for uint256;
    using Modules for uint256[];
    using Modules for Rules.Packed;
    using Rules for Rules.Packed;
    using Rules for RuleSet;

    modifier onlyToken() {
        if (msg.sender != _token()) revert ComplianceTokenOnly(msg.sender);
        _;
    }

    /// @inheritdoc IModularCompliance
    function initialize(address owner, RuleSet calldata rules_, uint64 noticeBlocks_) external initializer {
        __Ownable_init(owner);
        _data().noticeBlocks = noticeBlocks_;
        _announce(rules_, new uint256[](0), uint64(block.number));
    }

    /// @inheritdoc ICompliance
    function bindToken(address token) external {
        Data storage $ = _data();
        if (msg.sender != token && msg.sender != owner()) revert RoleRequired("OWNER");
        // The owner may bind a token that sets this contract later, so that no stranger is first.
        if (token != address(0) && _token() == token) return;
        if (_token() != address(0)) revert ComplianceTokenBound(_token());
        // Units that were never counted cannot be judged. A token that binds itself as it is created has no code yet.
        if ($.head & _TRACKING != 0 && token.code.length != 0 && IERC20(token).totalSupply() != 0) {
            revert CompliancePositionsUntracked();
        }
        $.head |= uint160(token);
        emit TokenBound(token);
    }

    /// @inheritdoc ICompliance
    function unbindToken(address token) external {
        Data storage $ = _data();
        if (token == address(0) || _token() != token) revert ComplianceTokenNotBound(token);
        if (msg.sender != token && msg.sender != owner()) revert RoleRequired("OWNER");
        $.head ^= uint160(token);
        emit TokenUnbound(token);
    }

    /// @inheritdoc IModularCompliance
    function announceRules(RuleSet calldata rules_, uint64 effectiveBlock) external onlyOwner {
        Data storage $ = _data();
        _announceNext($, rules_, $.sets[_latest($.head)].list(), effectiveBlock);
    }

    /// @inheritdoc IModularCompliance
    function addModule(address module, uint64 effectiveBlock) external onlyOwner {
        if (module.code.length == 0) revert ComplianceModuleInvalid(module);
        uint16 capabilities = IComplianceModule(module).bind();
        Data storage $ = _data();
        Rules.Packed storage last = $.sets[_latest($.head)];
        uint256[] memory entries = last.list();
        if (entries.contains(module)) revert ComplianceModuleBound(module);
        uint32 version = _announceNext($, last.unpack(), entries.including(module, capabilities), effectiveBlock);
        emit ModuleAdded(version, module, capabilities, module.codehash);
    }

    /// @inheritdoc IModularCompliance
    function removeModule(address module, uint64 effectiveBlock) external onlyOwner {
        Data storage $ = _data();
        Rules.Packed storage last = $.sets[_latest($.head)];
        uint256[] memory entries = last.list();
        if (!entries.contains(module)) revert ComplianceModuleNotBound(module);
        uint32 version = _announceNext($, last.unpack(), entries.excluding(module), effectiveBlock);
        emit ModuleRemoved(version, module);
        Modules.dismiss(module);
    }

    /// @inheritdoc IModularCompliance
    function move(
        address from,
        address to,
        uint256 amount,
        uint256 fromWord,
        uint256 toWord,
        uint256 supply,
        uint8 channel
    ) external {
        Data storage $ = _data();
        uint256 head = _open($);
        (address sender, address receiver) = (_counted(from, fromWord), _counted(to, toWord));
        if (sender == receiver) return;
        Movement memory movement = Movement(from, to, sender, receiver, fromWord, toWord, amount, supply, channel);
        Rules.Packed storage packed = $.sets[_versionInForce($, head)];
        uint256 word = packed.word;
        (Position storage source, Position storage target) = ($.positions[sender], $.positions[receiver]);
        (uint256 sent, uint256 received) = _words(head, source, target, sender);
        (bytes memory refusal, uint256 held) = packed.judge(word, movement, sent, received, uint32(head >> 160));
        _revert(refusal);
        if (amount == 0) return;
        if (head & _TRACKING != 0) _record($, head, source, target, sent, received, held, amount);
        uint256 count = uint8(word >> 24);
        if (count != 0) _tellModules($, packed, count, movement);
    }

    /// @inheritdoc IModularCompliance
    function moveMany(
        address from,
        address[] calldata toList,
        uint256[] calldata amounts,
        uint256 fromWord,
        uint256[] calldata toWords,
        uint256 supply,
        uint8 channel
    ) external {
        Data storage $ = _data();
        uint256 head = _open($);
        Rules.Packed storage packed = $.sets[_versionInForce($, head)];
        uint256 word = packed.word;
        if (uint8(word >> 24) != 0) revert ComplianceModulesInForce();
        address sender = _counted(from, fromWord);
        Movement memory movement = Movement(from, from, sender, sender, fromWord, fromWord, 0, supply, channel);
        bool tracking = head & _TRACKING != 0;
        uint256 sent = tracking ? $.positions[sender].word : 0;
        uint256 counted = head;
        for (uint256 i = 0; i < toList.length; ++i) {
            (movement.to, movement.amount, movement.toWord) = (toList[i], amounts[i], toWords[i]);
            movement.receiver = _counted(movement.to, movement.toWord);
            if (movement.receiver == sender) continue;
            Position storage target = $.positions[movement.receiver];
            uint256 received = tracking ? target.word : 0;
            (bytes memory refusal, uint256 held) = packed.judge(word, movement, sent, received, uint32(counted >> 160));
            _revert(refusal);
            if (!tracking || movement.amount == 0) continue;
            (sent, counted) = _taken(counted, sent, movement.amount);
            target.word = held;
            counted = _given(counted, received);
        }
        // Nobody but the sender gave units, and nothing was called: its position is written once.
        if (tracking) $.positions[sender].word = sent;
        if (counted != head) $.head = counted;
    }

    /// @inheritdoc IModularCompliance
    function recordMove(address from, address to, uint256 amount, uint256 fromWord, uint256 toWord) external onlyToken {
        (address sender, address receiver) = (_counted(from, fromWord), _counted(to, toWord));
        _recordBetween(sender, receiver, amount);
        if (receiver == address(0) || sender == receiver || amount == 0) return;
        emit UnitsRelocated(sender, receiver, amount);
    }

    /// @inheritdoc ICompliance
    function transferred(address from, address to, uint256 amount) external onlyToken {
        _recordByAccount(from, to, amount);
    }

    /// @inheritdoc ICompliance
    function created(address to, uint256 amount) external onlyToken {
        _recordByAccount(address(0), to, amount);
    }

    /// @inheritdoc ICompliance
    function destroyed(address from, uint256 amount) external onlyToken {
        _recordByAccount(from, address(0), amount);
    }

    /// @inheritdoc IModularCompliance
    function recount(address account) external {
        Data storage $ = _data();
        uint256 word = _registry().wordOf(account);
        address present = address(uint160(word >> 96));
        address former = _counted(account, word);
        if (present == address(0) || present == former) return;
        $.countedAs[account] = present;
        emit AccountRecounted(account, present);
        _recordBetween(former, present, IERC20(_token()).balanceOf(account));
    }

    /// @inheritdoc IModularCompliance
    function check(
        address from,
        address to,
        uint256 amount,
        uint256 fromWord,
        uint256 toWord,
        uint256 supply,
        uint8 channel
    ) external view returns (bytes memory refusal) {
        return _check(Movement(from, to, address(0), address(0), fromWord, toWord, amount, supply, channel));
    }

    /// @inheritdoc ICompliance
    function canTransfer(address from, address to, uint256 amount) external view returns (bool) {
        (uint256 fromWord, uint256 toWord) = _registry().pair(from, to);
        uint256 supply = IERC20(_token()).totalSupply();
        uint8 channel = from == address(0) ? Channels.MINT : Channels.PLAIN;
        Movement memory movement = Movement(from, to, address(0), address(0), fromWord, toWord, amount, supply, channel);
        return _check(movement).length == 0;
    }

    /// @inheritdoc ICompliance
    function isTokenBound(address token) external view returns (bool) {
        return token != address(0) && _token() == token;
    }

    /// @inheritdoc ICompliance
    function getTokenBound() external view returns (address) {
        return _token();
    }

    /// @inheritdoc IModularCompliance
    function engaged() external view returns (bool) {
        return _data().head & _ENGAGED != 0;
    }

    /// @inheritdoc IModularCompliance
    function takesBatches() external view returns (bool) {
        Data storage $ = _data();
        return uint8($.sets[_versionInForce($, $.head)].word >> 24) == 0;
    }

    /// @inheritdoc IModularCompliance
    function noticeBlocks() external view returns (uint64) {
        return _data().noticeBlocks;
    }

    /// @inheritdoc IModularCompliance
    function rules() external view returns (uint32 version, RuleSet memory inForce) {
        Data storage $ = _data();
        version = _versionInForce($, $.head);
        inForce = $.sets[version].unpack();
    }

    /// @inheritdoc IModularCompliance
    function ruleSet(uint32 version) external view returns (uint64 effectiveBlock, RuleSet memory announced) {
        Rules.Packed storage packed = _known(version);
        return (packed.effectiveBlock, packed.unpack());
    }

    /// @inheritdoc IModularCompliance
    function modules(uint32 version) external view returns (address[] memory) {
        return _known(version).list().addresses();
    }

    /// @inheritdoc IModularCompliance
    function getModules() external view returns (address[] memory) {
        return _entriesInForce().addresses();
    }

    /// @inheritdoc IModularCompliance
    function isModuleBound(address module) external view returns (bool) {
        return _entriesInForce().contains(module);
    }

    /// @inheritdoc IModularCompliance
    function positionOf(address identity) external view returns (uint256) {
        return _data().positions[identity].word & Rules.UNITS;
    }

    /// @inheritdoc IModularCompliance
    function windowOf(address identity) external view returns (uint256 units, uint256 since) {
        uint256 word = _data().positions[identity].word;
        return (uint104(word >> 112), word >> 216);
    }

    /// @inheritdoc IModularCompliance
    function holders() external view returns (uint256) {
        return uint32(_data().head >> 160);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(ICompliance).interfaceId
            || interfaceId == type(IModularCompliance).interfaceId;
    }

    /// @dev Announces a version with the notice that holders are due.
    function _announceNext(Data storage $, RuleSet memory rules_, uint256[] memory entries, uint64 effectiveBlock)
        private
        returns (uint32 version)
    {
        address token = _token();
        if (token != address(0) && IERC20(token).totalSupply() != 0) {
            if ($.head & _TRACKING == 0 && rules_.counts()) revert CompliancePositionsUntracked();
            _requireNotice(effectiveBlock, block.number + $.noticeBlocks);
        } else if (effectiveBlock < block.number) {
            effectiveBlock = uint64(block.number);
        }
        _requireNotice(effectiveBlock, $.effectiveBlock);
        version = _announce(rules_, entries, effectiveBlock);
        if (token != address(0)) ISecurityToken(token).refreshCompliance();
    }

    function _announce(RuleSet memory rules_, uint256[] memory entries, uint64 effectiveBlock)
        private
        returns (uint32 version)
    {
        if (!rules_.valid()) revert ComplianceRuleSetInvalid();
        Data storage $ = _data();
        uint256 head = $.head + _VERSION;
        version = _latest(head);
        Rules.Packed storage packed = $.sets[version];
        packed.pack(rules_, effectiveBlock, entries);
        if (rules_.counts()) head |= _TRACKING;
        // Once on, the token keeps calling: a count that missed a move would be worse than the gas.
        if (packed.word != 0) head |= _ENGAGED;
        ($.head, $.effectiveBlock) =
        (effectiveBlock > block.number ? head | _PENDING : head & ~_PENDING, effectiveBlock);
        emit RuleSetAnnounced(version, effectiveBlock, rules_);
    }

    /// @dev What every judged move reads first, for the token alone and not while a module is asked.
    function _open(Data storage $) private returns (uint256 head) {
        head = $.head;
        if (msg.sender != address(uint160(head))) revert ComplianceTokenOnly(msg.sender);
        if (head & _LOCKED != 0) revert ComplianceReentered();
        if (head & _PENDING != 0 && $.effectiveBlock <= block.number) $.head = head ^= _PENDING;
    }

    /// @dev What {move} would revert with.
    function _check(Movement memory movement) private view returns (bytes memory refusal) {
        Data storage $ = _data();
        uint256 head = $.head;
        if (head & _LOCKED != 0) return abi.encodeWithSelector(ComplianceReentered.selector);
        movement.sender = _counted(movement.from, movement.fromWord);
        movement.receiver = _counted(movement.to, movement.toWord);
        if (movement.sender == movement.receiver) return "";
        Rules.Packed storage packed = $.sets[_versionInForce($, head)];
        uint256 word = packed.word;
        (uint256 sent, uint256 received) =
            _words(head, $.positions[movement.sender], $.positions[movement.receiver], movement.sender);
        (refusal,) = packed.judge(word, movement, sent, received, uint32(head >> 160));
        if (movement.amount == 0) return refusal;
        uint256 count = uint8(word >> 24);
        if (count == 0 || refusal.length != 0) return refusal;
        bytes memory question = Modules.question(movement);
        for (uint256 i = 0; i < count && refusal.length == 0; i++) {
            uint256 entry = packed.modules[i];
            if (entry.concerns(movement)) refusal = entry.ask(question);
        }
    }

    /// @dev Asks the modules after everything else is recorded. The lock is set before the first that could act on it.
    function _tellModules(Data storage $, Rules.Packed storage packed, uint256 count, Movement memory movement)
        private
    {
        bool locked = false;
        bytes memory question = Modules.question(movement);
        for (uint256 i = 0; i < count; i++) {
            uint256 entry = packed.modules[i];
            if (!entry.concerns(movement)) continue;
            if (!entry.keepsState()) {
                _revert(entry.ask(question));
                continue;
            }
            if (!locked) $.head |= _LOCKED;
            locked = true;
            _revert(entry.tell(question));
        }
        if (locked) $.head ^= _LOCKED;
    }

    function _revert(bytes memory refusal) private pure {
        if (refusal.length == 0) return;
        assembly ("memory-safe") {
            revert(add(refusal, 0x20), mload(refusal))
        }
    }

    function _entriesInForce() private view returns (uint256[] memory) {
        Data storage $ = _data();
        return $.sets[_versionInForce($, $.head)].list();
    }

    /// @dev A version that was announced.
    function _known(uint32 version) private view returns (Rules.Packed storage) {
        Data storage $ = _data();
        if (version == 0 || version > _latest($.head)) revert RuleVersionUnknown(version);
        return $.sets[version];
    }

    function _requireNotice(uint64 effectiveBlock, uint256 earliest) private pure {
        if (effectiveBlock < earliest) revert ComplianceNoticeTooShort(effectiveBlock, earliest);
    }
}
