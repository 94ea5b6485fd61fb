// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDvpSettlement, Order, Trade} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {ISettlementModes} from "../../../contracts/interfaces/ISettlementModes.sol";
import {HostileToken} from "../mocks/HostileToken.sol";
import {Batches} from "./Batches.sol";

/// @title WholeBatchesTest
/// @notice Batches that settle whole or not at all, gross and netted.
contract WholeBatchesTest is Batches {
    /// @dev Every account can buy and sell, so that nets run both ways.
    function setUp() public override {
        super.setUp();
        issuerAct(address(token), abi.encodeCall(IERC3643.mint, (buyer, 10_000)));
        issuerAct(address(token), abi.encodeCall(IERC3643.mint, (other, 10_001)));
        credit(cash1, 10_000_000);
    }

    function test_a_gross_batch_settles_all() public {
        Batch memory batch = _both();
        (uint256 first, uint256 second) = (cash.balanceOf(cash1), cash.balanceOf(cash2));
        _whole(batch, false);
        assertEq(cash.balanceOf(cash1), first + 100 * 5000 - 60 * 5100);
        assertEq(cash.balanceOf(cash2), second - 100 * 5000 + 60 * 5100);
        assertEq(token.balanceOf(seller), 10_000 - 100 + 60);
        assertTrue(settlement.settled(VENUE, 1));
        assertTrue(settlement.settled(VENUE, 2));
        assertEq(settlement.filled(BROKER_1, 1), 100);
    }

    function test_one_that_fails_stops_all_with_its_reason() public {
        Batch memory batch = _both();
        batch.trades[1].price = 6000;
        _refuses(batch, unmatched("price"));
        batch = _both();
        batch.trades[1].quantity = 20_000;
        _refuses(batch, unmatched("quantity"));
        batch = _both();
        batch.trades[1].quantity = 0;
        _refuses(batch, abi.encodeWithSelector(LotInvalid.selector, 0, 1));
        batch = _both();
        batch.trades[1].sell = 9;
        _refuses(batch, unmatched("order"));
        registrarAct(address(token), abi.encodeCall(IERC3643.setAddressFrozen, (buyer, true)));
        _refuses(_both(), abi.encodeWithSelector(AccountLegalHold.selector, buyer));
    }

    function test_cash_that_is_missing_stops_all() public {
        Order memory buy = bid(1_000_000, 100);
        Order memory sell = ask(1, 100);
        _refuses(
            pair(buy, sell, 100, 1_000_000),
            abi.encodeWithSelector(InsufficientCash.selector, cash2, 10_000_000, 100_000_000)
        );
    }

    /// @custom:requirement SET-05
    function test_a_batch_is_not_done_twice() public {
        Batch memory batch = _both();
        _whole(batch, true);
        _refuses(batch, abi.encodeWithSelector(DuplicateInstruction.selector, bytes32(uint256(1))));
    }

    function test_only_the_venue_sends() public {
        Batch memory batch = _both();
        (bool success, bytes memory answer) = _call(address(this), batch, false);
        assertFalse(success);
        assertEq(answer, abi.encodeWithSelector(RoleRequired.selector, bytes32("SENDER")));
        (success, answer) = _call(address(this), batch, true);
        assertEq(answer, abi.encodeWithSelector(RoleRequired.selector, bytes32("SENDER")));
        batch.signatures = new bytes[](0);
        (success, answer) = _call(venueSender, batch, true);
        assertEq(answer, abi.encodeWithSelector(IDvpSettlement.DvpSettlementLengthMismatch.selector));
    }

    /// @custom:requirement SET-07
    function test_nets_are_the_sums_of_the_gross_trades() public {
        Batch memory batch = _both();
        bytes32 gross = keccak256(abi.encode(bytes32(0), uint64(1), cash2, cash1, uint256(500_000)));
        gross = keccak256(abi.encode(gross, uint64(2), cash1, cash2, uint256(306_000)));
        address[] memory accounts = new address[](2);
        (accounts[0], accounts[1]) = (cash2, cash1);
        int256[] memory nets = new int256[](2);
        (nets[0], nets[1]) = (-194_000, 194_000);
        vm.expectEmit(address(settlement));
        emit ISettlementModes.BatchNetted(VENUE, address(cash), gross, accounts, nets);
        _whole(batch, true);
        assertEq(cash.balanceOf(cash1), 10_194_000);
        assertEq(cash.balanceOf(cash2), 10_000_000 - 194_000);
        assertEq(cash.balanceOf(address(settlement)), 0);
        assertEq(token.balanceOf(seller), 10_000 - 100 + 60);
    }

    function test_each_trade_of_a_batch_is_told_as_settled() public {
        lastNonce[BROKER_1] = 10;
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < 2; i++) {
            Batch memory batch = _both();
            vm.expectEmit(address(settlement));
            emit IDvpSettlement.TradeSettled(VENUE, 1, address(token), seller, buyer, 100, 5000, 11, 1);
            vm.expectEmit(address(settlement));
            emit IDvpSettlement.TradeSettled(VENUE, 2, address(token), buyer, seller, 60, 5100, 2, 12);
            _whole(batch, i == 1);
            vm.revertToState(snapshot);
        }
    }

    function test_netting_needs_only_the_net_in_cash() public {
        Batch memory batch = _both();
        // What flows back within the batch covers what no balance would: 15,000,000 against 14,999,000.
        (batch.orders[0].price, batch.orders[1].price) = (150_000, 150_000);
        (batch.orders[2].price, batch.orders[3].price) = (149_990, 149_990);
        (batch.trades[0].price, batch.trades[1].price) = (150_000, 149_990);
        batch.trades[1].quantity = 100;
        (batch.orders[2].quantity, batch.orders[3].quantity) = (100, 100);
        _sign(batch);
        (bool success,) = _call(venueSender, batch, false);
        assertFalse(success, "gross, the first buyer lacks cash");
        _whole(batch, true);
        assertEq(cash.balanceOf(cash2), 10_000_000 - 1000);
    }

    function test_a_cash_account_is_the_same_to_all_who_name_it() public {
        Batch memory batch = _both();
        batch.orders[3].cashAccount = cash1;
        _sign(batch);
        _refuses(batch, abi.encodeWithSelector(SegregationViolation.selector, buyer, cash1));
        batch = _both();
        batch.orders[2].cashAccount = cash2;
        _sign(batch);
        _refuses(batch, abi.encodeWithSelector(SegregationViolation.selector, seller, cash2));
        batch = _both();
        batch.orders[2].account = house;
        _sign(batch);
        _refuses(batch, abi.encodeWithSelector(SegregationViolation.selector, house, cash1));
    }

    function test_a_netted_batch_has_one_cash() public {
        Batch memory batch = _both();
        HostileToken another = new HostileToken();
        (batch.orders[2].cash, batch.orders[3].cash) = (address(another), address(another));
        _sign(batch);
        (, bytes memory answer) = _call(venueSender, batch, true);
        assertEq(answer, unmatched("cash"));
    }

    function test_an_empty_batch_moves_nothing() public {
        Batch memory batch;
        bytes32 before = holdings();
        _whole(batch, true);
        _whole(batch, false);
        assertEq(holdings(), before);
    }

    function test_a_token_that_calls_back_meets_a_lock() public {
        Batch memory batch = _both();
        HostileToken hostile = new HostileToken();
        hostile.callBack(
            address(settlement),
            abi.encodeCall(ISettlementModes.settleAll, (new Order[](0), new bytes[](0), new Trade[](0)))
        );
        (batch.orders[2].token, batch.orders[3].token) = (address(hostile), address(hostile));
        _sign(batch);
        _whole(batch, false);
        assertFalse(hostile.succeeded());
        assertEq(hostile.answer(), abi.encodeWithSelector(IDvpSettlement.DvpSettlementReentered.selector));
    }

    function test_orders_signed_for_another_chain_or_contract_settle_nothing() public {
        Batch memory batch = _both();
        vm.chainId(7);
        (bool success, bytes memory answer) = _call(venueSender, batch, false);
        assertFalse(success);
        assertEq(bytes32(bytes4(answer)), bytes32(SignatureInvalid.selector), "another chain");
    }

    function test_a_mode_runs_only_behind_settlement() public {
        ISettlementModes alone = ISettlementModes(deploy("SettlementModes"));
        vm.prank(venueSender);
        vm.expectRevert();
        alone.settleAll(new Order[](0), new bytes[](0), new Trade[](0));
        (bool success, bytes memory answer) = address(this).call(abi.encodeCall(this.deployWithout, ()));
        assertFalse(success);
        assertEq(answer, abi.encodeWithSelector(IDvpSettlement.DvpSettlementCodeMissing.selector, address(0)));
    }

    function deployWithout() external {
        deploy("DvpSettlement", abi.encode(address(0)));
    }

    /// @dev Whatever trades fit, all three modes leave the same holdings, and no order beyond its quantity.
    /// @custom:requirement SET-07
    function testFuzz_a_netted_batch_ends_like_an_itemised_one(uint256 seed) public {
        Batch memory batch = _random(seed, 6);
        uint256 snapshot = vm.snapshotState();
        Outcome[] memory list = outcomes(batch);
        assertEq(list.length, 6);
        for (uint256 i = 0; i < list.length; i++) {
            assertEq(list[i].refusal, "", "each settles alone");
        }
        bytes32 itemised = _all();
        vm.revertToState(snapshot);
        snapshot = vm.snapshotState();
        _whole(batch, true);
        assertEq(_all(), itemised, "netted");
        vm.revertToState(snapshot);
        _whole(batch, false);
        assertEq(_all(), itemised, "gross");
        assertEq(cash.balanceOf(cash1) + cash.balanceOf(cash2), cash.totalSupply(), "cash is conserved");
        assertEq(
            token.balanceOf(seller) + token.balanceOf(buyer) + token.balanceOf(other),
            token.totalSupply(),
            "so are units"
        );
    }

    function testFuzz_no_order_is_filled_beyond_its_quantity_over_mixed_modes(uint64[6] memory units) public {
        (Order memory buy, Order memory sell) = (bid(10, 1000), ask(10, 1000));
        uint256 filled;
        for (uint256 i = 0; i < units.length; i++) {
            uint64 quantity = uint64(bound(units[i], 1, 500));
            Batch memory batch = pair(buy, sell, quantity, 10);
            if (i % 3 == 0) send(batch);
            else if (i % 3 == 1) _call(venueSender, batch, i == 1);
            else _holds(batch);
            if (filled + quantity <= 1000) filled += quantity;
            assertEq(settlement.filled(BROKER_1, sell.nonce), filled);
            assertEq(settlement.filled(BROKER_2, buy.nonce), filled);
        }
        (,, uint256 encumbered,) = token.accountOf(seller);
        assertEq(encumbered * 10, cash.heldOf(cash2), "held legs are worth the same");
    }

    function _holds(Batch memory batch) private {
        vm.prank(venueSender);
        modes.holdBatch(batch.orders, batch.signatures, batch.trades);
    }

    /// @dev Seller to buyer 100 at 5,000, buyer to seller 60 at 5,100; all customers' accounts.
    function _both() private returns (Batch memory batch) {
        lastTradeId = 0;
        batch.orders = new Order[](4);
        batch.orders[0] = bid(5000, 100);
        batch.orders[1] = ask(5000, 100);
        batch.orders[2] = _buy(5100, 60);
        batch.orders[3] = _sell(buyer, 5100, 60);
        batch.signatures = new bytes[](4);
        batch.trades = new Trade[](2);
        batch.trades[0] = Trade(1, 0, 1, 100, 5000, uint40(block.timestamp));
        batch.trades[1] = Trade(2, 2, 3, 60, 5100, uint40(block.timestamp));
        _sign(batch);
    }

    /// @dev The seller buys.
    function _buy(uint64 price, uint64 units) private returns (Order memory order) {
        order = ask(price, units);
        order.side = 1;
    }

    function _sell(address account, uint64 price, uint64 units) private returns (Order memory order) {
        order = bid(price, units);
        (order.side, order.account) = (2, account);
    }

    function _random(uint256 seed, uint256 count) private returns (Batch memory batch) {
        batch.orders = new Order[](2 * count);
        batch.signatures = new bytes[](2 * count);
        batch.trades = new Trade[](count);
        for (uint256 i = 0; i < count; i++) {
            seed = uint256(keccak256(abi.encode(seed)));
            (uint64 price, uint64 units) = (uint64(1 + seed % 5000), uint64(1 + (seed >> 64) % 300));
            bool forth = seed >> 255 == 1;
            batch.orders[2 * i] = forth ? bid(price, units) : _buy(price, units);
            batch.orders[2 * i + 1] =
                forth ? ask(price, units) : _sell((seed >> 254) & 1 == 1 ? buyer : other, price, units);
            batch.trades[i] =
                Trade(++lastTradeId, uint16(2 * i), uint16(2 * i + 1), units, price, uint40(block.timestamp));
        }
        _sign(batch);
    }

    function _sign(Batch memory batch) private view {
        for (uint256 i = 0; i < batch.orders.length; i++) {
            bool first = batch.orders[i].account == seller || batch.orders[i].account == house;
            batch.signatures[i] = signOrder(SIGNER + (first ? BROKER_1_NO : BROKER_2_NO), batch.orders[i]);
        }
    }

    function _all() private view returns (bytes32) {
        return keccak256(abi.encode(holdings(), settlement.settled(VENUE, 1), settlement.settled(VENUE, 6)));
    }

    function _whole(Batch memory batch, bool net) private {
        (bool success, bytes memory answer) = _call(venueSender, batch, net);
        assertEq(answer, "");
        assertTrue(success);
    }

    function _refuses(Batch memory batch, bytes memory refusal) private {
        bytes32 before = holdings();
        for (uint256 i = 0; i < 2; i++) {
            (bool success, bytes memory answer) = _call(venueSender, batch, i == 1);
            assertFalse(success);
            assertEq(answer, refusal);
        }
        assertEq(holdings(), before, "nothing moved");
    }

    function _call(address sender, Batch memory batch, bool net) private returns (bool, bytes memory) {
        bytes memory data = net
            ? abi.encodeCall(ISettlementModes.settleNet, (batch.orders, batch.signatures, batch.trades))
            : abi.encodeCall(ISettlementModes.settleAll, (batch.orders, batch.signatures, batch.trades));
        vm.prank(sender);
        return address(settlement).call(data);
    }
}
