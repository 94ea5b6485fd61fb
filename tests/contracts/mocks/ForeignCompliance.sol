// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICompliance} from "../../../contracts/interfaces/ICompliance.sol";

/// @title ForeignCompliance
/// @notice A compliance contract of another make: the standard's hooks and nothing more.
contract ForeignCompliance is ICompliance {
    error Barred(address to);

    address public getTokenBound;
    bool public allows = true;
    address public reverting;
    uint256 public hooks;

    function set(bool allows_, address reverting_) external {
        (allows, reverting) = (allows_, reverting_);
    }

    function bindToken(address token) external {
        getTokenBound = token;
        emit TokenBound(token);
    }

    function unbindToken(address token) external {
        getTokenBound = address(0);
        emit TokenUnbound(token);
    }

    function transferred(address, address, uint256) external {
        hooks += 1;
    }

    function created(address, uint256) external {
        hooks += 100;
    }

    function destroyed(address, uint256) external {
        hooks += 10_000;
    }

    function isTokenBound(address token) external view returns (bool) {
        return token == getTokenBound;
    }

    function canTransfer(address, address to, uint256) external view returns (bool) {
        if (to == reverting) revert Barred(to);
        return allows;
    }
}
