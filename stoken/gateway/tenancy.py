# SPDX-License-Identifier: Apache-2.0
"""Whose objects a caller may see; another tenant's object answers like one that does not exist."""

from stoken.domain.facts import MemberId
from stoken.gateway.access import OVERSEERS
from stoken.gateway.auth import Principal


def oversees(caller: Principal) -> bool:
    """Tell whether the caller reads every tenant's data."""
    return bool(caller.roles & OVERSEERS)


def sees(caller: Principal, owner: MemberId) -> bool:
    """Tell whether the caller may see what belongs to an institution."""
    return oversees(caller) or caller.member == owner
