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

    /// @custom:storage-location erc7201:stoken.storage.ModularCompliance
    struct Data {
        /// @dev The version announced last and its block lie beside the token: most calls need no more to find the
        /// rules in force.
        address token;
        uint32 latest;
        uint64 effectiveBlock;
        uint32 holders;
        uint64 noticeBlocks;
        bool engaged;
        bool tracking;
        mapping(uint32 version => Rules.Packed) sets;
        /// @dev unused:144 | position:112; the window limit of a later issue takes the rest.
        mapping(address identity => uint256) positions;
        /// @dev Under which identity an account's units are counted, where it was replaced and counted anew.
        mapping(address account => address) countedAs;
    }

    uint256 private constant _REPLACED = 8;

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.ModularCompliance")) - 1)) & ~bytes32(uint256(0xff));

    modifier onlyToken() {
        if (msg.sender != _data().token) revert ComplianceTokenOnly(msg.sender);
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
        if ($.token != address(0)) revert ComplianceTokenBound($.token);
        if (msg.sender != token && msg.sender != owner()) revert RoleRequired("OWNER");
        // Units that were never counted cannot be judged. A token that binds itself as it is created has no code yet.
        if ($.tracking && token.code.length != 0 && IERC20(token).totalSupply() != 0) {
            revert CompliancePositionsUntracked();
        }
        $.token = token;
        emit TokenBound(token);
    }

    /// @inheritdoc ICompliance
    function unbindToken(address token) external {
        Data storage $ = _data();
        if (token == address(0) || $.token != token) revert ComplianceTokenNotBound(token);
        if (msg.sender != token && msg.sender != owner()) revert RoleRequired("OWNER");
        $.token = address(0);
        emit TokenUnbound(token);
    }

    /// @inheritdoc IModularCompliance
    function announceRules(RuleSet calldata rules_, uint64 effectiveBlock) external onlyOwner {
        Data storage $ = _data();
        bool minted = $.token != address(0) && IERC20($.token).totalSupply() != 0;
        if (minted) {
            if (!$.tracking && rules_.counts()) revert CompliancePositionsUntracked();
            _requireNotice(effectiveBlock, block.number + $.noticeBlocks);
        } else if (effectiveBlock < block.number) {
            effectiveBlock = uint64(block.number);
        }
        _requireNotice(effectiveBlock, $.effectiveBlock);
        _announce(rules_, effectiveBlock);
        if ($.token != address(0)) ISecurityToken($.token).refreshCompliance();
    }

    /// @inheritdoc IModularCompliance
    function move(address from, address to, uint256 amount, uint256 fromWord, uint256 toWord, uint256 supply)
        external
        onlyToken
    {
        address sender = _counted(from, fromWord);
        address receiver = _counted(to, toWord);
        bytes memory refusal = _refusal(from, to, amount, sender, receiver, toWord, supply);
        if (refusal.length != 0) {
            assembly ("memory-safe") {
                revert(add(refusal, 0x20), mload(refusal))
            }
        }
        _record(sender, receiver, amount);
    }

    /// @inheritdoc IModularCompliance
    function recordMove(address from, address to, uint256 amount, uint256 fromWord, uint256 toWord) external onlyToken {
        _record(_counted(from, fromWord), _counted(to, toWord), amount);
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
        _record(former, present, IERC20($.token).balanceOf(account));
    }

    /// @inheritdoc IModularCompliance
    function check(address from, address to, uint256 amount, uint256 fromWord, uint256 toWord, uint256 supply)
        external
        view
        returns (bytes memory refusal)
    {
        return _refusal(from, to, amount, _counted(from, fromWord), _counted(to, toWord), toWord, supply);
    }

    /// @inheritdoc ICompliance
    function canTransfer(address from, address to, uint256 amount) external view returns (bool) {
        (uint256 fromWord, uint256 toWord) = _registry().pair(from, to);
        uint256 supply = IERC20(_data().token).totalSupply();
        address sender = _counted(from, fromWord);
        return _refusal(from, to, amount, sender, _counted(to, toWord), toWord, supply).length == 0;
    }

    /// @inheritdoc ICompliance
    function isTokenBound(address token) external view returns (bool) {
        return token != address(0) && _data().token == token;
    }

    /// @inheritdoc ICompliance
    function getTokenBound() external view returns (address) {
        return _data().token;
    }

    /// @inheritdoc IModularCompliance
    function engaged() external view returns (bool) {
        return _data().engaged;
    }

    /// @inheritdoc IModularCompliance
    function noticeBlocks() external view returns (uint64) {
        return _data().noticeBlocks;
    }

    /// @inheritdoc IModularCompliance
    function rules() external view returns (uint32 version, RuleSet memory inForce) {
        Data storage $ = _data();
        version = _versionInForce($);
        inForce = $.sets[version].unpack();
    }

    /// @inheritdoc IModularCompliance
    function ruleSet(uint32 version) external view returns (uint64 effectiveBlock, RuleSet memory announced) {
        Rules.Packed storage packed = _data().sets[version];
        return (packed.effectiveBlock, packed.unpack());
    }

    /// @inheritdoc IModularCompliance
    function positionOf(address identity) external view returns (uint256) {
        return _data().positions[identity];
    }

    /// @inheritdoc IModularCompliance
    function holders() external view returns (uint256) {
        return _data().holders;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(ICompliance).interfaceId
            || interfaceId == type(IModularCompliance).interfaceId;
    }

    function _announce(RuleSet calldata rules_, uint64 effectiveBlock) private {
        if (rules_.capBps > 10_000) revert ComplianceRuleSetInvalid();
        Data storage $ = _data();
        uint32 version = $.latest + 1;
        $.latest = version;
        $.effectiveBlock = effectiveBlock;
        Rules.Packed storage packed = $.sets[version];
        packed.pack(rules_, effectiveBlock);
        if (rules_.counts()) $.tracking = true;
        // Once on, the token keeps calling: a count that missed a move would be worse than the gas.
        if (packed.any()) $.engaged = true;
        emit RuleSetAnnounced(version, effectiveBlock, rules_);
    }

    /// @dev Moves units between the positions of two identities; the zero identity has none.
    function _record(address sender, address receiver, uint256 amount) private {
        Data storage $ = _data();
        if (sender == receiver || amount == 0 || !$.tracking) return;
        uint32 count = $.holders;
        uint32 former = count;
        if (sender != address(0)) {
            uint256 position = $.positions[sender];
            // Never more than was counted: no mistake of a count may keep a burn or a court's order from happening.
            uint256 rest = position > amount ? position - amount : 0;
            $.positions[sender] = rest;
            if (position != 0 && rest == 0) count--;
        }
        if (receiver != address(0)) {
            uint256 position = $.positions[receiver];
            $.positions[receiver] = position + amount;
            if (position == 0) count++;
        }
        if (count != former) $.holders = count;
    }

    function _recordByAccount(address from, address to, uint256 amount) private {
        (uint256 fromWord, uint256 toWord) = _registry().pair(from, to);
        _record(_counted(from, fromWord), _counted(to, toWord), amount);
    }

    function _refusal(
        address from,
        address to,
        uint256 amount,
        address sender,
        address receiver,
        uint256 toWord,
        uint256 supply
    ) private view returns (bytes memory) {
        if (sender == receiver) return "";
        Data storage $ = _data();
        Rules.Packed storage packed = $.sets[_versionInForce($)];
        uint256 word = packed.word;
        if (word == 0) return "";
        Rules.Move memory judged = Rules.Move({
            from: from,
            to: to,
            amount: amount,
            toWord: toWord,
            identity: receiver,
            position: $.positions[receiver],
            leaves: sender != address(0) && $.positions[sender] == amount,
            holders: $.holders,
            supply: supply
        });
        return packed.refusal(word, judged);
    }

    /// @dev The identity under which an account's units are counted: its own, unless that was ever replaced.
    function _counted(address account, uint256 word) private view returns (address identity) {
        if (word & _REPLACED == 0) return address(uint160(word >> 96));
        identity = _data().countedAs[account];
        if (identity == address(0)) identity = _registry().firstIdentityOf(account);
    }

    /// @dev The latest of the versions whose block has come; zero, which has no rules, if none has.
    function _versionInForce(Data storage $) private view returns (uint32 version) {
        version = $.latest;
        if ($.effectiveBlock <= block.number) return version;
        do {
            version--;
        } while (version != 0 && $.sets[version].effectiveBlock > block.number);
    }

    function _registry() private view returns (IAttestedIdentityRegistry) {
        return IAttestedIdentityRegistry(IERC3643(_data().token).identityRegistry());
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
