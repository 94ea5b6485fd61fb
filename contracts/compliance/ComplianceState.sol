// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {IERC3643} from "../interfaces/IERC3643.sol";
import {Rules} from "./Rules.sol";

/// @title ComplianceState
/// @notice The storage of a compliance contract.
abstract contract ComplianceState {
    /// @dev A struct of one word, so that a move works out its slot once.
    struct Position {
        /// @dev windowStart:40 | used:104 | units:112, from the high bits down.
        uint256 word;
    }

    /// @custom:storage-location erc7201:stoken.storage.ModularCompliance
    struct Data {
        /// @dev What every move reads, in one word: locked:8 | pending:8 | engaged:8 | tracking:8 | latest:32 |
        /// holders:32 | token:160, from the high bits down. `pending` says that the version announced last may not be
        /// in force yet, `locked` that a module is being asked.
        uint256 head;
        uint64 effectiveBlock;
        uint64 noticeBlocks;
        mapping(uint32 version => Rules.Packed) sets;
        mapping(address identity => Position) positions;
        /// @dev Under which identity an account's units are counted, where it was replaced and counted anew.
        mapping(address account => address) countedAs;
    }

    uint256 internal constant _HOLDER = 1 << 160;
    uint256 internal constant _VERSION = 1 << 192;
    uint256 internal constant _TRACKING = 1 << 224;
    uint256 internal constant _ENGAGED = 1 << 232;
    uint256 internal constant _PENDING = 1 << 240;
    uint256 internal constant _LOCKED = 1 << 248;

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.ModularCompliance")) - 1)) & ~bytes32(uint256(0xff));

    function _registry() internal view returns (IAttestedIdentityRegistry) {
        return IAttestedIdentityRegistry(IERC3643(_token()).identityRegistry());
    }

    function _token() internal view returns (address) {
        return address(uint160(_data().head));
    }

    function _data() internal pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
