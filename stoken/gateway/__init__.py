# SPDX-License-Identifier: Apache-2.0
"""The HTTP gateway: routes, their schemas and the role each of them needs."""
