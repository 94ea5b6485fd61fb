// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IEncumbrances} from "./IEncumbrances.sol";

/// @notice A split or merge: `denominator` old units become `numerator` new ones.
struct Conversion {
    /// The security.
    address token;
    /// New units of the ratio.
    uint96 numerator;
    /// Old units of the ratio.
    uint96 denominator;
    /// The issuer's account, to which the sum of the fractions goes.
    address residueAccount;
    /// Hash of the decision.
    bytes32 document;
}

/// @notice One account of a batch, with all its encumbrances by ascending id.
struct Holding {
    /// The account.
    address account;
    /// The ids of its encumbrances, ascending.
    bytes32[] ids;
    /// The encumbrances, in the order of the ids.
    IEncumbrances.Encumbrance[] records;
}

/// @title IConversions
/// @notice Splits and merges of an issue, account by account, with their encumbrances under the same ids.
/// @dev Fractions of an account are cut (balance, frozen units and each encumbrance by itself). What was cut is summed:
/// its whole units go to the issuer's residue account when the conversion finishes, and {AccountConverted} names each
/// account's cut so that it can be paid in cash. So new supply = old supply × numerator / denominator, cut once. The
/// registrar raises the registered quantity before a split; a merge leaves it, as an upper bound. Nobody mints, burns
/// or forces units of the token until it is finished, else the totals differ and it never finishes. An account of which
/// settlement holds units for a later day is converted once they are released: no record explains them. Assumes that
/// this contract is an agent of the token with role CONVERT.
interface IConversions {
    /// @notice The id was used before.
    error ConversionsIdUsed(bytes32 id);

    /// @notice No conversion of this id runs.
    error ConversionsIdUnknown(bytes32 id);

    /// @notice Another conversion of the token runs.
    error ConversionsBusy(address token, bytes32 id);

    /// @notice Both parts of a ratio are above zero and differ.
    error ConversionsRatioInvalid(uint96 numerator, uint96 denominator);

    /// @notice The token is not paused.
    error ConversionsNotPaused(address token);

    /// @notice The account was converted already.
    error ConversionsAccountConverted(bytes32 id, address account);

    /// @notice A conversion began.
    event ConversionStarted(bytes32 indexed id, address indexed token, Conversion conversion, uint96 supply);

    /// @notice An account was converted; `cut` is the numerator of the fraction of a new unit that it lost.
    event AccountConverted(
        bytes32 indexed id,
        address indexed account,
        uint96 before,
        uint96 balance,
        uint96 frozen,
        uint96 encumbered,
        uint96 cut
    );

    /// @notice A conversion is complete: every unit was converted, and the residue credited.
    event ConversionFinished(bytes32 indexed id, uint96 supplyBefore, uint96 supplyAfter, uint96 residue);

    /// @notice A conversion ended before any account was converted: nothing changed.
    event ConversionAbandoned(bytes32 indexed id, address indexed token);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner) external;

    /// @notice Begins a conversion.
    /// @dev Requirements: the caller is the owner; a fresh id; no other conversion of the token runs; the document and
    /// a residue account are given; both parts of the ratio are above zero and differ; the token is paused; the
    /// registered quantity covers the new supply (SUPPLY_CAP_EXCEEDED). Emits {ConversionStarted}.
    function start(bytes32 id, Conversion calldata conversion) external;

    /// @notice Ends a conversion of which no account was converted, as when the ratio was wrong; its id stays used.
    /// @dev Requirements: the caller is the owner; running; no unit was converted (CONVERSION_QUANTITY_MISMATCH).
    /// Emits {ConversionAbandoned}.
    function abandon(bytes32 id) external;

    /// @notice Converts accounts; anyone may call, since nothing is left to decide.
    /// @dev Requirements: running; each account once; its encumbrances are complete (CONVERSION_QUANTITY_MISMATCH).
    /// Emits {AccountConverted} each.
    function convert(bytes32 id, Holding[] calldata holdings) external;

    /// @notice Credits the residue and ends a conversion; anyone may call.
    /// @dev Requirements: running; the units converted are the supply at the start, and the supply is now what the
    /// ratio makes of it (CONVERSION_QUANTITY_MISMATCH). Emits {ConversionFinished}.
    function finish(bytes32 id) external;

    /// @notice A conversion, the supply at its start, the units converted so far and whether it is finished
    /// or abandoned.
    function conversionOf(bytes32 id)
        external
        view
        returns (Conversion memory conversion, uint96 supply, uint96 converted, bool finished);
}
