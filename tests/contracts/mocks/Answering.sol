// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Answering
/// @notice Stands in for a foreign or hostile contract: whatever it is asked, it behaves in the way it was told.
contract Answering {
    enum Manner {
        ANSWER,
        REVERT,
        SPEND_ALL_GAS,
        ANSWER_WITHOUT_END
    }

    Manner private _manner;
    bytes private _answer;

    constructor(Manner manner, bytes memory answer) {
        set(manner, answer);
    }

    function set(Manner manner, bytes memory answer) public {
        _manner = manner;
        _answer = answer;
    }

    fallback() external {
        Manner manner = _manner;
        if (manner == Manner.REVERT) revert("no");
        if (manner == Manner.SPEND_ALL_GAS) while (true) {}
        if (manner == Manner.ANSWER_WITHOUT_END) {
            assembly {
                return(0, 100000)
            }
        }
        bytes memory answer = _answer;
        assembly {
            return(add(answer, 0x20), mload(answer))
        }
    }
}
