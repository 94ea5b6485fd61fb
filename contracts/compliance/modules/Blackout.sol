// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBlackout} from "../../interfaces/IBlackout.sol";
import {Movement} from "../../interfaces/IComplianceModule.sol";
import {Refusals} from "../../interfaces/Refusals.sol";
import {OwnersModule} from "./OwnersModule.sol";

/// @title Blackout
contract Blackout is OwnersModule, IBlackout {
    struct Period {
        uint8 sides;
        uint40 until;
    }

    uint8 private constant _SELLING = 1;
    uint8 private constant _BUYING = 2;

    mapping(address compliance => mapping(address identity => Period)) private _periods;

    /// @inheritdoc IBlackout
    function setBlackout(address compliance, address identity, uint8 sides, uint40 until)
        external
        onlyOwnerOf(compliance)
    {
        if (sides > (_SELLING | _BUYING)) revert BlackoutSidesInvalid(sides);
        _periods[compliance][identity] = Period(sides, until);
        emit BlackoutSet(compliance, identity, sides, until);
    }

    /// @inheritdoc IBlackout
    function blackoutOf(address compliance, address identity) external view returns (uint8 sides, uint40 until) {
        Period memory period = _periods[compliance][identity];
        return (period.sides, period.until);
    }

    function _judge(Movement calldata movement) internal view override {
        _barred(movement.sender, _SELLING);
        _barred(movement.receiver, _BUYING);
    }

    function _capabilities() internal pure override returns (uint16) {
        return 0;
    }

    function _barred(address identity, uint8 side) private view {
        Period memory period = _periods[msg.sender][identity];
        if (period.sides & side != 0 && period.until >= block.timestamp) {
            revert Refusals.InsiderBlackout(identity, period.until);
        }
    }
}
