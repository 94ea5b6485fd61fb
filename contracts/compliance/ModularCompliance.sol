// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Governed} from "../control/Governed.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {ICompliance} from "../interfaces/ICompliance.sol";
import {IERC3643} from "../interfaces/IERC3643.sol";
import {IModularCompliance, RuleSet} from "../interfaces/IModularCompliance.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";
import {Rules} from "./Rules.sol";

/// @title ModularCompliance
contract ModularCompliance is Governed, IModularCompliance, IERC165 {
    using Rules for Rules.Packed;
    using Rules for RuleSet;

    /// @dev One word for what every move reads; `pending` says that the version announced last may not be in force.
    struct Head {
        address token;
        uint32 holders;
        uint32 latest;
        bool tracking;
        bool engaged;
        bool pending;
    }

    /// @dev A struct of one word, so that a move works out its slot once.
    struct Position {
        /// @dev unused:144 | units:112; the window limit of a later issue takes the rest.
        uint256 word;
    }

    /// @custom:storage-location erc7201:stoken.storage.ModularCompliance
    struct Data {
        Head head;
        uint64 effectiveBlock;
        uint64 noticeBlocks;
        mapping(uint32 version => Rules.Packed) sets;
        mapping(address identity => Position) positions;
        /// @dev Under which identity an account's units are counted, where it was replaced and counted anew.
        mapping(address account => address) countedAs;
    }

    uint256 private constant _REPLACED = 8;

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.ModularCompliance")) - 1)) & ~bytes32(uint256(0xff));

    modifier onlyToken() {
        if (msg.sender != _data().head.token) revert ComplianceTokenOnly(msg.sender);
        _;
    }

    /// @inheritdoc IModularCompliance
    function initialize(address owner, RuleSet calldata rules_, uint64 noticeBlocks_) external initializer {
        __Ownable_init(owner);
        _data().noticeBlocks = noticeBlocks_;
        _announce(rules_, uint64(block.number));
    }

    /// @inheritdoc ICompliance
    function bindToken(address token) external {
        Data storage $ = _data();
        if ($.head.token != address(0)) revert ComplianceTokenBound($.head.token);
        if (msg.sender != token && msg.sender != owner()) revert RoleRequired("OWNER");
        // Units that were never counted cannot be judged. A token that binds itself as it is created has no code yet.
        if ($.head.tracking && token.code.length != 0 && IERC20(token).totalSupply() != 0) {
            revert CompliancePositionsUntracked();
        }
        $.head.token = token;
        emit TokenBound(token);
    }

    /// @inheritdoc ICompliance
    function unbindToken(address token) external {
        Data storage $ = _data();
        if (token == address(0) || $.head.token != token) revert ComplianceTokenNotBound(token);
        if (msg.sender != token && msg.sender != owner()) revert RoleRequired("OWNER");
        $.head.token = address(0);
        emit TokenUnbound(token);
    }

    /// @inheritdoc IModularCompliance
    function announceRules(RuleSet calldata rules_, uint64 effectiveBlock) external onlyOwner {
        Data storage $ = _data();
        bool minted = $.head.token != address(0) && IERC20($.head.token).totalSupply() != 0;
        if (minted) {
            if (!$.head.tracking && rules_.counts()) revert CompliancePositionsUntracked();
            _requireNotice(effectiveBlock, block.number + $.noticeBlocks);
        } else if (effectiveBlock < block.number) {
            effectiveBlock = uint64(block.number);
        }
        _requireNotice(effectiveBlock, $.effectiveBlock);
        _announce(rules_, effectiveBlock);
        if ($.head.token != address(0)) ISecurityToken($.head.token).refreshCompliance();
    }

    /// @inheritdoc IModularCompliance
    /// @dev No rule asks for the channel yet.
    function move(
        address from,
        address to,
        uint256 amount,
        uint256 fromWord,
        uint256 toWord,
        uint256 supply,
        uint8 /* channel */
    )
        external
    {
        Data storage $ = _data();
        Head memory head = $.head;
        if (msg.sender != head.token) revert ComplianceTokenOnly(msg.sender);
        if (head.pending && $.effectiveBlock <= block.number) $.head.pending = head.pending = false;
        address sender = _counted(from, fromWord);
        address receiver = _counted(to, toWord);
        Position storage source = $.positions[sender];
        Position storage target = $.positions[receiver];
        Rules.Pair memory pair = _pair(head, source, target, sender, receiver);
        bytes memory refusal = _refusal($, head, pair, Rules.Move(to, amount, toWord, supply));
        if (refusal.length != 0) {
            assembly ("memory-safe") {
                revert(add(refusal, 0x20), mload(refusal))
            }
        }
        _record($, head, source, target, pair, amount);
    }

    /// @inheritdoc IModularCompliance
    function recordMove(address from, address to, uint256 amount, uint256 fromWord, uint256 toWord) external onlyToken {
        _recordBetween(_counted(from, fromWord), _counted(to, toWord), amount);
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
        _recordBetween(former, present, IERC20($.head.token).balanceOf(account));
    }

    /// @inheritdoc IModularCompliance
    function check(
        address from,
        address to,
        uint256 amount,
        uint256 fromWord,
        uint256 toWord,
        uint256 supply,
        uint8 /* channel */
    )
        external
        view
        returns (bytes memory refusal)
    {
        return _check(from, to, amount, fromWord, toWord, supply);
    }

    /// @inheritdoc ICompliance
    function canTransfer(address from, address to, uint256 amount) external view returns (bool) {
        (uint256 fromWord, uint256 toWord) = _registry().pair(from, to);
        uint256 supply = IERC20(_data().head.token).totalSupply();
        return _check(from, to, amount, fromWord, toWord, supply).length == 0;
    }

    /// @inheritdoc ICompliance
    function isTokenBound(address token) external view returns (bool) {
        return token != address(0) && _data().head.token == token;
    }

    /// @inheritdoc ICompliance
    function getTokenBound() external view returns (address) {
        return _data().head.token;
    }

    /// @inheritdoc IModularCompliance
    function engaged() external view returns (bool) {
        return _data().head.engaged;
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
        Rules.Packed storage packed = _data().sets[version];
        return (packed.effectiveBlock, packed.unpack());
    }

    /// @inheritdoc IModularCompliance
    function positionOf(address identity) external view returns (uint256) {
        return _data().positions[identity].word;
    }

    /// @inheritdoc IModularCompliance
    function holders() external view returns (uint256) {
        return _data().head.holders;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(ICompliance).interfaceId
            || interfaceId == type(IModularCompliance).interfaceId;
    }

    function _announce(RuleSet calldata rules_, uint64 effectiveBlock) private {
        if (rules_.capBps > 10_000) revert ComplianceRuleSetInvalid();
        Data storage $ = _data();
        uint32 version = $.head.latest + 1;
        $.head.latest = version;
        $.effectiveBlock = effectiveBlock;
        $.head.pending = effectiveBlock > block.number;
        Rules.Packed storage packed = $.sets[version];
        packed.pack(rules_, effectiveBlock);
        if (rules_.counts()) $.head.tracking = true;
        // Once on, the token keeps calling: a count that missed a move would be worse than the gas.
        if (packed.any()) $.head.engaged = true;
        emit RuleSetAnnounced(version, effectiveBlock, rules_);
    }

    /// @dev The positions of both identities; the zero identity has none.
    function _pair(Head memory head, Position storage source, Position storage target, address sender, address receiver)
        private
        view
        returns (Rules.Pair memory pair)
    {
        (pair.sender, pair.receiver) = (sender, receiver);
        if (!head.tracking || sender == receiver) return pair;
        if (sender != address(0)) pair.sent = source.word;
        if (receiver != address(0)) pair.received = target.word;
    }

    /// @dev Moves units between two positions.
    function _record(
        Data storage $,
        Head memory head,
        Position storage source,
        Position storage target,
        Rules.Pair memory pair,
        uint256 amount
    ) private {
        if (pair.sender == pair.receiver || amount == 0 || !head.tracking) return;
        uint32 count = head.holders;
        if (pair.sender != address(0)) {
            // Never more than was counted: no mistake of a count may keep a burn or a court's order from happening.
            uint256 rest = pair.sent > amount ? pair.sent - amount : 0;
            source.word = rest;
            if (pair.sent != 0 && rest == 0) count--;
        }
        if (pair.receiver != address(0)) {
            target.word = pair.received + amount;
            if (pair.received == 0) count++;
        }
        if (count != head.holders) $.head.holders = count;
    }

    function _recordBetween(address sender, address receiver, uint256 amount) private {
        Data storage $ = _data();
        Head memory head = $.head;
        Position storage source = $.positions[sender];
        Position storage target = $.positions[receiver];
        _record($, head, source, target, _pair(head, source, target, sender, receiver), amount);
    }

    function _recordByAccount(address from, address to, uint256 amount) private {
        (uint256 fromWord, uint256 toWord) = _registry().pair(from, to);
        _recordBetween(_counted(from, fromWord), _counted(to, toWord), amount);
    }

    function _check(address from, address to, uint256 amount, uint256 fromWord, uint256 toWord, uint256 supply)
        private
        view
        returns (bytes memory)
    {
        Data storage $ = _data();
        Head memory head = $.head;
        address sender = _counted(from, fromWord);
        address receiver = _counted(to, toWord);
        Rules.Pair memory pair = _pair(head, $.positions[sender], $.positions[receiver], sender, receiver);
        return _refusal($, head, pair, Rules.Move(to, amount, toWord, supply));
    }

    function _refusal(Data storage $, Head memory head, Rules.Pair memory pair, Rules.Move memory judged)
        private
        view
        returns (bytes memory)
    {
        if (pair.sender == pair.receiver) return "";
        Rules.Packed storage packed = $.sets[_versionInForce($, head)];
        uint256 word = packed.word;
        return word == 0 ? bytes("") : packed.refusal(word, judged, pair, head.holders);
    }

    /// @dev The identity under which an account's units are counted: its own, unless that was ever replaced.
    function _counted(address account, uint256 word) private view returns (address identity) {
        if (word & _REPLACED == 0) return address(uint160(word >> 96));
        identity = _data().countedAs[account];
        if (identity == address(0)) identity = _registry().firstIdentityOf(account);
    }

    /// @dev The latest of the versions whose block has come; zero, which has no rules, if none has.
    function _versionInForce(Data storage $, Head memory head) private view returns (uint32 version) {
        version = head.latest;
        if (!head.pending || $.effectiveBlock <= block.number) return version;
        do {
            version--;
        } while (version != 0 && $.sets[version].effectiveBlock > block.number);
    }

    function _registry() private view returns (IAttestedIdentityRegistry) {
        return IAttestedIdentityRegistry(IERC3643(_data().head.token).identityRegistry());
    }

    function _requireNotice(uint64 effectiveBlock, uint256 earliest) private pure {
        if (effectiveBlock < earliest) revert ComplianceNoticeTooShort(effectiveBlock, earliest);
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
