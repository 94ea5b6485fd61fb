# SPDX-License-Identifier: Apache-2.0
"""Registered quantities, compiled and deployed by Brownie."""

import brownie
import pytest

TOKEN = "0x" + "11" * 20


@pytest.fixture
def quantities(RegisteredQuantity, ERC1967Proxy, accounts):
    implementation = RegisteredQuantity.deploy({"from": accounts[0]})
    start = implementation.initialize.encode_input(accounts[1])
    proxy = ERC1967Proxy.deploy(implementation, start, {"from": accounts[0]})
    return brownie.Contract.from_abi("RegisteredQuantity", proxy.address, RegisteredQuantity.abi)


class TestRegister:
    def test_the_owner_registers_and_the_event_says_so(self, quantities, accounts):
        transaction = quantities.register(TOKEN, 100, {"from": accounts[1]})
        assert quantities.quantityOf(TOKEN) == 100
        assert transaction.events["QuantityRegistered"] == {"token": TOKEN, "quantity": 100}

    def test_nobody_else_registers(self, quantities, accounts):
        with brownie.reverts(f"RoleRequired: {b'OWNER'.ljust(32, bytes(1))}"):
            quantities.register(TOKEN, 100, {"from": accounts[0]})
        assert quantities.quantityOf(TOKEN) == 0

    def test_a_quantity_only_rises(self, quantities, accounts):
        quantities.register(TOKEN, 100, {"from": accounts[1]})
        with brownie.reverts(f"RegisteredQuantityNotRaised: {TOKEN}, 100, 100"):
            quantities.register(TOKEN, 100, {"from": accounts[1]})
        quantities.register(TOKEN, 101, {"from": accounts[1]})
        assert quantities.quantityOf(TOKEN) == 101


class TestInitialize:
    def test_a_proxy_is_initialised_in_its_constructor_and_never_again(self, quantities, accounts):
        with brownie.reverts("InvalidInitialization: "):
            quantities.initialize(accounts[0], {"from": accounts[0]})
        assert quantities.owner() == accounts[1]

    def test_the_implementation_is_locked(self, RegisteredQuantity, accounts):
        implementation = RegisteredQuantity.deploy({"from": accounts[0]})
        with brownie.reverts("InvalidInitialization: "):
            implementation.initialize(accounts[0], {"from": accounts[0]})
