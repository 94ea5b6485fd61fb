// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Agents} from "../control/Agents.sol";
import {TypedData} from "../control/TypedData.sol";
import {IAgentRole} from "../interfaces/IAgentRole.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {ICompliance} from "../interfaces/ICompliance.sol";
import {IERC1643} from "../interfaces/IERC1643.sol";
import {IERC3643} from "../interfaces/IERC3643.sol";
import {IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {ISecurityToken, Roles, Wiring} from "../interfaces/ISecurityToken.sol";
import {RestrictionCodes} from "./RestrictionCodes.sol";
import {TokenActs} from "./TokenActs.sol";
import {TokenRecords} from "./TokenRecords.sol";

/// @title SecurityTokenExtension
/// @notice What is rarely called of ISecurityToken; SecurityToken delegates to it, in its own storage.
/// @dev Called directly, it finds an empty storage that nobody can initialise: no owner, no agent, no units.
contract SecurityTokenExtension is TokenActs, TokenRecords, Agents, TypedData, IERC20Permit, IERC165 {
    bytes4 private constant _ERC1404 = 0xab84a5c8;
    string private constant _VERSION = "1.0.0";
    /// @dev What legal actions do to a holder, and no more.
    uint16 private constant _LEGAL =
        Roles.FREEZE_ADDRESS | Roles.FREEZE_UNITS | Roles.FORCE | Roles.BURN | Roles.RECOVER | Roles.PAUSE;

    bytes32 private constant _PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    /// @dev See {ISecurityToken-initialize}.
    function initialize(string calldata name_, string calldata symbol_, bytes12 isin_, Wiring calldata parts)
        external
        initializer
    {
        __Ownable_init(parts.owner);
        _addAgent(parts.agent);
        _appoint(parts.encumbrances, Roles.FORCE);
        _appoint(parts.legal, _LEGAL);
        _appoint(parts.conversions, Roles.CONVERT);
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
        emit IERC3643.Paused(msg.sender);
        _setIdentityRegistry(parts.registry);
        _setCompliance(parts.compliance);
    }

    /// @dev See {IERC3643-setName}.
    function setName(string calldata name_) external onlyOwner {
        _data().name = name_;
        _emitInformation();
    }

    /// @dev See {IERC3643-setSymbol}.
    function setSymbol(string calldata symbol_) external onlyOwner {
        _data().symbol = symbol_;
        _emitInformation();
    }

    /// @dev See {IERC3643-setOnchainID}.
    function setOnchainID(address onchainID_) external onlyOwner {
        _data().onchainID = onchainID_;
        _emitInformation();
    }

    /// @dev See {IERC3643-setIdentityRegistry}.
    function setIdentityRegistry(address identityRegistry_) external onlyOwner {
        _setIdentityRegistry(identityRegistry_);
    }

    /// @dev See {IERC3643-setCompliance}.
    function setCompliance(address compliance_) external onlyOwner {
        _setCompliance(compliance_);
    }

    /// @dev See {ISecurityToken-addAgentFor}.
    function addAgentFor(address agent, uint16 roles) external onlyOwner {
        if (agent == address(0) || roles == 0) revert ISecurityToken.SecurityTokenRolesInvalid(roles);
        _appoint(agent, roles);
    }

    /// @dev See {ISecurityToken-refreshCompliance}.
    function refreshCompliance() external {
        address compliance_ = _data().compliance;
        if (msg.sender != compliance_) revert RoleRequired("COMPLIANCE");
        _readCompliance(compliance_);
    }

    /// @inheritdoc IERC20Permit
    function permit(address owner_, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (block.timestamp > deadline) revert ISecurityToken.SecurityTokenPermitExpired(deadline);
        uint256 nonce = _data().nonces[owner_]++;
        bytes32 digest = _digest(keccak256(abi.encode(_PERMIT, owner_, spender, value, nonce, deadline)));
        (address signer,,) = ECDSA.tryRecover(digest, v, r, s);
        if (signer == address(0) || signer != owner_) revert SignatureInvalid(signer);
        _approve(owner_, spender, value);
    }

    /// @dev See {ISecurityToken-detectTransferRestriction}.
    function detectTransferRestriction(address from, address to, uint256 value) external view returns (uint8) {
        // By a call of the token itself: a second copy of every check would be a tenth of this contract.
        return RestrictionCodes.codeOf(ISecurityToken(address(this)).verdict(from, to, value, from));
    }

    /// @dev See {ISecurityToken-messageForTransferRestriction}.
    function messageForTransferRestriction(uint8 restrictionCode) external pure returns (string memory) {
        return RestrictionCodes.textOf(restrictionCode);
    }

    /// @dev See {IERC20Metadata-name}.
    function name() external view returns (string memory) {
        return _data().name;
    }

    /// @dev See {IERC20Metadata-symbol}.
    function symbol() external view returns (string memory) {
        return _data().symbol;
    }

    /// @dev See {IERC20Metadata-decimals}.
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

    /// @dev See {IERC3643-onchainID}.
    function onchainID() external view returns (address) {
        return _data().onchainID;
    }

    /// @dev See {IERC3643-version}.
    function version() external pure returns (string memory) {
        return _VERSION;
    }

    /// @dev See {IERC3643-compliance}.
    function compliance() external view returns (address) {
        return _data().compliance;
    }

    /// @dev See {IERC3643-paused}.
    function paused() external view returns (bool) {
        return _data().cfg & _PAUSED != 0;
    }

    /// @dev See {IERC3643-isFrozen}.
    function isFrozen(address userAddress) external view returns (bool) {
        return _data().accounts[userAddress].word & _FROZEN != 0;
    }

    /// @dev See {IERC3643-getFrozenTokens}.
    function getFrozenTokens(address userAddress) external view returns (uint256) {
        Data storage $ = _data();
        return _locked($.accounts[userAddress].word) - $.encumbered[userAddress];
    }

    /// @dev See {ISecurityToken-accountOf}.
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

    /// @dev See {ISecurityToken-heldOf}.
    function heldOf(address account) external view returns (uint256) {
        return _data().held[account];
    }

    /// @dev See {ISecurityToken-rolesOf}.
    function rolesOf(address agent) external view returns (uint16) {
        return _rolesOf(agent);
    }

    /// @dev See {ISecurityToken-isin}.
    function isin() external view returns (bytes12) {
        return _data().isin;
    }

    /// @dev See {ISecurityToken-wiring}.
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
            || id == type(IERC5267).interfaceId || id == type(IERC3643).interfaceId || id == type(IERC1643).interfaceId
            || id == type(IAgentRole).interfaceId || id == type(ISecurityToken).interfaceId || id == _ERC1404;
    }

    function _appoint(address agent, uint16 roles) private {
        if (agent == address(0)) return;
        _setRoles(agent, roles);
        emit AgentAdded(agent);
        emit ISecurityToken.AgentRolesSet(agent, roles);
    }

    /// @dev The words of a registry of another make would mean nothing here.
    function _setIdentityRegistry(address identityRegistry_) private {
        if (!ERC165Checker.supportsInterface(identityRegistry_, type(IAttestedIdentityRegistry).interfaceId)) {
            revert ISecurityToken.SecurityTokenRegistryUnsupported(identityRegistry_);
        }
        Data storage $ = _data();
        $.cfg = $.cfg >> 160 << 160 | uint160(identityRegistry_);
        emit IERC3643.IdentityRegistryAdded(identityRegistry_);
    }

    function _setCompliance(address compliance_) private {
        Data storage $ = _data();
        address former = $.compliance;
        if (former != address(0)) ICompliance(former).unbindToken(address(this));
        $.compliance = compliance_;
        ICompliance(compliance_).bindToken(address(this));
        _readCompliance(compliance_);
        emit IERC3643.ComplianceAdded(compliance_);
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

    function _domainName() internal pure override returns (string memory) {
        return "stoken SecurityToken";
    }

    function _emitInformation() private {
        Data storage $ = _data();
        emit IERC3643.UpdatedTokenInformation($.name, $.symbol, _decimals(), _VERSION, $.onchainID);
    }

    function _decimals() private view returns (uint8) {
        return uint8(_data().cfg >> 200);
    }
}
