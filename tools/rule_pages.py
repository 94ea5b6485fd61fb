# SPDX-License-Identifier: Apache-2.0
"""The page of the transfer rules, from the table that gives the verdicts."""

from stoken.compliance.rules import COVER, RULE_SET, RULES, STANDING, About, Rule
from stoken.domain.refusals import error_name
from tools.pages import page, table

_ABOUT = {
    About.ISSUE: "the issue",
    About.SENDER: "the sender",
    About.RECEIVER: "the receiver",
    About.PAIR: "both",
}


def rules_page() -> str:
    """Return the page of the rules of a transfer, in their order."""
    introduction = (
        "A transfer is refused by the first rule that says no. Contracts, gateway and replay ask in this order. "
        "`POST /pre-checks` names the first, with `explain=true` every one; `rule` is the id below. "
        "[The order of the transfer rules](../explanation/transfer-rules.md) says why it is this one."
    )
    parts = [
        _part("Issue and accounts", "Asked of every transfer.", STANDING),
        _part(
            "Rule set",
            "Asked between two identities alone, of the rule set in force at the block; what counts units passes where "
            "none move. Each module contract that says no is a refusal of its own.",
            RULE_SET,
        ),
        _part(
            "Cover",
            "What the sender has, less each kind of encumbrance in turn. With the trustee's consent a trust mark does "
            "not count against the units that it marks.",
            COVER,
        ),
    ]
    return page("Transfer rules", "stoken/compliance/rules.py", introduction, parts)


def _part(title: str, text: str, rules: tuple[Rule, ...]) -> str:
    first = RULES.index(rules[0]) + 1
    rows = [
        (
            str(number),
            f"`{rule.id}`",
            rule.asks,
            _ABOUT[rule.about],
            ", ".join(f"[{code.value}](problems.md#{code.value.lower()})" for code in rule.refusals),
            ", ".join(f"`{error_name(code)}`" for code in rule.refusals),
        )
        for number, rule in enumerate(rules, first)
    ]
    return f"## {title}\n\n{text}\n\n" + table(("", "rule", "asks", "about", "refusal", "Solidity error"), rows)
