// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IAgentRole} from "../interfaces/IAgentRole.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {ICompliance} from "../interfaces/ICompliance.sol";
import {IERC3643} from "../interfaces/IERC3643.sol";
import {Channels, IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {ISecurityToken, Wiring} from "../interfaces/ISecurityToken.sol";
import {RestrictionCodes} from "./RestrictionCodes.sol";
import {TokenActs} from "./TokenActs.sol";

/// @title SecurityToken
contract SecurityToken is TokenActs, IERC20Metadata, IERC20Permit, IERC165 {
    bytes4 private constant _ERC1404 = 0xab84a5c8;
    string private constant _VERSION = "1.0.0";

    bytes32 private constant _PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    /// @inheritdoc ISecurityToken
    function initialize(string calldata name_, string calldata symbol_, bytes12 isin_, Wiring calldata parts)
        external
        initializer
    {
        __Ownable_init(parts.owner);
        _addAgent(parts.agent);
        Data storage $ = _data();
        $.name = name_;
        $.symbol = symbol_;
        $.isin = isin_;
        $.quantity = parts.quantity;
        $.encumbrances = parts.encumbrances;
        $.settlement = parts.settlement;
        $.instructions = parts.instructions;
        $.cfg = _PAUSED;
        _emitInformation();
        emit Paused(msg.sender);
        _setIdentityRegistry(parts.registry);
        _setCompliance(parts.compliance);
    }

    /// @inheritdoc IERC3643
    function setName(string calldata name_) external onlyOwner {
        _data().name = name_;
        _emitInformation();
    }

    /// @inheritdoc IERC3643
    function setSymbol(string calldata symbol_) external onlyOwner {
        _data().symbol = symbol_;
        _emitInformation();
    }

    /// @inheritdoc IERC3643
    function setOnchainID(address onchainID_) external onlyOwner {
        _data().onchainID = onchainID_;
        _emitInformation();
    }

    /// @inheritdoc IERC3643
    function setIdentityRegistry(address identityRegistry_) external onlyOwner {
        _setIdentityRegistry(identityRegistry_);
    }

    /// @inheritdoc IERC3643
    function setCompliance(address compliance_) external onlyOwner {
        _setCompliance(compliance_);
    }

    /// @inheritdoc ISecurityToken
    function refreshCompliance() external {
        address compliance_ = _data().compliance;
        if (msg.sender != compliance_) revert RoleRequired("COMPLIANCE");
        _readCompliance(compliance_);
    }

    /// @inheritdoc IERC20
    function approve(address spender, uint256 value) external returns (bool) {
        _approve(msg.sender, spender, value);
        return true;
    }

    /// @inheritdoc IERC20
    function transfer(address to, uint256 value) external returns (bool) {
        _transfer(msg.sender, to, value, msg.sender, Channels.PLAIN);
        return true;
    }

    /// @inheritdoc IERC20
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        _transfer(from, to, value, msg.sender, Channels.PLAIN);
        return true;
    }

    /// @inheritdoc IERC3643
    function batchTransfer(address[] calldata toList, uint256[] calldata amounts) external {
        _requireLength(toList.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _transfer(msg.sender, toList[i], amounts[i], msg.sender, Channels.PLAIN);
        }
    }

    /// @inheritdoc ISecurityToken
    function settle(address from, address to, uint256 units) external {
        if (msg.sender != _data().settlement) revert RoleRequired("SETTLEMENT");
        _transfer(from, to, units, from, Channels.VENUE);
    }

    /// @inheritdoc ISecurityToken
    function instruct(address from, address to, uint256 units) external {
        if (msg.sender != _data().instructions) revert RoleRequired("INSTRUCTIONS");
        _transfer(from, to, units, from, Channels.INSTRUCTED);
    }

    /// @inheritdoc IERC20Permit
    function permit(address owner_, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (block.timestamp > deadline) revert SecurityTokenPermitExpired(deadline);
        uint256 nonce = _data().nonces[owner_]++;
        bytes32 digest = _digest(keccak256(abi.encode(_PERMIT, owner_, spender, value, nonce, deadline)));
        (address signer,,) = ECDSA.tryRecover(digest, v, r, s);
        if (signer == address(0) || signer != owner_) revert SignatureInvalid(signer);
        _approve(owner_, spender, value);
    }

    /// @inheritdoc ISecurityToken
    function verdict(address from, address to, uint256 amount, address spender)
        external
        view
        returns (bytes memory refusal)
    {
        return _refusal(from, to, amount, spender);
    }

    /// @inheritdoc ISecurityToken
    function detectTransferRestriction(address from, address to, uint256 value) external view returns (uint8) {
        return RestrictionCodes.codeOf(_refusal(from, to, value, from));
    }

    /// @inheritdoc ISecurityToken
    function messageForTransferRestriction(uint8 restrictionCode) external pure returns (string memory) {
        return RestrictionCodes.textOf(restrictionCode);
    }

    /// @inheritdoc IERC20
    function totalSupply() external view returns (uint256) {
        return _data().totalSupply;
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) external view returns (uint256) {
        return _balance(_data().accounts[account].word);
    }

    /// @inheritdoc IERC20
    function allowance(address owner_, address spender) external view returns (uint256) {
        return _data().allowances[owner_][spender];
    }

    /// @inheritdoc IERC20Metadata
    function name() external view returns (string memory) {
        return _data().name;
    }

    /// @inheritdoc IERC20Metadata
    function symbol() external view returns (string memory) {
        return _data().symbol;
    }

    /// @inheritdoc IERC20Metadata
    function decimals() external view returns (uint8) {
        return _decimals();
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner_) external view returns (uint256) {
        return _data().nonces[owner_];
    }

    /// @inheritdoc IERC20Permit
    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparator();
    }

    /// @inheritdoc IERC3643
    function onchainID() external view returns (address) {
        return _data().onchainID;
    }

    /// @inheritdoc IERC3643
    function version() external pure returns (string memory) {
        return _VERSION;
    }

    /// @inheritdoc IERC3643
    function identityRegistry() external view returns (address) {
        return address(_registry(_data().cfg));
    }

    /// @inheritdoc IERC3643
    function compliance() external view returns (address) {
        return _data().compliance;
    }

    /// @inheritdoc IERC3643
    function paused() external view returns (bool) {
        return _data().cfg & _PAUSED != 0;
    }

    /// @inheritdoc IERC3643
    function isFrozen(address userAddress) external view returns (bool) {
        return _data().accounts[userAddress].word & _FROZEN != 0;
    }

    /// @inheritdoc IERC3643
    function getFrozenTokens(address userAddress) external view returns (uint256) {
        Data storage $ = _data();
        return _locked($.accounts[userAddress].word) - $.encumbered[userAddress];
    }

    /// @inheritdoc ISecurityToken
    function accountOf(address account)
        external
        view
        returns (uint256 balance, uint256 frozen, uint256 encumbered, bool isFrozen_)
    {
        Data storage $ = _data();
        uint256 word = $.accounts[account].word;
        encumbered = $.encumbered[account];
        return (_balance(word), _locked(word) - encumbered, encumbered, word & _FROZEN != 0);
    }

    /// @inheritdoc ISecurityToken
    function isin() external view returns (bytes12) {
        return _data().isin;
    }

    /// @inheritdoc ISecurityToken
    function wiring()
        external
        view
        returns (address quantity, address encumbrances, address settlement, address instructions)
    {
        Data storage $ = _data();
        return ($.quantity, $.encumbrances, $.settlement, $.instructions);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IERC165).interfaceId || id == type(IERC20).interfaceId
            || id == type(IERC20Metadata).interfaceId || id == type(IERC20Permit).interfaceId
            || id == type(IERC5267).interfaceId || id == type(IERC3643).interfaceId
            || id == type(IAgentRole).interfaceId || id == type(ISecurityToken).interfaceId || id == _ERC1404;
    }

    function _approve(address owner_, address spender, uint256 value) private {
        _data().allowances[owner_][spender] = value;
        emit Approval(owner_, spender, value);
    }

    /// @dev The words of a registry of another make would mean nothing here.
    function _setIdentityRegistry(address identityRegistry_) private {
        if (!ERC165Checker.supportsInterface(identityRegistry_, type(IAttestedIdentityRegistry).interfaceId)) {
            revert SecurityTokenRegistryUnsupported(identityRegistry_);
        }
        Data storage $ = _data();
        $.cfg = $.cfg >> 160 << 160 | uint160(identityRegistry_);
        emit IdentityRegistryAdded(identityRegistry_);
    }

    function _setCompliance(address compliance_) private {
        Data storage $ = _data();
        address former = $.compliance;
        if (former != address(0)) ICompliance(former).unbindToken(address(this));
        $.compliance = compliance_;
        ICompliance(compliance_).bindToken(address(this));
        _readCompliance(compliance_);
        emit ComplianceAdded(compliance_);
    }

    /// @dev A compliance contract of another make is always asked; the suite's own only once it has rules.
    function _readCompliance(address compliance_) private {
        uint256 options = _ENGAGED;
        if (ERC165Checker.supportsInterface(compliance_, type(IModularCompliance).interfaceId)) {
            options = IModularCompliance(compliance_).engaged() ? _ENGAGED | _NATIVE : 0;
        }
        Data storage $ = _data();
        $.cfg = $.cfg & ~(_ENGAGED | _NATIVE) | options;
    }

    function _emitInformation() private {
        Data storage $ = _data();
        emit UpdatedTokenInformation($.name, $.symbol, _decimals(), _VERSION, $.onchainID);
    }

    function _decimals() private view returns (uint8) {
        return uint8(_data().cfg >> 200);
    }
}
