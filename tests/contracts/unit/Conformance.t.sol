// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAgentRole} from "../../../contracts/interfaces/IAgentRole.sol";
import {IClaimTopicsRegistry} from "../../../contracts/interfaces/IClaimTopicsRegistry.sol";
import {ICompliance} from "../../../contracts/interfaces/ICompliance.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {IIdentityRegistryStorage} from "../../../contracts/interfaces/IIdentityRegistryStorage.sol";
import {ITrustedIssuersRegistry} from "../../../contracts/interfaces/ITrustedIssuersRegistry.sol";
import {Test} from "../Test.sol";

/// @notice The selectors and topics of ERC-3643, as literals: other wallets and explorers rely on them.
contract ConformanceTest is Test {
    function test_erc3643_keeps_the_standards_selectors_and_topics() public pure {
        assertSelector(IERC3643.onchainID.selector, 0xaba63705);
        assertSelector(IERC3643.version.selector, 0x54fd4d50);
        assertSelector(IERC3643.identityRegistry.selector, 0x134e18f4);
        assertSelector(IERC3643.compliance.selector, 0x6290865d);
        assertSelector(IERC3643.paused.selector, 0x5c975abb);
        assertSelector(IERC3643.isFrozen.selector, 0xe5839836);
        assertSelector(IERC3643.getFrozenTokens.selector, 0x158b1a57);
        assertSelector(IERC3643.setName.selector, 0xc47f0027);
        assertSelector(IERC3643.setSymbol.selector, 0xb84c8246);
        assertSelector(IERC3643.setOnchainID.selector, 0x3d1ddc5b);
        assertSelector(IERC3643.pause.selector, 0x8456cb59);
        assertSelector(IERC3643.unpause.selector, 0x3f4ba83a);
        assertSelector(IERC3643.setAddressFrozen.selector, 0xc69c09cf);
        assertSelector(IERC3643.freezePartialTokens.selector, 0x125c4a33);
        assertSelector(IERC3643.unfreezePartialTokens.selector, 0x1fe56f7d);
        assertSelector(IERC3643.setIdentityRegistry.selector, 0xcbf3f861);
        assertSelector(IERC3643.setCompliance.selector, 0xf8981789);
        assertSelector(IERC3643.forcedTransfer.selector, 0x9fc1d0e7);
        assertSelector(IERC3643.mint.selector, 0x40c10f19);
        assertSelector(IERC3643.burn.selector, 0x9dc29fac);
        assertSelector(IERC3643.recoveryAddress.selector, 0x9285948a);
        assertSelector(IERC3643.batchTransfer.selector, 0x88d695b2);
        assertSelector(IERC3643.batchForcedTransfer.selector, 0x42a47abc);
        assertSelector(IERC3643.batchMint.selector, 0x68573107);
        assertSelector(IERC3643.batchBurn.selector, 0x4a6cc677);
        assertSelector(IERC3643.batchSetAddressFrozen.selector, 0x1a7af379);
        assertSelector(IERC3643.batchFreezePartialTokens.selector, 0xfc7e5fa8);
        assertSelector(IERC3643.batchUnfreezePartialTokens.selector, 0x4710362d);
        assertEq(
            IERC3643.UpdatedTokenInformation.selector,
            0x6a1105ac8148a3c319adbc369f9072573e8a11d3a3d195e067e7c40767ec54d1
        );
        assertEq(
            IERC3643.IdentityRegistryAdded.selector, 0xd2be862d755bca7e0d39772b2cab3a5578da9c285f69199f4c063c2294a7f36c
        );
        assertEq(IERC3643.ComplianceAdded.selector, 0x7f3a888862559648ec01d97deb7b5012bff86dc91e654a1de397170db40e35b6);
        assertEq(IERC3643.RecoverySuccess.selector, 0xf0c9129a94f30f1caaceb63e44b9811d0a3edf1d6c23757f346093af5553fed0);
        assertEq(IERC3643.AddressFrozen.selector, 0x7fa523c84ab8d7fc5b72f08b9e46dbbf10c39e119a075b3e317002d14bc9f436);
        assertEq(IERC3643.TokensFrozen.selector, 0xa065e63c631c86f1b9f66a4a2f63f2093bf1c2168d23290259dbd969e0222a45);
        assertEq(IERC3643.TokensUnfrozen.selector, 0x9bed35cb62ad0dba04f9d5bfee4b5bc91443e77da8a65c4c84834c51bb08b0d6);
        assertEq(IERC3643.Paused.selector, 0x62e78cea01bee320cd4e420270b5ea74000d11b0c9f74754ebdbfc544b05a258);
        assertEq(IERC3643.Unpaused.selector, 0x5db9ee0a495bf2e6ff9c91a7834c1ba4fdd244a5e8aa4e537bd38aeae4b073aa);
    }

    function test_identityregistry_keeps_the_standards_selectors_and_topics() public pure {
        assertSelector(IIdentityRegistry.identityStorage.selector, 0xf11abfd8);
        assertSelector(IIdentityRegistry.issuersRegistry.selector, 0xb4f3fcb7);
        assertSelector(IIdentityRegistry.topicsRegistry.selector, 0x3b3e12f4);
        assertSelector(IIdentityRegistry.setIdentityRegistryStorage.selector, 0x26d941ae);
        assertSelector(IIdentityRegistry.setClaimTopicsRegistry.selector, 0x670af6a9);
        assertSelector(IIdentityRegistry.setTrustedIssuersRegistry.selector, 0xe744d789);
        assertSelector(IIdentityRegistry.registerIdentity.selector, 0x454a03e0);
        assertSelector(IIdentityRegistry.deleteIdentity.selector, 0xa8d29d1d);
        assertSelector(IIdentityRegistry.updateCountry.selector, 0x3b239a7f);
        assertSelector(IIdentityRegistry.updateIdentity.selector, 0x8e098ca1);
        assertSelector(IIdentityRegistry.batchRegisterIdentity.selector, 0x653dc9f1);
        assertSelector(IIdentityRegistry.contains.selector, 0x5dbe47e8);
        assertSelector(IIdentityRegistry.isVerified.selector, 0xb9209e33);
        assertSelector(IIdentityRegistry.identity.selector, 0xf0eb5e54);
        assertSelector(IIdentityRegistry.investorCountry.selector, 0x7e42683b);
        assertEq(
            IIdentityRegistry.ClaimTopicsRegistrySet.selector,
            0x7170bf15b246e880b2369cd7c67d057760d8a35149e8c64dde91efa22bcc76d0
        );
        assertEq(
            IIdentityRegistry.IdentityStorageSet.selector,
            0x2fa8b95c1db7afe99e3398f3792f008135cedc1fa26b0bb2ecd2352cd166d53c
        );
        assertEq(
            IIdentityRegistry.TrustedIssuersRegistrySet.selector,
            0x1b98cb79e6f73020175fe87333f1b91ad6a881519c0afe30340c2599b2b4bde0
        );
        assertEq(
            IIdentityRegistry.IdentityRegistered.selector,
            0x6ae73635c50d24a45af6fbd5e016ac4bed179addbc8bf24e04ff0fcc6d33af19
        );
        assertEq(
            IIdentityRegistry.IdentityRemoved.selector,
            0x59d6590e225b81befe259af056324092801080acbb7feab310eb34678871f327
        );
        assertEq(
            IIdentityRegistry.IdentityUpdated.selector,
            0xe98082932c8056a0f514da9104e4a66bc2cbaef102ad59d90c4b24220ebf6010
        );
        assertEq(
            IIdentityRegistry.CountryUpdated.selector,
            0x04ed3b726495c2dca1ff1215d9ca54e1a4030abb5e82b0f6ce55702416cee853
        );
    }

    function test_identityregistrystorage_keeps_the_standards_selectors_and_topics() public pure {
        assertSelector(IIdentityRegistryStorage.storedIdentity.selector, 0x7988d3a5);
        assertSelector(IIdentityRegistryStorage.storedInvestorCountry.selector, 0x727e13bc);
        assertSelector(IIdentityRegistryStorage.addIdentityToStorage.selector, 0xa53410dd);
        assertSelector(IIdentityRegistryStorage.removeIdentityFromStorage.selector, 0xcf191bcd);
        assertSelector(IIdentityRegistryStorage.modifyStoredInvestorCountry.selector, 0x9f3418d5);
        assertSelector(IIdentityRegistryStorage.modifyStoredIdentity.selector, 0xe805cf86);
        assertSelector(IIdentityRegistryStorage.bindIdentityRegistry.selector, 0x690a49f9);
        assertSelector(IIdentityRegistryStorage.unbindIdentityRegistry.selector, 0x97a012f7);
        assertSelector(IIdentityRegistryStorage.linkedIdentityRegistries.selector, 0xbf9eb959);
        assertEq(
            IIdentityRegistryStorage.IdentityStored.selector,
            0x0030dea7e9c9afaa2e3c9810f2fc9b5181f1bad74ca5a8db85f746a33585e747
        );
        assertEq(
            IIdentityRegistryStorage.IdentityUnstored.selector,
            0xca6a4c3370b859312246e7f086284076e557997e10d856b716c23ab67067790b
        );
        assertEq(
            IIdentityRegistryStorage.IdentityModified.selector,
            0x556ce885dfcea52155c773f1ed2e58781c51945c13030ab8f793c61f51d1b808
        );
        assertEq(
            IIdentityRegistryStorage.CountryModified.selector,
            0x20965fcdc6eed7ae398065b40ece4e732ba667992ca819fc54e80e9f2047c4cf
        );
        assertEq(
            IIdentityRegistryStorage.IdentityRegistryBound.selector,
            0x500c250171aa20e861b680f93502547b9d436eda7d4c537fc360db6e0c6eedfb
        );
        assertEq(
            IIdentityRegistryStorage.IdentityRegistryUnbound.selector,
            0x51f353eb5801583fdf2706e43c045b62fdf6b1566820b349390616363ecf72c9
        );
    }

    function test_compliance_keeps_the_standards_selectors_and_topics() public pure {
        assertSelector(ICompliance.bindToken.selector, 0x3ff5aa02);
        assertSelector(ICompliance.unbindToken.selector, 0x40db3b50);
        assertSelector(ICompliance.isTokenBound.selector, 0x993e8b95);
        assertSelector(ICompliance.getTokenBound.selector, 0x6a3edf28);
        assertSelector(ICompliance.canTransfer.selector, 0xe46638e6);
        assertSelector(ICompliance.transferred.selector, 0x8baf29b4);
        assertSelector(ICompliance.created.selector, 0x5f8dead3);
        assertSelector(ICompliance.destroyed.selector, 0x8d2ea772);
        assertEq(ICompliance.TokenBound.selector, 0x2de35142b19ed5a07796cf30791959c592018f70b1d2d7c460eef8ffe713692b);
        assertEq(ICompliance.TokenUnbound.selector, 0x28a4ca7134a3b3f9aff286e79ad3daadb4a06d1b43d037a3a98bdc074edd9b7a);
    }

    function test_trustedissuersregistry_keeps_the_standards_selectors_and_topics() public pure {
        assertSelector(ITrustedIssuersRegistry.addTrustedIssuer.selector, 0x9f63ea98);
        assertSelector(ITrustedIssuersRegistry.removeTrustedIssuer.selector, 0xb93d28eb);
        assertSelector(ITrustedIssuersRegistry.updateIssuerClaimTopics.selector, 0x04bc7e84);
        assertSelector(ITrustedIssuersRegistry.getTrustedIssuers.selector, 0xd9dd24c5);
        assertSelector(ITrustedIssuersRegistry.isTrustedIssuer.selector, 0xef2ed1a4);
        assertSelector(ITrustedIssuersRegistry.getTrustedIssuerClaimTopics.selector, 0xc28fb278);
        assertSelector(ITrustedIssuersRegistry.getTrustedIssuersForClaimTopic.selector, 0x52c111d1);
        assertSelector(ITrustedIssuersRegistry.hasClaimTopic.selector, 0x34a89987);
        assertEq(
            ITrustedIssuersRegistry.TrustedIssuerAdded.selector,
            0xfedc33fd34859594822c0ff6f3f4f9fc279cc6d5cae53068f706a088e4500872
        );
        assertEq(
            ITrustedIssuersRegistry.TrustedIssuerRemoved.selector,
            0x2214ded40113cc3fb63fc206cafee88270b0a903dac7245d54efdde30ebb0321
        );
        assertEq(
            ITrustedIssuersRegistry.ClaimTopicsUpdated.selector,
            0xec753cfc52044f61676f18a11e500093a9f2b1cd5e4942bc476f2b0438159bcf
        );
    }

    function test_claimtopicsregistry_keeps_the_standards_selectors_and_topics() public pure {
        assertSelector(IClaimTopicsRegistry.addClaimTopic.selector, 0xc7b22551);
        assertSelector(IClaimTopicsRegistry.removeClaimTopic.selector, 0x08297846);
        assertSelector(IClaimTopicsRegistry.getClaimTopics.selector, 0xdf09d604);
        assertEq(
            IClaimTopicsRegistry.ClaimTopicAdded.selector,
            0x01c928b7f7ade2949e92366aa9454dbef3a416b731cf6ec786ba9595bbd814d6
        );
        assertEq(
            IClaimTopicsRegistry.ClaimTopicRemoved.selector,
            0x0b1381093c776453c1bbe54fd68be1b235c65db61d099cb50d194b2991e0eec5
        );
    }

    function test_agentrole_keeps_the_standards_selectors_and_topics() public pure {
        assertSelector(IAgentRole.addAgent.selector, 0x84e79842);
        assertSelector(IAgentRole.removeAgent.selector, 0x97a6278e);
        assertSelector(IAgentRole.isAgent.selector, 0x1ffbb064);
        assertEq(IAgentRole.AgentAdded.selector, 0xf68e73cec97f2d70aa641fb26e87a4383686e2efacb648f2165aeb02ac562ec5);
        assertEq(IAgentRole.AgentRemoved.selector, 0xed9c8ad8d5a0a66898ea49d2956929c93ae2e8bd50281b2ed897c5d1a6737e0b);
    }

    function assertSelector(bytes4 left, bytes4 right) private pure {
        assertEq(bytes32(left), bytes32(right));
    }
}
