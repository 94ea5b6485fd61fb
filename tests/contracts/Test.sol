// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Vm} from "./Vm.sol";

/// @title Test
/// @notice The base of the contract tests: cheat codes, and the assertions that the tests need.
abstract contract Test {
    error Unequal(string what, bytes left, bytes right);
    error Untrue(string what);

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    address[] private _targets;
    address[] private _senders;

    /// @notice Read by Forge: the contracts that an invariant test calls.
    function targetContracts() public view returns (address[] memory) {
        return _targets;
    }

    /// @notice Read by Forge: the senders that an invariant test uses.
    function targetSenders() public view returns (address[] memory) {
        return _senders;
    }

    function targetContract(address target) internal {
        _targets.push(target);
    }

    function targetSender(address sender) internal {
        _senders.push(sender);
    }

    /// @dev Deploys a contract by its name, which its file shares: an import would compile it again, as a test.
    function deploy(string memory name) internal returns (address) {
        return deploy(name, "");
    }

    function deploy(string memory name, bytes memory arguments) internal returns (address made) {
        bytes memory code = bytes.concat(vm.getCode(string.concat(name, ".sol:", name)), arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 0x20), mload(code))
            if iszero(made) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
    }

    function assertTrue(bool condition) internal pure {
        assertTrue(condition, "");
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert Untrue(what);
    }

    function assertFalse(bool condition) internal pure {
        assertTrue(!condition, "");
    }

    function assertFalse(bool condition, string memory what) internal pure {
        assertTrue(!condition, what);
    }

    function assertEq(uint256 left, uint256 right) internal pure {
        assertEq(left, right, "");
    }

    function assertEq(uint256 left, uint256 right, string memory what) internal pure {
        if (left != right) revert Unequal(what, bytes(vm.toString(left)), bytes(vm.toString(right)));
    }

    function assertEq(int256 left, int256 right) internal pure {
        if (left != right) revert Unequal("", abi.encode(left), abi.encode(right));
    }

    function assertEq(bool left, bool right) internal pure {
        if (left != right) revert Unequal("", abi.encode(left), abi.encode(right));
    }

    function assertEq(bool left, bool right, string memory what) internal pure {
        if (left != right) revert Unequal(what, abi.encode(left), abi.encode(right));
    }

    function assertEq(address left, address right) internal pure {
        if (left != right) revert Unequal("", abi.encode(left), abi.encode(right));
    }

    function assertEq(address left, address right, string memory what) internal pure {
        if (left != right) revert Unequal(what, abi.encode(left), abi.encode(right));
    }

    function assertEq(bytes32 left, bytes32 right) internal pure {
        if (left != right) revert Unequal("", abi.encode(left), abi.encode(right));
    }

    function assertEq(bytes32 left, bytes32 right, string memory what) internal pure {
        if (left != right) revert Unequal(what, abi.encode(left), abi.encode(right));
    }

    function assertEq(bytes memory left, bytes memory right) internal pure {
        assertEq(left, right, "");
    }

    function assertEq(bytes memory left, bytes memory right, string memory what) internal pure {
        if (keccak256(left) != keccak256(right)) revert Unequal(what, left, right);
    }

    function assertEq(string memory left, string memory right) internal pure {
        assertEq(bytes(left), bytes(right), "");
    }

    function assertLe(uint256 left, uint256 right, string memory what) internal pure {
        if (left > right) revert Unequal(what, bytes(vm.toString(left)), bytes(vm.toString(right)));
    }

    function assertGe(uint256 left, uint256 right, string memory what) internal pure {
        if (left < right) revert Unequal(what, bytes(vm.toString(left)), bytes(vm.toString(right)));
    }

    /// @dev Maps a fuzzed number into [low, high] without discarding runs.
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        if (value >= low && value <= high) return value;
        uint256 span = high - low;
        return span == type(uint256).max ? value : low + value % (span + 1);
    }

    /// @dev A 65-byte signature, r || s || v.
    function signatureOf(uint256 privateKey, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(r, s, v);
    }
}
