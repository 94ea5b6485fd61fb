# SPDX-License-Identifier: Apache-2.0
"""Local engines, started, watched and stopped by stoken."""
