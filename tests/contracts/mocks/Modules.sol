// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IComplianceModule, Movement} from "../../../contracts/interfaces/IComplianceModule.sol";

/// @notice A module that allows everything, until a test says otherwise.
contract ObligingModule is IComplianceModule {
    uint16 internal _stated;

    constructor(uint16 capabilities) {
        _stated = capabilities;
    }

    function bind() external virtual returns (uint16 capabilities) {
        return _stated;
    }

    function unbind() external virtual {}

    function move(Movement calldata movement) external virtual returns (bytes4 allowed) {
        return _allow(movement);
    }

    function check(Movement calldata movement) external view virtual returns (bytes4 allowed) {
        return _allow(movement);
    }

    function _allow(Movement calldata) internal view virtual returns (bytes4) {
        return IComplianceModule.check.selector;
    }
}

/// @notice A stateful rule: an identity receives a number of times at most.
contract ReceiptsModule is ObligingModule {
    error TooManyReceipts(address identity, uint256 receipts);

    uint256 private immutable _MOST;
    mapping(address identity => uint256) public receipts;

    constructor(uint16 capabilities, uint256 most) ObligingModule(capabilities) {
        _MOST = most;
    }

    function move(Movement calldata movement) external override returns (bytes4 allowed) {
        allowed = _allow(movement);
        unchecked {
            receipts[movement.receiver]++;
        }
    }

    function _allow(Movement calldata movement) internal view override returns (bytes4) {
        uint256 count = receipts[movement.receiver];
        if (count == _MOST) revert TooManyReceipts(movement.receiver, count);
        return IComplianceModule.check.selector;
    }
}

/// @notice A module that refuses a move of exactly some units, with its own name, so that order shows.
contract PickyModule is ObligingModule {
    error Picky(address module);

    uint256 private _units;

    constructor(uint256 units) ObligingModule(0) {
        _units = units;
    }

    function _allow(Movement calldata movement) internal view override returns (bytes4) {
        if (movement.amount == _units) revert Picky(address(this));
        return IComplianceModule.check.selector;
    }
}

/// @notice A module that answers with whatever it was made for.
contract GarbageModule is ObligingModule {
    enum Kind {
        NOTHING,
        WRONG,
        SHORT,
        SILENT,
        LONG,
        BOMB,
        BURN
    }

    Kind private _kind;

    constructor(uint16 capabilities, Kind kind) ObligingModule(capabilities) {
        _kind = kind;
    }

    function bind() external view override returns (uint16) {
        return _stated;
    }

    /// @dev It objects to leaving by all means it has.
    function unbind() external view override {
        _answer();
    }

    function _allow(Movement calldata) internal view override returns (bytes4) {
        _answer();
    }

    function _answer() private view {
        Kind kind = _kind;
        if (kind == Kind.BURN) {
            while (true) {}
        }
        uint256 size = [uint256(0), 32, 4, 0, 513, 100_000, 0][uint256(kind)];
        bool reverts = kind == Kind.SILENT || kind == Kind.LONG || kind == Kind.BOMB;
        assembly ("memory-safe") {
            if reverts { revert(0, size) }
            mstore(0, not(0))
            return(0, size)
        }
    }
}

/// @notice A module that calls back while it is asked.
contract ReentrantModule is ObligingModule {
    address private _target;
    bytes private _call;

    constructor() ObligingModule(1) {}

    function prepare(address target, bytes calldata data) external {
        (_target, _call) = (target, data);
    }

    function move(Movement calldata) external override returns (bytes4) {
        (bool success, bytes memory answer) = _target.call(_call);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        return IComplianceModule.check.selector;
    }
}

/// @notice A module that says what it is told to say, by answer or by revert.
contract ScriptedModule is ObligingModule {
    bool private _reverts;
    bytes private _says;

    constructor(uint16 capabilities) ObligingModule(capabilities) {}

    function script(bool reverts, bytes calldata says) external {
        (_reverts, _says) = (reverts, says);
    }

    function move(Movement calldata movement) external view override returns (bytes4) {
        return _allow(movement);
    }

    function _allow(Movement calldata) internal view override returns (bytes4) {
        (bool reverts, bytes memory says) = (_reverts, _says);
        assembly ("memory-safe") {
            if reverts { revert(add(says, 0x20), mload(says)) }
            return(add(says, 0x20), mload(says))
        }
    }
}

/// @notice A module that allows one channel.
contract ChannelModule is ObligingModule {
    error OtherChannel(uint8 channel);

    uint8 private immutable _CHANNEL;

    constructor(uint16 capabilities, uint8 channel) ObligingModule(capabilities) {
        _CHANNEL = channel;
    }

    function _allow(Movement calldata movement) internal view override returns (bytes4) {
        if (movement.channel != _CHANNEL) revert OtherChannel(movement.channel);
        return IComplianceModule.check.selector;
    }
}

/// @notice A module that will not be bound.
contract UnwillingModule is ObligingModule {
    error Unwilling();

    constructor() ObligingModule(0) {}

    function bind() external pure override returns (uint16) {
        revert Unwilling();
    }
}

/// @notice Keeps what it was told.
contract Questioner {
    bytes public answer;

    function ask(address target, bytes calldata data) external {
        (, bytes memory said) = target.staticcall(data);
        answer = abi.decode(said, (bytes));
    }
}
