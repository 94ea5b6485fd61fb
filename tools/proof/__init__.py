# SPDX-License-Identifier: Apache-2.0
"""What the contract tests prove: which lines and branches they run, and which faults of the contracts they notice."""
