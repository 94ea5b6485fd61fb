// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

import {Conversions} from "../../../contracts/actions/Conversions.sol";
import {ModularCompliance} from "../../../contracts/compliance/ModularCompliance.sol";
import {IssueDirectory} from "../../../contracts/control/IssueDirectory.sol";
import {Releases} from "../../../contracts/control/Releases.sol";
import {SuiteFactory} from "../../../contracts/factory/SuiteFactory.sol";
import {ClaimTopicsRegistry} from "../../../contracts/identity/ClaimTopicsRegistry.sol";
import {IdentityRegistryStorage} from "../../../contracts/identity/IdentityRegistryStorage.sol";
import {TrustedIssuersRegistry} from "../../../contracts/identity/TrustedIssuersRegistry.sol";
import {RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {SuiteParts} from "../../../contracts/interfaces/ISuiteFactory.sol";
import {SecurityTokenExtension} from "../../../contracts/token/SecurityTokenExtension.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Takes every call.
contract Accepting {
    fallback() external {}
}

/// @notice What is rarely called of a token, over words of any content; its harness alone puts them.
contract AppointedToken is SecurityTokenExtension {
    address private immutable _harness = msg.sender;

    function put(address account, uint256 word) external {
        require(msg.sender == _harness);
        _data().accounts[account].word = word;
    }

    function state(address holder, address caller) external view returns (bytes32) {
        Data storage $ = _data();
        return keccak256(
            abi.encode(
                $.cfg,
                $.compliance,
                $.totalSupply,
                $.encumbrances,
                $.settlement,
                $.instructions,
                $.quantity,
                $.accounts[holder].word,
                $.encumbered[holder],
                $.held[holder],
                owner(),
                pendingOwner(),
                _rolesOf(caller)
            )
        );
    }
}

/// @notice Whoever is neither owner nor agent calls any function with any arguments, and nothing changes.
contract AccessSymbolic is Symbolic {
    address private constant _OWNER = address(0xA07);
    address private constant _TOKEN = address(0x70C);

    address private _registry;
    address private _topics;
    address private _issuers;
    address private _storage;
    address private _conversions;
    address private _factory;
    address private _directory;
    address private _releases;
    address private _compliance;
    AppointedToken private _token;

    function setUp() public {
        // It takes every call, so that what is guarded fails for its guard and nothing else.
        _registry = address(new Accepting());
        uint256[] memory required = new uint256[](1);
        required[0] = 1;
        _topics = _proxy(
            address(new ClaimTopicsRegistry()),
            abi.encodeCall(ClaimTopicsRegistry.initialize, (_OWNER, _registry, required))
        );
        _issuers = _proxy(
            address(new TrustedIssuersRegistry()),
            abi.encodeCall(TrustedIssuersRegistry.initialize, (_OWNER, _registry, new address[](0), new uint256[][](0)))
        );
        _storage = _proxy(
            address(new IdentityRegistryStorage()),
            abi.encodeCall(IdentityRegistryStorage.initialize, (_OWNER, _registry))
        );
        _conversions = _proxy(address(new Conversions()), abi.encodeCall(Conversions.initialize, (_OWNER)));
        SuiteParts memory parts;
        parts.tokenImplementation = parts.complianceImplementation = _topics;
        _factory = _proxy(address(new SuiteFactory()), abi.encodeCall(SuiteFactory.initialize, (_OWNER, parts)));
        _directory = _proxy(address(new IssueDirectory()), abi.encodeCall(IssueDirectory.initialize, (_OWNER)));
        _releases = _proxy(address(new Releases()), abi.encodeCall(Releases.initialize, (_OWNER)));
        RuleSet memory rules;
        _compliance = _proxy(
            address(new ModularCompliance()), abi.encodeCall(ModularCompliance.initialize, (_OWNER, rules, uint64(100)))
        );
        // A compliance contract that nobody bound is anybody's to bind: the factory binds it as it makes it.
        vm.prank(_OWNER);
        ModularCompliance(_compliance).bindToken(_TOKEN);
        _token = new AppointedToken();
    }

    function check_a_stranger_changes_no_topic(address caller) external {
        _changesNothing(_topics, caller, svm.createCalldata("ClaimTopicsRegistry"));
    }

    function check_a_stranger_changes_no_issuer(address caller) external {
        _changesNothing(_issuers, caller, svm.createCalldata("TrustedIssuersRegistry"));
    }

    function check_a_stranger_changes_no_profile(address caller) external {
        _changesNothing(_storage, caller, svm.createCalldata("IdentityRegistryStorage"));
    }

    function check_a_stranger_converts_nothing(address caller) external {
        _changesNothing(_conversions, caller, svm.createCalldata("Conversions"));
    }

    function check_a_stranger_makes_no_issue(address caller) external {
        _changesNothing(_factory, caller, svm.createCalldata("SuiteFactory"));
    }

    function check_a_stranger_lists_nothing(address caller) external {
        _changesNothing(_directory, caller, svm.createCalldata("IssueDirectory"));
    }

    function check_a_stranger_records_no_audit(address caller) external {
        _changesNothing(_releases, caller, svm.createCalldata("Releases"));
    }

    function check_a_stranger_changes_no_rule(address caller) external {
        _changesNothing(_compliance, caller, svm.createCalldata("ModularCompliance"));
    }

    /// @dev All but transfers, approvals and permits, which are everybody's for what is its own.
    function check_a_stranger_changes_nothing_of_a_token(address caller, address holder, uint256 word) external {
        vm.assume(caller != address(0) && caller != _OWNER && caller != _registry && caller != address(this));
        _token.put(holder, word);
        bytes32 before = _token.state(holder, caller);
        bytes memory data = svm.createCalldata("AppointedToken");
        vm.prank(caller);
        (bool done,) = address(_token).call(data);
        done;
        assert(_token.state(holder, caller) == before);
    }

    function _changesNothing(address target, address caller, bytes memory data) private {
        vm.assume(caller != _OWNER && caller != _registry && caller != _TOKEN && caller != address(0));
        uint256 before = svm.snapshotStorage(target);
        vm.prank(caller);
        (bool done,) = target.call(data);
        done;
        assert(svm.snapshotStorage(target) == before);
    }

    function _proxy(address code, bytes memory init) private returns (address) {
        return address(new ERC1967Proxy(code, init));
    }
}
