# SPDX-License-Identifier: Apache-2.0
"""Programs that measure stoken against a floor or a rival in the same run; never tests."""
