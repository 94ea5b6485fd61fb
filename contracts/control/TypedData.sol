// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title TypedData
/// @notice EIP-712 with a domain of constant name and version "1", bound to chain and contract, kept in no storage.
abstract contract TypedData is IERC5267 {
    bytes32 private constant _DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (0x0f, _domainName(), "1", block.chainid, address(this), bytes32(0), new uint256[](0));
    }

    function _domainName() internal pure virtual returns (string memory);

    function _domainSeparator() internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(_DOMAIN, keccak256(bytes(_domainName())), keccak256("1"), block.chainid, address(this))
            );
    }

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(_domainSeparator(), structHash);
    }
}
