// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {ICompliance} from "../../../contracts/interfaces/ICompliance.sol";
import {IModularCompliance} from "../../../contracts/interfaces/IModularCompliance.sol";

/// @title Witness
/// @notice A compliance contract that keeps every call it is told by, word for word, and judges as a test says.
contract Witness {
    enum Kind {
        ENGAGED,
        IDLE,
        FOREIGN
    }
    enum Manner {
        ALLOWS,
        ECHOES,
        REFUSES,
        ANSWERS
    }

    Kind private immutable _KIND;

    bool private _batches;
    Manner private _manner;
    bytes private _said;
    address private _target;
    bytes private _call;
    bytes[] private _heard;

    constructor(Kind kind) {
        _KIND = kind;
    }

    /// @dev ECHOES refuses with the question itself, REFUSES with `said`; ANSWERS the standard's question with `said`.
    function set(Manner manner, bytes calldata said, bool batches) external {
        (_manner, _said, _batches) = (manner, said, batches);
    }

    /// @dev Makes one call when it is told next.
    function prepare(address target, bytes calldata call) external {
        (_target, _call) = (target, call);
    }

    function heard() external returns (bytes[] memory calls) {
        calls = _heard;
        delete _heard;
    }

    fallback(bytes calldata call) external returns (bytes memory) {
        bytes4 selector = bytes4(call);
        if (selector == IERC165.supportsInterface.selector) return abi.encode(_supports(bytes4(call[4:])));
        if (selector == ICompliance.bindToken.selector || selector == ICompliance.unbindToken.selector) return "";
        if (selector == IModularCompliance.engaged.selector) return abi.encode(_KIND == Kind.ENGAGED);
        if (selector == IModularCompliance.takesBatches.selector) return abi.encode(_batches);
        if (selector == IModularCompliance.check.selector) {
            return abi.encode(_manner == Manner.ECHOES ? call : _manner == Manner.REFUSES ? _said : bytes(""));
        }
        if (_manner == Manner.ECHOES) _revert(call);
        if (_manner == Manner.REFUSES) _revert(_said);
        if (selector == ICompliance.canTransfer.selector) {
            return _manner == Manner.ANSWERS ? _said : abi.encode(true);
        }
        _heard.push(call);
        address target = _target;
        if (target != address(0)) {
            delete _target;
            (bool success,) = target.call(_call);
            require(success, "called back");
        }
        return "";
    }

    function _supports(bytes4 id) private view returns (bool) {
        return _KIND == Kind.FOREIGN ? id == type(IERC165).interfaceId : id != 0xffffffff;
    }

    function _revert(bytes memory refusal) private pure {
        assembly ("memory-safe") {
            revert(add(refusal, 0x20), mload(refusal))
        }
    }
}

/// @title WordsRegistry
/// @notice An identity registry whose words are what a test says; it restricts every account but those it spares, and
/// keeps whose words it was asked to refresh.
contract WordsRegistry {
    bytes20 public constant MANAGER = "529900MANAGER0000009";

    address public lastFrom;
    address public lastTo;
    mapping(address account => uint256) private _words;
    mapping(address account => bool) private _spared;

    function set(address account, uint256 word) external {
        _words[account] = word;
    }

    function spare(address account) external {
        _spared[account] = true;
    }

    function pairRefreshed(address from, address to) external returns (uint256, uint256) {
        (lastFrom, lastTo) = (from, to);
        return pair(from, to);
    }

    function wordsFrom(address from, address[] calldata receivers)
        external
        view
        returns (uint256 fromWord, uint256[] memory words)
    {
        words = new uint256[](receivers.length);
        for (uint256 i = 0; i < receivers.length; i++) {
            words[i] = _words[receivers[i]];
        }
        return (_words[from], words);
    }

    function isRestricted(address account, address) external view returns (bool, bytes20) {
        return (!_spared[account], MANAGER ^ bytes20(account));
    }

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id != 0xffffffff;
    }

    function pair(address from, address to) public view returns (uint256, uint256) {
        return (_words[from], _words[to]);
    }
}
