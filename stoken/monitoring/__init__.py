# SPDX-License-Identifier: Apache-2.0
"""What `work` and `serve` say of themselves: metrics for Prometheus, and whether it is alive and ready."""
