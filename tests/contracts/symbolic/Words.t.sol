// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IdentityRegistry} from "../../../contracts/identity/IdentityRegistry.sol";
import {IdentityRegistryStorage} from "../../../contracts/identity/IdentityRegistryStorage.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice A profile of any content, and no topic that is required.
contract Profile {
    uint256 public profile;

    function put(uint256 profile_) external {
        profile = profile_;
    }

    function profileWord(address) external view returns (uint256) {
        return profile;
    }

    function requiredTopics() external pure returns (uint64, bool) {
        return (0, false);
    }
}

/// @notice The registry over that profile, at any epoch.
contract OpenRegistry is IdentityRegistry {
    constructor(address source) {
        (_data().identityStorage, _data().topicsRegistry) = (source, source);
    }

    function putEpoch(uint24 epoch) external {
        _data().current = uint32(epoch) << 8;
    }

    function putHold(address account, uint8 effect) external {
        _data().holds[account] = effect;
    }

    function storedWord(address account) external view returns (uint256) {
        return _data().words[account];
    }
}

/// @notice The storage, whose agent is the harness.
contract OpenStorage is IdentityRegistryStorage {
    constructor() {
        _addAgent(msg.sender);
    }
}

/// @notice Each field of a word and of a profile keeps its bits, whatever the others hold.
contract WordsSymbolic is Symbolic {
    Profile private _profile;
    OpenRegistry private _registry;
    OpenStorage private _storage;

    function setUp() public {
        _profile = new Profile();
        _registry = new OpenRegistry(address(_profile));
        _storage = new OpenStorage();
    }

    function check_a_word_is_made_of_its_fields(address account, uint256 profile, uint24 epoch, uint8 effect) external {
        vm.assume(account != address(0) && effect < 4 && epoch != 0 && profile >> 96 != 0);
        _profile.put(profile);
        _registry.putEpoch(epoch);
        _registry.putHold(account, effect);
        uint256 word = _registry.wordOf(account);
        assert(word >> 72 == profile >> 72);
        assert(uint40(word >> 32) == type(uint40).max);
        assert(uint24(word >> 8) == epoch);
        assert(uint8(word) == (uint8(profile) == 0 ? 3 : 11) | effect << 6);
    }

    function check_a_stored_word_is_the_one_worked_out(address account, uint256 profile, uint24 epoch) external {
        vm.assume(account != address(0) && epoch != 0 && profile >> 96 != 0);
        _profile.put(profile);
        _registry.putEpoch(epoch);
        uint256 word = _registry.wordOf(account);
        (, uint256 renewed) = _registry.pairRefreshed(address(0), account);
        assert(renewed == word && _registry.storedWord(account) == word);
    }

    function check_a_change_of_country_keeps_the_rest_of_a_profile(
        address account,
        address identity,
        uint16 country,
        uint8 class,
        uint8 kind,
        uint16 next
    ) external {
        _storage.addProfile(account, identity, country, class, kind, "manager");
        uint256 before = _storage.profileWord(account);
        _storage.modifyStoredInvestorCountry(account, next);
        uint256 profile = _storage.profileWord(account);
        assert(uint16(profile >> 80) == next);
        assert((profile ^ before) & ~(uint256(type(uint16).max) << 80) == 0);
    }

    function check_a_change_of_class_keeps_the_rest_of_a_profile(
        address account,
        address identity,
        uint16 country,
        uint8 class,
        uint8 kind,
        uint8 next
    ) external {
        _storage.addProfile(account, identity, country, class, kind, "manager");
        uint256 before = _storage.profileWord(account);
        _storage.modifyStoredClass(account, next);
        uint256 profile = _storage.profileWord(account);
        assert(uint8(profile >> 72) == next);
        assert((profile ^ before) & ~(uint256(type(uint8).max) << 72) == 0);
    }

    function check_a_change_of_identity_keeps_the_rest_of_a_profile(
        address account,
        address identity,
        uint16 country,
        uint8 class,
        uint8 kind,
        address next
    ) external {
        _storage.addProfile(account, identity, country, class, kind, "manager");
        uint256 before = _storage.profileWord(account);
        _storage.modifyStoredIdentity(account, next);
        uint256 profile = _storage.profileWord(account);
        assert(profile >> 96 == uint160(next));
        assert(uint96(profile) == uint96(before) | 1);
        assert(_storage.firstIdentityOf(account) == identity);
    }

    function check_a_profile_says_what_was_registered(
        address account,
        address identity,
        uint16 country,
        uint8 class,
        uint8 kind
    ) external {
        _storage.addProfile(account, identity, country, class, kind, "manager");
        uint256 profile = _storage.profileWord(account);
        (bytes20 manager, uint8 ownerType) = _storage.managerOf(account);
        assert(_storage.storedIdentity(account) == identity && _storage.storedInvestorCountry(account) == country);
        assert(uint8(profile >> 72) == class && ownerType == kind && manager == "manager");
        assert(uint48(profile) == 0);
    }
}
