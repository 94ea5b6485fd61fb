// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IComplianceModule, Movement} from "../interfaces/IComplianceModule.sol";
import {IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {Rules} from "./Rules.sol";

/// @title Modules
/// @notice The module contracts of a rule set: kept in ascending order of their addresses, and asked so that none can
/// do more than refuse.
library Modules {
    uint256 internal constant MOST = 25;

    uint256 private constant _STATEFUL = 1;
    uint256 private constant _MINTS = 2;
    uint256 private constant _GAS = 200_000;
    uint256 private constant _REFUSAL_MOST = 512;

    /// @dev The entries of a rule set.
    function list(Rules.Packed storage packed) internal view returns (uint256[] memory entries) {
        entries = new uint256[](uint8(packed.word >> 24));
        for (uint256 i = 0; i < entries.length; i++) {
            entries[i] = packed.modules[i];
        }
    }

    /// @dev The entries with one more; the same module twice, or too many, is an error.
    function including(uint256[] memory entries, address module, uint16 capabilities)
        internal
        pure
        returns (uint256[] memory more)
    {
        if (capabilities > (_STATEFUL | _MINTS)) revert IModularCompliance.ComplianceModuleInvalid(module);
        if (entries.length == MOST) revert IModularCompliance.ComplianceModulesTooMany();
        more = new uint256[](entries.length + 1);
        uint256 place = 0;
        while (place < entries.length && address(uint160(entries[place])) < module) {
            more[place] = entries[place];
            place++;
        }
        more[place] = uint256(capabilities) << 160 | uint160(module);
        for (; place < entries.length; place++) {
            more[place + 1] = entries[place];
        }
    }

    /// @dev The entries without one.
    function excluding(uint256[] memory entries, address module) internal pure returns (uint256[] memory fewer) {
        fewer = new uint256[](entries.length - 1);
        uint256 place = 0;
        for (uint256 i = 0; i < entries.length; i++) {
            if (address(uint160(entries[i])) != module) fewer[place++] = entries[i];
        }
    }

    function contains(uint256[] memory entries, address module) internal pure returns (bool) {
        for (uint256 i = 0; i < entries.length; i++) {
            if (address(uint160(entries[i])) == module) return true;
        }
        return false;
    }

    function addresses(uint256[] memory entries) internal pure returns (address[] memory modules) {
        modules = new address[](entries.length);
        for (uint256 i = 0; i < entries.length; i++) {
            modules[i] = address(uint160(entries[i]));
        }
    }

    function keepsState(uint256 entry) internal pure returns (bool) {
        return entry >> 160 & _STATEFUL != 0;
    }

    /// @dev Whether a module is to be asked about this move at all.
    function concerns(uint256 entry, Movement memory movement) internal pure returns (bool) {
        return movement.sender != address(0) || entry >> 160 & _MINTS != 0;
    }

    /// @dev The question, encoded once for all modules of a move.
    function question(Movement memory movement) internal pure returns (bytes memory) {
        return abi.encodeCall(IComplianceModule.check, (movement));
    }

    /// @dev Asks without recording.
    function ask(uint256 entry, bytes memory data) internal view returns (bytes memory) {
        bool success;
        bytes32 word;
        assembly ("memory-safe") {
            success := staticcall(_GAS, entry, add(data, 0x20), mload(data), 0, 0x20)
            word := mload(0)
        }
        return _answer(entry, success, word);
    }

    /// @dev Asks a module that keeps state, which records what it allows.
    function tell(uint256 entry, bytes memory data) internal returns (bytes memory) {
        bytes4 entrance = IComplianceModule.move.selector;
        bool success;
        bytes32 word;
        assembly ("memory-safe") {
            // The same question at the other entrance, and back: a module without state may be next.
            let head := mload(add(data, 0x20))
            mstore(add(data, 0x20), or(entrance, and(head, shr(32, not(0)))))
            success := call(_GAS, entry, 0, add(data, 0x20), mload(data), 0, 0x20)
            mstore(add(data, 0x20), head)
            word := mload(0)
        }
        return _answer(entry, success, word);
    }

    /// @dev Tells a module that it leaves; what it does or answers does not matter.
    function dismiss(address module) internal {
        bytes memory data = abi.encodeCall(IComplianceModule.unbind, ());
        assembly ("memory-safe") {
            pop(call(_GAS, module, 0, add(data, 0x20), mload(data), 0, 0))
        }
    }

    /// @dev What the last call says: empty if it allows, else its revert data. No answer is copied before its length is
    /// known to be small.
    function _answer(uint256 entry, bool success, bytes32 word) private pure returns (bytes memory refusal) {
        uint256 size;
        assembly ("memory-safe") {
            size := returndatasize()
        }
        if (success && size >= 32 && word == bytes32(IComplianceModule.check.selector)) return "";
        if (success || size == 0 || size > _REFUSAL_MOST) {
            return abi.encodeWithSelector(IModularCompliance.ComplianceModuleFailed.selector, address(uint160(entry)));
        }
        refusal = new bytes(size);
        assembly ("memory-safe") {
            returndatacopy(add(refusal, 0x20), 0, size)
        }
    }
}
