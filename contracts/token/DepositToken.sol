// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Governed} from "../control/Governed.sol";
import {Signatures} from "../control/Signatures.sol";
import {TypedData} from "../control/TypedData.sol";
import {CashAccount, CashEntry, CashMove, CashParty, IDepositToken} from "../interfaces/IDepositToken.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";

/// @title DepositToken
contract DepositToken is Governed, TypedData, IDepositToken {
    /// @custom:storage-location erc7201:stoken.storage.DepositToken
    struct Data {
        IMemberRegistry members;
        address settlement;
        uint88 supply;
        // One word an account: member:160 | kind:8 | free:88. 2^88 won are more than all money there is.
        mapping(address account => uint256) accounts;
        mapping(bytes32 ref => bool) references;
        mapping(bytes20 member => mapping(uint256 nonce => bool)) nonces;
        // Apart from the word: who settles at once never reads it.
        mapping(address account => uint256) held;
        bytes20 agent;
    }

    uint8 private constant _CASH = 8;
    uint16 private constant _CASH_AGENT = 1 << 7;
    uint8 private constant _ACTIVE = 1;
    uint8 private constant _CUSTOMER = 1;
    uint8 private constant _OWN = 2;

    bytes32 private constant _ACCOUNT =
        keccak256("CashAccount(address account,bytes20 member,uint8 kind,uint256 nonce,uint40 deadline)");
    bytes32 private constant _CREDIT =
        keccak256("CashCredit(address account,uint96 amount,bytes32 ref,uint40 deadline)");
    bytes32 private constant _DEBIT = keccak256("CashDebit(address account,uint96 amount,bytes32 ref,uint40 deadline)");

    bytes32 private constant _MOVE =
        keccak256("CashMove(bytes20 member,address from,address to,uint96 amount,uint256 nonce,uint40 deadline)");

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.DepositToken")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IDepositToken
    function initialize(address owner, address memberRegistry, address settlement, bytes20 agent) external initializer {
        __Ownable_init(owner);
        Data storage $ = _data();
        $.members = IMemberRegistry(memberRegistry);
        $.settlement = settlement;
        _setCashAgent($, agent);
    }

    /// @inheritdoc IDepositToken
    function setCashAgent(bytes20 member) external onlyOwner {
        Data storage $ = _data();
        _requireActive($, member);
        _setCashAgent($, member);
    }

    /// @inheritdoc IDepositToken
    function openAccount(CashAccount calldata opening, bytes calldata signature) external {
        Data storage $ = _data();
        bytes20 agent = _agent(keccak256(abi.encode(_ACCOUNT, opening)), opening.deadline, signature);
        _useNonce($, agent, opening.nonce);
        if (opening.account == address(0) || (opening.kind != _CUSTOMER && opening.kind != _OWN)) {
            revert DepositTokenAccountInvalid(opening.account, opening.kind);
        }
        if ($.accounts[opening.account] != 0) revert DepositTokenAccountExists(opening.account);
        _requireActive($, opening.member);
        $.accounts[opening.account] = _header(opening.member, opening.kind) << 88;
        emit CashAccountOpened(opening.account, opening.member, opening.kind);
    }

    /// @inheritdoc IDepositToken
    function credit(CashEntry calldata entry, bytes calldata signature) external {
        Data storage $ = _data();
        uint256 word = _useReference($, _CREDIT, entry, signature);
        uint256 supply = uint256($.supply) + entry.amount;
        if (entry.amount == 0 || supply > type(uint88).max) revert DepositTokenAmountInvalid(entry.amount);
        // The supply, which holds every balance, fits: so does the balance in its word.
        $.supply = uint88(supply);
        $.accounts[entry.account] = word + entry.amount;
        emit Transfer(address(0), entry.account, entry.amount);
        emit CashCredited(entry.ref, entry.account, entry.amount);
    }

    /// @inheritdoc IDepositToken
    function debit(CashEntry calldata entry, bytes calldata signature) external {
        Data storage $ = _data();
        uint256 word = _useReference($, _DEBIT, entry, signature);
        if (entry.amount == 0) revert DepositTokenAmountInvalid(0);
        if (uint88(word) < entry.amount) revert InsufficientCash(entry.account, uint88(word), entry.amount);
        $.supply -= uint88(entry.amount);
        $.accounts[entry.account] = word - entry.amount;
        emit Transfer(entry.account, address(0), entry.amount);
        emit CashDebited(entry.ref, entry.account, entry.amount);
    }

    /// @inheritdoc IDepositToken
    function settle(CashParty calldata payer, CashParty calldata payee, uint256 amount) external {
        Data storage $ = _data();
        if (msg.sender != $.settlement) revert RoleRequired("SETTLEMENT");
        uint256 from = _checked($, payer);
        uint256 to = _checked($, payee);
        if (uint88(from) < amount) revert InsufficientCash(payer.cashAccount, uint88(from), amount);
        emit Transfer(payer.cashAccount, payee.cashAccount, amount);
        // A broker with both sides pays itself.
        if (payer.cashAccount == payee.cashAccount) return;
        // Covered by a balance, and together never more than the supply.
        $.accounts[payer.cashAccount] = from - amount;
        $.accounts[payee.cashAccount] = to + amount;
    }

    /// @inheritdoc IDepositToken
    function settleNet(CashParty[] memory parties, int256[] calldata nets) external {
        Data storage $ = _settling();
        int256 sum;
        // Who owes pays in before anybody is paid out, so that no event takes what is not there.
        for (uint256 i = 0; i < parties.length; ++i) {
            sum += nets[i];
            uint256 word = _checkedCopy($, parties[i]);
            if (nets[i] >= 0) continue;
            address account = parties[i].cashAccount;
            uint256 owed = uint256(-nets[i]);
            if (uint88(word) < owed) revert InsufficientCash(account, uint88(word), owed);
            $.accounts[account] = word - owed;
            emit Transfer(account, msg.sender, owed);
        }
        if (sum != 0) revert DepositTokenNetUnbalanced(sum);
        for (uint256 i = 0; i < parties.length; ++i) {
            if (nets[i] <= 0) continue;
            $.accounts[parties[i].cashAccount] += uint256(nets[i]);
            emit Transfer(msg.sender, parties[i].cashAccount, uint256(nets[i]));
        }
    }

    /// @inheritdoc IDepositToken
    function hold(CashParty memory payer, CashParty memory payee, uint256 amount) external {
        Data storage $ = _settling();
        uint256 word = _checkedCopy($, payer);
        _checkedCopy($, payee);
        if (uint88(word) < amount) revert InsufficientCash(payer.cashAccount, uint88(word), amount);
        $.accounts[payer.cashAccount] = word - amount;
        _setHeld($, payer.cashAccount, $.held[payer.cashAccount] + amount);
    }

    /// @inheritdoc IDepositToken
    function release(address cashAccount, uint256 amount) external {
        Data storage $ = _settling();
        _setHeld($, cashAccount, $.held[cashAccount] - amount);
        $.accounts[cashAccount] += amount;
    }

    /// @inheritdoc IDepositToken
    function settleHeld(address payer, address payee, uint256 amount) external {
        Data storage $ = _settling();
        _setHeld($, payer, $.held[payer] - amount);
        $.accounts[payee] += amount;
        emit Transfer(payer, payee, amount);
    }

    /// @inheritdoc IDepositToken
    function move(CashMove calldata order, bytes calldata signature) external {
        if (block.timestamp > order.deadline) revert TooLate(order.deadline, block.timestamp);
        Data storage $ = _data();
        address signer = Signatures.signerOf(_digest(keccak256(abi.encode(_MOVE, order))), signature);
        bytes20 member = $.members.authorise(signer, _CASH, block.timestamp);
        if (member != order.member || member == 0) revert SignatureInvalid(signer);
        _useNonce($, member, order.nonce);
        uint256 from = $.accounts[order.from];
        uint256 to = $.accounts[order.to];
        // One member and one kind: customers' cash and its own never mix.
        if (from >> 96 != uint160(member) || from >> 88 != to >> 88) revert SegregationViolation(order.from, order.to);
        if (order.from == order.to) revert SelfTransfer(order.from);
        if (order.amount == 0) revert DepositTokenAmountInvalid(0);
        if (uint88(from) < order.amount) revert InsufficientCash(order.from, uint88(from), order.amount);
        $.accounts[order.from] = from - order.amount;
        $.accounts[order.to] = to + order.amount;
        emit Transfer(order.from, order.to, order.amount);
        emit CashInstructed(member, order.nonce, order.from, order.to, order.amount);
    }

    /// @inheritdoc IDepositToken
    function moveCustomerCash(bytes20 from, bytes20 to, address[] calldata accounts) external onlyOwner {
        Data storage $ = _data();
        _requireActive($, to);
        if (from == to) revert DepositTokenMemberUnchanged(from);
        uint256 before;
        uint256 moved;
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            uint256 word = $.accounts[account];
            if (word >> 88 != _header(from, _CUSTOMER) || from == 0) revert SegregationViolation(account, account);
            before += uint88(word) + $.held[account];
            $.accounts[account] = (_header(to, _CUSTOMER) << 88) | uint88(word);
            moved += uint88($.accounts[account]) + $.held[account];
        }
        emit CustomerCashMoved(from, to, accounts, before, moved);
    }

    /// @inheritdoc IDepositToken
    function accountOf(address account) external view returns (bytes20 member, uint8 kind, uint256 balance) {
        uint256 word = _data().accounts[account];
        return (bytes20(uint160(word >> 96)), uint8(word >> 88), _balance(account, word));
    }

    /// @inheritdoc IDepositToken
    function cashAgent() external view returns (bytes20) {
        return _data().agent;
    }

    /// @inheritdoc IDepositToken
    function heldOf(address account) external view returns (uint256) {
        return _data().held[account];
    }

    /// @inheritdoc IDepositToken
    function referenceUsed(bytes32 ref) external view returns (bool) {
        return _data().references[ref];
    }

    /// @inheritdoc IDepositToken
    function wiring() external view returns (address memberRegistry, address settlement) {
        Data storage $ = _data();
        return (address($.members), $.settlement);
    }

    /// @inheritdoc IDepositToken
    function name() external pure returns (string memory) {
        return "Deposited won";
    }

    /// @inheritdoc IDepositToken
    function symbol() external pure returns (string memory) {
        return "KRW";
    }

    /// @inheritdoc IDepositToken
    function decimals() external pure returns (uint8) {
        return 0;
    }

    /// @inheritdoc IERC20
    function totalSupply() external view returns (uint256) {
        return _data().supply;
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) external view returns (uint256) {
        return _balance(account, _data().accounts[account]);
    }

    /// @inheritdoc IERC20
    function allowance(address, address) external pure returns (uint256) {
        return 0;
    }

    /// @inheritdoc IERC20
    /// @dev Always refused: cash moves by settlement only.
    function transfer(address, uint256) external pure returns (bool) {
        revert RoleRequired("SETTLEMENT");
    }

    /// @inheritdoc IERC20
    /// @dev Always refused: cash moves by settlement only.
    function transferFrom(address, address, uint256) external pure returns (bool) {
        revert RoleRequired("SETTLEMENT");
    }

    /// @inheritdoc IERC20
    /// @dev Always refused: cash moves by settlement only.
    function approve(address, uint256) external pure returns (bool) {
        revert RoleRequired("SETTLEMENT");
    }

    function _useReference(Data storage $, bytes32 kind, CashEntry calldata entry, bytes calldata signature)
        private
        returns (uint256 word)
    {
        if ($.references[entry.ref]) revert DuplicateInstruction(entry.ref);
        _agent(keccak256(abi.encode(kind, entry)), entry.deadline, signature);
        word = $.accounts[entry.account];
        if (word == 0) revert DepositTokenAccountUnknown(entry.account);
        $.references[entry.ref] = true;
    }

    function _setCashAgent(Data storage $, bytes20 member) private {
        $.agent = member;
        emit CashAgentSet(member);
    }

    /// @dev The cash agent, if its key signed a statement that is still in time.
    function _agent(bytes32 structHash, uint40 deadline, bytes calldata signature)
        private
        view
        returns (bytes20 agent)
    {
        if (block.timestamp > deadline) revert TooLate(deadline, block.timestamp);
        address signer = Signatures.signerOf(_digest(structHash), signature);
        Data storage $ = _data();
        agent = $.members.authoriseRole(signer, _CASH, _CASH_AGENT, block.timestamp);
        if (agent == 0 || agent != $.agent) revert SignatureInvalid(signer);
    }

    /// @dev The word of a cash account, if it is the member's and of the kind.
    function _checked(Data storage $, CashParty calldata party) private view returns (uint256 word) {
        word = $.accounts[party.cashAccount];
        if (!_isOf(word, party.member, party.kind)) revert SegregationViolation(party.account, party.cashAccount);
    }

    /// @dev As {_checked}, whose code would cost more in {settle} if others shared it.
    function _checkedCopy(Data storage $, CashParty memory party) private view returns (uint256 word) {
        word = $.accounts[party.cashAccount];
        if (!_isOf(word, party.member, party.kind)) revert SegregationViolation(party.account, party.cashAccount);
    }

    function _isOf(uint256 word, bytes20 member, uint8 kind) private pure returns (bool) {
        return word >> 88 == _header(member, kind) && member != 0;
    }

    function _settling() private view returns (Data storage $) {
        $ = _data();
        if (msg.sender != $.settlement) revert RoleRequired("SETTLEMENT");
    }

    function _useNonce(Data storage $, bytes20 member, uint256 nonce) private {
        if ($.nonces[member][nonce]) revert NonceReplayed(member, nonce);
        $.nonces[member][nonce] = true;
    }

    function _requireActive(Data storage $, bytes20 member) private view {
        (, uint8 status) = $.members.memberOf(member);
        if (status != _ACTIVE) revert BrokerNotMember(member);
    }

    function _setHeld(Data storage $, address account, uint256 held) private {
        $.held[account] = held;
        emit CashHeld(account, held);
    }

    /// @dev Free and held.
    function _balance(address account, uint256 word) private view returns (uint256) {
        return uint88(word) + _data().held[account];
    }

    function _header(bytes20 member, uint8 kind) private pure returns (uint256) {
        return (uint256(uint160(member)) << 8) | kind;
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken DepositToken";
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
