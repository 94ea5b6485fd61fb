// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Act, Grounds} from "../../../contracts/interfaces/IAuthority.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title LegalSuite
/// @notice The complete suite, and acts of its legal actions by registrar and supervisor.
abstract contract LegalSuite is ProductionSuite {
    uint256 private _salt;

    function legalAct(bytes memory data) internal returns (bytes memory) {
        Act memory act = nextAct(data);
        return authority.execute(act, approvals(act, REGISTRAR_NO, SUPERVISOR_NO));
    }

    function refusesLegal(bytes memory data, bytes memory refusal) internal {
        Act memory act = nextAct(data);
        bytes[] memory both = approvals(act, REGISTRAR_NO, SUPERVISOR_NO);
        vm.expectRevert(refusal);
        authority.execute(act, both);
    }

    function nextAct(bytes memory data) internal returns (Act memory act) {
        act = actOf(address(legal), data);
        act.salt = ++_salt;
    }

    function groundsOf(Act memory act) internal view returns (Grounds memory) {
        return Grounds(actDigest(act), REGISTRAR, SUPERVISOR, act.basis, act.document);
    }
}
