// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";

/// @title Untelling
/// @notice Code behind a proxy that can be replaced, and does not tell what it is: it refuses to, or answers with too
/// few bytes, too many, or what is no address.
contract Untelling {
    enum Manner {
        REFUSE,
        SHORT,
        LONG,
        NO_ADDRESS
    }

    Manner private immutable _MANNER;

    constructor(Manner manner) {
        _MANNER = manner;
    }

    function upgradeToAndCall(address code, bytes calldata data) external payable {
        ERC1967Utils.upgradeToAndCall(code, data);
    }

    fallback() external {
        if (_MANNER == Manner.REFUSE) revert("no");
        uint256 size = _MANNER == Manner.SHORT ? 31 : _MANNER == Manner.LONG ? 64 : 32;
        uint256 word = _MANNER == Manner.NO_ADDRESS ? uint256(1) << 160 : uint160(address(this));
        assembly {
            mstore(0, word)
            mstore(32, 0)
            return(0, size)
        }
    }
}
