# SPDX-License-Identifier: Apache-2.0
"""The register, projected from mirrored events: positions, rules, identities, claims, cash, settled trades."""
