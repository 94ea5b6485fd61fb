# SPDX-License-Identifier: Apache-2.0
"""Opens the sender keys, and puts the suite on the chain with them."""

import socket
from contextlib import ExitStack
from functools import partial

from stoken.bootstrap.connections import finality_of, open_all
from stoken.chain import suite as suites
from stoken.chain import texts
from stoken.chain.capabilities import Capabilities
from stoken.chain.suite import Suite
from stoken.issuance.deploy import Charter, Deployment
from stoken.issuance.issue_file import read_issue_files
from stoken.settings import Settings
from stoken.transactions.key_gate import KeyGate
from stoken.transactions.keys import founding_policy, open_signers, retired_keys
from stoken.transactions.outbox import Outbox


def open_outbox(settings: Settings, capabilities: Capabilities, gate: KeyGate | None = None) -> Outbox:
    """Open the signers of the sender keys; the outbox signs after `take_over`, and only what the gate lets pass."""
    signers = open_signers(settings.signer)
    holder = settings.signer.holder or socket.gethostname()
    check = partial(texts.check, names=_issue_names(settings))
    return Outbox(signers, capabilities.chain_id, retired_keys(settings.signer), holder, check, gate)


def key_gate(settings: Settings, suite: Suite) -> KeyGate:
    """Build what holds sender keys back from acts that the key policy's keys did not approve."""
    return KeyGate(suite.chain_id, suite["authority"], founding_policy(settings.signer))


def _issue_names(settings: Settings) -> frozenset[str] | None:
    if settings.issue_file is None:
        return None
    issues = read_issue_files(settings.issue_file.read_bytes())
    return frozenset(name for issue in issues for name in (issue.name_en, issue.short_code))


def deploy(settings: Settings, charter: Charter) -> Suite:
    """Put the suite on the chain and write the suite file; run again after a crash, it finishes the same deployment."""
    with ExitStack() as stack:
        engine, _, rpc, capabilities = open_all(stack, settings)
        outbox = open_outbox(settings, capabilities)
        outbox.take_over(engine, rpc)
        deployment = Deployment(engine, rpc, outbox, capabilities)
        suite = deployment.sign(charter)
        suites.save(suite, settings.suite_file)
        deployment.finish(suite, finality_of(settings))
    return suite
