// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Vm} from "../Vm.sol";

/// @notice What Halmos answers beside Forge's cheat codes.
interface Svm {
    function createCalldata(string calldata contractName) external pure returns (bytes memory);
    function createAddress(string calldata name) external pure returns (address);
    function snapshotStorage(address account) external view returns (uint256);
}

/// @title Symbolic
/// @notice Base of the harnesses: a function `check_…` holds for every argument, or Halmos shows one for which not.
/// @dev They inherit what they check, since packed words are internal to it, and compile in a profile of their own.
abstract contract Symbolic {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    Svm internal constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));
}
