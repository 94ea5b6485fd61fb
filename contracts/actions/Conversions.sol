// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../control/Governed.sol";
import {Conversion, Holding, IConversions} from "../interfaces/IConversions.sol";
import {IEncumbrances} from "../interfaces/IEncumbrances.sol";
import {IRegisteredQuantity} from "../interfaces/IRegisteredQuantity.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";

/// @title Conversions
contract Conversions is Governed, IConversions {
    struct Record {
        Conversion conversion;
        uint96 supply;
        uint96 converted;
        bool finished;
        /// @dev The sum of the fractions cut, in parts of a new unit: below accounts × 2^96.
        uint256 cut;
        mapping(address account => bool) done;
    }

    /// @custom:storage-location erc7201:stoken.storage.Conversions
    struct Data {
        mapping(bytes32 id => Record) records;
        mapping(address token => bytes32) running;
    }

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Conversions")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IConversions
    function initialize(address owner) external initializer {
        __Ownable_init(owner);
    }

    /// @inheritdoc IConversions
    function start(bytes32 id, Conversion calldata conversion) external onlyOwner {
        Data storage $ = _data();
        Record storage record = $.records[id];
        if (record.conversion.token != address(0)) revert ConversionsIdUsed(id);
        if (conversion.document == 0) revert LegalBasisRequired();
        if (conversion.residueAccount == address(0)) revert AccountUnknown(address(0));
        (uint96 numerator, uint96 denominator) = (conversion.numerator, conversion.denominator);
        if (numerator == 0 || denominator == 0 || numerator == denominator) {
            revert ConversionsRatioInvalid(numerator, denominator);
        }
        ISecurityToken token = ISecurityToken(conversion.token);
        bytes32 running = $.running[address(token)];
        if (running != 0) revert ConversionsBusy(address(token), running);
        if (!token.paused()) revert ConversionsNotPaused(address(token));
        uint256 supply = token.totalSupply();
        _requireRegistered(token, supply * numerator / denominator);
        $.running[address(token)] = id;
        record.conversion = conversion;
        record.supply = uint96(supply);
        emit ConversionStarted(id, address(token), conversion, uint96(supply));
    }

    /// @inheritdoc IConversions
    function abandon(bytes32 id) external onlyOwner {
        Record storage record = _running(id);
        // An account without units changes nothing, and anyone may convert one.
        if (record.converted != 0) revert ConversionQuantityMismatch(0, record.converted);
        record.finished = true;
        address token = record.conversion.token;
        delete _data().running[token];
        emit ConversionAbandoned(id, token);
    }

    /// @inheritdoc IConversions
    function convert(bytes32 id, Holding[] calldata holdings) external {
        Record storage record = _running(id);
        Conversion memory conversion = record.conversion;
        (, address encumbrances,,) = ISecurityToken(conversion.token).wiring();
        for (uint256 i = 0; i < holdings.length; ++i) {
            _convert(id, record, conversion, IEncumbrances(encumbrances), holdings[i]);
        }
    }

    /// @inheritdoc IConversions
    function finish(bytes32 id) external {
        Record storage record = _running(id);
        Conversion memory conversion = record.conversion;
        ISecurityToken token = ISecurityToken(conversion.token);
        uint96 supply = record.supply;
        if (record.converted != supply) revert ConversionQuantityMismatch(supply, record.converted);
        uint96 residue = uint96(record.cut / conversion.denominator);
        record.finished = true;
        delete _data().running[address(token)];
        if (residue != 0) _credit(token, conversion.residueAccount, residue);
        uint256 expected = uint256(supply) * conversion.numerator / conversion.denominator;
        if (token.totalSupply() != expected) revert ConversionQuantityMismatch(expected, token.totalSupply());
        _requireRegistered(token, expected);
        emit ConversionFinished(id, supply, uint96(expected), residue);
    }

    /// @inheritdoc IConversions
    function conversionOf(bytes32 id)
        external
        view
        returns (Conversion memory conversion, uint96 supply, uint96 converted, bool finished)
    {
        Record storage record = _data().records[id];
        return (record.conversion, record.supply, record.converted, record.finished);
    }

    function _convert(
        bytes32 id,
        Record storage record,
        Conversion memory conversion,
        IEncumbrances encumbrances,
        Holding calldata holding
    ) private {
        address account = holding.account;
        if (record.done[account]) revert ConversionsAccountConverted(id, account);
        record.done[account] = true;
        (uint256 before, uint256 frozen,,) = ISecurityToken(conversion.token).accountOf(account);
        uint256 parts = before * conversion.numerator;
        uint256 cut = parts % conversion.denominator;
        record.converted += uint96(before);
        record.cut += cut;
        uint96 encumbered = encumbrances.rescale(
            conversion.token, account, holding.ids, holding.records, conversion.numerator, conversion.denominator
        );
        // Each part is cut by itself, so frozen plus encumbered never exceeds the new balance; the supply fits 96 bits.
        uint96 balance = uint96(parts / conversion.denominator);
        uint96 stillFrozen = uint96(frozen * conversion.numerator / conversion.denominator);
        ISecurityToken(conversion.token).rescale(account, balance, stillFrozen, encumbered);
        emit AccountConverted(id, account, uint96(before), balance, stillFrozen, encumbered, uint96(cut));
    }

    function _credit(ISecurityToken token, address account, uint96 units) private {
        (uint256 balance, uint256 frozen, uint256 encumbered,) = token.accountOf(account);
        token.rescale(account, uint96(balance) + units, uint96(frozen), uint96(encumbered));
    }

    function _requireRegistered(ISecurityToken token, uint256 supply) private view {
        (address quantity,,,) = token.wiring();
        uint96 registered = IRegisteredQuantity(quantity).quantityOf(address(token));
        if (supply > registered) revert SupplyCapExceeded(registered, supply);
    }

    function _running(bytes32 id) private view returns (Record storage record) {
        record = _data().records[id];
        if (record.conversion.token == address(0) || record.finished) revert ConversionsIdUnknown(id);
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
