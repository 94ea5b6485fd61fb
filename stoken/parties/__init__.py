# SPDX-License-Identifier: Apache-2.0
"""Who the parties are, what they ask for, and the pseudonym by which the venue knows a person."""
