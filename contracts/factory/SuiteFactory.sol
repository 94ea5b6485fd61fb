// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";

import {Isin} from "./Isin.sol";
import {Governed} from "../control/Governed.sol";
import {IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {ISecurityToken, Wiring} from "../interfaces/ISecurityToken.sol";
import {ISuiteFactory, IssueParams, SuiteParts} from "../interfaces/ISuiteFactory.sol";

/// @title SuiteFactory
contract SuiteFactory is Governed, ISuiteFactory {
    /// @custom:storage-location erc7201:stoken.storage.SuiteFactory
    struct Data {
        SuiteParts parts;
        mapping(bytes12 isin => address token) tokens;
    }

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.SuiteFactory")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc ISuiteFactory
    function initialize(address owner, SuiteParts calldata suite) external initializer {
        __Ownable_init(owner);
        _data().parts = suite;
        _setImplementations(suite.tokenImplementation, suite.complianceImplementation);
    }

    /// @inheritdoc ISuiteFactory
    function createIssue(IssueParams calldata params) external onlyOwner returns (address token, address compliance) {
        if (!Isin.isValid(params.isin)) revert IdentifierInvalid(params.isin);
        Data storage $ = _data();
        token = $.tokens[params.isin];
        if (token != address(0)) revert SuiteFactoryIssueExists(params.isin, token);
        // Known before the token exists: the factory is done when it calls out.
        (token, compliance) = predict(params);
        $.tokens[params.isin] = token;
        (address tokenCode, address complianceCode) = ($.parts.tokenImplementation, $.parts.complianceImplementation);
        emit IssueCreated(params.isin, token, compliance, tokenCode.codehash, complianceCode.codehash);
        bytes32 salt = _salt(params);
        new ERC1967Proxy{salt: salt}(complianceCode, _complianceInit(params));
        new ERC1967Proxy{salt: salt}(tokenCode, _tokenInit(params, compliance));
    }

    /// @inheritdoc ISuiteFactory
    function setImplementations(address tokenImplementation, address complianceImplementation) external onlyOwner {
        _setImplementations(tokenImplementation, complianceImplementation);
    }

    /// @inheritdoc ISuiteFactory
    function predict(IssueParams calldata params) public view returns (address token, address compliance) {
        SuiteParts storage suite = _data().parts;
        bytes32 salt = _salt(params);
        compliance = _proxyAddress(salt, suite.complianceImplementation, _complianceInit(params));
        token = _proxyAddress(salt, suite.tokenImplementation, _tokenInit(params, compliance));
    }

    /// @inheritdoc ISuiteFactory
    function tokenOf(bytes12 isin) external view returns (address) {
        return _data().tokens[isin];
    }

    /// @inheritdoc ISuiteFactory
    function parts() external view returns (SuiteParts memory) {
        return _data().parts;
    }

    function _setImplementations(address tokenImplementation, address complianceImplementation) private {
        if (tokenImplementation.code.length == 0) revert SuiteFactoryCodeMissing(tokenImplementation);
        if (complianceImplementation.code.length == 0) revert SuiteFactoryCodeMissing(complianceImplementation);
        Data storage $ = _data();
        $.parts.tokenImplementation = tokenImplementation;
        $.parts.complianceImplementation = complianceImplementation;
        emit ImplementationsSet(tokenImplementation, complianceImplementation);
    }

    function _complianceInit(IssueParams calldata params) private view returns (bytes memory) {
        return abi.encodeCall(IModularCompliance.initialize, (owner(), params.rules, params.noticeBlocks));
    }

    function _tokenInit(IssueParams calldata params, address compliance) private view returns (bytes memory) {
        SuiteParts storage suite = _data().parts;
        Wiring memory wiring = Wiring({
            owner: owner(),
            agent: owner(),
            registry: suite.registry,
            compliance: compliance,
            quantity: suite.quantity,
            encumbrances: suite.encumbrances,
            settlement: suite.settlement,
            instructions: suite.instructions,
            legal: suite.legal,
            conversions: suite.conversions
        });
        return abi.encodeCall(ISecurityToken.initialize, (params.name, params.symbol, params.isin, wiring));
    }

    function _proxyAddress(bytes32 salt, address implementation, bytes memory init) private view returns (address) {
        bytes memory arguments = abi.encode(implementation, init);
        return Create2.computeAddress(
            salt, keccak256(abi.encodePacked(type(ERC1967Proxy).creationCode, arguments)), address(this)
        );
    }

    function _salt(IssueParams calldata params) private pure returns (bytes32) {
        return keccak256(abi.encode(params.isin, params.salt));
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
