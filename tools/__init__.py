# SPDX-License-Identifier: Apache-2.0
"""Programs of the checkout: generators and the compiler's command line."""
