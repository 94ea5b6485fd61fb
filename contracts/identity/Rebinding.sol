// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Restraints} from "./Restraints.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IRebinding, Procedure} from "../interfaces/IRebinding.sol";
import {IIdentityProfiles} from "../interfaces/IVerificationSources.sol";

/// @title Rebinding
/// @notice Moves the customers of an institution to another.
abstract contract Rebinding is Restraints {
    uint16 internal constant _ACCOUNT_MANAGER = 1 << 4;
    uint8 private constant _ACTIVE = 1;

    /// @inheritdoc IRebinding
    function rebindAccounts(bytes20 from, bytes20 to, address[] calldata accounts) external onlyOwner {
        if (from == to) revert IdentityRegistrySameManager(from);
        Data storage $ = _data();
        (uint16 roles, uint8 status) = IMemberRegistry($.memberRegistry).memberOf(to);
        if (status != _ACTIVE || roles & _ACCOUNT_MANAGER == 0) revert BrokerNotMember(to);
        uint256[] memory profiles = IIdentityProfiles($.identityStorage).modifyStoredManagers(from, to, accounts);
        for (uint256 i = 0; i < accounts.length; i++) {
            uint256 profile = profiles[i];
            emit AccountBound(
                accounts[i],
                to,
                address(uint160(profile >> 96)),
                uint16(profile >> 80),
                uint8(profile >> 72),
                uint8(profile >> 64)
            );
        }
        Procedure storage procedure = $.procedures[from][to];
        procedure.count += uint64(accounts.length);
        procedure.accountsHash = keccak256(abi.encode(procedure.accountsHash, accounts));
        emit AccountsRebound(from, to, accounts.length, procedure.count, procedure.accountsHash);
    }

    /// @inheritdoc IRebinding
    function procedureOf(bytes20 from, bytes20 to) external view returns (Procedure memory) {
        return _data().procedures[from][to];
    }
}
