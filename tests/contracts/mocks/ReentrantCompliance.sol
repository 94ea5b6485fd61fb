// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title ReentrantCompliance
/// @notice Says that it is the suite's own compliance contract, allows everything, and makes one call when a batch is
/// judged.
contract ReentrantCompliance {
    address private _target;
    bytes private _call;

    function prepare(address target, bytes calldata call) external {
        (_target, _call) = (target, call);
    }

    function bindToken(address) external {}

    function recordMove(address, address, uint256, uint256, uint256) external {}

    function move(address, address, uint256, uint256, uint256, uint256, uint8) external {}

    function moveMany(address, address[] calldata, uint256[] calldata, uint256, uint256[] calldata, uint256, uint8)
        external
    {
        (bool success, bytes memory answer) = _target.call(_call);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    function takesBatches() external pure returns (bool) {
        return true;
    }

    function engaged() external pure returns (bool) {
        return true;
    }

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id != 0xffffffff;
    }
}
